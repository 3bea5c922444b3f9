"""Sigma conditions over an accelerated data model of CIM: what the `where` of `tstats` can say, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError

from converter.targets.splunk.search import SearchBackend, Unsayable, quoted

if TYPE_CHECKING:
    from sigma.conversion.state import ConversionState
    from sigma.types import SigmaString

    from converter.targets.target import Route


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
        if str(s) == "":
            raise SigmaFeatureNotSupportedByBackendError("an empty value, which a data model does not tell from none")
        try:
            return quoted(s)
        except Unsayable:
            message = "`?`, a literal `*` or a control character, which tstats cannot seek"
            raise SigmaFeatureNotSupportedByBackendError(message) from None

    def unsayable(self, cond: Any, state: Any) -> Any:
        """Refuse what the `where` of tstats does not have (S7)."""
        message = "a regular expression, letter case or another field as the value, which tstats cannot seek"
        raise SigmaFeatureNotSupportedByBackendError(message)

    convert_condition_field_eq_val_re = unsayable
    convert_condition_field_eq_field = unsayable
    convert_condition_field_eq_val_str_case_sensitive = unsayable

    def absent(self, cond: Any, state: Any) -> Any:
        """Refuse to ask whether a field is there."""
        raise SigmaFeatureNotSupportedByBackendError("whether a field is there, which a data model does not tell")

    convert_condition_field_eq_val_null = absent
    convert_condition_field_exists = absent
    convert_condition_field_not_exists = absent

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """A negation."""
        return f"NOT ({self.convert_condition(cond.args[0], state)})"

    def address(self, cond: Any, state: Any) -> Any:
        """Refuse what tstats would compare as text: a network, or the order of numbers."""
        raise SigmaFeatureNotSupportedByBackendError("a network or an order of numbers, which tstats compares as text")

    convert_condition_field_eq_val_cidr = address
    convert_condition_field_compare_op_val = address

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """Refuse a value without a field: a data model has no raw event."""
        raise SigmaFeatureNotSupportedByBackendError("a keyword without a field, as a data model has no raw event")

    convert_condition_val_num = convert_condition_val_str
    convert_condition_val_re = convert_condition_val_str
