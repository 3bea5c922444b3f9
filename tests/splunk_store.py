"""Rows in a store of the SPL engine, for tests: a table of a few fields, all of them texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from converter.engines.spl import ENGINE
from converter.engines.store import Store, Stored
from converter.schemas.forms import Cell
from converter.schemas.layout import Column, Layout, Reading, Source, Table

FIELDS = ("_time", "_raw", "source", "sourcetype", "EventCode", "Image", "CommandLine", "User", "ip", "a.b", "ID", "Id")


def layout(fields: Sequence[str] = FIELDS, table: str = "events") -> Layout:
    """A layout with one table of these fields."""
    held = Table(table, "", {name: Column(name, "string") for name in fields})
    source = Source("any", (), held, "", "_time", frozenset(), (Reading("", {}, {}),), (), {})
    return Layout("test", {table: held}, (source,))


def store(rows: Sequence[Mapping[str, Cell]], within: Layout | None = None) -> Store:
    """The rows, numbered from 0, all of the owner 0."""
    made = Store(ENGINE, within or layout())
    source = made.layout.sources[0]
    known = source.table.columns
    held = [{name: cell for name, cell in row.items() if name in known} for row in rows]
    made.load(source, [Stored(number, 0, row) for number, row in enumerate(held)])
    return made


def found(query: str, rows: Sequence[Mapping[str, Cell]], within: Layout | None = None) -> set[int]:
    """The numbers of the rows that the query finds."""
    held = store(rows, within)
    source = held.layout.sources[0]
    return held.find(ENGINE.compile(query, held.layout, source), source, 0)
