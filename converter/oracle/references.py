"""Whether a field of an event compares with another field of it."""

from __future__ import annotations

from collections.abc import Callable

from converter.oracle.events import Event, values
from converter.oracle.scalars import ask, forms
from converter.oracle.tree import ANY, Boolean, Number, Reference, Scalar, Test, Text, Wild


def refers(field: str, test: Reference) -> Callable[[Event], bool | None]:
    """The comparison as a function of an event: any value of the one with any of the other; false without either."""

    def compared(event: Event) -> bool | None:
        found: bool | None = False
        for other in values(event, test.other):
            for value in values(event, field):
                answer = _compared(value, other, test)
                if answer:
                    return True
                if answer is None:
                    found = None
        return found

    return compared


def _compared(value: Scalar, other: Scalar, test: Reference) -> bool | None:
    if value == "" or other == "":
        # Nothing tells an empty text from an absent field in some stores; every text contains an empty one.
        return None if value == other or (other == "" and test.kind != "equals") else False
    return ask(_as_test(other, test))(value)


def _as_test(other: Scalar, test: Reference) -> Test:
    """What the other field holds, as if it stood in the rule; its `*` and `?` are plain characters."""
    if test.kind == "equals":
        if isinstance(other, bool):
            return Boolean(other)
        if isinstance(other, int | float):
            return Number(other)
    before: tuple[str | Wild, ...] = (ANY,) if test.kind in {"endswith", "contains"} else ()
    after: tuple[str | Wild, ...] = (ANY,) if test.kind in {"startswith", "contains"} else ()
    return Text((*before, forms(other)[0], *after), test.cased)
