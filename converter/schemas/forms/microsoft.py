r"""How Microsoft's advanced hunting holds accounts, folders, addresses and the fields of AdditionalFields.

The pages are those of https://learn.microsoft.com/defender-xdr/advanced-hunting-schema-tables and the parsers that
Microsoft publishes for these tables (Parsers/ASim… of https://github.com/Azure/Azure-Sentinel).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address
from typing import Any

from converter.schemas.forms.common import after_backslash, before_backslash, integer
from converter.schemas.forms.form import Cell, Event, Unwritable

PORTS = range(1 << 16)


def account(value: Any, event: Event, *, lower: bool = False) -> Cell | None:
    r"""The account's name of Sysmon's `DOMAIN\name`; raises Unwritable where it is no such pair."""
    return _cased(after_backslash(_pair(value), event), lower=lower)


def account_domain(value: Any, event: Event, *, lower: bool = False) -> Cell | None:
    r"""The account's domain of Sysmon's `DOMAIN\name`; raises Unwritable where it is no such pair."""
    return _cased(before_backslash(_pair(value), event), lower=lower)


def local_account(value: Any, _event: Event) -> Cell | None:
    """The account's name on a system without domains; raises Unwritable where there is one."""
    if value is not None and "\\" in str(value):
        raise Unwritable(f"{value!r} has a domain")
    return None if value is None else str(value)


def resource(value: Any, _event: Event) -> Cell | None:
    """A text of a program's version resource: none where Sysmon writes its `-` for a program that has no such text."""
    return None if value == "-" else value


def folder(value: Any, _event: Event) -> Cell | None:
    r"""The folder of a path, without the separator at its end but for Unix' root; none for a bare name.

    Raises Unwritable for a path that ends without a name or begins with two slashes; for a slash in one of Windows,
    none of whose names has one (https://learn.microsoft.com/windows/win32/fileio/naming-a-file); and for a backslash
    in one of Unix: whether a parser of both takes it for a part of the name is open.
    """
    path = str(value or "")
    if "/" in path and ("\\" in path or not path.startswith("/")):
        raise Unwritable(f"{value!r} has separators of two systems")
    if path.endswith(("/", "\\")) or path.startswith("//"):
        raise Unwritable(f"{value!r} names no file")
    if path.rfind("/") == 0:
        return "/"
    name_at = max(path.rfind("\\"), path.rfind("/"))
    return path[:name_at] if name_at > 0 else None


def address(value: Any, _event: Event, *, mapped: bool = False) -> Cell | None:
    """An IP address, one of version 4 as IPv6 maps it where `mapped`; raises Unwritable for anything else."""
    if value is None or value == "":
        return None
    try:
        parsed = ip_address(str(value))
    except ValueError:
        raise Unwritable(f"{value!r} is no IP address") from None
    return f"::ffff:{value}" if mapped and isinstance(parsed, IPv4Address) else str(value)


def family(value: Any, event: Event, *, of: str) -> Cell | None:
    """None: whether an address is of version 6 is not kept beside it; raises Unwritable where the two do not agree."""
    if value is None:
        return None
    held = address(event.get(of), event)
    if held is None or str(value).casefold() != str(":" in str(held)).casefold():
        raise Unwritable(f"{value!r} does not go with the address {held!r}")
    return None


def port(value: Any, event: Event) -> Cell | None:
    """A port; raises Unwritable for what is none."""
    number = integer(value, event)
    if number is not None and number not in PORTS:
        raise Unwritable(f"{value!r} is no port")
    return number


def web_address(value: Any, _event: Event) -> Cell | None:
    """The URL of the start page of a host."""
    return f"https://{value}/" if value else None


def capital(value: Any, _event: Event) -> Cell | None:
    """The word with a capital letter at its start only: Sysmon's `tcp` as Tcp."""
    return None if value is None else str(value).capitalize()


def named(_value: Any, event: Event, *, keys: Mapping[str, str], before: str = "") -> Cell | None:
    """The JSON object of AdditionalFields: each key with the value of a Sigma field, a text put `before` it."""
    held = {key: f"{before}{event[name]}" for key, name in keys.items() if event.get(name) is not None}
    return json.dumps(held, ensure_ascii=False, separators=(",", ":")) if held else None


def _pair(value: Any) -> Any:
    """The value, None for none and for the `-` of a process that is gone.

    Raises Unwritable for a Windows user without a domain or without a name.
    """
    if value is None or value in {"", "-"}:
        return None
    domain, sign, name = str(value).partition("\\")
    if not sign or not domain or not name:
        raise Unwritable(f"{value!r} is no domain and name")
    return value


def _cased(cell: Cell | None, *, lower: bool) -> Cell | None:
    return cell.lower() if lower and isinstance(cell, str) else cell
