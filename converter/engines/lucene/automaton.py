"""A pattern as the automaton that Lucene makes of it, state by state, since a node counts these states.

The rules are those of Lucene's `Operations` (version 10): a part that follows another one lends its first state's steps
to where that one ends, alternatives share an end that nothing follows, a repetition ends where it began; states that
nothing reaches are taken away. What nodes say in their errors of numbers of states agrees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from converter.engines.lucene.regex_tree import (
    Characters,
    Concat,
    Intersection,
    Interval,
    Nothing,
    Ranges,
    Regex,
    Repeat,
    Union,
)

Step = tuple[Ranges, int]


@dataclass(frozen=True)
class Automaton:
    """What each state reads and which state follows, and the states that may be the last; the first is 0."""

    steps: Sequence[Sequence[Step]]
    last: frozenset[int]


EMPTY_TEXT = Automaton(((),), frozenset({0}))


@cache
def automaton(tree: Regex) -> Automaton:
    """The automaton of an expression; an intersection is taken for its first part, an interval for its numbers."""
    match tree:
        case Characters(ranges):
            return Automaton((((ranges, 1),), ()), frozenset({1}))
        case Concat(parts):
            return _concatenated([automaton(part) for part in parts])
        case Union(parts):
            return _united([automaton(part) for part in parts])
        case Repeat(part, least, most):
            return _repeated(automaton(part), least, most)
        case Intersection(parts):
            return automaton(parts[0])
        case Interval(low, high, digits):
            return _united([automaton(_number(number, digits)) for number in range(low, high + 1)])
        case Nothing():
            return Automaton((), frozenset())


def _concatenated(parts: Sequence[Automaton]) -> Automaton:
    if any(not part.steps for part in parts):
        return Automaton((), frozenset())
    follow: list[Step] = []
    may_end = True
    steps: list[list[Step]] = []
    total = sum(len(part.steps) for part in parts)
    last: set[int] = set()
    for part in reversed(parts):
        total -= len(part.steps)
        own = [[(read, total + to) for read, to in state] for state in part.steps]
        for state in part.last:
            own[state] += follow
            if may_end:
                last.add(total + state)
        # What stands before this part goes on with its first steps, which are also those after it if it may be empty.
        follow = [*own[0]]
        may_end = may_end and 0 in part.last
        steps = own + steps
    return _live(steps, last) if parts else EMPTY_TEXT


def _united(parts: Sequence[Automaton]) -> Automaton:
    steps: list[list[Step]] = [[]]
    last = {0} if any(0 in part.last for part in parts) else set()
    for part in parts:
        start = len(steps)
        steps += [[(read, start + to) for read, to in state] for state in part.steps]
        last |= {start + state for state in part.last}
        if part.steps:
            steps[0] += steps[start]
    ends = [state for state in last if not steps[state]]
    merged = dict.fromkeys(ends, ends[0] if ends else 0)
    steps = [[(read, merged.get(to, to)) for read, to in state] for state in steps]
    return _live(steps, {merged.get(state, state) for state in last})


def _repeated(part: Automaton, least: int, most: int | None) -> Automaton:
    if (least, most) == (0, 1):
        return _united_with_nothing(part)
    if most is None:
        return _concatenated([*[part] * least, _starred(part)]) if least else _starred(part)
    first = _concatenated([part] * least) if least else EMPTY_TEXT
    steps = [[*state] for state in first.steps]
    ends, last = set(first.last), set(first.last)
    for _ in range(most - least):
        start = len(steps)
        steps += [[(read, start + to) for read, to in state] for state in part.steps]
        for state in ends:
            steps[state] += steps[start]
        ends = {start + state for state in part.last}
        last |= ends
    return _live(steps, last)


def _united_with_nothing(part: Automaton) -> Automaton:
    steps = [[], *([(read, to + 1) for read, to in state] for state in part.steps)]
    steps[0] = [*steps[1]] if part.steps else []
    return _live(steps, {0, *(state + 1 for state in part.last)})


def _starred(part: Automaton) -> Automaton:
    if not part.steps or part.last == {0}:
        return part
    place, count = {}, 1
    for state, own in enumerate(part.steps):
        if state in part.last and not own:
            place[state] = 0
        else:
            place[state], count = count, count + 1
    steps: list[list[Step]] = [[] for _ in range(count)]
    for state, own in enumerate(part.steps):
        steps[place[state]] += [(read, place[to]) for read, to in own]
    first = [(read, place[to]) for read, to in part.steps[0]]
    steps[0] += first
    for state in part.last:
        if place[state]:
            steps[place[state]] += first
    return _live(steps, {0, *(place[state] for state in part.last)})


def _live(steps: Sequence[Sequence[Step]], last: Iterable[int]) -> Automaton:
    """The automaton without states that are not reached from the first or reach none of the last."""
    ends = set(last)
    before: list[list[int]] = [[] for _ in steps]
    for state, own in enumerate(steps):
        for _, to in own:
            before[to].append(state)
    kept = sorted(_reached({0}, lambda state: [to for _, to in steps[state]]) & _reached(ends, before.__getitem__))
    place = {state: number for number, state in enumerate(kept)}
    live = tuple(tuple(dict.fromkeys((r, place[to]) for r, to in steps[s] if to in place)) for s in kept)
    return Automaton(live, frozenset(place[state] for state in ends if state in place))


def _reached(start: set[int], after: Callable[[int], Iterable[int]]) -> set[int]:
    seen, waiting = {*start}, [*start]
    while waiting:
        for state in after(waiting.pop()):
            if state not in seen:
                seen.add(state)
                waiting.append(state)
    return seen


def _number(number: int, digits: int) -> Regex:
    return Concat(tuple(Characters(((ord(digit), ord(digit)),)) for digit in str(number).zfill(digits)))
