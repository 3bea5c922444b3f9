"""Forms that several vendors share."""

from __future__ import annotations

import re
from typing import Any

from converter.schemas.forms.form import Cell, Event, Unwritable

DIGEST = re.compile(r"(?P<name>MD5|SHA1|SHA256|IMPHASH)=(?P<digits>[0-9A-Fa-f]+)")
DIGITS = {"MD5": 32, "SHA1": 40, "SHA256": 64, "IMPHASH": 32}


def same(value: Any, _event: Event) -> Cell | None:
    """The value as it is; a list as several."""
    return tuple(value) if isinstance(value, list | tuple) else value


def filled(value: Any, event: Event) -> Cell | None:
    """The value, none where it is empty: the vendor does not keep empty texts."""
    return None if value == "" else same(value, event)


def integer(value: Any, _event: Event) -> Cell | None:
    """A whole number, decimal or hexadecimal (0x3e7); raises Unwritable for any other text."""
    if value is None or value == "":
        return None
    try:
        return int(str(value), 0)
    except ValueError:
        raise Unwritable(f"{value!r} is no whole number") from None


def decimal(value: Any, event: Event) -> Cell | None:
    """A whole number in decimal, as Sysmon writes identifiers of processes and sessions; raises Unwritable for others.

    https://learn.microsoft.com/sysinternals/downloads/sysmon: a logon session alone is in hexadecimal.
    """
    if isinstance(value, str) and value and not re.fullmatch(r"[0-9]+", value):
        raise Unwritable(f"{value!r} is no decimal number")
    return integer(value, event)


def base_name(value: Any, _event: Event) -> Cell | None:
    """The last part of a path of any system."""
    return None if value is None else re.split(r"[\\/]", str(value))[-1]


def before_backslash(value: Any, _event: Event) -> Cell | None:
    r"""The domain of `DOMAIN\name`; none where there is no backslash."""
    domain, sign, _ = str(value or "").partition("\\")
    return domain if sign else None


def after_backslash(value: Any, _event: Event) -> Cell | None:
    r"""The name of `DOMAIN\name`, or all of it where there is no backslash; raises Unwritable for a second one."""
    if value is None:
        return None
    if str(value).count("\\") > 1:
        raise Unwritable(f"{value!r} has more than one backslash")
    return str(value).rpartition("\\")[2]


def digest(value: Any, _event: Event, *, algorithm: str, upper: bool = False) -> Cell | None:
    """One digest of Sysmon's list `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`; raises Unwritable for anything but such a list."""
    if value is None or value == "":
        return None
    digests: dict[str, str] = {}
    for entry in str(value).split(","):
        found = DIGEST.fullmatch(entry)
        if found is None or len(found["digits"]) != DIGITS[found["name"]] or found["name"] in digests:
            raise Unwritable(f"{value!r} is no list of whole digests")
        digests[found["name"]] = found["digits"]
    held = digests.get(algorithm)
    return held and (held.upper() if upper else held.lower())
