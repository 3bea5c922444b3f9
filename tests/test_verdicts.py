"""Which verdict a query gets for the rows that it finds, and which event shows it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from converter.verdicts import KINDS, Asked, verdict

# Four rows: 0 and 1 are wanted, 2 and 3 are not.
ROWS = "++--"


def asked(signs: str, sizes: Sequence[int] = ()) -> list[Asked]:
    """A row for each sign: + is wanted, - is not, ! is a stranger, which is not."""
    return [
        Asked(
            number,
            "s",
            f"event {number}",
            {"Image": "x" * (sizes[number] if sizes else number + 1)},
            {"Column": number},
            sign == "+",
            "another kind of event" if sign == "!" else "",
        )
        for number, sign in enumerate(signs)
    ]


@pytest.mark.parametrize(
    ("signs", "found", "kind", "shown"),
    [
        (ROWS, {0, 1}, "exact", []),
        (ROWS, {0}, "narrower", [1]),
        (ROWS, {0, 1, 3}, "wider", [3]),
        (ROWS, {1, 2, 3}, "mixed", [0, 2]),
        (ROWS, set(), "broken", [0]),
        (ROWS, {2, 3}, "broken", [0]),
        ("--", set(), "untested", []),
        ("--", {1}, "wider", [1]),
        ("++", {0, 1}, "untested", []),
        ("++", {0}, "narrower", [1]),
        ("", set(), "untested", []),
        ("+!", {0}, "exact", []),
        ("+!", {0, 1}, "wider", [1]),
        ("+!-", {0, 1, 2}, "wider", [2]),
        (ROWS, {0, 1, 99}, "exact", []),
    ],
)
def test_the_first_verdict_that_holds(signs: str, found: set[int], kind: str, shown: list[int]) -> None:
    told = verdict(asked(signs), found)
    assert told.kind == kind
    assert [row.number for row in told.shown] == shown
    assert bool(told.reason) == (kind in {"broken", "untested"})


def test_the_kinds_stand_in_the_order_in_which_they_hold() -> None:
    assert KINDS == ("refused", "broken", "mixed", "wider", "narrower", "untested", "exact")


def test_the_smallest_event_is_shown_and_a_stranger_only_if_there_is_no_other() -> None:
    told = verdict(asked("++!--+", [9, 8, 1, 7, 3, 2]), {2, 3, 4, 5})
    assert [row.number for row in told.shown] == [1, 4]
    assert [row.number for row in verdict(asked("+!!", [9, 8, 1]), {0, 1, 2}).shown] == [2]


def test_events_are_counted_and_so_are_those_that_prove_nothing() -> None:
    assert verdict(asked("++-!-"), {0, 1}, unproven=7).events == (2, 3, 7)
