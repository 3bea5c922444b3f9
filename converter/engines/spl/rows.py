"""Rows as SQL: a table of events, and what each command that keeps or extends rows makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from converter.engines.engine import ROW, Unjudged
from converter.engines.spl import regex, search, sql, syntax, where
from converter.engines.spl.sql import Kind, Typed
from converter.engines.spl.syntax import Command
from converter.engines.store import held, quoted
from converter.schemas.layout import Source

TIME = "_time"
# What a field is where no event has it.
ABSENT = Typed(sql.NOTHING, Kind.TEXTS)


@dataclass(frozen=True)
class Rows:
    """Rows that SQL gives: what they come from, the conditions they pass, and their fields by name."""

    origin: str
    conditions: Sequence[str]
    columns: Mapping[str, Typed]
    depth: int = 0

    @property
    def filtered(self) -> str:
        """What stands after SELECT and its columns."""
        return f"FROM {self.origin}" + (f" WHERE {' AND '.join(self.conditions)}" if self.conditions else "")

    def where(self, condition: str) -> Rows:
        """Those of the rows that pass the condition too."""
        return replace(self, conditions=(*self.conditions, condition))

    def extended(self, name: str, value: Typed) -> Rows:
        """The rows with a field more, or another value in it."""
        if value.kind is Kind.TRUTH:
            raise Unjudged(f"the field {name}, which would hold a truth value")
        column = f"field_{self.depth}"
        inner = f"(SELECT *, {value.sql} AS {column} {self.filtered})"
        return Rows(inner, (), {**self.columns, name: Typed(column, value.kind)}, self.depth + 1)


def table(source: Source) -> Rows:
    """All rows of the source's table."""
    names = held(source.table)
    columns = {name: Typed(quoted(names[name]), Kind.NUMBER if name == TIME else Kind.TEXTS) for name in names}
    return Rows(quoted(source.table.name), (), columns)


def union(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts; a field that a part does not have is absent there."""
    columns: dict[str, Typed] = {}
    for part in parts:
        for name, value in part.columns.items():
            columns.setdefault(name, Typed(f"column_{len(columns)}", value.kind))
    selects = []
    for part in parts:
        absent = {name: "NULL::DOUBLE" if held.kind is Kind.NUMBER else ABSENT.sql for name, held in columns.items()}
        given = {name: held.sql for name, held in part.columns.items()}
        values = ", ".join(f"{given.get(name, absent[name])} AS {columns[name].sql}" for name in columns)
        selects.append(f"SELECT {values} {part.filtered}")
    return Rows(f"({' UNION ALL '.join(selects)})", (), columns)


def after(rows: Rows, command: Command) -> Rows | None:
    """The rows that a command leaves, or None if it does more than keep and extend rows; raises Invalid, Unjudged."""
    match command:
        case syntax.Search(condition):
            return rows.where(search.condition(condition, rows.columns))
        case syntax.Where(condition):
            return rows.where(where.condition(condition, rows.columns))
        case syntax.Eval(assignments):
            # Search Reference, "eval": expressions see the fields that those before them gave.
            for name, expression in assignments:
                rows = rows.extended(name, where.expression(expression, rows.columns))
            return rows
        case syntax.Regex(field, negated, pattern):
            return rows.where(_matched(rows, field, pattern, negated=negated))
        case syntax.Rex(field, pattern):
            return _extracted(rows, field, pattern)
        case syntax.Rename(field, name):
            columns = {key: value for key, value in rows.columns.items() if key not in {field, name}}
            return replace(rows, columns={**columns, name: rows.columns.get(field, ABSENT)})
        case syntax.Tstats():
            return _counted(rows, command)
    return None


def numbers(rows: Rows) -> str:
    """SQL that gives the rows' numbers."""
    return f"SELECT {ROW} {rows.filtered}"


def _texts(rows: Rows, field: str) -> str:
    value = rows.columns.get(field, ABSENT)
    if field == "_raw" and field not in rows.columns:
        raise Unjudged("the raw text, which the table does not have")
    if value.kind is not Kind.TEXTS:
        raise Unjudged(f"{field}, which holds no text")
    return value.sql


def _matched(rows: Rows, field: str, pattern: str, *, negated: bool) -> str:
    # Search Reference, "regex": results that match the unanchored expression, or with != those that do not.
    regex.compiled(pattern)
    values = _texts(rows, field)
    matched = sql.some(values, f"pcre_found({sql.literal(pattern)}, x)")
    if not negated:
        return f"coalesce({matched}, false)"
    return f"coalesce(NOT {matched}, {sql.refused('regex != and a field that is absent')})"


def _extracted(rows: Rows, field: str, pattern: str) -> Rows:
    # Search Reference, "rex": what the named groups of the first match hold become fields; none where nothing matches.
    for name in regex.compiled(pattern).groupindex:
        called = f"pcre_group({sql.literal(pattern)}, {sql.literal(name)}, x)"
        values = f"list_filter(list_transform({_texts(rows, field)}, lambda x: {called}), lambda x: x <> '')"
        before = rows.columns.get(name, ABSENT).sql
        rows = rows.extended(name, Typed(f"CASE WHEN len({values}) > 0 THEN {values} ELSE {before} END", Kind.TEXTS))
    return rows


def _counted(rows: Rows, command: syntax.Tstats) -> Rows:
    # Search Reference, "tstats": a row without a field of `by` is left out, but with fillnull_value.
    if command.condition is not None:
        _refuse_mixed(command.condition)
        rows = rows.where(search.condition(command.condition, rows.columns, subnets=False))
    columns: dict[str, Typed] = {}
    filled = command.options.get("fillnull_value")
    for name in command.by:
        values = _texts(rows, name)
        if filled is None:
            rows = rows.where(f"{values} IS NOT NULL")
        columns[name] = Typed(values if filled is None else f"coalesce({values}, [{sql.literal(filled)}])", Kind.TEXTS)
    # What follows sees the fields of `by` alone, and as all rows of a group have them, it can be asked of each row.
    return replace(rows, columns=columns)


def _refuse_mixed(node: syntax.Node) -> None:
    """Raise Unjudged for AND and OR side by side: no manual says which of them `tstats` joins first."""
    match node:
        case syntax.All(parts) | syntax.Any(parts):
            if isinstance(node, syntax.All) and any(isinstance(part, syntax.Any) for part in parts):
                raise Unjudged("AND and OR in tstats without parentheses")
            for part in parts:
                _refuse_mixed(part)
        case syntax.Not(part) | syntax.Group(part):
            _refuse_mixed(part)
