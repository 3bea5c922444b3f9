"""KQL, read by duckdb-kql and run on DuckDB: the embedded engine of Microsoft's query language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import duckdb
from duckdb_kql import ir

from converter.engines.engine import ROW, Compiled, Hit, Unjudged
from converter.engines.kql import addresses, terms
from converter.engines.kql.pipeline import ORDER, Pipeline, apply, filters, started
from converter.engines.kql.reading import read
from converter.engines.kql.values import sql_type, stored
from converter.engines.store import quoted
from converter.schemas.forms import Cell
from converter.schemas.layout import Column, Layout, Source

# Operators that say what is shown of the rows, and in which order.
SHOWING = (ir.Extend, ir.Project, ir.ProjectAway, ir.Sort)


@dataclass(frozen=True)
class Kql:
    """The engine of KQL; it takes the types of a layout's columns to be Kusto's."""

    name: str = "kql"
    language: str = "KQL"
    version: str = f"duckdb-kql {version('duckdb-kql')} on duckdb {duckdb.__version__}"

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A fresh database in memory, with the functions that compiled queries call."""
        connection = duckdb.connect(config={"threads": 1})
        addresses.register(connection)
        terms.register(connection)
        return connection

    def column(self, column: Column) -> str:
        """The DuckDB type that holds the column; raises ValueError for a type that Kusto does not have."""
        return sql_type(column)

    def cell(self, column: Column, value: Cell | None) -> object:
        """The value as the column holds it; raises ValueError for one that it cannot hold."""
        return stored(column, value)

    def compile(self, query: str, layout: Layout, source: Source) -> Compiled:
        """SQL that gives `_row` of each row of `source.table.name` that the query finds.

        Only up to the query's first operator that is neither filter nor extend; those after it are checked as far as
        they are judged. Raises Invalid, Unjudged.
        """
        tree = read(query)
        count = filters(tree.operators)
        found = _filtered(tree, count, layout, leaves_open=False)
        sql = _rows(found, source)
        _check_rest(tree.operators[count:], found)
        left_open = _filtered(tree, count, layout, leaves_open=True)
        if not left_open.open:
            return Compiled(sql)
        return Compiled(sql, _rows(left_open, source, *left_open.open))

    def hunt(
        self,
        query: str,
        connection: duckdb.DuckDBPyConnection,
        layout: Layout,
        sources: Sequence[Source],  # noqa: ARG002 - a KQL query names its tables
        now: datetime,
    ) -> list[Hit]:
        """The whole query, run at the time `now` over the connection's tables: what it shows, in order.

        Raises Invalid, Unjudged.
        """
        tree = read(query)
        pipeline = started(tree, layout, now)
        for operator in tree.operators:
            apply(operator, pipeline)
        shown = ", ".join(column.sql for column in pipeline.columns.values())
        sql = f"SELECT {shown} FROM ({pipeline.sql}) ORDER BY {ORDER if pipeline.ordered else ROW}"
        rows = connection.execute(sql).fetchall()
        return [Hit(dict(zip(pipeline.columns, map(_shown, row), strict=True))) for row in rows]


def _filtered(tree: ir.Query, count: int, layout: Layout, *, leaves_open: bool) -> Pipeline:
    pipeline = started(tree, layout, None, leaves_open=leaves_open)
    for operator in tree.operators[:count]:
        apply(operator, pipeline)
    return pipeline


def _rows(pipeline: Pipeline, source: Source, *conditions: str) -> str:
    if pipeline.table != source.table.name:
        # A query of another table, which need not be there, finds nothing in this one.
        return f"SELECT {ROW} FROM {quoted(source.table.name)} WHERE FALSE"
    return f"SELECT {ROW} FROM ({pipeline.sql}) WHERE {' OR '.join(conditions) or 'TRUE'}"


def _check_rest(operators: Sequence[ir.Operator], pipeline: Pipeline) -> None:
    """Look at the operators after the filters, which may choose columns and an order, and nothing else.

    Raises Invalid for a name or type that they have wrong, Unjudged for one that changes which rows there are.
    """
    for operator in operators:
        if not isinstance(operator, SHOWING):
            raise Unjudged(f"the operator {type(operator).__name__.lower()} after those that choose columns")
        apply(operator, pipeline)


def _shown(value: object) -> object:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


ENGINE = Kql()
