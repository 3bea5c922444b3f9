"""KQL's binary operators as SQL.

Equality and membership are never null unless both sides are, order is null for a null
(https://learn.microsoft.com/kusto/query/scalar-data-types/null-values); `and`, `or` and `not` are SQL's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from converter.engines.engine import Invalid, Unjudged
from converter.engines.kql import regexes, terms
from converter.engines.kql.expression import NUMBERS, Context, Expression, boolean, folded, text

_ORDERED = NUMBERS | {"datetime", "timespan"}

Search = Callable[[Expression, Expression, bool], str]


def _contains(value: Expression, needle: Expression, cased: bool) -> str:  # noqa: FBT001 - of the table below
    return _call("contains", value, needle, cased)


def _starts(value: Expression, needle: Expression, cased: bool) -> str:  # noqa: FBT001
    return _call("starts_with", value, needle, cased)


def _ends(value: Expression, needle: Expression, cased: bool) -> str:  # noqa: FBT001
    return _call("ends_with", value, needle, cased)


def _has(value: Expression, needle: Expression, cased: bool) -> str:  # noqa: FBT001
    return terms.search(value, needle, cased=cased)


def _hasprefix(value: Expression, needle: Expression, cased: bool) -> str:  # noqa: FBT001
    return terms.search(value, needle, cased=cased, after=False)


def _hassuffix(value: Expression, needle: Expression, cased: bool) -> str:  # noqa: FBT001
    return terms.search(value, needle, cased=cased, before=False)


def _call(function: str, value: Expression, needle: Expression, cased: bool) -> str:  # noqa: FBT001
    sides = (value.sql, needle.sql) if cased else (folded(value), folded(needle))
    return f"{function}({sides[0]}, {sides[1]})"


_SEARCHES: dict[str, Search] = {
    "contains": _contains,
    "startswith": _starts,
    "endswith": _ends,
    "has": _has,
    "hasprefix": _hasprefix,
    "hassuffix": _hassuffix,
}


def binary(operator: str, left: Expression, right: Expression, context: Context) -> Expression:
    """What the operator gives for the two sides; raises Invalid, Unjudged."""
    if operator in {"==", "!=", "<>"}:
        return _equality(left, right, negated=operator != "==")
    if operator in {"<", "<=", ">", ">="}:
        _check_ordered(operator, left, right)
        return boolean(f"({left.sql} {operator} {right.sql})")
    if operator in {"+", "-"}:
        return _shifted(operator, left, right)
    negated, name = operator.startswith("!"), operator.removeprefix("!")
    if operator in {"=~", "!~"}:
        sides = [folded(text(side, operator)) for side in (left, right)]
        return boolean(f"({sides[0]} {'<>' if negated else '='} {sides[1]})")
    value, needle = text(left, operator), text(right, operator)
    if operator == "matches regex":
        return boolean(regexes.matches(value, needle, context))
    search = _SEARCHES.get(name.removesuffix("_cs"))
    if search is None:
        raise Unjudged(f"the operator {operator} is not judged")
    return _perhaps_not(search(value, needle, name.endswith("_cs")), negated=negated)


def member(value: Expression, items: Sequence[Expression], *, negated: bool, folding: bool) -> Expression:
    """`in`, `!in`, `in~` and `!in~`; raises Invalid, Unjudged."""
    what = f"{'!' if negated else ''}in{'~' if folding else ''}"
    if folding or value.type in {"string", "dynamic"}:
        value, items = text(value, what), [text(item, what) for item in items]
        sides = [folded(item) if folding else item.sql for item in (value, *items)]
        return boolean(f"({sides[0]} {'NOT ' if negated else ''}IN ({', '.join(sides[1:])}))")
    for item in items:
        _check_alike(what, value, item)
        if not item.sure:
            raise Unjudged(f"{what} with an item that may be null is not judged")
    listed = ", ".join(item.sql for item in items)
    return boolean(f"coalesce({value.sql} {'NOT ' if negated else ''}IN ({listed}), {str(negated).upper()})")


def has_list(value: Expression, items: Sequence[Expression], *, every: bool) -> Expression:
    """`has_any` and `has_all`; raises Invalid."""
    what = "has_all" if every else "has_any"
    value = text(value, what)
    return joined([_has(value, text(item, what), False) for item in items], "AND" if every else "OR")  # noqa: FBT003


def between(value: Expression, low: Expression, high: Expression, *, negated: bool) -> Expression:
    """`between (low .. high)`; raises Invalid, Unjudged."""
    for bound in (low, high):
        _check_ordered("between", value, bound)
    return boolean(f"({value.sql} {'NOT ' if negated else ''}BETWEEN {low.sql} AND {high.sql})")


def joined(conditions: Sequence[str], word: str, width: int = 16) -> Expression:
    """The conditions joined by AND or OR, in groups of groups: SQL may be nested but so deep."""
    parts = list(conditions)
    while len(parts) > width:
        parts = [_group(parts[at : at + width], word) for at in range(0, len(parts), width)]
    return boolean(_group(parts, word))


def _group(parts: Sequence[str], word: str) -> str:
    return f"({f' {word} '.join(parts)})"


def _equality(left: Expression, right: Expression, *, negated: bool) -> Expression:
    what = "!=" if negated else "=="
    if "string" in {left.type, right.type} and "dynamic" in {left.type, right.type}:
        left, right = text(left, what), text(right, what)
    if left.type == right.type == "dynamic":
        raise Invalid("two dynamic values are compared, which Kusto refuses")
    _check_alike(what, left, right)
    sql = f"{left.sql} {'<>' if negated else '='} {right.sql}"
    if left.type == "string":
        return boolean(f"({sql})")
    total = f"coalesce({sql}, {str(negated).upper()})"
    if left.sure or right.sure:
        return boolean(total)
    return boolean(f"CASE WHEN {left.sql} IS NULL AND {right.sql} IS NULL THEN NULL ELSE {total} END")


def _shifted(operator: str, left: Expression, right: Expression) -> Expression:
    kinds = (left.type, right.type)
    if kinds in {("datetime", "timespan"), ("timespan", "timespan")}:
        return Expression(f"({left.sql} {operator} {right.sql})", left.type, "a sum")
    if kinds == ("datetime", "datetime") and operator == "-":
        return Expression(f"({left.sql} - {right.sql})", "timespan", "a difference")
    raise Unjudged(f"the operator {operator} between {left.type} and {right.type} is not judged")


def _check_alike(what: str, left: Expression, right: Expression) -> None:
    """Raise Invalid for a number beside a string, Unjudged for other types that are not compared here."""
    if left.type == right.type or {left.type, right.type} <= NUMBERS:
        return
    if "datetime" in {left.type, right.type} or "dynamic" in {left.type, right.type}:
        raise Unjudged(f"{what} between {left.type} and {right.type} is not judged")
    raise Invalid(f"{what} compares {left.what}, of type {left.type}, with {right.what}, of type {right.type}")


def _check_ordered(what: str, left: Expression, right: Expression) -> None:
    _check_alike(what, left, right)
    if left.type in {"string", "bool"}:
        raise Invalid(f"{what} is not defined for values of type {left.type}")
    if left.type not in _ORDERED:
        raise Unjudged(f"{what} between values of type {left.type} is not judged")


def _perhaps_not(sql: str, *, negated: bool) -> Expression:
    return boolean(f"(NOT {sql})" if negated else sql)
