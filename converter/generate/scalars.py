"""Numbers, truth values and addresses that tests ask for, and their neighbours."""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Iterator, Sequence

from converter.oracle.tree import Boolean, Compare, Network, Number, Scalar, Test

ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "!=": operator.ne}


def numbers(tests: Sequence[tuple[Test, bool]], variant: int) -> int | float | None:
    """A number that all comparisons hold for, or, where told so, do not; None where there is none nearby."""
    near: list[int | float] = []
    for test, _ in tests:
        if isinstance(test, Number | Compare):
            near += [test.number, test.number + 1, test.number - 1, test.number + 10, test.number - 10]
    found = [number for number in dict.fromkeys(near) if all(_holds(test, number) is holds for test, holds in tests)]
    return found[variant % len(found)] if found else None


def _holds(test: Test, number: float) -> bool:
    if isinstance(test, Compare):
        return bool(ORDERS[test.operator](number, test.number))
    return isinstance(test, Number) and test.number == number


def addresses(tests: Sequence[tuple[Network, bool]], variant: int) -> str | None:
    """An address in every block, or, where told so, outside; None where there is none at the blocks' ends."""
    tries = [text for test, holds in tests if holds for _, text in inside(test)]
    blocks = [(ipaddress.ip_network(test.block, strict=False), holds) for test, holds in tests]
    found = [text for text in tries if all((ipaddress.ip_address(text) in block) is holds for block, holds in blocks)]
    return found[variant % len(found)] if found else None


def inside(test: Network) -> Iterator[tuple[str, str]]:
    """Addresses of the block."""
    block = ipaddress.ip_network(test.block, strict=False)
    yield "first address of the block", str(block[0])
    yield "last address of the block", str(block[-1])
    yield "middle of the block", str(block[block.num_addresses // 2])


def neighbours(test: Test, value: Scalar) -> Iterator[tuple[str, Scalar]]:
    """Values beside the one that the test asks for, with what they are."""
    if isinstance(test, Network):
        yield from inside(test)
        yield from _outside(test)
    elif isinstance(test, Compare):
        yield "at the bound", test.number
        yield "one above the bound", test.number + 1
        yield "one below the bound", test.number - 1
        yield "the bound as text", str(test.number)
    elif isinstance(test, Number):
        yield "the number as text", str(test.number)
        yield "one more", test.number + 1
        yield "one less", test.number - 1
        yield "a digit more", test.number * 10 + 1
        yield "another number", 42424
    elif isinstance(test, Boolean):
        yield "the other truth value", not test.truth
        yield "the truth value as text", str(test.truth).lower()
        yield "the other truth value as text", str(not test.truth).lower()
        yield "the truth value as number", int(test.truth)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield "the number as text", str(value)
        yield "one more", value + 1
        yield "one less", value - 1
        yield "a digit more", value * 10 + 1


def _outside(test: Network) -> Iterator[tuple[str, str]]:
    block = ipaddress.ip_network(test.block, strict=False)
    kind = type(block[0])
    if int(block[0]):
        yield "one before the block", str(kind(int(block[0]) - 1))
    if int(block[-1]) + 1 < 2**block.max_prefixlen:
        yield "one after the block", str(kind(int(block[-1]) + 1))
    yield "an address of the other version", "2001:db8::7" if block.version == 4 else "198.51.100.7"  # noqa: PLR2004
