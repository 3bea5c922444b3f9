"""A KQL expression as SQL, with the type that Kusto gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from converter.engines.engine import Invalid, Unjudged

NUMBERS = frozenset({"int", "long", "real"})


@dataclass(frozen=True)
class Expression:
    """SQL and its Kusto type; a string is never NULL, since Kusto's strings have no null.

    `text` is the value of a string literal, and `number` that of a whole number's; `what` names it in messages. `open`
    is a column that says for which rows the language leaves open what it gives.
    """

    sql: str
    type: str
    what: str
    text: str | None = None
    number: int | None = None
    open: str | None = None

    @property
    def sure(self) -> bool:
        """Never null."""
        return self.type == "string" or self.text is not None or self.number is not None


@dataclass
class Context:
    """What an expression stands in: its columns by Kusto's names, the time, and what it leaves open.

    `open` collects SQL conditions under which the language leaves open what an expression gives.
    """

    table: str
    columns: Mapping[str, Expression]
    now: datetime | None = None
    open: list[str] = field(default_factory=list)

    def column(self, name: str) -> Expression:
        """The column of this name; raises Invalid where there is none."""
        if name not in self.columns:
            raise Invalid(f"{self.table} has no column {name}")
        return self.columns[name]


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    if "\0" in text:
        raise Unjudged("a string holds the character NUL")
    return "'" + text.replace("'", "''") + "'"


def literal(text: str) -> Expression:
    """A string literal."""
    return Expression(quoted(text), "string", f'"{text}"', text=text)


def boolean(sql: str, what: str = "a condition") -> Expression:
    """A condition."""
    return Expression(sql, "bool", what)


def text(operand: Expression, what: str) -> Expression:
    """The operand where KQL reads a string, a dynamic one by what it holds; raises Invalid for other types."""
    if operand.type == "dynamic":
        # Kusto reads a dynamic by its value, a JSON null as an empty string.
        return Expression(f"coalesce({operand.sql} ->> '$', '')", "string", operand.what)
    if operand.type != "string":
        raise Invalid(f"{what} takes strings, and {operand.what} is of type {operand.type}")
    return operand


def folded(operand: Expression) -> str:
    """The string in lower case, by which case-insensitive operators compare.

    DuckDB folds by Unicode; whether Kusto folds letters beyond ASCII alike is not documented, so events that hinge
    on it are left out before they come here.
    """
    if operand.text is not None and operand.text.isascii():
        return quoted(operand.text.lower())
    return f"lower({operand.sql})"


def common_type(operands: list[Expression], what: str) -> str:
    """The one type of several values that stand for each other; raises Invalid where they differ."""
    kinds = {operand.type for operand in operands}
    if len(kinds) == 1:
        return kinds.pop()
    if kinds == {"int", "long"}:
        return "long"
    raise Invalid(f"{what} takes values of one type, and these are of {' and '.join(sorted(kinds))}")
