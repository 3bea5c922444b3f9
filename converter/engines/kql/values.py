"""How Kusto's types stand in DuckDB, and how Kusto writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from converter.engines.engine import Unjudged
from converter.engines.kql.expression import Context, Expression, text
from converter.schemas.forms import Cell
from converter.schemas.layout import Column

SQL_TYPES = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "int": "INTEGER",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "timespan": "INTERVAL",
    "dynamic": "JSON",
    "guid": "UUID",
}


def sql_type(column: Column) -> str:
    """The DuckDB type that holds the column; raises ValueError for a type that Kusto does not have."""
    if column.type not in SQL_TYPES:
        raise ValueError(f"{column.name}: Kusto has no type {column.type}")
    return SQL_TYPES[column.type]


def stored(column: Column, value: Cell | None) -> object:
    """The value as the column holds it; raises ValueError for one that it cannot hold."""
    if value is None:
        # Kusto's strings have no null.
        return "" if column.type == "string" else None
    if column.type == "dynamic":
        return _dynamic(value)
    if column.type == "datetime" and isinstance(value, str):
        told = datetime.fromisoformat(value)
        return told.astimezone(UTC).replace(tzinfo=None) if told.tzinfo else told
    if column.type == "bool" and not isinstance(value, bool):
        raise ValueError(f"{column.name}: {value!r} is no bool")
    if column.type in {"int", "long"} and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{column.name}: {value!r} is no {column.type}")
    if column.type in {"string", "guid"} and not isinstance(value, str):
        raise ValueError(f"{column.name}: {value!r} is no {column.type}")
    return value


def _dynamic(value: Cell) -> str:
    """JSON of the value; a text that is JSON is what it says, as when Kusto takes one in."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return json.dumps(value)
        return value
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def as_text(value: Expression) -> Expression:
    """`tostring()` of the value, empty for a null; raises Unjudged for a type whose spelling is not settled.

    https://learn.microsoft.com/kusto/query/tostring-function; how truth values and times are spelt was measured on the
    Kusto emulator by the authors of duckdb-kql.
    """
    if value.type in {"string", "dynamic"}:
        return text(value, "tostring()")
    spelt = {
        "bool": f"CASE WHEN {value.sql} THEN 'True' WHEN NOT {value.sql} THEN 'False' END",
        "int": f"{value.sql}::VARCHAR",
        "long": f"{value.sql}::VARCHAR",
        "guid": f"{value.sql}::VARCHAR",
        "datetime": f"strftime({value.sql}, '%Y-%m-%dT%H:%M:%S.%f') || '0Z'",
    }
    if value.type not in spelt:
        raise Unjudged(f"the text of a value of type {value.type} is not judged")
    return Expression(f"coalesce({spelt[value.type]}, '')", "string", value.what)


def moment(context: Context) -> str:
    """The time that the query runs at; raises Unjudged where none was given."""
    if context.now is None:
        raise Unjudged("the query asks what time it is, and no time was given")
    now = context.now.astimezone(UTC) if context.now.tzinfo else context.now
    return f"TIMESTAMP '{now:%Y-%m-%d %H:%M:%S.%f}'"
