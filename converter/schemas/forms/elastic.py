"""Forms of Elastic: what Elastic Defend, Elastic's integrations and Winlogbeat make of a value."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from converter.schemas.forms.form import Cell, Event, Unwritable

HEXADECIMAL = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]*)", re.IGNORECASE)


def account_domain(value: Any, _event: Event, **_alone: bool) -> Cell | None:
    r"""The domain of `DOMAIN\name`, none where there is no backslash; raises Unwritable for no such account."""
    return None if value is None else _account(str(value))[0]


def account_name(value: Any, _event: Event, *, alone: bool = True) -> Cell | None:
    r"""The name of `DOMAIN\name`; without a backslash all of it, or with `alone` false none.

    Raises Unwritable for no such account.
    """
    domain, name = (None, None) if value is None else _account(str(value))
    return name if alone or domain is not None else None


def words(value: Any, _event: Event, *, words: Mapping[str, Cell | list[Any]]) -> Cell | None:
    """The vendor's word for one of a closed list, in any letter case; raises Unwritable for one out of it."""
    if value is None:
        return None
    known = {word.lower(): cell for word, cell in words.items()}
    if str(value).lower() not in known:
        raise Unwritable(f"{value!r} is none of {', '.join(words)}")
    cell = known[str(value).lower()]
    return tuple(cell) if isinstance(cell, list) else cell


def hexadecimal(value: Any, _event: Event) -> Cell | None:
    """A number such as 0x3e7 in lower case; raises Unwritable for anything else, leading zeros included."""
    if value is None:
        return None
    if not HEXADECIMAL.fullmatch(str(value)):
        raise Unwritable(f"{value!r} is no hexadecimal number")
    return str(value).lower()


def address(value: Any, _event: Event) -> Cell | None:
    """An IP address; raises Unwritable for anything else, which a field of type ip does not take."""
    if value is None or value == "":
        return None
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        raise Unwritable(f"{value!r} is no IP address") from None
    return str(value)


def host_label(value: Any, _event: Event) -> Cell | None:
    """The first label of a host's full name."""
    return None if value is None else str(value).partition(".")[0]


def after_slash(value: Any, _event: Event) -> Cell | None:
    """The last part of a path of a system whose names may have backslashes."""
    return None if value is None else str(value).rpartition("/")[2]


def _account(account: str) -> tuple[str | None, str]:
    domain, sign, name = account.rpartition("\\")
    if (sign and not (domain and name)) or "\\" in domain:
        raise Unwritable(f"{account!r} is no account")
    return (domain if sign else None), name
