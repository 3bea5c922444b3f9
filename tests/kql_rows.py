"""Rows in the embedded KQL engine: a table of any columns, filled by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from converter.engines import embedded
from converter.engines.engine import Compiled
from converter.engines.store import Store, Stored
from converter.schemas.layout import Column, Layout, Source, Table, read

TABLE = "T"


class Rows:
    """A table T with these columns (name: Kusto's type) and rows, which are numbered from 0."""

    def __init__(self, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
        table = Table(TABLE, "", {name: Column(name, kind) for name, kind in columns.items()})
        other = Table("U", "", table.columns)
        self.engine = embedded("kusto")
        self.layout = Layout("ours", {TABLE: table, "U": other}, ())
        self.source: Source = replace(read("defender").sources[0], table=table)
        self.store = Store(self.engine, self.layout)
        stored = [Stored(number, 0, row) for number, row in enumerate(rows)]
        if unheld := self.store.load(self.source, stored):
            raise ValueError(f"rows that are not held: {unheld}")

    def compile(self, query: str) -> Compiled:
        """The query as SQL."""
        compiled = self.engine.compile(query, self.layout, self.source)
        assert isinstance(compiled, Compiled)
        return compiled

    def find(self, query: str) -> set[int]:
        """The numbers of the rows that the query finds."""
        return self.store.find(self.compile(query), self.source, 0)

    def undecided(self, query: str) -> set[int]:
        """The numbers of the rows of which it is open whether the query finds them."""
        sql = self.compile(query).undecided
        return self.store.find(sql, self.source, 0) if sql else set()
