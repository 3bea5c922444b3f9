"""Documents in the embedded Lucene engine, under a mapping as a node takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from converter.engines.lucene import Engine
from converter.engines.store import Store, Stored
from converter.schemas.forms import Cell
from converter.schemas.layout import Column, Layout, Reading, Source, Table

NOW = datetime(2026, 6, 10, 12, 0, 0, tzinfo=UTC)
Properties = Mapping[str, Mapping[str, Any]]


class Embedded:
    """An index of some documents: ids to fields and their values."""

    def __init__(self, properties: Properties, documents: Mapping[str, Mapping[str, object]]) -> None:
        self.engine = Engine()
        table = Table("index", "", {name: column(name, held) for name, held in properties.items()})
        self.source = Source("index", (), table, "", "@timestamp", frozenset(), (Reading("", {}, {}),), (), {})
        self.layout = Layout("index", {"index": table}, (self.source,))
        self.store = Store(self.engine, self.layout)
        self.ids = [*documents]
        rows = [Stored(number, 0, row(document)) for number, document in enumerate(documents.values())]
        self.store.load(self.source, rows)

    def find(self, query: str) -> set[str]:
        """The ids of the documents that the query finds; raises Invalid and Unjudged."""
        sql = self.engine.compile(query, self.layout, self.source, NOW)
        return {self.ids[number] for number in self.store.find(sql, self.source, 0)}


def column(name: str, held: Mapping[str, Any]) -> Column:
    """The column that a field of a mapping is."""
    return Column(
        name,
        held["type"],
        held.get("ignore_above"),
        lowercase="normalizer" in held,
        caseless="caseless" in held.get("fields", {}),
    )


def row(document: Mapping[str, object]) -> dict[str, Cell]:
    """A document as a row: a list as several values."""
    return {
        name: cast("Cell", tuple(cast("Sequence[object]", value)) if isinstance(value, list) else value)
        for name, value in document.items()
    }
