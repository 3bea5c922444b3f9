"""How Splunk's add-ons hold a value: as text, and not at all where there is none."""

from __future__ import annotations

import re
from typing import Any

from converter.schemas.forms.common import integer
from converter.schemas.forms.form import Cell, Event, Unwritable
from converter.schemas.forms.microsoft import account, account_domain

# https://learn.microsoft.com/windows/win32/secauthz/well-known-sids
LEVELS = {"Untrusted": 0, "Low": 4096, "Medium": 8192, "High": 12288, "System": 16384}
SIDS = {"system": "S-1-5-18", "local service": "S-1-5-19", "network service": "S-1-5-20"}
SOMEBODY = "S-1-5-21-1004336348-1177238915-682003330-1001"
HOST, WORKGROUP = "HOST$", "EXAMPLE"


def text(value: Any, _event: Event) -> Cell | None:
    """The value as text, a list as several, none where it is empty: Splunk extracts no field without a value."""
    if isinstance(value, list | tuple):
        held = tuple(map(_text, value))
        return held or None
    return None if value is None or value == "" else _text(value)


def _text(value: Any) -> str:
    """As Windows renders it in the event's XML: a truth value in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def lower(value: Any, event: Event) -> Cell | None:
    """The text in lower case."""
    held = text(value, event)
    return held.lower() if isinstance(held, str) else held


def hexadecimal(value: Any, event: Event) -> Cell | None:
    """A whole number as Security's events write it; raises Unwritable for anything else."""
    number = integer(value, event)
    return None if number is None else f"{number:#x}"


def mandatory_label(value: Any, _event: Event, *, sid: bool = False) -> Cell | None:
    """The label of an integrity level, by name or as `sid`; raises Unwritable for what is no level."""
    if value is None or value == "":
        return None
    for name, number in LEVELS.items():
        label = f"S-1-16-{number}"
        if str(value).casefold() in {name.casefold(), label.casefold()}:
            return label if sid else f"Mandatory Label\\{name} Mandatory Level"
    raise Unwritable(f"{value!r} is no integrity level")


def subject_name(value: Any, event: Event) -> Cell | None:
    """The subject's name: for LocalSystem the host's account."""
    return HOST if _is_system(value) else account(value, event)


def subject_domain(value: Any, event: Event) -> Cell | None:
    """The subject's domain: for LocalSystem that of the host."""
    return WORKGROUP if _is_system(value) else account_domain(value, event)


def subject_sid(value: Any, event: Event) -> Cell | None:
    """The subject's SID: a well-known one, else that of some account."""
    name = account(value, event)
    domain = str(account_domain(value, event)).casefold()
    well_known = SIDS.get(str(name).casefold()) if domain == "nt authority" else None
    return name and (well_known or SOMEBODY)


def parenthesised(value: Any, event: Event) -> Cell | None:
    """A registry value's data: of `DWORD (0x00000001)` what stands in parentheses."""
    found = re.fullmatch(r"[DQ]WORD \((.+)\)", str(value), re.IGNORECASE)
    return found[1] if found else text(value, event)


def _is_system(value: Any) -> bool:
    return str(value).casefold() == r"nt authority\system"
