r"""Regular expressions of KQL on DuckDB's RE2, where both mean the same.

Kusto's page of supported syntax describes Rust's (https://learn.microsoft.com/kusto/query/regex), at most 16 groups.
What RE2 reads otherwise is refused; what differs on texts beyond ASCII alone (`\d \w \s \b`, which are Unicode's
there) is left open for rows that hold such a text.
"""

from __future__ import annotations

import os
import re
from functools import cache, lru_cache

import duckdb
from duckdb_kql.translate.regexfrag import to_re2_named_groups

from converter.engines.engine import Invalid, Unjudged
from converter.engines.kql.expression import Context, Expression, quoted

_MOST_GROUPS = 16
_LOOKAROUND = re.compile(r"\(\?(?:=|!|<=|<!)")
_PIECES = re.compile(r"\\(?:[pPx]\{[^}]*\}|[\s\S])|\[\^?\]?|\]|\(\?P?<\w+>|\(\?[a-zA-Z-]*[:)]|[\s\S]")
_REPEATED, _STARTS = frozenset("*+?{"), frozenset({"(", "|"})
_NAMED, _BARE_FLAGS = re.compile(r"\(\?P?<\w+>"), re.compile(r"\(\?[a-zA-Z-]*\)")
_FLAGS = re.compile(r"\(\?([a-zA-Z-]*)[:)]")
# Escapes that both have, beside punctuation; those of the second set mean Unicode's classes in Rust.
_SHARED, _UNICODE = frozenset("AzafnrtvxpP"), frozenset("dDwWsSbB")
_CLASSES = ("&&", "--", "~~")
# What RE2 says of a pattern that is none in Rust's syntax either.
_BAD = ("missing", "unexpected )", "trailing", "no argument", "invalid character class range", "invalid perl operator")


def checked(pattern: Expression, subject: Expression, context: Context, what: str) -> tuple[str, int]:
    """The pattern as RE2 takes it, and how many groups it has.

    Raises Invalid for one that Kusto does not take, Unjudged for one that is not judged.
    """
    if pattern.text is None:
        raise Unjudged(f"{what} has a pattern that is no literal")
    text, groups, unicode = _checked(pattern.text, what)
    if unicode:
        # RE2's \s lacks the vertical tab.
        context.open.append(f"regexp_matches({subject.sql}, '[^\\x00-\\x0a\\x0c-\\x7f]')")
    return text, groups


def matches(value: Expression, pattern: Expression, context: Context) -> str:
    """SQL that says whether the pattern is found in the value."""
    text, _ = checked(pattern, value, context, "matches regex")
    return f"regexp_matches({value.sql}, {quoted(text)})"


@lru_cache(maxsize=4096)
def _checked(pattern: str, what: str) -> tuple[str, int, bool]:
    shown = f"{what} has the pattern {pattern}"
    if _LOOKAROUND.search(_without_escapes(pattern)):
        raise Invalid(f"{shown}: Kusto's have no look-around")
    unicode = _scanned(pattern, shown)
    text = to_re2_named_groups(pattern)
    groups = _compiled(text, shown)
    if groups > _MOST_GROUPS:
        raise Invalid(f"{shown}: it has {groups} groups, and Kusto takes {_MOST_GROUPS}")
    return text, groups, unicode


def _scanned(pattern: str, shown: str) -> bool:
    """Whether the pattern asks for Unicode's classes; raises Invalid, Unjudged."""
    unicode, inside, before = False, False, ""
    names: set[str] = set()
    for piece in _PIECES.findall(pattern):
        if piece.startswith("\\"):
            unicode |= _escape(piece, shown)
        elif inside:
            if piece[0] == "[" or before + piece in _CLASSES:
                named = piece[0] == "["
                raise Unjudged(f"{shown}: {'a class inside a class' if named else before + piece + ' in a class'}")
            inside = piece != "]"
        elif piece[0] == "[":
            inside = True
        elif (flags := _FLAGS.fullmatch(piece)) and not set(flags[1]) <= set("imsU-"):
            raise Unjudged(f"{shown}: the flags {flags[1]}")
        elif piece in _REPEATED and (not before or before in _STARTS or _BARE_FLAGS.fullmatch(before)):
            raise Invalid(f"{shown}: nothing stands before {piece}")
        elif piece in names:
            raise Invalid(f"{shown}: two groups have one name")
        if _NAMED.fullmatch(piece):
            names.add(piece)
        before = piece
    _braces(pattern, shown)
    return unicode


def _escape(piece: str, shown: str) -> bool:
    sign = piece[1]
    if sign.isdigit():
        raise Invalid(f"{shown}: Kusto's have no back-references")
    if sign in "<>" or (sign.isalpha() and sign not in _SHARED | _UNICODE) or not sign.isascii():
        raise Unjudged(f"{shown}: the escape {piece}")
    return sign in _UNICODE


def _braces(pattern: str, shown: str) -> None:
    """Raise Unjudged for a brace that RE2 takes for itself where Rust's syntax wants a repetition."""
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "C", _without_escapes(pattern))
    if re.search(r"\{(?!\d+(?:,\d*)?\})", bare):
        raise Unjudged(f"{shown}: a brace that is no repetition")


def _without_escapes(pattern: str) -> str:
    return re.sub(r"\\(?:[pPx]\{[^}]*\}|[\s\S])", "E", pattern)


@cache
def _scratch(process: int) -> duckdb.DuckDBPyConnection:  # noqa: ARG001 - a connection does not outlive a fork
    return duckdb.connect()


def _compiled(pattern: str, shown: str) -> int:
    try:
        _scratch(os.getpid()).execute("SELECT regexp_matches('', $1)", [pattern]).fetchall()
    except duckdb.InvalidInputException as error:
        told = str(error).partition("Error: ")[2].splitlines()[0]
        if any(word in told for word in _BAD):
            raise Invalid(f"{shown}: {told}") from None
        raise Unjudged(f"{shown}: RE2 says {told}") from None
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "C", _without_escapes(pattern))
    return len(re.findall(r"\((?!\?)|\(\?P<", bare))
