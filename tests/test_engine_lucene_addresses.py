"""The embedded engine of Lucene on addresses at the ends of their blocks."""

from __future__ import annotations

import pytest

from converter import engines, schemas
from converter.bench import Embedded
from converter.engines.store import Stored


@pytest.mark.parametrize(
    ("block", "inside", "outside"),
    [
        ("fc00::/7", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::"),
        ("fe80::/10", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::"),
        ("::1/128", "::1", "::2"),
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
    ],
)
def test_a_block_ends_where_it_ends(block: str, inside: str, outside: str) -> None:
    layout = schemas.layout("lucene")
    assert layout is not None
    source = next(each for each in layout.sources if each.name == "network_connection")
    held = Embedded(layout, engines.embedded("lucene"))
    rows = [Stored(number, 0, {"destination.ip": address}) for number, address in enumerate((inside, outside))]
    # A list of one kind of numbers is handed on otherwise than a mixed one.
    assert held.load(source, [*rows, Stored(2, 0, {"destination.ip": "::7"}), Stored(3, 0, {})]) == set()
    assert held.answer(f'destination.ip:"{block}"', [source], 0).found == {0}
