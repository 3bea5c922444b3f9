"""Backends of text: dispatch by a value's type, and no regular expression that no template asks for."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.conversion.base import Backend, TextQueryBackend
from sigma.conversion.deferred import DeferredQueryExpression
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaQueryExpression,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from converter.upstream.piece import Piece

_convert_condition = Backend.convert_condition
_eq_val = TextQueryBackend.convert_condition_field_eq_val
_eq_val_str = TextQueryBackend.convert_condition_field_eq_val_str
_convert_value_str = TextQueryBackend.convert_value_str
_decide_string_quoting = TextQueryBackend.decide_string_quoting
_quote_string = TextQueryBackend.quote_string
_and = TextQueryBackend.convert_condition_and
_or = TextQueryBackend.convert_condition_or
_decide_as_in = Backend.decide_convert_condition_as_in_expression
_as_in_expression = TextQueryBackend.convert_condition_as_in_expression
JOINS = (ConditionAND, ConditionOR)
OPERATORS = (ConditionAND, ConditionOR, ConditionNOT)
IN_LISTS = (SigmaString, SigmaNumber)
_compare_precedence = TextQueryBackend.compare_precedence
MANY = SpecialChars.WILDCARD_MULTI
BY_TYPE: dict[type, str] = {
    SigmaCasedString: "convert_condition_field_eq_val_str_case_sensitive",
    SigmaString: "convert_condition_field_eq_val_str",
    SigmaTimestampPart: "convert_condition_field_eq_val_timestamp_part",
    SigmaNumber: "convert_condition_field_eq_val_num",
    SigmaBool: "convert_condition_field_eq_val_bool",
    SigmaRegularExpression: "convert_condition_field_eq_val_re",
    SigmaCIDRExpression: "convert_condition_field_eq_val_cidr",
    SigmaCompareExpression: "convert_condition_field_compare_op_val",
    SigmaFieldReference: "convert_condition_field_eq_field",
    SigmaNull: "convert_condition_field_eq_val_null",
    SigmaQueryExpression: "convert_condition_field_eq_query_expr",
    SigmaExists: "convert_condition_field_eq_val_exists",
    SigmaExpansion: "convert_condition_field_eq_expansion",
}


def convert_condition(self: Any, cond: Any, state: Any) -> Any:
    """Any condition, by its type."""
    kind = type(cond)
    if kind is ConditionFieldEqualsValueExpression:
        return self.convert_condition_field_eq_val(cond, state)
    if kind is ConditionOR or kind is ConditionAND:
        if self.decide_convert_condition_as_in_expression(cond, state):
            return self.convert_condition_as_in_expression(cond, state)
        return (
            self.convert_condition_or(cond, state) if kind is ConditionOR else self.convert_condition_and(cond, state)
        )
    if kind is ConditionNOT:
        return self.convert_condition_not(cond, state)
    if kind is ConditionValueExpression:
        return self.convert_condition_val(cond, state)
    return _convert_condition(self, cond, state)


def field_eq_val(self: Any, cond: Any, state: Any) -> Any:
    """A field and a value, by the value's type; whether a negation stands above is asked where it matters."""
    name = BY_TYPE.get(type(cond.value))
    if name is None or self.convert_not_as_not_eq:
        return _eq_val(self, cond, state)
    return getattr(self, name)(cond, state)


def field_eq_val_str(self: Any, cond: Any, state: Any) -> Any:
    """A field and a string: the pattern is made for a template that has it, which few have."""
    value = cond.value
    if not isinstance(value, SigmaString) or not value.s:
        return _eq_val_str(self, cond, state)
    expression, value = _expression(self, value)
    if not isinstance(expression, str) or "{regex" in expression or not _is_sure(self.add_escaped_re):
        return _eq_val_str(self, cond, state)
    try:
        return expression.format(
            field=self.escape_and_quote_field(cond.field), value=self.convert_value_str(value, state), backend=self
        )
    except (TypeError, LookupError, AttributeError):
        # Upstream fails in its own way.
        return _eq_val_str(self, cond, state)


def _expression(backend: Any, value: SigmaString) -> tuple[Any, SigmaString]:
    """The template that says the value, and what of the value it says."""
    pieces = value.s
    first, last = pieces[0] is MANY, pieces[-1] is MANY
    if last and backend.startswith_expression is not None:
        rest = value[:-1]
        if backend.startswith_expression_allow_special or not rest.contains_special():
            return backend.startswith_expression, rest
    if first and backend.endswith_expression is not None:
        rest = value[1:]
        if backend.endswith_expression_allow_special or not rest.contains_special():
            return backend.endswith_expression, rest
    if first and last and backend.contains_expression is not None:
        rest = value[1:-1]
        if backend.contains_expression_allow_special or not rest.contains_special():
            return backend.contains_expression, rest
    if backend.wildcard_match_expression is not None and value.contains_special():
        return backend.wildcard_match_expression, value
    return backend.eq_expression, value


def convert_value_str(self: Any, s: Any, state: Any) -> str:
    """A string as a query has it."""
    if type(self).decide_string_quoting is not _decide_string_quoting or type(self).quote_string is not _quote_string:
        return str(_convert_value_str(self, s, state))
    quote = self.str_quote
    made: str = s.convert(
        self.escape_char, self.wildcard_multi, self.wildcard_single, quote + self.add_escaped, self.filter_chars
    )
    pattern = self.str_quote_pattern
    quoted = quote and (pattern is None or bool(pattern.match(str(s))) is not bool(self.str_quote_pattern_negation))
    return quote + made + quote if quoted else made


@lru_cache(maxsize=256)
def _is_sure(escaped: str) -> bool:
    """Whether a pattern made of a string is one whatever the string: no letter or digit gets a meaning by an escape."""
    return not escaped or not any(sign.isalnum() for sign in escaped)


def convert_condition_and(self: Any, cond: Any, state: Any) -> Any:
    """What all have to hold, in brackets where the backend's precedence asks for them."""
    return _linked(self, cond, state, self.and_token, self.empty_and_expression, _and)


def convert_condition_or(self: Any, cond: Any, state: Any) -> Any:
    """What one has to hold, in brackets where the backend's precedence asks for them."""
    return _linked(self, cond, state, self.or_token, self.empty_or_expression, _or)


def _linked(self: Any, cond: Any, state: Any, token: Any, empty: Any, upstream: Any) -> Any:  # noqa: PLR0913, PLR0917
    between = self.token_separator
    if type(token) is not str or type(between) is not str:
        return upstream(self, cond, state)
    made = []
    try:
        for arg in cond.args:
            part = (
                self.convert_condition(arg, state)
                if self.compare_precedence(cond, arg)
                else self.convert_condition_group(arg, state)
            )
            if type(part) is str or (part is not None and not isinstance(part, DeferredQueryExpression)):
                made.append(part)
        return (token if between == token else between + token + between).join(made) if made else empty
    except TypeError as error:
        name = "and" if upstream is _and else "or"
        raise NotImplementedError(f"Operator '{name}' not supported by the backend") from error


def decide_as_in(self: Any, cond: Any, state: Any) -> bool:
    """Whether a list of conditions is a field and a list of values."""
    kind = type(cond)
    if kind not in JOINS:
        return bool(_decide_as_in(self, cond, state))
    if not (self.convert_or_as_in if kind is ConditionOR else self.convert_and_as_in):
        return False
    fields = set()
    wildcards = self.in_expressions_allow_wildcards
    for arg in cond.args:
        if type(arg) is not ConditionFieldEqualsValueExpression:
            return not isinstance(arg, OPERATORS) and bool(_decide_as_in(self, cond, state))
        fields.add(arg.field)
    if len(fields) != 1:
        return False
    for arg in cond.args:
        value = arg.value
        if not isinstance(value, IN_LISTS) or (
            not wildcards and isinstance(value, SigmaString) and value.contains_special()
        ):
            return False
    return True


def as_in_expression(self: Any, cond: Any, state: Any) -> Any:
    """A field and a list of values."""
    kind, template, between = type(cond), self.field_in_list_expression, self.list_separator
    if kind not in JOINS or template is None or between is None:
        return _as_in_expression(self, cond, state)
    field = getattr(cond.args[0], "field", None)
    values = []
    for arg in cond.args:
        if type(arg) is not ConditionFieldEqualsValueExpression or arg.field != field:
            return _as_in_expression(self, cond, state)
        value = arg.value
        values.append(self.convert_value_str(value, state) if isinstance(value, SigmaString) else str(value))
    return template.format(
        field=self.escape_and_quote_field(field),
        op=self.or_in_operator if kind is ConditionOR else self.and_in_operator,
        list=between.join(values),
    )


def compare_precedence(self: Any, outer: Any, inner: Any) -> bool:
    """Whether `inner` needs no brackets within `outer`; one comparison of a field never does."""
    kind = type(inner)
    if kind is ConditionFieldEqualsValueExpression:
        if type(inner.value) is not SigmaExpansion and type(outer) in self.precedence:
            return True
    elif kind in LINKS and type(outer) in LINKS and not self.parenthesize:
        order = self.precedence
        if kind in order and type(outer) in order:
            return bool(order.index(kind) <= order.index(type(outer)))
    return bool(_compare_precedence(self, outer, inner))


def escape_and_quote_field(self: Any, field_name: str) -> str:
    """The field's name as the backend writes it; the same name many times, so that it is made once."""
    key = (
        self.field_escape,
        self.field_escape_pattern,
        self.field_escape_quote,
        self.field_quote,
        self.field_quote_pattern,
        self.field_quote_pattern_negation,
        field_name,
    )
    made = _fields.get(key)
    if made is None:
        if len(_fields) >= MOST_FIELDS:
            _fields.clear()
        made = _fields[key] = _escape_and_quote_field(self, field_name)
    return made


_fields: dict[tuple[Any, ...], str] = {}
MOST_FIELDS = 20_000
_escape_and_quote_field = TextQueryBackend.escape_and_quote_field
LINKS = (ConditionAND, ConditionOR, ConditionNOT)
PIECES = (
    Piece(Backend, "convert_condition", convert_condition, "matches abstract base classes one after the other"),
    Piece(TextQueryBackend, "convert_condition", convert_condition, "hands every node on to the class above"),
    Piece(TextQueryBackend, "convert_condition_and", convert_condition_and, "two generators, one within the other"),
    Piece(TextQueryBackend, "convert_condition_or", convert_condition_or, "two generators, one within the other"),
    Piece(
        Backend,
        "decide_convert_condition_as_in_expression",
        decide_as_in,
        "goes through all values again for each of its questions",
    ),
    Piece(
        TextQueryBackend,
        "convert_condition_as_in_expression",
        as_in_expression,
        "goes through all values again to check what was checked",
    ),
    Piece(
        TextQueryBackend,
        "convert_condition_field_eq_val",
        field_eq_val,
        "matches thirteen classes one after the other, within a context manager that swaps nothing",
    ),
    Piece(
        TextQueryBackend,
        "convert_condition_field_eq_val_str",
        field_eq_val_str,
        "makes and compiles a regular expression of each string, which most templates do not ask for",
    ),
    Piece(TextQueryBackend, "convert_value_str", convert_value_str, "two calls more for each string, to quote it"),
    Piece(TextQueryBackend, "escape_and_quote_field", escape_and_quote_field, "four searches for each use of a field"),
    Piece(TextQueryBackend, "compare_precedence", compare_precedence, "builds a table of classes at each comparison"),
)
