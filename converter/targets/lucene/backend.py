"""pySigma's Lucene backend with the repairs that its defects need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sigma.backends.elasticsearch.elasticsearch_lucene import LuceneBackend as StockBackend
from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionOR
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.types import SigmaBool, SigmaNumber, SigmaString

from converter.targets.lists import FlatLists
from converter.targets.lucene import values
from converter.targets.lucene.made import expanded
from converter.targets.lucene.regex import translated
from converter.targets.strings import shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from converter.targets.target import Route

# The types of values that ignore letter case.
PLAIN = {SigmaString, SigmaNumber, SigmaBool}
NO_PATTERN = "cannot be searched for by pattern"


class Backend(FlatLists, StockBackend):
    """The stock backend; each override names the defect it repairs, after the project's list of defects."""

    def __init__(self, route: Route) -> None:
        super().__init__(ProcessingPipeline())

        def names(option: str) -> set[str]:
            return set(route.options.get(option, ()))

        self.caseless, self.unlimited, self.numeric = names("caseless"), names("unlimited"), names("numeric")
        self.ip, self.text, self.boolean = names("ip"), names("text"), names("boolean")
        self.lower = names("lower")
        self.made: Mapping[str, Any] = route.options.get("made", {})

    def convert_condition(self, cond: Any, state: Any) -> Any:
        """Any condition; one on a field that is kept in several becomes the condition on those (L10)."""
        if self._is_made(cond):
            return f"({super().convert_condition(expanded(self.made[cond.field], cond.field, cond.value), state)})"
        return super().convert_condition(cond, state)

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """A negation; the stock one looks only at the field's own name where its value is null."""
        if self._is_made(cond.args[0]):
            return f"NOT {self.convert_condition(cond.args[0], state)}"
        return super().convert_condition_not(cond, state)

    def convert_condition_or(self, cond: Any, state: Any) -> Any:
        """Alternatives; those on fields that are kept in several are gathered into one list a real field."""
        if not any(self._is_made(arg) for arg in cond.args):
            return super().convert_condition_or(cond, state)
        leaves: list[Any] = []
        for arg in cond.args:
            real = expanded(self.made[arg.field], arg.field, arg.value) if self._is_made(arg) else arg
            leaves += real.args if isinstance(real, ConditionOR) else [real]
        return super().convert_condition_or(ConditionOR(_gathered(leaves), cond.source), state)

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
        if cond.field in self.text | self.ip | self.numeric | self.boolean | self.lower:
            raise SigmaFeatureNotSupportedByBackendError(f"{cond.field} does not keep letter case")
        return f"{self.escape_and_quote_field(cond.field)}:{values.term(cond.value)}"

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
        return f"{self.escape_and_quote_field(cond.field)}:{translated(cond.value)}"

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        """A network, which only a field of addresses can be compared with (L9)."""
        if cond.field not in self.ip:
            raise SigmaFeatureNotSupportedByBackendError(f"{cond.field} holds no addresses to compare with a network")
        return f'{self.escape_and_quote_field(cond.field)}:"{cond.value.network}"'

    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        """More or less than a number, which a field of words would compare letter by letter."""
        if cond.field not in self.numeric:
            raise SigmaFeatureNotSupportedByBackendError(f"{cond.field} holds no numbers to compare")
        return super().convert_condition_field_compare_op_val(cond, state)

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """A value without a field: no field of ours holds the whole event as it was written."""
        raise SigmaFeatureNotSupportedByBackendError("a value without a field cannot be searched for exactly")

    convert_condition_val_num = convert_condition_val_str
    convert_condition_val_re = convert_condition_val_str

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        """A list of values: those that ignore letter case together, each other by itself."""
        plain = [arg for arg in cond.args if type(arg.value) in PLAIN]
        rest = [str(self.convert_condition(arg, state)) for arg in cond.args if type(arg.value) not in PLAIN]
        if plain:
            rest.insert(0, self.any_of(plain[0].field, [_as_string(arg.value) for arg in plain]))
        return " OR ".join(rest)

    def any_of(self, field: str, wanted: list[SigmaString]) -> str:
        """The field holds one of the values, in any letter case."""
        name = self.escape_and_quote_field(field)
        if any(shape(value).operator == "anything" for value in wanted):
            return f"_exists_:{name}"
        typed: tuple[tuple[set[str], Callable[[SigmaString, str], str]], ...] = (
            (self.numeric, values.number),
            (self.boolean, values.boolean),
            (self.ip, values.address),
            (self.text, values.words),
            (self.lower, _lower),
        )
        for fields, say in typed:
            if field in fields:
                return f"{name}:{values.either([say(value, field) for value in wanted])}"
        if field not in self.caseless:
            return f"{name}:{values.either([values.any_case_term(value) for value in wanted])}"
        short = f"{name}.caseless:{values.either([values.term(value) for value in wanted])}"
        if field not in self.unlimited:
            return short
        # `.caseless` leaves out what is over its ignore_above; the field itself holds it, in its own letter case.
        long = f"{name}:{values.either([values.regex(value, values.any_case) for value in wanted])}"
        return f"({short} OR (NOT _exists_:{name}.caseless AND {long}))"

    def _is_made(self, cond: Any) -> bool:
        return isinstance(cond, ConditionFieldEqualsValueExpression) and cond.field in self.made


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


def _lower(value: SigmaString, _field: str) -> str:
    lowered = SigmaString()
    lowered.s = [part.lower() if isinstance(part, str) else part for part in value.s]
    return values.term(lowered)
