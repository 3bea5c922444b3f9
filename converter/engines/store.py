"""Rows of a vendor's tables in DuckDB, each with a number of its own and that of the rule it was made for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from converter.engines.engine import OWNER, ROW, Engine, Unjudged
from converter.schemas.layout import Column, Layout, Row, Source, Table

# What begins the message of a function that cannot judge a row.
REFUSED = "not judged: "


@dataclass(frozen=True)
class Stored:
    """A row to load: its number, which no other row of its table has, and the number of the rule it is for."""

    number: int
    owner: int
    row: Row


class Store:
    """The tables of one layout as one engine holds them; a table exists from the first row of it on."""

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self.engine = engine
        self.layout = layout
        self.connection: duckdb.DuckDBPyConnection = engine.connect()
        self._tables: set[str] = set()

    def load(self, source: Source, rows: Sequence[Stored]) -> None:
        """Add the rows to the source's table."""
        table = source.table
        names = held(table)
        columns = [(column, self.engine.column(column)) for column in table.columns.values()]
        if table.name not in self._tables:
            listed = "".join(f", {quoted(names[column.name])} {kind}" for column, kind in columns)
            self.connection.execute(f"CREATE TABLE {quoted(table.name)} ({ROW} BIGINT, {OWNER} BIGINT{listed})")
            self._tables.add(table.name)
        if not rows:
            return
        kinds: list[tuple[str, list[Any]]]
        kinds = [("BIGINT", [row.number for row in rows]), ("BIGINT", [row.owner for row in rows])]
        kinds += [(kind, self._cells(column, rows)) for column, kind in columns]
        values = ", ".join(f"unnest(${number}::{kind}[])" for number, (kind, _) in enumerate(kinds, 1))
        self.connection.execute(f"INSERT INTO {quoted(table.name)} SELECT {values}", [cells for _, cells in kinds])

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

    def _cells(self, column: Column, rows: Sequence[Stored]) -> list[Any]:
        return [self.engine.cell(column, row.row.get(column.name)) for row in rows]


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
