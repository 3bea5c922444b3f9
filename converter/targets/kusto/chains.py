"""Long chains of `and` and `or`, in groups that the service's parser takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sigma.backends.kusto.kusto import KustoBackend as StockBackend
from sigma.conditions import ConditionAND, ConditionItem, ConditionOR
from sigma.types import SigmaExpansion

from converter.targets.kusto.values import LONGEST_CHAIN, chain
from converter.targets.lists import FlatLists

if TYPE_CHECKING:
    from converter.targets.repair import Repairs


class Chains(FlatLists, StockBackend):
    """The stock backend with groups in place of long chains (K10)."""

    def __init__(self, repairs: Repairs) -> None:
        super().__init__(None)
        self.repairs = repairs

    def compare_precedence(self, outer: Any, inner: Any) -> bool:
        """Whether `inner` needs no brackets within `outer`; parts of a long chain get some (K10)."""
        if not super().compare_precedence(outer, inner):
            return False
        linked = isinstance(inner, ConditionOR | ConditionAND) and "K10" not in self.repairs.off
        return not (linked and leaves(outer) > LONGEST_CHAIN)

    def convert_condition_or(self, cond: Any, state: Any) -> Any:
        """Alternatives; very many in groups (K10)."""
        grouped = self.groups(cond) if self.is_long(cond, state) else [cond]
        said = [str(super(Chains, self).convert_condition_or(group, state)) for group in grouped]
        return said[0] if len(said) == 1 else chain([f"({part})" for part in said], "or")

    def convert_condition_and(self, cond: Any, state: Any) -> Any:
        """Conditions that must all hold; very many in groups (K10)."""
        grouped = self.groups(cond) if self.is_long(cond, state) else [cond]
        said = [str(super(Chains, self).convert_condition_and(group, state)) for group in grouped]
        return said[0] if len(said) == 1 else chain([f"({part})" for part in said], "and")

    def is_long(self, cond: Any, state: Any) -> bool:
        """Whether a condition has to be said in groups; a list of one field's values groups itself."""
        long = len(cond.args) > LONGEST_CHAIN and not self.decide_convert_condition_as_in_expression(cond, state)
        return long and not self.repairs.is_off("K10")

    def chained(self, said: list[str], operator: str) -> str:
        """Comparisons of one field, joined; very many in groups (K10)."""
        if self.repairs.is_off("K10", wanted=len(said) > LONGEST_CHAIN):
            return f" {operator} ".join(said)
        return chain(said, operator)

    @staticmethod
    def groups(cond: Any) -> list[Any]:
        """A long condition as shorter ones of its kind."""
        starts = range(0, len(cond.args), LONGEST_CHAIN)
        return [type(cond)(cond.args[start : start + LONGEST_CHAIN], cond.source) for start in starts]


def leaves(condition: Any) -> int:
    """How many comparisons a condition has."""
    if isinstance(condition, ConditionItem):
        return sum(map(leaves, condition.args))
    value = getattr(condition, "value", None)
    return len(value.values) if isinstance(value, SigmaExpansion) else 1
