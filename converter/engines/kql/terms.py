"""The operators that look for terms: `has` and its kin.

A term is a run of letters and digits. An edge of the needle that is a letter or digit must be an edge of a term of the
value; any other edge is literal. https://learn.microsoft.com/kusto/query/datatypes-string-operators#what-is-a-term;
that letters and digits are Unicode's, and the underscore none, was measured on the Kusto emulator by the authors of
duckdb-kql (its rule R3).
"""

from __future__ import annotations

import re
import unicodedata

import duckdb

from converter.engines.kql.expression import Expression, folded, quoted

_FUNCTION = "kql_has"


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the connection the function that decides on texts beyond ASCII."""
    connection.create_function(_FUNCTION, found, ["VARCHAR", "VARCHAR", "BOOLEAN", "BOOLEAN"], "BOOLEAN")


def found(value: str, needle: str, before: bool, after: bool) -> bool:  # noqa: FBT001 - called from SQL
    """Whether the needle stands in the value, at an edge of a term `before` and `after` it where it is asked."""
    before = before and _of_term(needle[:1])
    after = after and _of_term(needle[-1:])
    at = value.find(needle)
    while at >= 0:
        end = at + len(needle)
        if not (before and _of_term(value[at - 1 : at])) and not (after and _of_term(value[end : end + 1])):
            return True
        at = value.find(needle, at + 1)
    return False


def search(value: Expression, needle: Expression, *, cased: bool, before: bool = True, after: bool = True) -> str:
    """SQL that says whether the value has the needle; letter case does not count unless it is `cased`."""
    haystack, wanted = (value.sql, needle.sql) if cased else (folded(value), folded(needle))
    slow = f"{_FUNCTION}({haystack}, {wanted}, {before}, {after})"
    text = needle.text
    if text is None or not text.isascii():
        return slow
    text = text if cased else text.lower()
    # Compiling a pattern with Unicode's classes costs milliseconds, so ASCII values have one of their own.
    pattern = (
        ("(?:^|[^0-9A-Za-z])" if before and _of_term(text[:1]) else "")
        + re.sub(r"[^0-9A-Za-z]", lambda sign: f"\\x{{{ord(sign[0]):x}}}", text)
        + ("(?:$|[^0-9A-Za-z])" if after and _of_term(text[-1:]) else "")
    )
    fast = f"regexp_matches({haystack}, {quoted(pattern)})"
    decided = f"CASE WHEN strlen({haystack}) = length({haystack}) THEN {fast} ELSE {slow} END"
    return f"CASE WHEN contains({haystack}, {wanted}) THEN {decided} ELSE FALSE END"


def _of_term(sign: str) -> bool:
    return sign != "" and unicodedata.category(sign)[0] in "LN"
