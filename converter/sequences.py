"""Sequences of events for a correlation: such as it must find, and such as miss it narrowly, each event with its time.

They are made of the true events of the rules that it names, whose fields that it groups by and counts get values as a
sequence needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from converter.generate import generate
from converter.logsource import LogSource
from converter.oracle import Meaning
from converter.oracle.correlated import SEQUENCES, Correlation
from converter.oracle.events import Event, values
from converter.oracle.scalars import forms
from converter.schemas.forms import Unwritable
from converter.schemas.layout import Row, Source

# What a field may be given, by number: texts, addresses, numbers, paths.
FAMILIES: Sequence[Callable[[int], str]] = (
    lambda number: f"value{number}",
    lambda number: f"10.{number // 62500}.{number // 250 % 250}.{number % 250 + 1}",
    lambda number: f"{4000 + number}",
    lambda number: f"C:\\Folder\\file{number}.exe",
)
# How many events of a rule one sequence is made of, at most.
VARIANTS = 3
# In seconds; a sequence begins at the multiple of its timespan before.
START = 1_700_000_000


class Unmade(Exception):  # noqa: N818 - a finding about the correlation
    """Why there is no sequence of events to judge it on."""


@dataclass(frozen=True)
class Part:
    """A rule that the correlation names, by that name, and the sources that hold its events."""

    name: str
    meaning: Meaning
    logsource: LogSource
    sources: Sequence[Source]


@dataclass(frozen=True)
class Happening:
    """An event at a time, made for a rule, and the row that a source holds of it."""

    time: float
    rule: str
    source: Source
    event: Event
    row: Row


@dataclass(frozen=True)
class Told:
    """A sequence of events, and what it is."""

    name: str
    happenings: Sequence[Happening]


@dataclass(frozen=True)
class Slot:
    """A place in a sequence: which rule, counted value and group, and the time in timespans from the start.

    Without a `group` the event lacks the fields that are grouped by, without a `value` those that are counted; with
    `noise` no rule is true of it.
    """

    rule: int
    value: int | None = 0
    group: int | None = 0
    at: float = 0.0
    noise: bool = False


@dataclass(frozen=True)
class Base:
    """An event that a source can have written."""

    source: Source
    event: Event


@dataclass
class Maker:
    """Makes sequences for a correlation of these parts; raises Unmade where there is nothing to make them of."""

    correlation: Correlation
    parts: Sequence[Part]
    seed: int = 0
    _true: dict[str, list[Base]] = field(default_factory=dict)
    _false: dict[str, list[Base]] = field(default_factory=dict)
    _families: dict[str, Callable[[int], str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in self.parts:
            made = generate(part.meaning, part.logsource, self.seed)
            self._true[part.name] = [base for each in made if each.truth for base in self._bases(part, each.event)]
            self._false[part.name] = [
                base for each in made if not each.truth for base in self._bases(part, each.event, noise=True)
            ]
            if not self._true[part.name]:
                raise Unmade(f"no event is at hand that {part.name} alone is true of")
        for name in self._names:
            self._choose(name)

    @property
    def _names(self) -> Sequence[str]:
        return list(dict.fromkeys([*self.correlation.group_by, *self.correlation.counted]))

    def sequences(self, least: int) -> Iterator[Told]:
        """Every sequence, each as each source of its rules holds it; `least` is the number that meets the condition."""
        turns = max(max(len(part.sources), *(len(source.readings) for source in part.sources)) for part in self.parts)
        for turn in range(turns):
            for name, slots in plans(self.correlation, len(self.parts), least):
                told = self._told(name, slots, turn)
                if told is not None:
                    yield told

    def _told(self, name: str, slots: Sequence[Slot], turn: int) -> Told | None:
        happenings = [self._happening(slot, number, turn) for number, slot in enumerate(slots)]
        kept = [each for each in happenings if each is not None]
        return Told(name, kept) if len(kept) == len(happenings) else None

    def _happening(self, slot: Slot, number: int, turn: int) -> Happening | None:
        part = self.parts[slot.rule]
        source = part.sources[turn % len(part.sources)]
        known = self._false if slot.noise else self._true
        bases = [base for base in known[part.name] if base.source is source][:VARIANTS]
        if not bases:
            return None
        event = dict(bases[number % len(bases)].event)
        for name in self._names:
            chosen = slot.group if name in self.correlation.group_by else slot.value
            column = self.correlation.column(name, part.name)
            if chosen is None:
                event.pop(column, None)
            elif name in self._families:
                event[column] = self._families[name](chosen)
        base = self._base(part, source, event, noise=slot.noise)
        if base is None:
            return None
        rows = source.rows(base.event)
        span = self.correlation.timespan
        time = START // span * span + round(slot.at * span, 3)
        return Happening(time, part.name, source, base.event, rows[turn % len(rows)])

    def _bases(self, part: Part, event: Event, *, noise: bool = False) -> Iterator[Base]:
        for source in part.sources:
            base = self._base(part, source, event, noise=noise)
            if base is not None:
                yield base

    def _base(self, part: Part, source: Source, event: Event, *, noise: bool = False) -> Base | None:
        """The event as the source completes it; None where it cannot have written it, or the rules say otherwise.

        Rules for other sources must be false of it, since they do not read this one.
        """
        try:
            completed = source.completed(event)
            source.rows(completed)
        except Unwritable:
            return None
        if part.meaning.truth(completed) is not (not noise):
            return None
        others = (each for each in self.parts if noise or source not in each.sources)
        return None if any(each.meaning.truth(completed) is not False for each in others) else Base(source, completed)

    def _choose(self, name: str) -> None:
        """Find values for a field that is grouped by or counted, and drop the events that cannot have them.

        Where no values fit, the events of a single rule keep a value of their own, at one of whose ends stands more.
        """
        for family in FAMILIES:
            fitting = {part.name: list(self._fitting(part, name, family)) for part in self.parts}
            if all(fitting.values()):
                self._true = fitting
                self._families[name] = family
                return
        if len(self.parts) > 1:
            raise Unmade(f"no values of {name} are at hand that all rules allow")
        (part,) = self.parts
        for base in self._true[part.name]:
            held = values(base.event, self.correlation.column(name, part.name))
            if len(held) == 1 and held[0] != "":
                text = forms(held[0])[0]
                self._true[part.name] = [base]
                own = (_after(text), _before(text))
                fits = (each for each in own if list(self._fitting(part, name, each)))
                self._families[name] = next(fits, _same(text))
                return
        raise Unmade(f"no event is at hand that has a {name}")

    def _fitting(self, part: Part, name: str, family: Callable[[int], str]) -> Iterator[Base]:
        column = self.correlation.column(name, part.name)
        for base in self._true[part.name]:
            given = [self._base(part, base.source, {**base.event, column: family(number)}) for number in (0, 1)]
            if None not in given:
                yield base


def _after(text: str) -> Callable[[int], str]:
    return lambda number: f"{text}{number}"


def _before(text: str) -> Callable[[int], str]:
    return lambda number: f"{number}{text}"


def _same(text: str) -> Callable[[int], str]:
    return lambda _: text


def plans(correlation: Correlation, rules: int, least: int) -> Iterator[tuple[str, Sequence[Slot]]]:
    """What sequences are to be like, by the number that meets the correlation's condition."""
    whole = _whole(correlation, rules, least)
    fewer = _fewer(correlation, whole)
    inside, across = _spread(whole, 0.1, 0.5), _spread(whole, 0.7, 0.6)
    yield "all within the timespan", inside
    yield "across the edge of a fixed window", across
    yield "across the timespan, all but its end", _spread(whole, 0.01, 0.98)
    yield "more than enough", [*inside, *(replace(slot, at=slot.at + 0.007) for slot in inside)]
    yield "one too few", _spread(fewer, 0.1, 0.5)
    if least > 1:
        yield "spread over a little more than the timespan", _spread(whole, 0.5, 1.0173)
        yield "in the reverse order", [replace(slot, at=1 - slot.at) for slot in inside]
    noise = [Slot(slot.rule, slot.value, at=slot.at + 0.01, noise=True) for slot in inside]
    yield "one too few, among events of no rule", [*_spread(fewer, 0.1, 0.5), *noise]
    yield "twice", [*inside, *(replace(slot, at=slot.at + 10.37) for slot in inside)]
    if correlation.counted:
        yield "one without the field that is counted", [*inside[:-1], replace(inside[-1], value=None)]
    if correlation.group_by:
        yield "in two groups, too few in each", [*inside[:-1], replace(inside[-1], group=1)]
        second = [replace(slot, group=1, at=slot.at + 0.013) for slot in _spread(fewer, 0.1, 0.5)]
        yield "in two groups, too few in one of them", [*inside, *second]
        yield "in two groups, enough in each", [*across, *(replace(slot, group=1) for slot in inside)]
        yield "one without a group", [*inside[:-1], replace(inside[-1], group=None)]


def _whole(correlation: Correlation, rules: int, least: int) -> Sequence[Slot]:
    """What meets the condition, no more."""
    numbers = range(least)
    if correlation.kind in SEQUENCES:
        return [Slot(number) for number in numbers]
    return [Slot(number % rules, number if correlation.counted else 0) for number in numbers]


def _fewer(correlation: Correlation, whole: Sequence[Slot]) -> Sequence[Slot]:
    """What narrowly does not: a value or a rule again, where those are counted."""
    if correlation.kind == "event_count" or len(whole) == 1:
        return whole[:-1]
    return [*whole[:-1], replace(whole[-1], value=0) if correlation.counted else whole[0]]


def _spread(slots: Sequence[Slot], start: float, width: float) -> Sequence[Slot]:
    """The slots one after the other, the first at the start, the last a width later."""
    steps = max(len(slots) - 1, 1)
    return [replace(slot, at=start + width * number / steps) for number, slot in enumerate(slots)]


def texts(happening: Happening, column: str) -> frozenset[str]:
    """Every text that a field of the event has as its source holds it."""
    cells: list[object] = [text for value in values(happening.event, column) for text in forms(value)]
    for reading in happening.source.readings:
        cells += [happening.row.get(part.column) for part in reading.fields.get(column, ())]
    flat = (part for cell in cells for part in (cell if isinstance(cell, tuple) else (cell,)))
    return frozenset(str(cell) for cell in flat if cell is not None)


def key(happening: Happening, columns: Sequence[str]) -> tuple[str, ...] | None:
    """The group of the event, as the oracle names it without letter case; None where it has no single one."""
    held = [values(happening.event, column) for column in columns]
    if any(len(one) != 1 or one[0] == "" for one in held):
        return None
    return tuple(forms(one[0])[0].casefold() for one in held)
