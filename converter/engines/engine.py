"""What an engine offers: a compiled query over a vendor's rows in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

import duckdb

from converter.schemas.forms import Cell
from converter.schemas.layout import Column, Layout, Source

# The column that names a row, in every table of a store, and the one that says which rule it was made for.
ROW, OWNER = "_row", "_owner"


class Invalid(Exception):  # noqa: N818 - a finding about the query
    """The query is none that the vendor's product takes: syntax, an unknown column, a wrong type."""


class Unjudged(Exception):  # noqa: N818 - as above
    """The engine cannot say what the query finds, and says why; it never guesses."""


@dataclass(frozen=True)
class Hit:
    """One row of what a hunting query shows: its columns in order, and its category where that is none of them."""

    columns: Mapping[str, object]
    category: str | None = None


class Compiled(str):
    """SQL that gives `_row` of the rows that a query finds.

    `undecided` is SQL that gives `_row` of the rows of which the vendor's documentation leaves open whether the query
    finds them, so that they prove nothing either way; None where there can be no such rows.
    """

    __slots__ = ("undecided",)

    undecided: str | None

    def __new__(cls, sql: str, undecided: str | None = None) -> Self:
        """The SQL, with that of what is undecided."""
        self = super().__new__(cls, sql)
        self.undecided = undecided
        return self


class Engine(Protocol):
    """One embedded engine: knows a query language, and how a vendor's columns are held in DuckDB."""

    name: str
    language: str

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A fresh database in memory, with the functions that compiled queries call."""

    def column(self, column: Column) -> str:
        """The DuckDB type that holds the column."""

    def cell(self, column: Column, value: Cell | None) -> object:
        """The value as the column holds it; None stands for a column that the row does not have."""

    def compile(self, query: str, layout: Layout, source: Source) -> str:
        """SQL that gives `_row` of each row of the table `source.table.name` that the query finds.

        Only up to the query's first operator that is neither filter nor extend. Raises Invalid, Unjudged.
        """

    def hunt(
        self,
        query: str,
        connection: duckdb.DuckDBPyConnection,
        layout: Layout,
        sources: Sequence[Source],
        now: datetime,
    ) -> list[Hit]:
        """The whole query, run at the time `now` over the connection's tables: what it shows, in order.

        Raises Invalid, Unjudged.
        """
