"""Correlations: searches whose rows are counted in windows of time, and what is kept of the groups.

Windows stand at fixed times where `bin` and `stats` make them, or slide where `streamstats` does. Correlations give
groups instead of rows, so a query that has them compiles to no SQL over a table.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from converter.engines.engine import Unjudged
from converter.engines.spl import hunting, rows, sliding, syntax
from converter.engines.spl.rows import TIME, Rows
from converter.engines.spl.sql import Kind, Typed
from converter.engines.spl.syntax import Command
from converter.engines.store import refusals
from converter.schemas.layout import Source

DAY = 86_400


def correlate(
    commands: Sequence[Command], connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]
) -> list[dict[str, object]]:
    """The groups that the query shows, a field that a group lacks left out; raises Invalid, Unjudged.

    In the order of their fields: the query itself promises none.
    """
    if not any(isinstance(command, syntax.Stats | syntax.Streamstats) for command in commands):
        raise Unjudged("a correlation without stats")
    everything = hunting.everything(connection, sources)
    found = everything
    for command, before in zip(commands, sliding.ordered(commands), strict=True):
        found = sliding.after(found, command, ordered=before) or _after(found, command, everything)
    names = list(found.columns)
    with refusals():
        shown = connection.execute(
            f"SELECT {', '.join(held.sql for held in found.columns.values())} {found.filtered} ORDER BY ALL"
        ).fetchall()
    groups = [dict(zip(names, map(hunting.value, row), strict=True)) for row in shown]
    return [{name: value for name, value in group.items() if value is not None} for group in groups]


def _after(found: Rows, command: Command, everything: Rows) -> Rows:
    match command:
        case syntax.Multisearch(queries):
            return rows.union([_searched(everything, query) for query in queries])
        case syntax.Bin(seconds):
            return _binned(found, seconds)
        case syntax.Stats(aggregates, by):
            return _counted(found, aggregates, by)
    kept = rows.after(found, command)
    if kept is None or isinstance(command, syntax.Tstats):
        raise Unjudged(f"the command {type(command).__name__.lower()} in a correlation")
    return kept


def _searched(everything: Rows, query: Sequence[Command]) -> Rows:
    # Search Reference, "multisearch": searches of commands that treat each event alone.
    found = everything
    for command in query:
        kept = rows.after(found, command)
        if kept is None:
            raise Unjudged(f"the command {type(command).__name__.lower()} in multisearch")
        found = kept
    return found


def _binned(found: Rows, seconds: int) -> Rows:
    # Search Reference, "bin": windows are whole multiples of the span; those of days begin at midnight, here of UTC.
    if seconds > DAY:
        raise Unjudged("bin of more than a day, of which no manual says where it begins")
    moment = found.columns[TIME].sql
    return found.extended(TIME, Typed(f"(floor({moment} / {seconds}) * {seconds})", Kind.NUMBER))


def _counted(found: Rows, aggregates: Sequence[syntax.Aggregate], by: Sequence[str]) -> Rows:
    # Search Reference, "stats": a group for each combination of values; a row without a field of `by` is in none, one
    # with several values in the group of each.
    columns: dict[str, Typed] = {}
    keys: list[str] = []
    for name in by:
        held = found.columns.get(name, rows.ABSENT)
        if held.kind is Kind.NUMBER:
            keys.append(f"{held.sql} AS key_{len(keys)}")
        else:
            keys.append(f"unnest(list_distinct({held.sql})) AS key_{len(keys)}")
        columns[name] = Typed(f"key_{len(columns)}" if held.kind is Kind.NUMBER else f"[key_{len(columns)}]", held.kind)
    # One field of several values at a time: two unnested side by side would be paired.
    origin = f"(SELECT * {found.filtered})"
    for key in keys:
        origin = f"(SELECT *, {key} FROM {origin})"
    named = [f"key_{number}" for number in range(len(keys))]
    results = [f"{_aggregated(found, aggregate)} AS result_{number}" for number, aggregate in enumerate(aggregates)]
    present = " AND ".join(f"{name} IS NOT NULL" for name in named) or "true"
    grouped = f" GROUP BY {', '.join(named)}" if named else ""
    text = f"(SELECT {', '.join([*named, *results])} FROM {origin} WHERE {present}{grouped})"
    for number, aggregate in enumerate(aggregates):
        columns[aggregate.name] = Typed(f"result_{number}", Kind.TEXTS)
    return Rows(text, (), columns)


def _aggregated(found: Rows, aggregate: syntax.Aggregate) -> str:
    # Search Reference, "Aggregate functions" and "Multivalue stats functions": distinct values, letter case counted;
    # `values` in the order of UTF-8.
    if aggregate.field == "*":
        return "[count(*)::VARCHAR]"
    held = found.columns.get(aggregate.field, rows.ABSENT)
    if held.kind is not Kind.TEXTS:
        raise Unjudged(f"{aggregate.function}({aggregate.field}), which holds no text")
    values = f"flatten(coalesce(list({held.sql}) FILTER ({held.sql} IS NOT NULL), []))"
    match aggregate.function:
        case "count":
            return f"[len({values})::VARCHAR]"
        case "dc":
            return f"[len(list_distinct({values}))::VARCHAR]"
        case "values":
            return f"(CASE WHEN len({values}) > 0 THEN list_sort(list_distinct({values})) END)"
    raise Unjudged(f"the function {aggregate.function} of stats")
