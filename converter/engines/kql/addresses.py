"""IP addresses in KQL, as functions that SQL calls.

Null stands for what is no address (https://learn.microsoft.com/kusto/query/ipv4-is-in-range-function and the pages of
the others). How an address is read was measured on the Kusto emulator by the authors of duckdb-kql: no leading
zeros, blanks around it are no matter, a `/n` masks, and an IPv4 address among IPv6 ones is the mapped one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address

import duckdb
from duckdb.func import FunctionNullHandling

_PART = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"({_PART})\.({_PART})\.({_PART})\.({_PART})(?:/(3[0-2]|[12]?[0-9]))?", re.ASCII)
_IPV6 = re.compile(r"([0-9A-Fa-f:.]+)(?:%[^/]*)?(?:/(\d{1,3}))?", re.ASCII)
_MAPPED = 0xFFFF << 32
_BITS4, _BITS6 = 32, 128


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the connection the functions `kql_<name>` for the functions below."""
    # Null is theirs to give, for texts that are there.
    for name, function in (("in_range4", in_range4), ("in_range6", in_range6)):
        connection.create_function(
            f"kql_{name}", function, ["VARCHAR", "VARCHAR"], "BOOLEAN", null_handling=FunctionNullHandling.SPECIAL
        )
    connection.create_function(
        "kql_compare4",
        compare4,
        ["VARCHAR", "VARCHAR", "BIGINT"],
        "BIGINT",
        null_handling=FunctionNullHandling.SPECIAL,
    )


def in_range4(address: str, network: str) -> bool | None:
    """Whether the IPv4 address stands in the network; None where one of them is none."""
    compared = compare4(address, network, _prefix(network))
    return None if compared is None else compared == 0


def in_range6(address: str, network: str) -> bool | None:
    """Whether the address stands in the network, an IPv4 one as its mapped IPv6 one; None where one is none."""
    found, wanted = _parsed6(address), _parsed6(network)
    if found is None or wanted is None:
        return None
    return _masked(found[0], wanted[1], _BITS6) == _masked(wanted[0], wanted[1], _BITS6)


def compare4(one: str, other: str, prefix: int) -> int | None:
    """-1, 0 or 1 as the first IPv4 address is below, at or above the second by the shortest of their prefixes."""
    left, right = parsed4(one), parsed4(other)
    if left is None or right is None:
        return None
    length = min(left[1], right[1], prefix)
    first, second = _masked(left[0], length, _BITS4), _masked(right[0], length, _BITS4)
    return (first > second) - (first < second)


@lru_cache(maxsize=4096)
def parsed4(text: str) -> tuple[int, int] | None:
    """The number and the prefix of an IPv4 address; None for a text that is none."""
    found = _IPV4.fullmatch(text.strip())
    if found is None:
        return None
    number = 0
    for part in found.groups()[:4]:
        number = number << 8 | int(part)
    return number, int(found[5]) if found[5] else _BITS4


@lru_cache(maxsize=4096)
def _parsed6(text: str) -> tuple[int, int] | None:
    if (four := parsed4(text)) is not None:
        return _MAPPED | four[0], _BITS6 - _BITS4 + four[1]
    found = _IPV6.fullmatch(text.strip())
    if found is None:
        return None
    try:
        number = int(IPv6Address(found[1]))
    except ValueError:
        return None
    # The prefix of an address with an IPv4 tail counts the tail's bits.
    limit, fixed = (_BITS4, _BITS6 - _BITS4) if "." in found[1] else (_BITS6, 0)
    prefix = int(found[2]) if found[2] else limit
    return (number, fixed + prefix) if prefix <= limit else None


def is_address6(text: str) -> bool:
    """Whether the text is an address or network that is IPv6 and no IPv4."""
    return parsed4(text) is None and _parsed6(text) is not None


def is_network(text: str) -> bool:
    """Whether the text is an address or network of either kind."""
    return _parsed6(text) is not None


def _prefix(network: str) -> int:
    parsed = parsed4(network)
    return _BITS4 if parsed is None else parsed[1]


def _masked(number: int, prefix: int, bits: int) -> int:
    return number >> (bits - prefix)
