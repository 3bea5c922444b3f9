"""Whether an address is of a block."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from converter.oracle.tree import Scalar

# What some readers take for an address and others do not: padded numbers, ports, prefixes, zones, brackets, spaces.
NEARLY = re.compile(r"\s*\[?(?=[0-9A-Fa-f:.]*[0-9:])[0-9A-Fa-f]*[.:][0-9A-Fa-f:.]*\]?(?:[%/:].*)?\s*", re.DOTALL)


@lru_cache(maxsize=4096)
def _network(block: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(block)


def within(block: str, value: Scalar) -> bool | None:
    """Whether the value is an address of the block; None where it is an address to some readers only.

    An IPv4 address inside an IPv6 one, as `::ffff:192.0.2.1`, is one of these, and so is an address as a number.
    """
    if not isinstance(value, str):
        return None
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None if NEARLY.fullmatch(value) else False
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.scope_id):
        return None
    network = _network(block)
    return address.version == network.version and address in network
