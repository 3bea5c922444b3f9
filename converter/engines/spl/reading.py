"""What the grammar's rules stand for: quoted texts as texts, and the nodes of the syntax."""

from __future__ import annotations

import re
from typing import Any as Anything
from typing import NoReturn

from lark import Token, Transformer, v_args

from converter.engines.engine import Invalid, Unjudged
from converter.engines.spl import syntax
from converter.engines.spl.syntax import Node

# Search Reference, "Time modifiers" and "bin": s, m, h, d, w and their longer spellings.
SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
}


def unquoted(token: str) -> str:
    r"""The text of a quoted value: `\\`, `\"` and `\|` are escapes, any other backslash stays.

    Search Manual, "Backslashes"; the asterisk has no escape, so `\*` is a backslash and a wildcard.
    """
    return re.sub(r'\\([\\"|])', r"\1", token[1:-1])


def _seconds(span: str) -> int:
    number, unit = re.fullmatch(r"([0-9]+)([a-z]+)", span).groups()  # type: ignore[union-attr] # the token's form
    if unit not in SECONDS:
        raise Unjudged(f"the span {span}")
    return int(number) * SECONDS[unit]


@v_args(inline=True)
class Reading(Transformer[Token, Anything]):
    """Nodes of the syntax, from the leaves up."""

    def search(self, condition: Node) -> syntax.Search:
        """`search`."""
        return syntax.Search(condition)

    def all(self, *parts: Node) -> Node:
        """AND, or its only part."""
        return parts[0] if len(parts) == 1 else syntax.All(parts)

    def any(self, *parts: Node) -> Node:
        """OR, or its only part."""
        return parts[0] if len(parts) == 1 else syntax.Any(parts)

    def none(self, part: Node) -> Node:
        """NOT; raises Unjudged for one that follows another without parentheses, which no manual shows."""
        if isinstance(part, syntax.Not):
            self.doubled(part)
        return syntax.Not(part)

    def opposed(self, part: Node) -> Node:
        """NOT of `where`."""
        return syntax.Not(part)

    def doubled(self, _part: Node) -> NoReturn:
        """NOT after NOT; raises Unjudged."""
        raise Unjudged("NOT after NOT, which Splunk's manuals do not show")

    def group(self, part: Node) -> Node:
        """Parentheses of `search`."""
        return syntax.Group(part)

    def compared(self, field: str, operator: str, value: str) -> Node:
        """A field and a value of `search`."""
        return syntax.Compared(field, str(operator), value)

    def listed(self, field: str, *values: str) -> Node:
        """A field and values of `search`."""
        return syntax.Listed(field, values)

    def keyword(self, value: str) -> Node:
        """A value of `search` that has no field."""
        return syntax.Keyword(value)

    bare = bare_name = staticmethod(str)
    quoted = quoted_name = staticmethod(unquoted)

    def where(self, condition: Node) -> syntax.Where:
        """`where`."""
        return syntax.Where(condition)

    def evaluation(self, *assignments: tuple[str, Node]) -> syntax.Eval:
        """`eval`."""
        return syntax.Eval(assignments)

    def assignment(self, name: str, value: Node) -> tuple[str, Node]:
        """A field and its expression."""
        return name.strip("'"), value

    def relation(self, left: Node, sign: str, right: Node) -> Node:
        """Two operands."""
        return syntax.Relation(left, "=" if sign == "==" else str(sign), right)

    def text(self, token: str) -> Node:
        """A text of an expression; raises Unjudged for an escape that no manual explains."""
        if re.search(r'(?<!\\)(?:\\\\)*\\[^\\"]', token):
            raise Unjudged(f"what a backslash before another character means in the text {token}")
        return syntax.Text(unquoted(token))

    def number(self, token: str) -> Node:
        """A number of an expression."""
        return syntax.Number(float(token))

    def field(self, token: str) -> Node:
        """A field of an expression; in single quotes where its name is no plain word (Search Reference, "eval")."""
        return syntax.Field(token.strip("'"))

    def call(self, name: str, *arguments: Node | None) -> Node:
        """A function."""
        return syntax.Call(name[:-1], tuple(argument for argument in arguments if argument is not None))

    def regex(self, *tokens: str) -> syntax.Regex:
        """`regex`, over `_raw` where it names no field."""
        field, operator = tokens[:2] if len(tokens) > 1 else ("_raw", "=")
        if operator not in {"=", "!="}:
            raise Invalid(f"regex {field}{operator}")
        return syntax.Regex(str(field), operator == "!=", unquoted(tokens[-1]))

    def rex(self, field: str, pattern: str) -> syntax.Rex:
        """`rex`."""
        return syntax.Rex(str(field), unquoted(pattern))

    def sort(self, _all: str, *told: str) -> syntax.Sort:
        """`sort`, ascending where no sign says otherwise."""
        return syntax.Sort(str(told[-1]), told[0] == "-")

    def table(self, *columns: str) -> syntax.Table:
        """`table`."""
        return syntax.Table(tuple(map(str, columns)))

    def rename(self, field: str, name: str) -> syntax.Rename:
        """`rename`."""
        return syntax.Rename(str(field), str(name))

    def bin(self, span: str) -> syntax.Bin:
        """`bin`; raises Unjudged for months and for spans below a second, which have no fixed length of seconds."""
        return syntax.Bin(_seconds(span))

    def plain(self, function: str, name: str | None = None) -> syntax.Aggregate:
        """A count."""
        if function != "count":
            raise Unjudged(f"the function {function} of stats")
        return syntax.Aggregate("count", "*", str(name or "count"))

    def applied(self, function: str, field: str, name: str | None = None) -> syntax.Aggregate:
        """A function of a field."""
        return syntax.Aggregate(function[:-1], str(field), str(name or f"{function}{field})"))

    def stats(self, *parts: syntax.Aggregate | str) -> syntax.Stats:
        """`stats`."""
        by = tuple(str(part) for part in parts if isinstance(part, str))
        return syntax.Stats(tuple(part for part in parts if isinstance(part, syntax.Aggregate)), by)

    def streamstats(self, span: str, *parts: syntax.Aggregate | str) -> syntax.Streamstats:
        """`streamstats`; raises Unjudged as `bin` does."""
        counted = self.stats(*parts)
        return syntax.Streamstats(_seconds(span), counted.aggregates, counted.by)

    def dedup(self, *fields: str) -> syntax.Dedup:
        """`dedup`."""
        return syntax.Dedup(tuple(map(str, fields)))

    def head(self, number: str) -> syntax.Head:
        """`head`; raises Invalid for a number of rows that is none."""
        if not number.isdecimal():
            raise Invalid(f"head {number}")
        return syntax.Head(int(number))

    unquoted = staticmethod(unquoted)

    def option(self, token: str) -> tuple[str, str]:
        """An option of `tstats`."""
        name, _, value = token.partition("=")
        return name, value.strip('"')

    def restriction(self, condition: Node) -> syntax.Search:
        """The condition of `tstats`."""
        return syntax.Search(condition)

    def tstats(self, *parts: tuple[str, str] | syntax.Aggregate | syntax.Search | str) -> syntax.Tstats:
        """`tstats`."""
        options = dict(part for part in parts if isinstance(part, tuple))
        aggregates = tuple(part for part in parts if isinstance(part, syntax.Aggregate))
        model, *by = (str(part) for part in parts if isinstance(part, str))
        condition = next((part.condition for part in parts if isinstance(part, syntax.Search)), None)
        return syntax.Tstats(options, aggregates, model, condition, tuple(by))
