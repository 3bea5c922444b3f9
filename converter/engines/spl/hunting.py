"""A whole query at a fixed time: what its last command shows, in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import duckdb

from converter.engines.engine import Hit, Unjudged
from converter.engines.spl import rows, syntax
from converter.engines.spl.reading import SECONDS
from converter.engines.spl.rows import Rows
from converter.engines.spl.sql import Kind
from converter.engines.spl.syntax import Command
from converter.engines.store import refusals
from converter.schemas.layout import Source


def hunt(
    commands: Sequence[Command], connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], now: datetime
) -> list[Hit]:
    """What the query shows of the sources' rows; raises Invalid, Unjudged."""
    *commands, last = commands
    if not commands or not isinstance(last, syntax.Table):
        raise Unjudged("a hunting query that does not end in a table")
    found = everything(connection, sources)
    order = ""
    for command in commands:
        if isinstance(command, syntax.Sort):
            order = _order(command, found)
            continue
        kept = rows.after(found, windowed(command, now) if command is commands[0] else command)
        if kept is None:
            raise Unjudged(f"the command {type(command).__name__.lower()} in a hunting query")
        found = kept
    return _shown(found, last.columns, order, connection)


def everything(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> Rows:
    """The rows of all tables of the sources that hold any; a field that a table does not have is absent there."""
    held = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    tables = [rows.table(source) for source in {source.table.name: source for source in sources}.values()]
    known = [table for table in tables if table.origin.strip('"') in held]
    if not known:
        raise Unjudged("no table of the sources holds a row")
    return rows.union(known)


def windowed(command: Command, now: datetime) -> Command:
    """The search with its limits of time as limits of `_time`; raises Unjudged for limits that are not ours.

    Search Manual, "Specify time modifiers in your search": from the earliest time on, up to the latest.
    """
    if not isinstance(command, syntax.Search):
        raise Unjudged("a hunting query that does not begin with a search")
    parts = command.condition.parts if isinstance(command.condition, syntax.All) else (command.condition,)
    kept: list[syntax.Node] = []
    for part in parts:
        match part:
            case syntax.Compared("earliest", "=", value):
                kept.append(syntax.Moment(">=", now.timestamp() - _age(value)))
            case syntax.Compared("latest", "=", "now"):
                kept.append(syntax.Moment("<", now.timestamp()))
            case _:
                kept.append(part)
    return replace(command, condition=syntax.All(kept))


def _age(value: str) -> int:
    found = re.fullmatch(r"-([0-9]+)([a-z]+)", value)
    if found is None or found[2] not in SECONDS:
        raise Unjudged(f"earliest={value}")
    return int(found[1]) * SECONDS[found[2]]


def _order(command: syntax.Sort, found: Rows) -> str:
    # Search Reference, "sort": `-` is descending. Numbers go by their order; how texts do is not needed here.
    held = found.columns.get(command.field)
    if held is None or held.kind is not Kind.NUMBER:
        raise Unjudged(f"sort by {command.field}, which holds no number")
    return f" ORDER BY {held.sql} {'DESC' if command.descending else 'ASC'}"


def _shown(found: Rows, columns: Sequence[str], order: str, connection: duckdb.DuckDBPyConnection) -> list[Hit]:
    # Search Reference, "table": these columns in this order; one that no row has is empty.
    picked = ", ".join(found.columns.get(name, rows.ABSENT).sql for name in columns)
    with refusals():
        shown = connection.execute(f"SELECT {picked} {found.filtered}{order}").fetchall()
    return [Hit(dict(zip(columns, map(value, row), strict=True))) for row in shown]


def value(held: object) -> object:
    """A value as it is shown: one of a list alone, several as a tuple."""
    if not isinstance(held, list):
        return held
    return held[0] if len(held) == 1 else tuple(held)
