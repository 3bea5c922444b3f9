r"""How Microsoft's advanced hunting holds what an event says.

The pages are those of https://learn.microsoft.com/defender-xdr/advanced-hunting-schema-tables and the parsers that
Microsoft publishes for these tables (Parsers/ASim… of https://github.com/Azure/Azure-Sentinel).
"""

from __future__ import annotations

from typing import Any

from converter.schemas.forms.common import after_backslash, before_backslash
from converter.schemas.forms.form import Cell, Event, Unwritable


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


def _pair(value: Any) -> Any:
    """Raise Unwritable for a Windows user without a domain or without a name."""
    if value is None or value == "":
        return None
    domain, sign, name = str(value).partition("\\")
    if not sign or not domain or not name:
        raise Unwritable(f"{value!r} is no domain and name")
    return value


def _cased(cell: Cell | None, *, lower: bool) -> Cell | None:
    return cell.lower() if lower and isinstance(cell, str) else cell
