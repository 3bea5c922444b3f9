"""Sigma conditions over an accelerated data model of CIM: what the `where` of `tstats` can say, and no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaString

from converter.targets.splunk.search import SearchBackend, Unsayable, quoted
from converter.targets.strings import render

if TYPE_CHECKING:
    from sigma.conversion.state import ConversionState

    from converter.targets.target import Route

BEYOND = "a regular expression, letter case or another field as the value, which tstats cannot seek"
PRESENCE = "whether a field is there, which a data model does not tell"
AS_TEXT = "a network or an order of numbers, which tstats compares as text"


def query(condition: str, route: Route) -> str:
    """The whole query: hits of the condition, counted by the fields that the route's `by` names.

    `only` of the route's options picks the rows of the model that are the rule's log source.
    """
    where = " AND ".join(f"({part})" for part in (route.options.get("only"), condition) if part)
    return (
        # A row that lacks a field of `by` would be left out (Search Reference, "tstats": fillnull_value).
        '| tstats summariesonly=false allow_old_summaries=true fillnull_value="unknown" count'
        f" min(_time) as firstTime max(_time) as lastTime from {route.data} where {where}"
        f" by {' '.join(route.options['by'])}"
    )


class TstatsBackend(SearchBackend):
    """`search` less what a model cannot tell: CIM writes `unknown` for what an event lacks (Endpoint.json)."""

    def convert_value_str(self, s: SigmaString, state: ConversionState) -> str:
        """The value in double quotes; there is no `where` for what no quoting keeps (S5, S6)."""
        try:
            return quoted(s, self.repairs.off)
        except Unsayable:
            message = "`?`, a literal `*` or a control character, which tstats cannot seek"
            if self.repairs.inexact_allowed and not re.search(r"[\x00-\x1f\x7f]", str(s)):
                self.repairs.inexact(message)
                return f'"{render(s, _starred, "*", "*")}"'
            raise SigmaFeatureNotSupportedByBackendError(message) from None

    def nothing(self, field: str) -> str:
        """Refuse an empty value; nearly, whether the model says `unknown`."""
        self.repairs.inexact("an empty value, which a data model does not tell from none")
        return f'{self.escape_and_quote_field(field)}="unknown"'

    def unsayable(self, cond: Any, state: Any) -> Any:
        """Refuse what the `where` of tstats does not have."""
        raise SigmaFeatureNotSupportedByBackendError(BEYOND)

    convert_condition_field_eq_field = unsayable

    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        """Refuse a regular expression (S7)."""
        if self.repairs.is_off("S7"):
            # What the stock backend asks is a field that a later command makes.
            return f'{cond.field.rpartition(".")[2]}Condition="true"'
        return self.unsayable(cond, state)

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        """Refuse letter case, which tstats ignores."""
        self.repairs.inexact(BEYOND)
        plain = SigmaString()
        plain.s = cond.value.s
        return f"{self.escape_and_quote_field(cond.field)}={self.convert_value_str(plain, state)}"

    def convert_condition_field_eq_val_null(self, cond: Any, state: Any) -> Any:
        """Refuse to ask whether a field is there; nearly, whether the model says `unknown`."""
        self.repairs.inexact(PRESENCE)
        return f'{self.escape_and_quote_field(cond.field)}="unknown"'

    convert_condition_field_not_exists = convert_condition_field_eq_val_null

    def convert_condition_field_exists(self, cond: Any, state: Any) -> Any:
        """Refuse to ask whether a field is there; nearly, whether the model says anything else than `unknown`."""
        self.repairs.inexact(PRESENCE)
        return f'NOT {self.escape_and_quote_field(cond.field)}="unknown"'

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """A negation."""
        return f"NOT ({self.convert_condition(cond.args[0], state)})"

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        """Refuse a network, which tstats would compare as text."""
        self.repairs.inexact(AS_TEXT)
        return super().convert_condition_field_eq_val_cidr(cond, state)

    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        """Refuse the order of numbers, which tstats would compare as texts."""
        self.repairs.inexact(AS_TEXT)
        return super().convert_condition_field_compare_op_val(cond, state)

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """Refuse a value without a field: a data model has no raw event."""
        raise SigmaFeatureNotSupportedByBackendError("a keyword without a field, as a data model has no raw event")

    convert_condition_val_num = convert_condition_val_str
    convert_condition_val_re = convert_condition_val_str


def _starred(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
