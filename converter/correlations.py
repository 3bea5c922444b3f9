"""The verdict on the query of a correlation: whether it finds the groups that the correlation means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from converter import oracle
from converter.engines.engine import Engine, Invalid, Unjudged
from converter.engines.store import Store, Stored
from converter.logsource import LogSource
from converter.oracle import Correlated, Unmeant
from converter.schemas.layout import Layout
from converter.sequences import Happening, Maker, Part, Told, Unmade, key, texts
from converter.verdicts import Asked, Verdict, verdict

# Sequences of more events than this are not made.
MOST = 1_000
# How often a smaller sequence is tried.
MOST_TRIES = 60
Key = tuple[str, ...]


@dataclass(frozen=True)
class Correlating:
    """A correlation with the documents of the rules that it names, by these names.

    `filters` are those of the Sigma filters, `placeholders` the values of each, as for a rule; `seed` is that of the
    generated events.
    """

    document: Mapping[str, Any] = field(repr=False)
    named: Mapping[str, Mapping[str, Any]] = field(repr=False)
    filters: Sequence[Mapping[str, Any]] = ()
    placeholders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class Compared:
    """What one sequence shows of one group: what the correlation means, None where it is open, and what was found."""

    key: Key
    wanted: bool | None
    found: bool


def judged(correlating: Correlating, query: str, layout: Layout, engine: Engine, *, minimise: bool = True) -> Verdict:
    """The verdict on the query."""
    if not hasattr(engine, "correlate"):
        return Verdict("untested", f"{engine.name} judges no correlations")
    try:
        meanings = {
            name: oracle.read(document, correlating.filters, correlating.placeholders)
            for name, document in correlating.named.items()
        }
        meant = oracle.correlation(correlating.document, meanings)
    except Unmeant as unmeant:
        return Verdict("untested", f"what the rule means is not settled: {unmeant}")
    try:
        parts = [_part(name, meaning, correlating, meant, layout) for name, meaning in meanings.items()]
        least = _least(meant)
        told = list(Maker(meant.correlation, parts, correlating.seed).sequences(least))
    except Unmade as unmade:
        return Verdict("untested", str(unmade))
    return _Judging(meant, query, layout, engine, parts, minimise).verdict(told)


def _part(name: str, meaning: oracle.Meaning, correlating: Correlating, meant: Correlated, layout: Layout) -> Part:
    logsource = LogSource.of(correlating.named[name]["logsource"])
    sources = layout.sources_of(logsource)
    if not sources:
        raise Unmade(f"no schema says how {layout.name} stores {logsource}")
    asked = meant.correlation
    columns = {asked.column(each, name) for each in (*asked.group_by, *asked.counted)}
    if unknown := sorted({each for source in sources for each in source.unknown({*meaning.fields, *columns})}):
        raise Unmade(f"the schema does not say whether {layout.name} keeps {', '.join(unknown)}")
    return Part(name, meaning, logsource, sources)


def _least(meant: Correlated) -> int:
    """The smallest number, from one on, that meets the condition."""
    asked = meant.correlation
    limit = max(asked.condition.values()) + 2
    most = len(asked.sources) if asked.kind.startswith("temporal") else MOST
    found = next((number for number in range(1, min(limit, most) + 1) if asked.holds(number)), None)
    if found is None:
        raise Unmade(f"no {most} events meet the condition")
    return found


@dataclass
class _Judging:
    meant: Correlated
    query: str
    layout: Layout
    engine: Engine
    parts: Sequence[Part]
    minimise: bool

    def __post_init__(self) -> None:
        self.store = Store(self.engine, self.layout)
        self.numbers = count()

    def verdict(self, told: Sequence[Told]) -> Verdict:
        """What all sequences show; one of which the engine says nothing proves nothing."""
        asked: list[Asked] = []
        sequences: dict[int, tuple[Told, Compared]] = {}
        found, unproven, reason = set(), 0, ""
        for one in told:
            try:
                compared = list(self._compared(one))
            except Invalid as invalid:
                return Verdict("broken", f"is no valid query: {invalid}")
            except Unjudged as unjudged:
                unproven, reason = unproven + 1, reason or f"{self.engine.name} cannot judge it: {unjudged}"
                continue
            for each in compared:
                if each.wanted is None:
                    unproven += 1
                    continue
                number = next(self.numbers)
                sequences[number] = one, each
                asked.append(self._asked(number, one, each))
                found |= {number} if each.found else set()
        if not asked:
            return Verdict("untested", reason or "no sequence of events is at hand that proves anything")
        reached = verdict(asked, found, unproven)
        return replace(reached, shown=tuple(self._smallest(shown, *sequences[shown.number]) for shown in reached.shown))

    def _compared(self, told: Told) -> Iterator[Compared]:
        """What the query and the correlation find of a sequence, group by group; raises Invalid, Unjudged."""
        meant = {
            tuple("" if value is None else value.casefold() for value in one.group.values()): one.sure
            for one in self.meant.found([(each.time, each.event) for each in told.happenings])
        }
        results = [_flat(result) for result in self._run(told)]
        matched = set()
        for name, spelled in self._groups(told).items():
            mine = {number for number, result in enumerate(results) if all(one & result for one in spelled)}
            matched |= mine
            wanted = False if name not in meant else True if meant[name] else None
            yield Compared(name, wanted, bool(mine))
        if len(matched) < len(results):
            # A group that no event of the sequence is in.
            open_ = any(not sure for sure in meant.values())
            yield Compared(("",) * len(self.meant.correlation.group_by), None if open_ else False, found=True)

    def _run(self, told: Told) -> list[dict[str, object]]:
        self.store.clear()
        for source in {each.source.name: each.source for each in told.happenings}.values():
            mine = [each for each in told.happenings if each.source.name == source.name]
            rows = [Stored(number, 0, {**each.row, source.time: each.time}) for number, each in enumerate(mine)]
            if self.store.load(source, rows):
                raise Unjudged("a row that cannot be held")
        sources = list({source.name: source for part in self.parts for source in part.sources}.values())
        if not told.happenings:
            return []
        found: list[dict[str, object]] = self.engine.correlate(  # type: ignore[attr-defined] # asked for before
            self.query, self.store.connection, self.layout, sources
        )
        return found

    def _groups(self, told: Told) -> dict[Key, list[frozenset[str]]]:
        """The groups that the events are in, each with the texts that name it, column by column."""
        groups: dict[Key, list[frozenset[str]]] = {}
        for each in told.happenings:
            columns = self._columns(each)
            name = key(each, columns)
            if name is not None:
                before = groups.get(name, [frozenset()] * len(columns))
                groups[name] = [held | texts(each, column) for held, column in zip(before, columns, strict=True)]
        return groups

    def _columns(self, happening: Happening) -> list[str]:
        asked = self.meant.correlation
        return [asked.column(name, happening.rule) for name in asked.group_by]

    def _asked(self, number: int, told: Told, compared: Compared) -> Asked:
        asked = self.meant.correlation
        first = min((each.time for each in told.happenings), default=0.0)
        event: dict[str, str] = {}
        for place, each in enumerate(sorted(told.happenings, key=lambda one: one.time), 1):
            columns = dict.fromkeys(asked.column(name, each.rule) for name in (*asked.group_by, *asked.counted))
            held = [f"{column}: {each.event.get(column)}" for column in columns]
            event[f"{place:04} after {each.time - first:.3f} s"] = ", ".join([each.rule, *held])
        row = dict(zip(asked.group_by, compared.key, strict=True))
        return Asked(number, "", told.name, event, row, bool(compared.wanted))

    def _smallest(self, shown: Asked, told: Told, compared: Compared) -> Asked:
        """The same difference in a smaller sequence."""
        tries = MOST_TRIES if self.minimise else 0
        smaller, place = list(told.happenings), 0
        while place < len(smaller) and tries:
            tries -= 1
            without = replace(told, happenings=[*smaller[:place], *smaller[place + 1 :]])
            if self._still(without, compared):
                smaller = list(without.happenings)
            else:
                place += 1
        return self._asked(shown.number, replace(told, happenings=smaller), compared)

    def _still(self, told: Told, compared: Compared) -> bool:
        try:
            return compared in self._compared(told)
        except Unjudged:
            return False


def _flat(result: Mapping[str, object]) -> frozenset[str]:
    """Every text that a result shows."""
    cells = (part for cell in result.values() for part in (cell if isinstance(cell, tuple) else (cell,)))
    return frozenset(map(str, cells))
