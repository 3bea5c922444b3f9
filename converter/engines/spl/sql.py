"""Pieces of DuckDB's SQL: literals, trees of conditions, and tests of the values that a field holds.

A field is a list of its values, NULL where the event lacks it: most have one value, a multi-valued one has several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from converter.engines.engine import Unjudged
from converter.engines.store import REFUSED

NUMERIC = r"'-?[0-9]+(\.[0-9]+)?'"
NOTHING = "NULL::VARCHAR[]"


class Kind(Enum):
    """What an expression gives."""

    TEXTS = "texts"
    NUMBER = "number"
    TRUTH = "truth"


@dataclass(frozen=True)
class Typed:
    """SQL with the kind of its value."""

    sql: str
    kind: Kind


def literal(text: str) -> str:
    """A text as SQL; raises Unjudged for NUL, which DuckDB's parser ends at."""
    if "\0" in text:
        raise Unjudged("a NUL character")
    return "'" + text.replace("'", "''") + "'"


def lowered(text: str) -> str:
    """A text in small letters as SQL: beyond ASCII by DuckDB's own table, which is that of the values it is held to."""
    return literal(text.lower()) if text.isascii() else f"lower({literal(text)})"


def joined(parts: Sequence[str], operator: str) -> str:
    """Conditions under AND or OR, as a tree of little depth: DuckDB's parser has a limit."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({joined(parts[:middle], operator)} {operator} {joined(parts[middle:], operator)})"


def some(values: str, test: str) -> str:
    """Whether a value `x` of the list passes the test; NULL where there is no list."""
    return f"(len(list_filter({values}, lambda x: {test})) > 0)"


def found(values: str, test: str) -> str:
    """Whether a value `x` of the list passes the test; false where there is no list."""
    return f"({values} IS NOT NULL AND {some(values, test)})"


def numeric(value: str) -> str:
    """Whether a text reads as a number."""
    return f"regexp_full_match({value}, {NUMERIC})"


def number(value: float) -> str:
    """A number as SQL."""
    return f"{value!r}::DOUBLE"


def refused(message: str) -> str:
    """SQL that ends the query as Unjudged where a row comes to it."""
    return f"error({literal(REFUSED + message)})"
