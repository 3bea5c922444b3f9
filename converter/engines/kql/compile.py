"""Expressions of the translator's tree as SQL, with their types."""

from __future__ import annotations

import json
from collections.abc import Callable

from duckdb_kql import ir
from duckdb_kql.translate import render_literal

from converter.engines.engine import Invalid, Unjudged
from converter.engines.kql import functions, operators
from converter.engines.kql.expression import Context, Expression, boolean, literal, quoted

_RENDERED = frozenset({"real", "datetime", "timespan", "guid"})


def compiled(node: ir.Expr, context: Context) -> Expression:
    """The expression as SQL; raises Invalid, Unjudged."""
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        raise Unjudged(f"{type(node).__name__} is not judged")
    return compiler(node, context)


def condition(node: ir.Expr, context: Context, what: str) -> str:
    """The expression as a condition; raises Invalid where it is none."""
    return functions.condition(compiled(node, context), what)


def _literal(node: ir.Literal, _: Context) -> Expression:
    if node.kind == "string":
        return literal(str(node.value))
    if node.value is None:
        raise Unjudged("a null in the query is not judged")
    if node.kind == "bool":
        return Expression(str(node.value).upper(), "bool", str(node.value).lower())
    if node.kind in {"int", "long"}:
        return Expression(str(node.value), node.kind, str(node.value), number=int(node.value))
    if node.kind not in _RENDERED:
        raise Unjudged(f"a literal of type {node.kind} is not judged")
    return Expression(render_literal(node), node.kind, str(node.value))


def _column(node: ir.ColumnRef, context: Context) -> Expression:
    column = context.column(node.name)
    if column.open:
        context.open.append(column.open)
    return column


def _bound(node: ir.LetRef, context: Context) -> Expression:
    # A column hides what `let` gave its name to: measured on the Kusto emulator by the authors of duckdb-kql.
    return _column(ir.ColumnRef(node.name), context) if node.name in context.columns else compiled(node.value, context)


def _binary(node: ir.BinaryOp, context: Context) -> Expression:
    if node.op in {"and", "or"}:
        parts = [condition(part, context, node.op) for part in _chain(node)]
        return operators.joined(parts, node.op.upper())
    return operators.binary(node.op, compiled(node.left, context), compiled(node.right, context), context)


def _chain(node: ir.BinaryOp) -> list[ir.Expr]:
    """The members of a chain of one operator, without recursion: the tree leans to the left."""
    members: list[ir.Expr] = []
    left: ir.Expr = node
    while isinstance(left, ir.BinaryOp) and left.op == node.op:
        members.append(left.right)
        left = left.left
    return [left, *reversed(members)]


def _unary(node: ir.UnaryOp, context: Context) -> Expression:
    if node.op not in {"not", "!"}:
        raise Unjudged(f"the operator {node.op} is not judged")
    return boolean(f"(NOT {condition(node.operand, context, 'not')})")


def _call(node: ir.FunctionCall, context: Context) -> Expression:
    return functions.call(node.name, [compiled(argument, context) for argument in node.args], context)


def _in(node: ir.InList, context: Context) -> Expression:
    if node.subquery is not None:
        raise Unjudged("a query inside a query is not judged")
    items = _items(node.items, context)
    return operators.member(compiled(node.value, context), items, negated=node.negated, folding=node.case_insensitive)


def _has(node: ir.HasList, context: Context) -> Expression:
    if node.subquery is not None:
        raise Unjudged("a query inside a query is not judged")
    return operators.has_list(compiled(node.value, context), _items(node.items, context), every=node.require_all)


def _items(items: tuple[ir.Expr, ...], context: Context) -> list[Expression]:
    """The items of a list, or of the one array that stands in its place."""
    if len(items) == 1 and isinstance(items[0], ir.Literal) and items[0].kind == "dynamic":
        told = json.loads(str(items[0].value))
        if not isinstance(told, list) or not all(isinstance(item, str) for item in told):
            raise Unjudged("a dynamic that is no array of strings is not judged")
        return [literal(item) for item in told]
    return [compiled(item, context) for item in items]


def _between(node: ir.Between, context: Context) -> Expression:
    value, low, high = (compiled(part, context) for part in (node.value, node.low, node.high))
    return operators.between(value, low, high, negated=node.negated)


def _path(node: ir.PathAccess, context: Context) -> Expression:
    base = compiled(node.base, context)
    if base.type != "dynamic":
        raise Invalid(f"{base.what}, of type {base.type}, has no parts")
    path = "$" + "".join(map(_step, node.steps))
    return Expression(f"json_extract({base.sql}, {quoted(path)})", "dynamic", base.what)


def _step(step: ir.PathStep) -> str:
    if step.name is not None:
        if '"' in step.name or "\\" in step.name or "*" in step.name:
            raise Unjudged(f"a part with the name {step.name} is not judged")
        return f'."{step.name}"'
    if isinstance(step.index, ir.Literal) and isinstance(step.index.value, int):
        return f"[{step.index.value}]" if step.index.value >= 0 else f"[#{step.index.value}]"
    raise Unjudged("a part whose place is no literal number is not judged")


_COMPILERS: dict[type[ir.Expr], Callable[..., Expression]] = {
    ir.Literal: _literal,
    ir.ColumnRef: _column,
    ir.LetRef: _bound,
    ir.BinaryOp: _binary,
    ir.UnaryOp: _unary,
    ir.FunctionCall: _call,
    ir.InList: _in,
    ir.HasList: _has,
    ir.Between: _between,
    ir.PathAccess: _path,
}
