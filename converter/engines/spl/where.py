"""Expressions of `where` and `eval` as SQL, in which NULL is SQL's: a condition of NULL is neither true nor false.

A field with several values passes a test that one of them passes; no manual says it of expressions.
"""

from __future__ import annotations

from collections.abc import Mapping

from converter.engines.engine import Unjudged
from converter.engines.spl import functions, sql, syntax
from converter.engines.spl.sql import Kind, Typed
from converter.engines.spl.syntax import Node

WORDS = {"AND", "OR", "NOT", "XOR", "LIKE", "IN", "BY", "AS"}


def condition(node: Node, columns: Mapping[str, Typed]) -> str:
    """The expression as a condition; raises Unjudged where it is none, or outside the subset."""
    held = expression(node, columns)
    if held.kind is not Kind.TRUTH:
        raise Unjudged(f"a value that is no condition: {node}")
    return held.sql


def expression(node: Node, columns: Mapping[str, Typed]) -> Typed:
    """The expression over the columns; a field that is none of them is NULL. Raises Invalid, Unjudged."""
    match node:
        case syntax.All(parts) | syntax.Any(parts):
            operator = "AND" if isinstance(node, syntax.All) else "OR"
            return Typed(sql.joined([condition(part, columns) for part in parts], operator), Kind.TRUTH)
        case syntax.Not(part):
            return Typed(f"(NOT {condition(part, columns)})", Kind.TRUTH)
        case syntax.Relation(left, sign, right):
            return Typed(_related(node, sign, expression(left, columns), expression(right, columns)), Kind.TRUTH)
        case syntax.Text(value):
            return Typed(f"[{sql.literal(value)}]", Kind.TEXTS)
        case syntax.Number(value):
            return Typed(sql.number(value), Kind.NUMBER)
        case syntax.Field(name):
            if name in WORDS:
                raise Unjudged(f"{name} where a value should stand")
            return columns.get(name, Typed(sql.NOTHING, Kind.TEXTS))
        case syntax.Call(name, arguments):
            return functions.call(name, arguments, lambda argument: expression(argument, columns))
    raise Unjudged(f"{type(node).__name__} in an expression")


def _related(node: syntax.Relation, sign: str, left: Typed, right: Typed) -> str:
    match left.kind, right.kind:
        case Kind.NUMBER, Kind.NUMBER:
            return f"({left.sql} {sign} {right.sql})"
        case Kind.TEXTS, Kind.NUMBER:
            return _beside_number(left.sql, sign, right.sql)
        case Kind.TEXTS, Kind.TEXTS if sign == "=":
            return _equal(node, left.sql, right.sql)
    raise Unjudged(f"this comparison: {node}")


def _beside_number(texts: str, sign: str, number: str) -> str:
    # Search Manual, "Predicate expressions": a field that reads as a number compares as one. Where a text stands among
    # numbers is open; that it equals none is not.
    otherwise = "false" if sign == "=" else sql.refused("the order of a text and a number")
    return sql.some(
        texts, f"CASE WHEN {sql.numeric('x')} THEN TRY_CAST(x AS DOUBLE) {sign} {number} ELSE {otherwise} END"
    )


def _equal(node: syntax.Relation, left: str, right: str) -> str:
    # Search Reference, "where": texts are equal with their letter case. Two that are not, but read as one number, as
    # "1" and "1.0", are open.
    same = f"list_has_any({left}, {right})"
    if not any(_is_word(side) for side in (node.left, node.right)):
        numbers = (
            f"list_transform(list_filter({side}, lambda x: {sql.numeric('x')}), lambda x: TRY_CAST(x AS DOUBLE))"
            for side in (left, right)
        )
        unsure = f"WHEN list_has_any({', '.join(numbers)}) THEN {sql.refused('two spellings of one number')}"
        same = f"CASE WHEN {same} THEN true {unsure} ELSE false END"
    return f"(CASE WHEN {left} IS NOT NULL AND {right} IS NOT NULL THEN {same} END)"


def _is_word(node: Node) -> bool:
    if not isinstance(node, syntax.Text):
        return False
    return not node.value.lstrip("-").replace(".", "", 1).isdecimal()
