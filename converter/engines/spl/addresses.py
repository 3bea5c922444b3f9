"""Networks in CIDR notation, of both versions of the Internet Protocol."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=1_024)
def network(text: str) -> Network:
    """The network of this notation; raises ValueError for any other text."""
    return ipaddress.ip_network(text, strict=False)


def in_subnet(text: str, address: str) -> bool:
    """Whether the address lies in the network; what is no address lies in none."""
    try:
        return ipaddress.ip_address(address) in network(text)
    except ValueError:
        return False
