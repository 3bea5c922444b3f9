"""One target's rows and engine: which rows of a rule a query finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from converter.engines.engine import Compiled, Engine
from converter.engines.live import Live
from converter.engines.store import Store, Stored
from converter.generate import Generated
from converter.schemas.forms import Event, Unwritable
from converter.schemas.layout import Layout, Row, Source
from converter.verdicts import Asked

Truth = Callable[[Event], bool | None]
# The owner of the rows that are tried one by one.
SCRATCH = -1


@dataclass(frozen=True)
class Answer:
    """The numbers of the rows that a query finds, and of those that prove nothing."""

    found: set[int]
    undecided: set[int]

    def decided(self, rows: Iterable[Asked]) -> list[Asked]:
        """The rows that prove something."""
        return [row for row in rows if row.number not in self.undecided]


class Holder(Protocol):
    """What holds rows and runs queries over them: an embedded engine's tables, or a running cluster."""

    name: str

    @property
    def unmade(self) -> tuple[str, ...]:
        """What it cannot show of the layout."""

    def load(self, source: Source, rows: Sequence[Stored]) -> set[int]:
        """Add the rows; gives the numbers of those that cannot be held."""

    def answer(self, query: str, sources: Sequence[Source], owner: int) -> Answer:
        """Which of the owner's rows the query finds; raises Invalid, Unjudged."""

    def clear(self, owner: int | None = None) -> None:
        """Remove the owner's rows, or all."""

    def close(self) -> None:
        """Let go what holds them."""


class Embedded:
    """The rows of one layout in DuckDB, with the engine that compiles queries for it."""

    unmade: tuple[str, ...] = ()

    def __init__(self, layout: Layout, engine: Engine) -> None:
        self.name = engine.name
        self.layout = layout
        self.engine = engine
        self._store = Store(engine, layout)
        self._query, self._compiled = "", dict[str, str]()

    def load(self, source: Source, rows: Sequence[Stored]) -> set[int]:
        """Add the rows; gives the numbers of those that the engine cannot hold."""
        return self._store.load(source, rows)

    def answer(self, query: str, sources: Sequence[Source], owner: int) -> Answer:
        """Which of the owner's rows the query finds; raises Invalid, Unjudged."""
        found: set[int] = set()
        undecided: set[int] = set()
        # Sources that share a table are one to the engine.
        for source in {source.table.name: source for source in sources}.values():
            compiled = self._sql(query, source)
            found |= self._store.find(compiled, source, owner)
            if isinstance(compiled, Compiled) and compiled.undecided:
                undecided |= self._store.find(compiled.undecided, source, owner)
        return Answer(found, undecided)

    def _sql(self, query: str, source: Source) -> str:
        """The query compiled for the source: once for as long as the same one is asked, event by event."""
        if query != self._query:
            self._query, self._compiled = query, {}
        if source.name not in self._compiled:
            self._compiled[source.name] = self.engine.compile(query, self.layout, source)
        return self._compiled[source.name]

    def clear(self, owner: int | None = None) -> None:
        """Remove the owner's rows, or all."""
        self._store.clear(owner)

    def close(self) -> None:
        """Let the database go."""
        self._store.close()


class Running:
    """The rows of one layout on a running cluster, which runs the queries itself."""

    def __init__(self, live: Live) -> None:
        self.name = live.name
        self._live = live

    @property
    def unmade(self) -> tuple[str, ...]:
        """What the cluster lacks, of all that its indices should have had."""
        return self._live.unmade

    def load(self, source: Source, rows: Sequence[Stored]) -> set[int]:
        """Add the rows; gives the numbers of those that the cluster refuses."""
        return self._live.load(source, rows)

    def answer(self, query: str, sources: Sequence[Source], owner: int) -> Answer:
        """Which of the owner's rows the query finds; raises Invalid, Unreachable."""
        return Answer(self._live.find(query, sources, owner), set())

    def clear(self, owner: int | None = None) -> None:
        """Let the owner's rows be found no more, or remove all."""
        self._live.clear(owner)

    def close(self) -> None:
        """Remove what the cluster was given."""
        self._live.close()


class Bench:
    """The rows that one layout holds of the events of rules, each rule known by a number."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self._numbers = count()
        self._waiting: dict[str, list[Stored]] = defaultdict(list)
        self._sources: dict[str, Source] = {}
        self._unheld: set[int] = set()

    def add(self, owner: int, sources: Sequence[Source], events: Sequence[Generated], truth: Truth) -> list[Asked]:
        """The rows that the sources hold of these events, which are put with the owner's rows.

        An event that a source cannot have written has none; `truth` says what one means that a source completes.
        """
        self._sources |= {source.name: source for source in sources}
        asked = [self._asked(*row) for source in sources for event in events for row in _rows(source, event, truth)]
        for row in asked:
            self._waiting[row.source].append(Stored(row.number, owner, row.row))
        return asked

    def answer(self, query: str, sources: Sequence[Source], owner: int) -> Answer:
        """Which of the owner's rows the query finds; raises Invalid, Unjudged."""
        for name, rows in self._waiting.items():
            self._unheld |= self.holder.load(self._sources[name], rows)
        self._waiting.clear()
        answer = self.holder.answer(query, sources, owner)
        return Answer(answer.found, answer.undecided | self._unheld)

    def shows(self, query: str, event: Generated, truth: Truth, wrong: Asked) -> Asked | None:
        """A row of the event that the query gets as wrong as that row, None where there is none."""
        self.forget(SCRATCH)
        source = self._sources[wrong.source]
        asked = self.add(SCRATCH, [source], [event], truth)
        answer = self.answer(query, [source], SCRATCH)
        same = (row for row in asked if row.wanted == wrong.wanted and row.stranger == wrong.stranger)
        return next((row for row in answer.decided(same) if (row.number in answer.found) != row.wanted), None)

    def forget(self, owner: int | None = None) -> None:
        """Drop the owner's rows, or those of all."""
        self._waiting.clear()
        self.holder.clear(owner)

    def _asked(self, source: Source, event: Generated, row: Row, stranger: str) -> Asked:
        wanted = event.truth and not stranger
        return Asked(next(self._numbers), source.name, event.name, event.event, row, wanted, stranger)


def _rows(source: Source, event: Generated, truth: Truth) -> Iterator[tuple[Source, Generated, Row, str]]:
    """The rows that a source holds of an event, and of a true one those that strangers would have."""
    try:
        completed = source.completed(event.event)
        rows = source.rows(completed)
    except Unwritable:
        return
    if completed != event.event:
        told = truth(completed)
        if told is None:
            return
        event = Generated(event.name, completed, told)
    for row in rows:
        yield source, event, row, ""
    if event.truth:
        for stranger in source.strangers:
            yield source, event, stranger.of(rows[0]), stranger.because
