"""SPL over Splunk's rows: queries compiled to DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from converter.engines.engine import Hit, Unjudged
from converter.engines.spl import addresses, correlation, hunting, regex, rows, syntax
from converter.engines.spl.parser import parse
from converter.engines.spl.rows import TIME
from converter.schemas.forms import Cell
from converter.schemas.layout import Column, Layout, Source

FUNCTIONS: Mapping[str, tuple[Callable[..., Any], Sequence[str], str]] = {
    "pcre_found": (regex.found, ["VARCHAR", "VARCHAR"], "BOOLEAN"),
    "pcre_group": (regex.group, ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR"),
    "pcre_replaced": (regex.replaced, ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR"),
    "in_subnet": (addresses.in_subnet, ["VARCHAR", "VARCHAR"], "BOOLEAN"),
}


class Spl:
    """The engine of Splunk's search language; it holds a field as the list of its values, `_time` in seconds."""

    name = "spl"
    language = "SPL"

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A fresh database in memory, with the functions that compiled queries call."""
        # Rows are few, and Python's functions run one at a time anyway.
        connection = duckdb.connect(config={"threads": 1})
        for name, (function, parameters, result) in FUNCTIONS.items():
            connection.create_function(name, function, list(parameters), result)
        return connection

    def column(self, column: Column) -> str:
        """The DuckDB type that holds the column."""
        return "DOUBLE" if column.name == TIME else "VARCHAR[]"

    def cell(self, column: Column, value: Cell | None) -> object:
        """The value as the column holds it; None stands for a field that the event does not have."""
        if value is None or value == ():
            return None
        if column.name == TIME:
            return _moment(value)
        return [_text(part) for part in (value if isinstance(value, tuple) else (value,))]

    def compile(self, query: str, layout: Layout, source: Source) -> str:  # noqa: ARG002 - the protocol's
        """SQL that gives `_row` of each row of the source's table that the query finds; raises Invalid, Unjudged."""
        found = rows.table(source)
        commands = parse(query)
        if isinstance(commands[0], syntax.Multisearch):
            raise Unjudged("multisearch, which has no rows of one table")
        shows = False
        for command in commands:
            # What chooses columns and an order leaves the rows as they are; nothing may filter them after it.
            shows = shows or isinstance(command, syntax.Sort | syntax.Table)
            if isinstance(command, syntax.Sort | syntax.Table | syntax.Rename | syntax.Eval) and shows:
                continue
            kept = rows.after(found, command)
            if kept is None or shows:
                raise Unjudged(f"the command {type(command).__name__.lower()}, which changes which rows there are")
            found = kept
        return rows.numbers(found)

    def hunt(
        self,
        query: str,
        connection: duckdb.DuckDBPyConnection,
        layout: Layout,  # noqa: ARG002 - the protocol's
        sources: Sequence[Source],
        now: datetime,
    ) -> list[Hit]:
        """The whole query, run at the time `now` over the sources' tables: what it shows, in order.

        Raises Invalid, Unjudged.
        """
        return hunting.hunt(parse(query), connection, sources, now)

    def correlate(
        self,
        query: str,
        connection: duckdb.DuckDBPyConnection,
        layout: Layout,  # noqa: ARG002 - as in the protocol's methods
        sources: Sequence[Source],
    ) -> list[dict[str, object]]:
        """The groups that a correlation finds in the sources' tables; raises Invalid, Unjudged."""
        return correlation.correlate(parse(query), connection, sources)


def _moment(value: Cell) -> float:
    if isinstance(value, bool | tuple):
        raise TypeError(f"{value!r} is no time")
    if isinstance(value, int | float):
        return float(value)
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
