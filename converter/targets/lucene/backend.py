"""pySigma's Lucene backend with the repairs that its defects need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionOR
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaBool, SigmaNumber, SigmaString

from converter.targets.lucene.empty import without_empty, without_negated_empty
from converter.targets.lucene.leaves import Word, is_
from converter.targets.lucene.made import expanded
from converter.targets.lucene.regex import anywhere, is_foreign, translated
from converter.targets.lucene.terms import STOCK_CASELESS, Terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from converter.targets.repair import Repairs
    from converter.targets.target import Route

# The types of values that ignore letter case.
PLAIN = {SigmaString, SigmaNumber, SigmaBool}
NO_PATTERN = "cannot be searched for by pattern"
KEYWORD = "a value without a field cannot be searched for exactly"
# What the stock pipelines call fields that are kept in several.
STOCK_FIELDS = {
    "Hashes": "winlog.event_data.Hashes",
    "ParentUser": "winlog.event_data.ParentUser",
    "User": "user.name",
}


class Backend(Terms):
    """The stock backend; each override names the repair that it is, which `repairs` may have switched off."""

    def __init__(self, route: Route, repairs: Repairs) -> None:
        super().__init__(route, repairs)
        self.made: Mapping[str, Any] = route.options.get("made", {})

    def convert_condition(self, cond: Any, state: Any) -> Any:
        """Any condition; one on a field that is kept in several becomes the condition on those (L10)."""
        if self._is_made(cond):
            return f"({super().convert_condition(self._real(cond), state)})"
        return super().convert_condition(cond, state)

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """A negation; the stock one looks only at the field's own name where its value is null."""
        if self._is_made(cond.args[0]):
            return f"NOT {self.convert_condition(cond.args[0], state)}"
        return super().convert_condition_not(cond, state)

    def convert_condition_and(self, cond: Any, state: Any) -> Any:
        """Conditions that hold together."""
        return super().convert_condition_and(without_negated_empty(cond) if self.emptied else cond, state)

    def convert_condition_or(self, cond: Any, state: Any) -> Any:
        """Alternatives; those on fields that are kept in several are gathered into one list a real field."""
        if self.emptied:
            cond = without_empty(cond)
        if not any(self._is_made(arg) for arg in cond.args):
            return super().convert_condition_or(cond, state)
        leaves: list[Any] = []
        for arg in cond.args:
            real = self._real(arg) if self._is_made(arg) else arg
            leaves += real.args if isinstance(real, ConditionOR) else [real]
        return super().convert_condition_or(ConditionOR(_gathered(leaves), cond.source), state)

    def _real(self, cond: Any) -> Any:
        """The condition on the fields in which the data stream keeps this one; as the stock pipelines have it (L10)."""
        made = self.made[cond.field]
        if made["kind"] not in {"account", "hashes"} or not isinstance(cond.value, SigmaString):
            return expanded(made, cond.field, cond.value)
        stock = is_(STOCK_FIELDS.get(cond.field, cond.field), cond.value)
        if "L10" in self.repairs.off:
            return stock
        real = expanded(made, cond.field, cond.value)
        same = isinstance(real, ConditionFieldEqualsValueExpression) and real.field == stock.field
        if not same or real.value != stock.value:
            self.repairs.used.add("L10")
        return real

    def decide_convert_condition_as_in_expression(self, cond: Any, state: Any) -> bool:
        """Whether alternatives are a list of values of one field."""
        if any(self._is_made(arg) for arg in cond.args):
            return False
        return bool(super().decide_convert_condition_as_in_expression(cond, state))

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        """One value, letter case ignored (L1, L2, L12)."""
        return self.any_of(cond.field, [cond.value])

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        """One value that minds letter case: the field itself does (L16)."""
        if self.repairs.is_off("L16", wanted=not isinstance(cond.value, Word)):
            return super().convert_condition_field_eq_val_str_case_sensitive(cond, state)
        if self.emptied_of(cond.field, [cond.value]) == []:
            return self.any_of(cond.field, [cond.value])
        if cond.field in self.text | self.ip | self.numeric | self.boolean | self.lower:
            self.repairs.inexact(f"{cond.field} does not keep letter case")
            return self.any_of(cond.field, [cond.value])
        return f"{self.escape_and_quote_field(cond.field)}:{self.terms([cond.value])}"

    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        """A number, which a field of another type holds as a word (L9)."""
        return self.any_of(cond.field, [SigmaString(str(cond.value))])

    def convert_condition_field_eq_val_bool(self, cond: Any, state: Any) -> Any:
        """True or false, which a field of another type holds as a word."""
        return self.any_of(cond.field, [SigmaString(str(cond.value.boolean).lower())])

    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        """A regular expression, on the field that minds letter case: Lucene's dialect is another one (L3, L4)."""
        if cond.field in self.text | self.ip | self.numeric | self.boolean | self.lower:
            raise SigmaFeatureNotSupportedByBackendError(f"{cond.field} {NO_PATTERN}")
        name = self.escape_and_quote_field(cond.field)

        def ours() -> str:
            return name + ":" + self.repairs.choose("L3", lambda: translated(cond.value), anchored)

        def anchored() -> str:
            return translated(cond.value, unanchored=False)

        def stock() -> str:
            text = str(self.convert_value_re(cond.value, state))
            whole = text if "L3" in self.repairs.off else anywhere(text)
            return f"{self.stock_name(cond.field)}:/{whole}/"

        foreign = is_foreign(cond.value) or cond.field in STOCK_CASELESS
        return self.repairs.choose("L4", ours, stock) if foreign else ours()

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        """A network, which only a field of addresses can be compared with (L9)."""
        if cond.field not in self.ip:
            raise SigmaFeatureNotSupportedByBackendError(f"{cond.field} holds no addresses to compare with a network")
        return f'{self.escape_and_quote_field(cond.field)}:"{cond.value.network}"'

    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        """More or less than a number, which a field of words would compare letter by letter."""
        if cond.field not in self.numeric:
            self.repairs.inexact(f"{cond.field} holds no numbers to compare")
        return super().convert_condition_field_compare_op_val(cond, state)

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """A value without a field: no field of ours holds the whole event as it was written; nearly, any field does."""
        self.repairs.inexact(KEYWORD)
        return super().convert_condition_val_str(cond, state)

    def convert_condition_val_num(self, cond: Any, state: Any) -> Any:
        """A number without a field, likewise."""
        self.repairs.inexact(KEYWORD)
        return super().convert_condition_val_num(cond, state)

    def convert_condition_val_re(self, cond: Any, state: Any) -> Any:
        """A pattern without a field, which has no near form either."""
        raise SigmaFeatureNotSupportedByBackendError(KEYWORD)

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        """A list of values: those that ignore letter case together, each other by itself."""
        plain = [arg for arg in cond.args if type(arg.value) in PLAIN]
        rest = [str(self.convert_condition(arg, state)) for arg in cond.args if type(arg.value) not in PLAIN]
        if plain:
            rest.insert(0, self.any_of(plain[0].field, [_as_string(arg.value) for arg in plain]))
        return " OR ".join(rest)

    def _is_made(self, cond: Any) -> bool:
        return type(cond) is ConditionFieldEqualsValueExpression and cond.field in self.made


def _gathered(leaves: list[Any]) -> list[Any]:
    """The conditions in order, those on one field as one list of values."""
    by_field: dict[object, list[Any]] = {}
    for leaf in leaves:
        key = leaf.field if isinstance(leaf, ConditionFieldEqualsValueExpression) else id(leaf)
        by_field.setdefault(key, []).append(leaf)
    return [group[0] if len(group) == 1 else ConditionOR(group) for group in by_field.values()]


def _as_string(value: Any) -> SigmaString:
    if isinstance(value, SigmaBool):
        return SigmaString(str(value.boolean).lower())
    return value if isinstance(value, SigmaString) else SigmaString(str(value))
