"""Sigma conditions as an expression of `where` and `eval`, which can say all that `search` cannot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from sigma.backends.splunk.splunk import SplunkBackend as StockBackend
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.conversion.state import ConversionState
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import (
    SigmaCasedString,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SpecialChars,
)

from converter.targets.lists import FlatLists
from converter.targets.strings import ONE, parts, render, shape

if TYPE_CHECKING:
    from converter.targets.repair import Repairs

KEYWORD = "a keyword without a field cannot stand beside a regular expression, `?` or `*` in SPL; name the field"
# Plain text as PCRE has it.
PCRE = str.maketrans(
    {sign: f"\\{sign}" for sign in r"\.+*?()|[]{}^$"} | {chr(code): rf"\x{code:02x}" for code in (*range(32), 127)}
)
FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}


class WhereBackend(FlatLists, StockBackend):
    """Every leaf is true or false, never null, so that NOT means what it means in Sigma."""

    parenthesize = True
    precedence: ClassVar[Any] = (ConditionNOT, ConditionAND, ConditionOR)
    and_token: ClassVar[str] = "AND"
    compare_op_expression: ClassVar[str] = "(isnotnull({field}) AND {field}{operator}{value})"
    cidr_expression: ClassVar[str] = '(isnotnull({field}) AND cidrmatch("{value}", {field}))'
    field_null_expression: ClassVar[str] = "isnull({field})"
    field_exists_expression: ClassVar[str] = "isnotnull({field})"
    field_not_exists_expression: ClassVar[str] = "isnull({field})"
    # In eval a field whose name is no plain word stands in single quotes.
    field_quote: ClassVar[str] = "'"
    field_quote_pattern: ClassVar[re.Pattern[str]] = re.compile(r"^[A-Za-z_]\w*$")

    def __init__(self, repairs: Repairs) -> None:
        super().__init__(None)
        self.repairs = repairs

    def compare_precedence(self, outer: Any, inner: Any) -> bool:
        """Whether `inner` needs no brackets within `outer`: AND binds closer than OR here, not in `search` (S15)."""
        mixed = isinstance(outer, ConditionAND) and isinstance(inner, ConditionOR) and not self.one_pattern(inner)
        return self.repairs.is_off("S15", wanted=mixed) or bool(super().compare_precedence(outer, inner))

    def one_pattern(self, cond: Any) -> bool:
        """Whether alternatives become a single pattern."""
        return self.decide_convert_condition_as_in_expression(cond, ConversionState()) and all(
            isinstance(arg.value, SigmaString) and not isinstance(arg.value, SigmaCasedString) for arg in cond.args
        )

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        """One value, letter case ignored; none, where that is empty (S19)."""
        if not parts(cond.value) and not self.repairs.is_off("S19"):
            return self.nothing(cond.field)
        return self.matches(cond.field, f"(?is){pattern(cond.value, self.repairs)}")

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        """One value that minds letter case (S10)."""
        if self.repairs.is_off("S10"):
            return super().convert_condition_field_eq_val_str_case_sensitive(cond, state)
        return self.matches(cond.field, f"(?s){pattern(cond.value, self.repairs)}")

    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        """A number."""
        field = self.escape_and_quote_field(cond.field)
        return f"(isnotnull({field}) AND {field}={cond.value})"

    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        """A regular expression, unanchored, with its own flags."""
        expression = cond.value
        if not isinstance(expression, SigmaRegularExpression):
            raise TypeError(type(expression))
        flags = "".join(sorted(FLAGS[flag] for flag in expression.flags))
        return self.matches(cond.field, (f"(?{flags})" if flags else "") + str(expression.regexp))

    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        """A field that equals another, letter case ignored; false where either is absent."""
        if cond.value.starts_with or cond.value.ends_with:
            raise SigmaFeatureNotSupportedByBackendError("fieldref with startswith, endswith or contains")
        one, other = map(self.escape_and_quote_field, (cond.field, cond.value.field))
        return f"(isnotnull({one}) AND isnotnull({other}) AND lower({one})=lower({other}))"

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        """A list of values, one pattern where all are texts that ignore letter case; an empty one beside it (S19)."""
        values = [arg.value for arg in cond.args]
        filled = [arg for arg in cond.args if not isinstance(arg.value, SigmaString) or parts(arg.value)]
        if not self.repairs.is_off("S19", wanted=len(filled) < len(values)) and len(filled) < len(values):
            nothing = self.nothing(cond.args[0].field)
            said = str(self.convert_condition_as_in_expression(ConditionOR(filled), state)) if filled else ""
            return f"({said} OR {nothing})" if said else nothing
        if all(isinstance(value, SigmaString) and not isinstance(value, SigmaCasedString) for value in values):
            patterns = (pattern(value, self.repairs) for value in values)
            return self.matches(cond.args[0].field, f"(?is){'|'.join(patterns)}")
        return " OR ".join(str(self.convert_condition(arg, state)) for arg in cond.args)

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """A negation."""
        return f"NOT ({self.convert_condition(cond.args[0], state)})"

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """A value without a field: `where` knows fields only; nearly, a part of the whole event's text."""
        self.repairs.inexact(KEYWORD)
        value = cond.value if isinstance(cond.value, SigmaString) else SigmaString(str(cond.value))
        anywhere = SpecialChars.WILDCARD_MULTI + value + SpecialChars.WILDCARD_MULTI
        return self.matches("_raw", f"(?is){pattern(anywhere, self.repairs)}")

    convert_condition_val_num = convert_condition_val_str

    def convert_condition_val_re(self, cond: Any, state: Any) -> Any:
        """A pattern without a field, likewise."""
        self.repairs.inexact(KEYWORD)
        return self.matches("_raw", str(cond.value.regexp))

    def nothing(self, field: str) -> str:
        """Whether the field holds nothing: Splunk extracts no field without a value."""
        name = self.escape_and_quote_field(field)
        return f'(isnull({name}) OR {name}="")'

    def matches(self, field: str, expression: str) -> str:
        """Whether the field is there and the regular expression, in PCRE's syntax, is found in it."""
        name = self.escape_and_quote_field(field)
        return f"(isnotnull({name}) AND match({name}, {literal(expression)}))"


def literal(text: str) -> str:
    """The text as a quoted string of eval; a regular expression's backslashes are so doubled once more."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def pattern(value: SigmaString, repairs: Repairs) -> str:
    """The value as a regular expression that finds it in a field, anchored where it has no `*` at an end (S5, S6)."""
    starred = any("*" in part for part in parts(value) if isinstance(part, str))
    # The stock backend's `\\*` asks for a backslash too, and its `*` for any number of characters.
    star = "\\*" if repairs.is_off("S5", wanted=starred) else "*"
    one = ".*" if repairs.is_off("S6", wanted=ONE in parts(value)) else "."

    def plain(text: str) -> str:
        return pcre_escape(text.replace("*", star))

    wanted = shape(value)
    match wanted.operator:
        case "anything":
            return "."
        case "equals":
            return rf"^{plain(wanted.text)}\z"
        case "startswith":
            return f"^{plain(wanted.text)}"
        case "endswith":
            return rf"{plain(wanted.text)}\z"
        case "contains":
            return plain(wanted.text)
    return rf"^{render(value, plain, '.*', one)}\z"


def pcre_escape(text: str) -> str:
    """Plain text as a regular expression; control characters by their number, so that the query stays on its lines."""
    return text.translate(PCRE)
