"""Rows of a vendor's tables in DuckDB, each with a number of its own and that of the rule it was made for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from converter.engines.engine import OWNER, ROW, Engine, Unjudged
from converter.schemas.forms import Cell
from converter.schemas.layout import Column, Layout, Row, Source, Table

# What begins the message of a function that cannot judge a row.
REFUSED = "not judged: "


@dataclass(frozen=True)
class Stored:
    """A row to load: its number, which no other row of its table has, and the number of the rule it is for."""

    number: int
    owner: int
    row: Row


class _Values:
    """What an engine holds of the values of one column, each once."""

    def __init__(self, engine: Engine, column: Column) -> None:
        self.engine, self.column = engine, column
        self.held: list[object] = []
        self._places: dict[object, int] = {}

    def place(self, cell: Cell | None) -> int:
        """Where in `held` the value is, counted from one; raises ValueError, Unjudged where none can be held."""
        # Python takes True and 1 and 1.0 for one; most cells are texts, which nothing else equals.
        key = cell if type(cell) is str else (type(cell), repr(cell))
        found = self._places.get(key)
        if found is None:
            self.held.append(self.engine.cell(self.column, cell))
            found = self._places[key] = len(self.held)
        return found


class Store:
    """The tables of one layout as one engine holds them, all from the start: a query may name any of them."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self.engine = engine
        self.layout = layout
        self.connection: duckdb.DuckDBPyConnection = engine.connect()
        # DuckDB would draw over whatever else is printed.
        self.connection.execute("SET enable_progress_bar = false")
        self._tables = {**layout.tables, **{source.table.name: source.table for source in layout.sources}}
        for table in self._tables.values():
            self._create(table)

    def load(self, source: Source, rows: Sequence[Stored]) -> set[int]:
        """Add the rows to the source's table; gives the numbers of those that the engine cannot hold."""
        unheld = set()
        filled = {name: _Values(self.engine, column) for name, column in source.table.columns.items()}
        kept = []
        for row in rows:
            try:
                places = {name: filled[name].place(cell) for name, cell in row.row.items()}
            except (Unjudged, ValueError):
                unheld.add(row.number)
            else:
                kept.append((row, places))
        if kept:
            self._insert(source.table, kept, filled)
        return unheld

    def _create(self, table: Table) -> None:
        names = held(table)
        listed = "".join(
            f", {quoted(names[column.name])} {self.engine.column(column)}" for column in table.columns.values()
        )
        self.connection.execute(f"CREATE TABLE {quoted(table.name)} ({ROW} BIGINT, {OWNER} BIGINT{listed})")

    def _insert(
        self, table: Table, rows: Sequence[tuple[Stored, Mapping[str, int]]], filled: Mapping[str, _Values]
    ) -> None:
        """Add rows of places among the values of each column; a column without any has its empty cell in all.

        Rows of one rule are much alike: DuckDB is given each value once, and numbers for the rest.
        """
        told: list[Any] = []
        picked = ["places[1]", "places[2]"]
        named = []
        for name, values in filled.items():
            kind = self.engine.column(table.columns[name])
            if values.held:
                named.append((name, values.place(None)))
                told.append(values.held)
                picked.append(f"(${len(told)}::{kind}[])[places[{len(named) + 2}]]")
            else:
                told.append(self.engine.cell(table.columns[name], None))
                picked.append(f"${len(told)}::{kind}")
        told.append(
            [[row.number, row.owner, *(places.get(name, empty) for name, empty in named)] for row, places in rows]
        )
        self.connection.execute(
            f"INSERT INTO {quoted(table.name)} SELECT {', '.join(picked)} "
            f"FROM (SELECT unnest(${len(told)}::BIGINT[][]) AS places)",
            told,
        )

    def close(self) -> None:
        """Let the database go."""
        self.connection.close()

    def clear(self, owner: int | None = None) -> None:
        """Remove the owner's rows, or all."""
        where = "" if owner is None else f" WHERE {OWNER} = {owner}"
        for table in self._tables:
            self.connection.execute(f"DELETE FROM {quoted(table)}{where}")

    def find(self, sql: str, source: Source, owner: int) -> set[int]:
        """The numbers of the owner's rows that a compiled query finds in the source's table.

        Raises Unjudged where a function of the engine refuses a row.
        """
        name = quoted(source.table.name)
        # The name of the rows of one rule hides that of the whole table.
        database = self.connection.execute("SELECT current_database()").fetchall()[0][0]
        whole = f"{quoted(database)}.main.{name}"
        scoped = f"WITH {name} AS (SELECT * FROM {whole} WHERE {OWNER} = {owner}) {sql}"
        with refusals():
            return {number for (number,) in self.connection.execute(scoped).fetchall()}


@contextmanager
def refusals() -> Iterator[None]:
    """Raise what a function of the engine said in DuckDB, its message beginning with REFUSED, as Unjudged."""
    try:
        yield
    except duckdb.InvalidInputException as error:
        _, refused, message = str(error).partition(REFUSED)
        if not refused:
            raise
        raise Unjudged(message) from None


def held(table: Table) -> Mapping[str, str]:
    """The table's columns, with the names that DuckDB has them by: it takes `ProcessID` and `ProcessId` for one."""
    names: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for name in table.columns:
        names[name] = name + "'" * taken[name.lower()]
        taken[name.lower()] += 1
    return names


def quoted(name: str) -> str:
    """A name as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'
