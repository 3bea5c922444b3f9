"""Sigma conditions as an expression of `where` and `eval`, which can say all that `search` cannot."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sigma.backends.splunk.splunk import SplunkBackend as StockBackend
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.types import SigmaCasedString, SigmaRegularExpression, SigmaRegularExpressionFlag, SigmaString

from converter.targets.lists import FlatLists
from converter.targets.strings import render, shape

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

    def __init__(self) -> None:
        super().__init__(ProcessingPipeline())

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        """One value, letter case ignored."""
        return self.matches(cond.field, f"(?is){pattern(cond.value)}")

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        """One value that minds letter case (S10)."""
        return self.matches(cond.field, f"(?s){pattern(cond.value)}")

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
        """A list of values, as one pattern where all are texts that ignore letter case."""
        values = [arg.value for arg in cond.args]
        if all(isinstance(value, SigmaString) and not isinstance(value, SigmaCasedString) for value in values):
            return self.matches(cond.args[0].field, "(?is)" + "|".join(map(pattern, values)))
        return " OR ".join(str(self.convert_condition(arg, state)) for arg in cond.args)

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """A negation."""
        return f"NOT ({self.convert_condition(cond.args[0], state)})"

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """A value without a field: `where` knows fields only."""
        message = (
            "a keyword without a field cannot stand beside a regular expression, `?` or `*` in SPL; name the field"
        )
        raise SigmaFeatureNotSupportedByBackendError(message)

    convert_condition_val_num = convert_condition_val_str
    convert_condition_val_re = convert_condition_val_str

    def matches(self, field: str, expression: str) -> str:
        """Whether the field is there and the regular expression, in PCRE's syntax, is found in it."""
        name = self.escape_and_quote_field(field)
        return f"(isnotnull({name}) AND match({name}, {literal(expression)}))"


def literal(text: str) -> str:
    """The text as a quoted string of eval; a regular expression's backslashes are so doubled once more."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def pattern(value: SigmaString) -> str:
    """The value as a regular expression that finds it in a field, anchored where it has no `*` at an end."""
    wanted = shape(value)
    match wanted.operator:
        case "anything":
            return "."
        case "equals":
            return rf"^{pcre_escape(wanted.text)}\z"
        case "startswith":
            return f"^{pcre_escape(wanted.text)}"
        case "endswith":
            return rf"{pcre_escape(wanted.text)}\z"
        case "contains":
            return pcre_escape(wanted.text)
    return rf"^{render(value, pcre_escape, '.*', '.')}\z"


def pcre_escape(text: str) -> str:
    """Plain text as a regular expression; control characters by their number, so that the query stays on its lines."""
    escaped = re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)
    return re.sub(r"[\x00-\x1f\x7f]", lambda found: rf"\x{ord(found[0]):02x}", escaped)
