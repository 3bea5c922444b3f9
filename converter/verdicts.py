"""Verdicts: whether a query finds the events that its rule means, and the event that shows where it does not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from converter.schemas.forms import Event
from converter.schemas.layout import Row

Kind = Literal["refused", "broken", "mixed", "wider", "narrower", "untested", "exact"]
# In the order in which the first that holds is given.
KINDS: tuple[Kind, ...] = get_args(Kind)
# What shows that a query does not mean what its rule says.
WRONG: frozenset[Kind] = frozenset({"broken", "mixed", "wider", "narrower"})


@dataclass(frozen=True)
class Asked:
    """One row that a query was asked about, the event behind it, and whether the query should find it.

    `source` names what holds the row. `stranger` says why the row of a true event must not be found: the row is one of
    another kind of event.
    """

    number: int
    source: str
    name: str
    event: Event = field(repr=False)
    row: Row = field(repr=False)
    wanted: bool
    stranger: str = ""


@dataclass(frozen=True)
class Verdict:
    """What is known of one query: `events` were true, false, and proved nothing, in this order.

    `shown` are the rows that show a difference, a missed one first; `reason` says why where none does. `unmade` are the
    checks that were not made, such as that of an engine which is not installed.
    """

    kind: Kind
    reason: str = ""
    shown: tuple[Asked, ...] = ()
    events: tuple[int, int, int] = (0, 0, 0)
    unmade: tuple[str, ...] = ()


def verdict(asked: Sequence[Asked], found: Collection[int], unproven: int = 0) -> Verdict:
    """The verdict on a query that found the rows of these numbers; `unproven` events were left out."""
    missed = [row for row in asked if row.wanted and row.number not in found]
    extra = [row for row in asked if not row.wanted and row.number in found]
    wanted = sum(row.wanted for row in asked)
    events = (wanted, len(asked) - wanted, unproven)
    shown = (*_smallest(missed), *_smallest(extra))
    if wanted and len(missed) == wanted:
        return Verdict("broken", "finds none of the events that it should find", shown[:1], events)
    if missed and extra:
        return Verdict("mixed", "", shown, events)
    if extra:
        return Verdict("wider", "", shown, events)
    if missed:
        return Verdict("narrower", "", shown, events)
    if not wanted:
        return Verdict("untested", "no event is at hand that it should find", (), events)
    if wanted == len(asked):
        return Verdict("untested", "no event is at hand that it should leave alone", (), events)
    return Verdict("exact", "", (), events)


def _smallest(rows: Sequence[Asked]) -> Sequence[Asked]:
    """The row of the smallest event, if there is any; one that is no stranger first."""
    return sorted(rows, key=lambda row: (bool(row.stranger), _size(row.event), row.number))[:1]


def _size(event: Event) -> int:
    return sum(len(name) + len(str(value)) for name, value in event.items() if value is not None)
