"""Lists of values, as every dialect of ours treats them."""

from __future__ import annotations

from typing import Any

from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionOR
from sigma.conversion.base import TextQueryBackend
from sigma.types import SigmaExpansion


class FlatLists(TextQueryBackend):
    """Makes one list of the values of a field and of those that a modifier (`windash`, `base64offset`) made of them."""

    def convert_condition_or(self, cond: Any, state: Any) -> Any:
        """Alternatives, as one list of values where all are such."""
        flat = ConditionOR([leaf for arg in cond.args for leaf in _leaves(arg)], cond.source)
        if len(flat.args) > len(cond.args) and self.decide_convert_condition_as_in_expression(flat, state):
            return str(self.convert_condition_as_in_expression(flat, state))
        return str(super().convert_condition_or(cond, state))

    def convert_condition_field_eq_expansion(self, cond: Any, state: Any) -> Any:
        """What a modifier made several values of: a list of them."""
        either = ConditionOR(list(_leaves(cond)), cond.source)
        if self.decide_convert_condition_as_in_expression(either, state):
            return f"({self.convert_condition_as_in_expression(either, state)})"
        return f"({super().convert_condition_or(either, state)})"


def _leaves(arg: Any) -> list[Any]:
    if isinstance(arg, ConditionFieldEqualsValueExpression) and isinstance(arg.value, SigmaExpansion):
        return [ConditionFieldEqualsValueExpression(arg.field, value) for value in arg.value.values]
    return [arg]
