"""The engine of Lucene's query strings, as Elasticsearch and OpenSearch answer them.

An index is as Elastic's templates make it, with a list of fields for words without one (`index.query.default_field`):
then a clause that a field's type cannot answer is an error of the whole query, which the default `*` would pass over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

from converter.engines.engine import ROW, Hit, Unjudged
from converter.engines.lucene import holding, predicates, search
from converter.engines.lucene.clauses import Meaning
from converter.engines.lucene.syntax import parsed
from converter.engines.store import quoted
from converter.schemas.forms import Cell
from converter.schemas.layout import Column, Layout, Source


class Engine:
    """Query strings over documents that are rows of DuckDB, with the types of an index's mapping."""

    name = "lucene"
    language = "Lucene"

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A fresh database in memory; compiled queries call only what DuckDB has."""
        return duckdb.connect(config={"threads": 1})

    def column(self, column: Column) -> str:
        """The DuckDB type that holds the column; raises Unjudged for a type that is none of Elastic's."""
        return holding.kind(column)

    def cell(self, column: Column, value: Cell | None) -> object:
        """What an index has of the value: a list without what is over `ignore_above`; None of None.

        Raises ValueError for a value that a node refuses, Unjudged for a text whose words are not known.
        """
        return holding.held(column, value)

    def compile(self, query: str, layout: Layout, source: Source, now: datetime | None = None) -> str:  # noqa: ARG002
        """SQL that gives `_row` of each document that the query string finds; `now` is what dates count from.

        Raises Invalid for what a node refuses, Unjudged for what this engine does not know.
        """
        if not query.strip():
            return _select(source, predicates.NEVER)
        return _select(source, Meaning(source.table, now).query(parsed(query)))

    def hunt(
        self,
        query: str,
        connection: duckdb.DuckDBPyConnection,
        layout: Layout,  # noqa: ARG002 - the protocol's
        sources: Sequence[Source],
        now: datetime,
    ) -> list[Hit]:
        """The hits of a search body in JSON, or of a query string, over the sources' tables.

        A hit of a body shows the fields that it lists, and has the names of the queries that match it; one of a query
        string shows all fields. Raises Invalid, Unjudged.
        """
        if query.lstrip().startswith("{") and (body := search.body(query)) is not None:
            return search.hits(body, connection, sources, now)
        return search.documents(query, connection, sources, now)


def _select(source: Source, wanted: predicates.Predicate) -> str:
    return f"SELECT {ROW} FROM {quoted(source.table.name)} WHERE {predicates.sql(wanted)}"


__all__ = ["Engine", "Unjudged"]
