"""Windows of time that slide: `streamstats` over rows in order of time, and the first rows of what it leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from converter.engines.engine import Unjudged
from converter.engines.spl import rows, sql, syntax
from converter.engines.spl.rows import TIME, Rows
from converter.engines.spl.sql import Kind, Typed
from converter.engines.spl.syntax import Command

# limits.conf, [stats|sistats], `max_stream_window`.
MOST = 10_000
# Commands that leave rows in their order.
KEEPING = (syntax.Search, syntax.Where, syntax.Eval, syntax.Streamstats, syntax.Dedup, syntax.Head, syntax.Table)


def ordered(commands: Sequence[Command]) -> Iterator[bool]:
    """Before each command, whether its rows come in order of time, the oldest first."""
    known = False
    for command in commands:
        yield known
        if isinstance(command, syntax.Sort):
            known = command.field == TIME and not command.descending
        elif not isinstance(command, KEEPING):
            known = False


def after(found: Rows, command: Command, *, ordered: bool) -> Rows | None:
    """The rows that a command leaves, or None if it is none that needs them in order of time; raises Unjudged."""
    match command:
        case syntax.Sort(field):
            if field != TIME:
                raise Unjudged(f"sort by {field} in a correlation")
            return found
        case syntax.Table(columns):
            return replace(found, columns={name: found.columns.get(name, rows.ABSENT) for name in columns})
        case syntax.Streamstats() | syntax.Dedup() | syntax.Head() if not ordered:
            raise Unjudged(f"{type(command).__name__.lower()} of rows in no order of time")
        case syntax.Streamstats(seconds, aggregates, by):
            return _counted(found, seconds, aggregates, by)
        case syntax.Dedup(fields):
            # Search Reference, "dedup": the first row of each combination; a row without a field of it is left out.
            keys = [_texts(found, name) for name in fields]
            kept = _first(found, f"PARTITION BY {', '.join(keys)} ", 1)
            return replace(kept, conditions=[f"{key} IS NOT NULL" for key in keys])
        case syntax.Head(number):
            return _first(found, "", number)
    return None


def _first(found: Rows, partition: str, number: int) -> Rows:
    place = f"row_number() OVER ({partition}ORDER BY {found.columns[TIME].sql})"
    return replace(found, origin=f"(SELECT * {found.filtered} QUALIFY {place} <= {number})", conditions=())


def _counted(found: Rows, seconds: int, aggregates: Sequence[syntax.Aggregate], by: Sequence[str]) -> Rows:
    # Search Reference, "streamstats": by default the window has the row itself, and those before it as far back as
    # `time_window`. Rows of one time follow each other in no order that anyone promises: here each counts all of them,
    # as the last of them does.
    keys = {f"by_{found.depth}_{number}": _key(found, name) for number, name in enumerate(by)}
    inner = ", ".join(["*", *(f"{value} AS {name}" for name, value in keys.items())])
    found = replace(found, origin=f"(SELECT {inner} {found.filtered})", conditions=())
    partition = f"PARTITION BY {', '.join(keys)} " if keys else ""
    order = f"{partition}ORDER BY {found.columns[TIME].sql} RANGE BETWEEN"
    window = f"OVER ({order} {seconds} PRECEDING AND CURRENT ROW)"
    edge = f"count(*) OVER ({order} {seconds} PRECEDING AND {seconds} PRECEDING)"
    # Whether a row exactly as old as the window is long belongs to it is documented nowhere.
    checked = (
        f"CASE WHEN {edge} > 0 THEN {sql.refused('an event exactly as old as time_window is long')} "
        f"WHEN count(*) {window} > {MOST} THEN {sql.refused(f'a window of more than {MOST} events')} ELSE"
    )
    for aggregate in aggregates:
        value = f"({checked} [({_aggregated(found, aggregate, window)})::VARCHAR] END)"
        found = found.extended(aggregate.name, Typed(value, Kind.TEXTS))
    return found


def _aggregated(found: Rows, aggregate: syntax.Aggregate, window: str) -> str:
    # Search Reference, "Aggregate functions": distinct values, letter case counted.
    if aggregate.function == "count" and aggregate.field == "*":
        return f"count(*) {window}"
    if aggregate.function != "dc":
        raise Unjudged(f"the function {aggregate.function} of streamstats")
    held = _texts(found, aggregate.field)
    return f"len(list_distinct(flatten(coalesce(list({held}) FILTER ({held} IS NOT NULL) {window}, []))))"


def _key(found: Rows, name: str) -> str:
    # Search Reference, "stats", has a row with several values in each of their groups; "streamstats" says nothing of
    # it, nor of a row without the field.
    held = _texts(found, name)
    return (
        f"(CASE WHEN len({held}) = 1 THEN {held}[1] ELSE {sql.refused(f'streamstats by {name}, not of one value')} END)"
    )


def _texts(found: Rows, name: str) -> str:
    held = found.columns.get(name, rows.ABSENT)
    if held.kind is not Kind.TEXTS:
        raise Unjudged(f"{name}, which holds no text")
    return held.sql
