"""What Elastic Defend writes of the registry, of what Sysmon says of it.

Sysmon's abbreviations: https://learn.microsoft.com/sysinternals/downloads/sysmon#event-id-12-registryevent-object-create-and-delete
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from converter.schemas.forms.form import Cell, Event, Unwritable

# https://learn.microsoft.com/sysinternals/downloads/sysmon, event ID 12; a hive that a program loads has no short name.
HIVES = re.compile(r"(?:HKLM|HKU|HKCU|HKCR|\\REGISTRY)(?:\\|$)", re.IGNORECASE)
NUMBERED = re.compile(r"HKLM\\System\\ControlSet\d", re.IGNORECASE)
CURRENT = re.compile(r"HKLM\\System\\CurrentControlSet(?=\\|$)", re.IGNORECASE)
INTEGER = re.compile(r"(?P<size>[DQ])WORD \((?:0x(?P<high>[0-9a-f]{8})-)?0x(?P<low>[0-9a-f]{8})\)", re.IGNORECASE)
DEFAULT = "\\(Default)"
EMPTY, BINARY = "(empty)", "binary data"


def defend_path(value: Any, _event: Event, *, spelled: Mapping[str, str], part: str = "path") -> Cell | None:
    r"""Sysmon's path of a value as Defend spells it, or its `hive`, `key` or `value`.

    `spelled` says what stands for HKU, HKCR, CurrentControlSet and `(Default)` at the end. Raises Unwritable for a
    path without a hive, and for a numbered control set, which Sysmon never names.
    """
    if value is None:
        return None
    if not HIVES.match(str(value)):
        raise Unwritable(f"{value!r} begins with no hive as Sysmon names them")
    if NUMBERED.match(str(value)):
        raise Unwritable(f"{value!r} names a control set by its number")
    path = CURRENT.sub(lambda _: f"HKLM\\SYSTEM\\{spelled['CurrentControlSet']}", str(value))
    hive, sign, rest = path.partition("\\")
    path = (spelled[hive.upper()] if hive.upper() in {"HKU", "HKCR"} else hive) + sign + rest
    if path.lower().endswith(DEFAULT.lower()):
        path = path[: -len(DEFAULT)] + "\\" + spelled["(Default)"]
    if part == "path":
        return path
    hive, _, rest = path.partition("\\")
    key, _, name = rest.rpartition("\\")
    return {"hive": hive, "key": key, "value": name}[part] or None


def defend_strings(value: Any, _event: Event, *, integer: str) -> Cell | None:
    """The text that was written; a number `decimal` or as `hexadecimal` digits; none for bytes and for nothing.

    Raises Unwritable for an empty text, which Sysmon writes as `(Empty)`.
    """
    if value == "":
        raise Unwritable("an empty text is (Empty) to Sysmon")
    if value is None or str(value).lower() in {EMPTY, BINARY}:
        return None
    number = _integer(str(value))
    if number is None:
        return (str(value),)
    size, whole = number
    digits = 16 if size == "Q" else 8
    return (str(whole) if integer == "decimal" else f"0x{whole:0{digits}x}",)


def defend_type(value: Any, _event: Event, *, text: str) -> Cell | None:
    """The type of what was written, `text` for any text."""
    if value is None:
        return None
    if str(value).lower() == BINARY:
        return "REG_BINARY"
    number = _integer(str(value))
    return text if number is None else f"REG_{number[0]}WORD"


def _integer(text: str) -> tuple[str, int] | None:
    """Whether it is D or Q, and the number; raises Unwritable for a notation of numbers that is not Sysmon's."""
    found = INTEGER.fullmatch(text)
    if found is None:
        if re.match(r"[DQ]WORD\b", text, re.IGNORECASE):
            raise Unwritable(f"{text!r} is no number as Sysmon writes it")
        return None
    size, high = found["size"].upper(), found["high"]
    if (size == "Q") != (high is not None):
        raise Unwritable(f"{text!r} is no number as Sysmon writes it")
    return size, int((high or "") + found["low"], 16)
