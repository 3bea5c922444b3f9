"""An evaluator of exactly the SPL that we emit, for no engine runs SPL offline; it refuses everything else.

Semantics are those of Splunk's Search Reference and Search Manual, whose pages are named where they are followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from tests import spl_windows
from tests.spl_eval import Expressions
from tests.spl_functions import Expression, truth
from tests.spl_reader import FIELD, Reader, RefusedError, number
from tests.spl_search import searched

Rows = list[dict[str, object]]
Command = Callable[[Rows], Rows]


def run(query: str, rows: Iterable[Mapping[str, object]], now: datetime) -> Rows:
    """The rows that come out, in order; raises RefusedError for a form that we do not emit.

    A search promises no order of its own that anyone should rely on: without `sort`, rows come in the order given.
    """
    reader = Reader(query)
    found = searched(reader, now)
    commands = []
    while not reader.at(""):
        reader.need(r"\|")
        commands.append(_command(reader))
    result: Rows = [dict(row) for row in rows if found(row)]
    for command in commands:
        result = command(result)
    return result


def find(query: str, rows: Iterable[Mapping[str, object]], now: datetime) -> set[str]:
    """The `_id`s of the rows that a query without `table` gives."""
    return {str(row["_id"]) for row in run(query, rows, now)}


def _command(reader: Reader) -> Command:
    name = reader.need(r"[a-z]+\b")[0]
    if name not in COMMANDS:
        raise RefusedError(f"we do not emit the command {name}")
    return COMMANDS[name](reader)


def _where(reader: Reader) -> Command:
    # Search Reference, "where": the rows for which the expression is TRUE.
    condition = Expressions(reader).disjunction()
    return lambda rows: [row for row in rows if truth(condition(row))]


def _eval(reader: Reader) -> Command:
    # Search Reference, "eval": expressions after commas see the fields that those before them gave.
    assigned = [_assignment(reader)]
    while reader.take(","):
        assigned.append(_assignment(reader))

    def evaluated(rows: Rows) -> Rows:
        for row in rows:
            for field, expression in assigned:
                value = expression(row)
                if isinstance(value, bool | list):
                    raise RefusedError(f"{field} would hold {value!r}")
                row[field] = value
        return [{field: value for field, value in row.items() if value is not None} for row in rows]

    return evaluated


def _assignment(reader: Reader) -> tuple[str, Expression]:
    return reader.need(rf"({FIELD})=(?!=)")[1], Expressions(reader).disjunction()


def _sort(reader: Reader) -> Command:
    # Search Reference, "sort": 0 is all rows, `-` descending; numbers in the order of numbers.
    direction, field = reader.need(rf"0 (?:([-+]) )?({FIELD})(?![\w,])").groups()

    def key(row: Mapping[str, object]) -> float:
        if (held := number(row.get(field))) is None:
            raise RefusedError(f"we do not sort by texts, such as {field} {row.get(field)!r}")
        return held

    return lambda rows: sorted(rows, key=key, reverse=direction == "-")


def _table(reader: Reader) -> Command:
    # Search Reference, "table": these columns, in this order.
    columns = [reader.need(FIELD)[0]]
    while reader.take(","):
        columns.append(reader.need(FIELD)[0])
    return lambda rows: [{column: row.get(column) for column in columns} for row in rows]


COMMANDS: Mapping[str, Callable[[Reader], Command]] = {
    "dedup": spl_windows.dedup,
    "eval": _eval,
    "head": spl_windows.head,
    "sort": _sort,
    "streamstats": spl_windows.streamstats,
    "table": _table,
    "where": _where,
}
