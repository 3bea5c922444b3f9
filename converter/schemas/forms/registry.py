r"""How Microsoft's advanced hunting holds what Sysmon says of the registry.

Sysmon abbreviates: HKLM is HKEY_LOCAL_MACHINE, HKU is HKEY_USERS, HKCR is HKEY_LOCAL_MACHINE\SOFTWARE\Classes, and
HKLM\System\CurrentControlSet is HKEY_LOCAL_MACHINE\System\ControlSet00x
(https://learn.microsoft.com/sysinternals/downloads/sysmon, event ID 12). Defender's page
(https://learn.microsoft.com/defender-xdr/advanced-hunting-deviceregistryevents-table) leaves spellings open. Of
https://github.com/Azure/Azure-Sentinel, Parsers/ASimRegistryEvent/Parsers/ASimRegistryEventMicrosoft365D.yaml takes
what was deleted or renamed from the columns PreviousRegistry…, and the hunt wdigest-caching.yaml (Hunting Queries/
Microsoft 365 Defender/Credential Access) asks a number in decimal. Hives stand in full.
"""

from __future__ import annotations

import re
from typing import Any

from converter.schemas.forms.form import Cell, Event, Unwritable

# Of a user whom nobody names, where Sigma says HKCU and Sysmon would have said HKU with the user's SID.
SOMEBODY = "S-1-5-21-1004336348-1177238915-682003330-1001"
HIVES = re.compile(r"(?P<hive>HKLM|HKU|HKCU|HKCR)\\(?P<rest>.+)", re.IGNORECASE | re.DOTALL)
# What Sysmon calls HKCR and CurrentControlSet.
ABBREVIATED = re.compile(r"HKLM\\(?:SOFTWARE\\Classes|SYSTEM\\ControlSet[0-9]{3})(?:\\.*)?", re.IGNORECASE | re.DOTALL)
# Hives that a program loads for itself have no name in Sysmon.
LOADED = re.compile(r"\\REGISTRY\\\w+\\.+", re.IGNORECASE | re.DOTALL)
CONTROL_SET = re.compile(r"^(System\\)CurrentControlSet(?=\\|$)", re.IGNORECASE)
# A value's name may be a path; a drive's letter begins it.
PATH_NAME = re.compile(r"\\(?=[A-Za-z]:\\)")
DEFAULT = "(Default)"
NUMBER = re.compile(r"(?P<kind>DWORD|QWORD) \(0x(?P<high>[0-9a-f]{8})(?:-0x(?P<low>[0-9a-f]{8}))?\)", re.IGNORECASE)
LOOKS_LIKE_NUMBER = re.compile(r"[DQ]WORD \(", re.IGNORECASE)
EMPTY, BINARY = "(Empty)", "Binary Data"


def registry_path(value: Any, _event: Event, *, users: str, control_set: str, classes: str) -> Cell | None:
    """The whole of Sysmon's TargetObject as a key; raises Unwritable for one that begins with no hive."""
    return None if value is None else _whole(str(value), users, control_set, classes)


def registry_key(value: Any, _event: Event, *, users: str, control_set: str, classes: str) -> Cell | None:
    """The key of Sysmon's TargetObject, whose last part is a value's name; raises Unwritable for one without a hive."""
    return None if value is None else _whole(_parted(str(value))[0], users, control_set, classes)


def registry_value_name(value: Any, _event: Event, *, default: str) -> Cell | None:
    """The value's name, the last part of Sysmon's TargetObject; `default` is how a key's default value is called."""
    if value is None:
        return None
    name = _parted(str(value))[1]
    return (default or None) if name == DEFAULT else name


def registry_data(value: Any, _event: Event) -> Cell | None:
    """A value's data: numbers in decimal, none for an empty text and for binary data, which Sysmon does not show.

    Raises Unwritable for a number that is not as Sysmon writes it, and for nothing, where Sysmon writes (Empty).
    """
    if value == "":
        raise Unwritable("Sysmon writes (Empty) for a value without data")
    number = _number(value)
    if number is not None:
        return str(number[1])
    return None if value in {None, EMPTY, BINARY} else str(value)


def registry_type(value: Any, _event: Event, *, text: str) -> Cell | None:
    """A value's type; `text` is the one that a text has."""
    if value is None:
        return None
    if value == BINARY:
        return "Binary"
    number = _number(value)
    return text if number is None else number[0]


def unsaid(value: Any, _event: Event) -> Cell | None:
    """None; raises Unwritable where there is a value: such an event does not say it."""
    if value is not None:
        raise Unwritable(f"{value!r}: such an event has no value in this field")
    return None


def _number(value: Any) -> tuple[str, int] | None:
    """The type and number of `DWORD (0x00000001)` and `QWORD (0x00000000-0x00000001)`; None for another value."""
    text = str(value)
    if not LOOKS_LIKE_NUMBER.match(text):
        return None
    found = NUMBER.fullmatch(text)
    if found is None or (found["kind"].upper() == "QWORD") != (found["low"] is not None):
        raise Unwritable(f"{value!r} is no number as Sysmon writes it")
    kind = {"DWORD": "Dword", "QWORD": "QWord"}[found["kind"].upper()]
    return kind, int(found["high"] + (found["low"] or ""), 16)


def _parted(target: str) -> tuple[str, str]:
    """The key and the value's name."""
    path = PATH_NAME.search(target)
    if path is not None:
        return target[: path.start()], target[path.end() :]
    key, sign, name = target.rpartition("\\")
    if not sign or not name or "\\" not in key:
        raise Unwritable(f"{target!r} is no key with a value's name")
    return key, name


def _whole(target: str, users: str, control_set: str, classes: str) -> str:
    if LOADED.fullmatch(target):
        return target
    if ABBREVIATED.fullmatch(target):
        raise Unwritable(f"{target!r} is not abbreviated as Sysmon does")
    found = HIVES.fullmatch(target)
    if found is None:
        raise Unwritable(f"{target!r} begins with no hive")
    hive, rest = found["hive"].upper(), found["rest"]
    if hive == "HKLM":
        named = CONTROL_SET.sub(lambda system: system[1] + control_set, rest, count=1) if control_set else rest
        return f"HKEY_LOCAL_MACHINE\\{named}"
    if hive == "HKCR":
        return f"{classes}\\{rest}"
    return f"{users}\\{SOMEBODY}\\{rest}" if hive == "HKCU" else f"{users}\\{rest}"
