"""What the ingest pipelines of Elastic's Windows integration and of Winlogbeat make of an event's data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from converter.schemas.forms.common import digest
from converter.schemas.forms.elastic import address
from converter.schemas.forms.form import Cell, Event, Unwritable

# `Remove all empty values from event_data` is the first step of each pipeline.
EMPTY = frozenset({"", "-", "{00000000-0000-0000-0000-000000000000}"})
ACCESS_CODE = re.compile(r"%%\d{4,5}")
DWORD = re.compile(r"DWORD \((0x[0-9A-F]{8})\)", re.IGNORECASE)
QWORD = re.compile(r"QWORD \((0x[0-9A-F]{8})-(0x[0-9A-F]{8})\)", re.IGNORECASE)


def kept(value: Any, _event: Event) -> Cell | None:
    """The value as text, none where it is empty, a hyphen or a GUID of zeros; a list as several."""
    if isinstance(value, list | tuple):
        return tuple(str(part) for part in value)
    text = None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return None if text in EMPTY else text


def kept_digest(value: Any, event: Event, *, algorithm: str) -> Cell | None:
    """One digest of Sysmon's list in lower case, none where it is of zeros only."""
    held = digest(None if str(value) in EMPTY else value, event, algorithm=algorithm)
    return held if held is None or str(held).strip("0") else None


def last_name(value: Any, event: Event) -> Cell | None:
    """What follows the last backslash of a path; none where there is no backslash, or nothing follows."""
    text = str(kept(value, event) or "")
    return (text.rpartition("\\")[2] or None) if "\\" in text else None


def last_token(value: Any, event: Event) -> Cell | None:
    """What follows the last backslash of a registry path, all of it where there is none."""
    text = kept(value, event)
    # Java's split leaves empty parts at the end out.
    return None if text is None else str(text).rstrip("\\").rpartition("\\")[2]


def sysmon_strings(value: Any, event: Event) -> Cell | None:
    """The data of a registry value as its pipeline writes it: numbers decimal, all else as Sysmon has it."""
    text = kept(value, event)
    if text is None:
        return None
    if found := QWORD.fullmatch(str(text)):
        # The pipeline shifts the upper half by 8 bits only.
        return (str((int(found[1], 16) << 8) + int(found[2], 16)),)
    if found := DWORD.fullmatch(str(text)):
        return (str(int(found[1], 16)),)
    return (str(text),)


def sysmon_type(value: Any, event: Event) -> Cell | None:
    """The type of the data of a registry value as its pipeline names it."""
    text = kept(value, event)
    if text is None:
        return None
    if QWORD.fullmatch(str(text)):
        return "SZ_QWORD"
    if DWORD.fullmatch(str(text)):
        return "SZ_DWORD"
    return "REG_BINARY" if text == "Binary Data" else "REG_SZ"


def trimmed(value: Any, event: Event) -> Cell | None:
    """The value without white space around it."""
    text = kept(value, event)
    return None if text is None else str(text).strip() or None


def by_event(value: Any, event: Event, *, codes: Sequence[str], among: bool) -> Cell | None:
    """The value where the event's EventID is one of the codes, or with `among` false where it is none of them.

    Raises Unwritable where the event has no EventID, for that decides where the value goes.
    """
    text = kept(value, event)
    if text is None:
        return None
    if event.get("EventID") is None:
        raise Unwritable("an event without an EventID")
    return text if (str(event["EventID"]) in codes) == among else None


def number_by_event(value: Any, event: Event, *, codes: Sequence[str], among: bool) -> Cell | None:
    """As `by_event`, for a whole number, decimal or hexadecimal; raises Unwritable for any other text."""
    text = by_event(value, event, codes=codes, among=among)
    try:
        return None if text is None else int(str(text), 0)
    except ValueError:
        raise Unwritable(f"{value!r} is no whole number") from None


def address_by_event(value: Any, event: Event, *, codes: Sequence[str], among: bool) -> Cell | None:
    """As `by_event`, for an IP address; raises Unwritable for any other text."""
    return address(by_event(value, event, codes=codes, among=among), event)


def parts_by_event(value: Any, event: Event, *, codes: Sequence[str]) -> Cell | None:
    """The value, in several at its white space where the event's EventID is one of the codes."""
    text = kept(value, event)
    if text is None or str(event.get("EventID")) not in codes or isinstance(text, tuple):
        return text
    parts = tuple(re.split(r"\s+", str(text)))
    return parts if len(parts) > 1 else parts[0]


def access_codes(value: Any, event: Event) -> Cell | None:
    """The codes of a list of access rights `%%4417 %%4418`, each without its signs.

    Raises Unwritable for signs that stand before no code, or within a word, and for a code without its signs.
    """
    text = kept(value, event)
    if text is None or isinstance(text, tuple):
        return text
    words = str(text).split()
    if wrong := [word for word in words if ("%%" in word or word.isdigit()) and not ACCESS_CODE.fullmatch(word)]:
        raise Unwritable(f"{wrong[0]!r} is no code of an access right")
    return tuple(word.replace("%%", "") for word in words) or None
