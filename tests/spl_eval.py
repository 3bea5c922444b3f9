"""Expressions of `where` and `eval`, to the extent that we emit them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.spl_functions import FUNCTIONS, Expression, Value, truth
from tests.spl_reader import FIELD, NUMBER, QUOTED, Reader, RefusedError, Row, number, unquoted

CALLED = re.compile(r"([a-z]+)\(")
NAMED = re.compile(rf"{FIELD}(?!\()")
# Search Reference, "eval": a field whose name is no plain word stands in single quotes.
QUOTED_NAME = re.compile(r"'([^'\\]+)'")
COMPARISON = re.compile(r"<=|>=|<|>|=(?!=)")
WORDS = {"AND", "OR", "NOT", "XOR", "LIKE", "IN", "BY", "AS"}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Expressions:
    """Reads expressions: parentheses, NOT, AND, OR, in this order.

    Search Manual, "Boolean expressions with logical operators": eval and where evaluate AND before OR. No manual says
    what a comparison with NULL gives; here, as in SQL, it is NULL, which is neither true nor false.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def disjunction(self) -> Expression:
        """Parts of which one must hold."""
        parts = [self.conjunction()]
        while self.reader.take(r"OR\b"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else lambda row: _joined(row, parts, decisive=True)

    def conjunction(self) -> Expression:
        """Parts of which all must hold."""
        parts = [self.negation()]
        while self.reader.take(r"AND\b"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else lambda row: _joined(row, parts, decisive=False)

    def negation(self) -> Expression:
        """A comparison, or its opposite."""
        if self.reader.take(r"NOT\b"):
            negated = self.negation()
            return lambda row: None if (held := truth(negated(row))) is None else not held
        return self.comparison()

    def comparison(self) -> Expression:
        """A value, or two of them compared."""
        left = self.value()
        if (sign := self.reader.take(COMPARISON)) is None:
            return left
        right, name = self.value(), sign[0]
        return lambda row: _compared(name, left(row), right(row))

    def value(self) -> Expression:
        """A group, a literal, a function's result or a field."""
        if self.reader.take(r"\("):
            group = self.disjunction()
            self.reader.need(r"\)")
            return group
        if found := self.reader.take(QUOTED):
            text = unquoted(found[0])
            return lambda _: text
        if found := self.reader.take(NUMBER):
            amount = float(found[0])
            return lambda _: amount
        if found := self.reader.take(CALLED):
            return self.function(found[1])
        if found := self.reader.take(QUOTED_NAME):
            return _field(found[1])
        return _field(self.reader.need(NAMED)[0])

    def function(self, name: str) -> Expression:
        """What a function gives, read from its first argument on."""
        if name not in FUNCTIONS:
            raise RefusedError(f"we do not emit {name}()")
        signature, function = FUNCTIONS[name]
        arguments: list[Any] = []
        repeated = signature[-1:] == ("*",)
        kinds = signature[:-1] if repeated else signature
        while len(arguments) < len(kinds) or (repeated and not self.reader.at(")")):
            if arguments:
                self.reader.need(",")
            arguments.append(self.argument(kinds[len(arguments) % len(kinds)]))
        self.reader.need(r"\)")
        if len(arguments) % max(len(kinds), 1):
            raise RefusedError(f"{name}() with {len(arguments)} arguments")
        return function(*arguments)

    def argument(self, kind: str) -> Expression | str | int:
        """One argument: an expression, or where its kind says so a literal text or whole number."""
        if kind == "text":
            return unquoted(self.reader.need(QUOTED)[0])
        if kind == "whole":
            return int(self.reader.need(r"-?[0-9]+(?![\w.])")[0])
        return self.disjunction()


def _field(name: str) -> Expression:
    if name in WORDS:
        raise RefusedError(f"{name} stands where a value should")

    def held(row: Row) -> Value:
        value = row.get(name)
        if not isinstance(value, str | float | tuple | None):
            raise TypeError(f"{name} holds a {type(value).__name__}")
        return value

    return held


def _joined(row: Row, parts: Sequence[Expression], *, decisive: bool) -> bool | None:
    """The decisive truth if a part has it; else NULL if a part is NULL."""
    unknown = False
    for part in parts:
        held = truth(part(row))
        if held is decisive:
            return decisive
        unknown = unknown or held is None
    return None if unknown else not decisive


def _compared(sign: str, left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    if isinstance(left, tuple):
        # No manual says what a field of several values equals; here each of them.
        return any(_compared(sign, value, right) for value in left)
    if isinstance(left, float) or isinstance(right, float):
        # Search Manual, "Predicate expressions": a field that reads as a number compares as one.
        one, other = number(left), number(right)
        if one is not None and other is not None:
            return COMPARISONS[sign](one, other)
    if sign != "=" or not isinstance(left, str | float) or not isinstance(right, str | float):
        raise RefusedError(f"we do not emit {left!r} {sign} {right!r}")
    # Search Reference, "where": texts compare by letter case too.
    return left == right
