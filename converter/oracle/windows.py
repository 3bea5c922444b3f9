"""In which windows of time a group of events meets a correlation's condition, in one reading of what is left open.

Windows slide: the specification would not have them restricted to boundaries.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from converter.oracle.correlated import Correlation
from converter.oracle.events import Event, values
from converter.oracle.meaning import Meaning
from converter.oracle.scalars import forms
from converter.oracle.tree import Scalar

# An event, or the name of the rule that finds it, where its fields do not matter.
Happened = Event | str
Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Reading:
    """One way to read what the specification leaves open.

    What happened exactly a `timespan` apart is within it (`closed`). A window ends with an event, not begins with one
    (`backward`), which matters where fewer events may be enough. Values that differ in letter case are one (`folded`).
    Events of which a rule's truth is open are found (`unsure`). A field that is absent or empty makes a group
    (`grouped`). Each value of a list is one (`spread`). An event that two rules find counts twice (`doubled`). Events
    of the same moment are in order (`simultaneous`). A correlation happens when it ends, not when it begins (`late`).
    """

    closed: bool = False
    backward: bool = False
    folded: bool = False
    unsure: bool = False
    grouped: bool = False
    spread: bool = False
    doubled: bool = False
    simultaneous: bool = False
    late: bool = False


@dataclass(frozen=True)
class Occurrence:
    """Something that a rule found; `number` tells events apart."""

    time: float
    rule: str
    event: Event
    number: int


@dataclass(frozen=True)
class Firing:
    """A window in which a group meets the condition: its key, and the first and the last thing in it, in seconds."""

    key: Key
    start: float
    end: float


class Judged:
    """The events and their times, and what the rules say of them, asked once."""

    def __init__(self, events: Sequence[tuple[float, Happened]]) -> None:
        self.events = events
        self.said: dict[tuple[int, str], Sequence[bool | None]] = {}

    def truths(self, meaning: Meaning, name: str) -> Sequence[bool | None]:
        """What the rule says of each event."""
        key = id(meaning), name
        if key not in self.said:
            self.said[key] = [
                event == name if isinstance(event, str) else meaning.truth(event) for _, event in self.events
            ]
        return self.said[key]

    @property
    def any_unsure(self) -> bool:
        """Whether any rule asked so far left an event open."""
        return any(truth is None for truths in self.said.values() for truth in truths)


def _occurrences(correlation: Correlation, judged: Judged, reading: Reading) -> Iterator[Occurrence]:
    for name, source in correlation.sources.items():
        if isinstance(source, Correlation):
            for firing in firings(source, judged, reading):
                fields_ = dict(zip(source.group_by, firing.key, strict=True))
                # No event of its own: a number that no event has.
                yield Occurrence(firing.end if reading.late else firing.start, name, fields_, -1)
            continue
        for number, ((time, event), truth) in enumerate(zip(judged.events, judged.truths(source, name), strict=True)):
            if truth or (truth is None and reading.unsure):
                yield Occurrence(time, name, {} if isinstance(event, str) else event, number)


def groups(correlation: Correlation, judged: Judged, reading: Reading) -> Mapping[Key, Sequence[Occurrence]]:
    """What the rules found, by the values of `group-by`, in order of time."""
    groups: dict[Key, list[Occurrence]] = {}
    for one in _occurrences(correlation, judged, reading):
        columns = [correlation.column(name, one.rule) for name in correlation.group_by]
        for key in _keys(one.event, columns, reading):
            groups.setdefault(key, []).append(one)
    return {key: sorted(found, key=lambda one: one.time) for key, found in groups.items()}


def _keys(event: Event, columns: Sequence[str], reading: Reading) -> Iterable[Key]:
    """The combinations of the values of the fields; none where one is absent or empty and makes no group."""
    return itertools.product(*(_values(values(event, column), reading) for column in columns))


def _values(held: Sequence[Scalar], reading: Reading) -> Sequence[str | None]:
    texts = [forms(value)[0] for value in held if value != ""]
    if not texts:
        return ["" if held else None] if reading.grouped else []
    texts = [text.casefold() for text in texts] if reading.folded else texts
    return list(dict.fromkeys(texts)) if reading.spread else [", ".join(texts)]


def folded(key: Key) -> Key:
    """The key without letter case."""
    return tuple(None if value is None else value.casefold() for value in key)


def firings(correlation: Correlation, judged: Judged, reading: Reading) -> Iterator[Firing]:
    """Every window, of those that begin or end with an event, in which a group meets the condition."""
    span = correlation.timespan
    for key, occurrences in groups(correlation, judged, reading).items():
        times = [one.time for one in occurrences]
        for time in dict.fromkeys(times):
            begin, end = (time - span, time) if reading.backward else (time, time + span)
            low = bisect_left(times, begin) if reading.closed or not reading.backward else bisect_right(times, begin)
            high = bisect_right(times, end) if reading.closed or reading.backward else bisect_left(times, end)
            members = occurrences[low:high]
            if correlation.holds(_measured(correlation, members, reading)):
                yield Firing(key, members[0].time, members[-1].time)


def _measured(correlation: Correlation, members: Sequence[Occurrence], reading: Reading) -> int:
    """What the condition is about."""
    match correlation.kind:
        case "event_count":
            return len(members) if reading.doubled else len({one.number for one in members})
        case "value_count":
            counted = {key for one in members for key in _keys(one.event, correlation.counted, reading)}
            return len({key for key in counted if None not in key})
        case "temporal":
            return len({one.rule for one in members})
    return len(correlation.sources) if _is_ordered(list(correlation.sources), members, reading) else 0


def _is_ordered(rules: Sequence[str], members: Sequence[Occurrence], reading: Reading) -> bool:
    """Whether the rules found something one after the other; the earliest of each leaves the most to the next."""
    last: float | None = None
    for rule in rules:
        later = (
            one.time
            for one in members
            if one.rule == rule and (last is None or one.time > last or (reading.simultaneous and one.time == last))
        )
        last = next(later, None)
        if last is None:
            return False
    return True
