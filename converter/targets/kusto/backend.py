"""pySigma's Kusto backend, with the repairs that its defects need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sigma.conditions import ConditionAND, ConditionOR
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaCasedString, SigmaNumber, SigmaString, SpecialChars

from converter.targets.kusto import registry
from converter.targets.kusto.comparisons import NUMERIC, VALUED, Comparisons
from converter.targets.kusto.values import (
    OPERATORS,
    compare,
    fits_nothing,
    literal,
    number,
    pattern,
    plain_text,
    within,
)
from converter.targets.strings import ONE, only_text, parts, shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from converter.targets.repair import Repairs
    from converter.targets.target import Route

KEYWORD = "a keyword without a field cannot be said in KQL; name the field"


class Backend(Comparisons):
    """pySigma's Kusto backend; each override names the repair that it is, which `repairs` may have switched off."""

    def __init__(self, route: Route, repairs: Repairs) -> None:
        super().__init__(route, repairs)
        self.keywords = route.options.get("keywords")

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        """One value: an operator where one says it, else an anchored pattern that ignores letter case (K4)."""

        def stock() -> str:
            return str(super(Backend, self).convert_condition_field_eq_val_str(cond, state))

        if self.types.get(cond.field, "string") in VALUED:
            return self.repairs.choose("K5", lambda: self.comparison(cond.field, cond.value, cased=False), stock)
        if shape(cond.value).operator == "wildcards" and self.repairs.is_off("K4"):
            return stock()
        return self.comparison(cond.field, cond.value, cased=False)

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        """One value that minds letter case (K12)."""
        if self.repairs.is_off("K12"):
            return super().convert_condition_field_eq_val_str_case_sensitive(cond, state)
        return self.comparison(cond.field, cond.value, cased=True)

    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        """A number, as text where the column holds text (K6)."""
        if self.types.get(cond.field, "string") in NUMERIC:
            return self.sure(f"{self.escape_and_quote_field(cond.field)} == {cond.value}")
        return self.repairs.choose(
            "K6",
            lambda: self.comparison(cond.field, SigmaString(str(cond.value)), cased=False),
            lambda: str(super(Backend, self).convert_condition_field_eq_val_num(cond, state)),
        )

    def convert_condition_field_eq_val_bool(self, cond: Any, state: Any) -> Any:
        """A truth value, as text where the column holds text."""
        return self.comparison(cond.field, SigmaString(str(cond.value).lower()), cased=False)

    def convert_condition_field_eq_val_null(self, cond: Any, state: Any) -> Any:
        """Absent: a string column is never null, but empty (K1)."""
        return self.repairs.choose(
            "K1",
            lambda: self.absent(cond.field),
            lambda: str(super(Backend, self).convert_condition_field_eq_val_null(cond, state)),
        )

    def convert_condition_field_not_exists(self, cond: Any, state: Any) -> Any:
        """Absent, by the same measure."""
        return self.absent(cond.field)

    def convert_condition_field_exists(self, cond: Any, state: Any) -> Any:
        """Present, by the same measure as absent."""
        test = "isnotempty" if self.types.get(cond.field, "string") in ("string", "dynamic") else "isnotnull"
        return f"{test}({self.escape_and_quote_field(cond.field)})"

    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        """A regular expression, quoted as KQL quotes and with its flags (K16 for registry fields)."""
        column = registry.COLUMNS.get(cond.field) if self.registry else None
        if column is None or not self.repairs.is_off("K16"):
            column = self.text(cond.field)
        test = f"{column} matches regex {pattern(cond.value)}"
        return f"(isnotempty({column}) and {test})" if fits_nothing(cond.value) else test

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        """A block of addresses of either kind; false where the column holds none (K7).

        A condition that nothing but `and` surrounds drops a null row as it should, so that it stays as it is.
        """
        plain = bool(self.negations == 0 and not cond.parent_condition_chain_contains(ConditionOR))
        if cond.value.network.version == 4 and (plain or "K7" in self.repairs.off):  # noqa: PLR2004 - IPv4
            return f"ipv4_is_in_range({self.text(cond.field)}, {literal(str(cond.value.network))})"
        return self.repairs.choose(
            "K7",
            lambda: within(self.text(cond.field), cond.value),
            lambda: f"ipv4_is_in_range({self.text(cond.field)}, {literal(str(cond.value.network))})",
        )

    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        """A number's order, which a column of text has to be read as a number for."""
        column = self.escape_and_quote_field(cond.field)
        if self.types.get(cond.field, "string") not in NUMERIC:
            column = f"{'toreal' if isinstance(cond.value.number.number, float) else 'tolong'}({self.text(cond.field)})"
        operator = self.compare_operators[cond.value.op]
        return self.sure(f"{column} {operator} {cond.value.number}")

    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        """Two columns compared as texts; raises where the other is none of the table's.

        An absent field is an empty column, which equals another and is a part of any: both must hold something.
        """
        other = cond.value.field
        if other not in self.types:
            raise SigmaFeatureNotSupportedByBackendError(f"no pipeline maps the field {other}")
        ends = {(True, True): "contains", (True, False): "startswith", (False, True): "endswith"}
        kind = ends.get((cond.value.starts_with, cond.value.ends_with), "equals")
        one, two = self.text(cond.field), self.text(other)
        return f"(isnotempty({one}) and isnotempty({two}) and {one} {OPERATORS[kind]} {two})"

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        """A list of values: the plain ones in one `in~` or `in`, each other by itself (K3, K5, K8, K12, K13)."""
        if not isinstance(cond, ConditionOR):
            return self.all_of(cond, state)
        args: list[Any] = cond.args
        field = args[0].field
        plain = [(arg, item) for arg in args if (item := self.list_item(field, arg.value)) is not None]
        singles = {id(arg) for arg, _ in plain}
        rest = [self.listed(arg, state) for arg in args if id(arg) not in singles]
        if plain:
            rest.insert(0, self.one_of(field, [arg for arg, _ in plain], [item for _, item in plain], state))
        return self.chained(rest, "or")

    def one_of(self, field: str, args: Sequence[Any], items: list[str], state: Any) -> str:
        """The column holds one of the values, as its type compares them (K5)."""
        column = self.escape_and_quote_field(field)

        def listed(one: str, several: str) -> str:
            return f"{column} {one} {items[0]}" if len(items) == 1 else f"{column} {several} ({', '.join(items)})"

        if self.types.get(field, "string") == "string":
            return listed("=~", "in~")

        def stock() -> str:
            quoted = ", ".join(self.convert_value_str(arg.value, state) for arg in args)
            return f"{column} in~ ({quoted})"

        return self.repairs.choose("K5", lambda: self.sure(listed("==", "in")), stock)

    def listed(self, arg: Any, state: Any) -> str:
        """One value of a list that needs a comparison of its own."""
        if isinstance(arg.value, SigmaNumber) and self.types.get(arg.field, "string") == "string":
            return self.comparison(arg.field, SigmaString(str(arg.value)), cased=False)
        value = arg.value
        if not isinstance(value, SigmaString) or isinstance(value, SigmaCasedString):
            return str(self.convert_condition(arg, state))
        if shape(value).operator != "wildcards":
            return str(self.convert_condition_field_eq_val_str(arg, state))
        starred = any("*" in part for part in parts(value) if isinstance(part, str))
        name = "K13" if ONE in parts(value) else "K8" if starred else "K3"
        return self.repairs.choose(
            name,
            lambda: self.comparison(arg.field, value, cased=False),
            lambda: str(super(Backend, self).convert_condition_as_in_expression(ConditionOR([arg]), state)),
            # The stock backend takes apart what has a wildcard within, in brackets that no pattern has around it.
            differ=True if value[1:-1].contains_special() else None,
        )

    def all_of(self, cond: Any, state: Any) -> str:
        """The field fits every value: `has_all` would look for whole words (K12)."""
        plain = [arg for arg in cond.args if isinstance(arg.value, SigmaString) and plain_text(arg.value)]
        if plain and self.repairs.is_off("K12"):
            rest = [str(self.convert_condition(arg, state)) for arg in cond.args if arg not in plain]
            stock = str(super().convert_condition_as_in_expression(ConditionAND([*plain]), state))
            return self.chained([stock, *rest], "and")
        return self.chained([str(self.convert_condition(arg, state)) for arg in cond.args], "and")

    def list_item(self, field: str, value: Any) -> str | None:
        """The value as KQL's lists take it; None where it needs a comparison of its own."""
        kind = self.types.get(field, "string")
        if isinstance(value, SigmaNumber) and kind in NUMERIC:
            return str(value)
        if not isinstance(value, SigmaString) or isinstance(value, SigmaCasedString):
            return None
        text = only_text(value)
        if text is None:
            return None
        if kind == "string":
            if self.replaced(field, value) is not None:
                return None
            self.check(field, value)
            return literal(text)
        return str(number(text)) if kind in NUMERIC and self.as_number(field, text) else None

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """A value without a field: a part of the column that the route gives for keywords, if it gives one (K9)."""
        if self.repairs.is_off("K9"):
            return super().convert_condition_val_str(cond, state)
        value = SigmaString(str(cond.value)) if isinstance(cond.value, SigmaNumber) else cond.value
        anywhere = SpecialChars.WILDCARD_MULTI + value + SpecialChars.WILDCARD_MULTI
        if not self.keywords:
            self.repairs.inexact(KEYWORD)
            return compare("*", anywhere, shape(anywhere), cased=False)
        return self.comparison(self.keywords, anywhere, cased=False)

    convert_condition_val_num = convert_condition_val_str

    def convert_condition_val_re(self, cond: Any, state: Any) -> Any:
        """A pattern without a field, under the same condition as a value."""
        if not self.keywords:
            raise SigmaFeatureNotSupportedByBackendError(KEYWORD)
        return f"{self.text(self.keywords)} matches regex {pattern(cond.value)}"
