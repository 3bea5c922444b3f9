"""A query string as a tree of clauses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError

from converter.engines.engine import Invalid
from converter.engines.lucene.scanner import Scanner

_UNICODE = re.compile(r"[0-9A-Fa-f]{4}")


@dataclass(frozen=True)
class Word:
    """One value as it is written: `kind` is the scanner's word for it; it may be fuzzy, or count more than others."""

    kind: str
    text: str
    fuzzy: bool = False
    boosted: bool = False


@dataclass(frozen=True)
class Range:
    """The values from `low` to `high`, None for no bound on that side, as a star says; escapes are resolved."""

    low: str | None
    high: str | None
    with_low: bool
    with_high: bool


@dataclass(frozen=True)
class Clause:
    """What a field is to hold; a field of None is that of the group around it, or of the whole query."""

    field: str | None
    body: Word | Range | Group


@dataclass(frozen=True)
class Item:
    """A clause with the operator before it (AND, OR or none) and its sign (PLUS, MINUS or NOT, or none)."""

    operator: str | None
    sign: str | None
    clause: Clause


@dataclass(frozen=True)
class Group:
    """Clauses as they stand, in parentheses or as the whole query."""

    items: Sequence[Item]


def parsed(query: str) -> Group:
    """The query as a group; raises Invalid for what Lucene's classic parser does not take."""
    try:
        tree: Any = _parser().parse(query)
    except UnexpectedInput as error:
        where = query[error.pos_in_stream :][:40] if error.pos_in_stream is not None else ""
        raise Invalid(f"the query cannot be parsed at {where!r}" if where else "the query ends too early") from None
    except VisitError as error:
        raise error.orig_exc from None
    assert isinstance(tree, Group)  # noqa: S101 - what the grammar's start makes
    return tree


def unescaped(text: str) -> str:
    r"""The text without its escapes; `\u` and four digits are a character. Raises Invalid for a broken one."""
    if "\\" not in text:
        return text
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] != "\\":
            found.append(text[at])
            at += 1
        elif text[at + 1 : at + 2] == "u":
            digits = _UNICODE.match(text, at + 2)
            if digits is None:
                raise Invalid(f"the escape {text[at : at + 6]!r} is no character")
            found.append(chr(int(digits[0], 16)))
            at += 6
        elif at + 1 == len(text):
            raise Invalid("a value ends in a backslash that escapes nothing")
        else:
            found.append(text[at + 1])
            at += 2
    return "".join(found)


@cache
def _parser() -> Lark:
    return Lark.open(
        "grammar.lark",
        rel_to=__file__,
        parser="lalr",
        lexer=Scanner,
        transformer=_Tree(),
        maybe_placeholders=True,
    )


class _Tree(Transformer[Token, Any]):
    """Makes the dataclasses above of the grammar's rules."""

    def start(self, held: list[Any]) -> Group:
        (group,) = held
        return Group(group)

    def query(self, held: list[Any]) -> list[Item]:
        return held

    def item(self, held: list[Any]) -> Item:
        operator, sign, clause = held
        return Item(operator and operator.type, sign and sign.type, clause)

    def clause(self, held: list[Any]) -> Clause:
        field, body = held
        return Clause(field and unescaped(str(field)), body)

    def word(self, held: list[Any]) -> Word:
        token, *signs = held
        kinds = {sign.type for sign in signs}
        return Word(token.type, str(token), "FUZZY" in kinds, "CARAT" in kinds)

    def group(self, held: list[Any]) -> Group:
        return Group(next(part for part in held if isinstance(part, list)))

    def range(self, held: list[Any]) -> Range:
        start, low, _, high, end, *_ = held
        return Range(_bound(low), _bound(high), start.type == "IN_START", end.type == "IN_END")


def bound(text: str) -> str | None:
    """One side of a range: nodes take a star for no bound even where it is quoted or escaped."""
    return None if text == "*" else text


def _bound(token: Token) -> str | None:
    return bound(unescaped(token[1:-1] if token.type == "RANGE_QUOTED" else token))
