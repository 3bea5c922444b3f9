"""pySigma's Kusto backend, with the repairs that its defects need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sigma.backends.kusto.kusto import KustoBackend as StockBackend
from sigma.conditions import ConditionAND, ConditionItem, ConditionOR
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.types import SigmaCasedString, SigmaExpansion, SigmaNumber, SigmaString, SpecialChars

from converter.targets.kusto import tables
from converter.targets.kusto.values import (
    LONGEST_CHAIN,
    OPERATORS,
    chain,
    compare,
    literal,
    number,
    pattern,
    plain_text,
    within,
)
from converter.targets.lists import FlatLists
from converter.targets.strings import Shape, render, shape

if TYPE_CHECKING:
    from converter.targets.target import Route

NUMERIC = {"int", "long", "real", "decimal"}
TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}


class Backend(FlatLists, StockBackend):
    """pySigma's Kusto backend; each override names the defect it repairs, after the project's list of defects."""

    def __init__(self, route: Route) -> None:
        super().__init__(ProcessingPipeline())
        self.types = tables.types(route)
        self.computed = tables.computed(route)
        self.keywords = route.options.get("keywords")
        self.negations = 0

    def compare_precedence(self, outer: Any, inner: Any) -> bool:
        """Whether `inner` needs no brackets within `outer`; parts of a long chain get some (K10)."""
        long = isinstance(inner, ConditionOR | ConditionAND) and leaves(outer) > LONGEST_CHAIN
        return not long and bool(super().compare_precedence(outer, inner))

    def convert_condition_or(self, cond: Any, state: Any) -> Any:
        """Alternatives; very many in groups (K10)."""
        grouped = self.groups(cond) if self.is_long(cond, state) else [cond]
        parts = [str(super(Backend, self).convert_condition_or(group, state)) for group in grouped]
        return parts[0] if len(parts) == 1 else chain([f"({part})" for part in parts], "or")

    def convert_condition_and(self, cond: Any, state: Any) -> Any:
        """Conditions that must all hold; very many in groups (K10)."""
        grouped = self.groups(cond) if self.is_long(cond, state) else [cond]
        parts = [str(super(Backend, self).convert_condition_and(group, state)) for group in grouped]
        return parts[0] if len(parts) == 1 else chain([f"({part})" for part in parts], "and")

    def is_long(self, cond: Any, state: Any) -> bool:
        """Whether a condition has to be said in groups; a list of one field's values groups itself."""
        return len(cond.args) > LONGEST_CHAIN and not self.decide_convert_condition_as_in_expression(cond, state)

    @staticmethod
    def groups(cond: Any) -> list[Any]:
        """A long condition as shorter ones of its kind."""
        starts = range(0, len(cond.args), LONGEST_CHAIN)
        return [type(cond)(cond.args[start : start + LONGEST_CHAIN], cond.source) for start in starts]

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """What must not hold; within it no comparison may be null."""
        self.negations += 1
        try:
            return super().convert_condition_not(cond, state)
        finally:
            self.negations -= 1

    def sure(self, comparison: str) -> str:
        """A comparison of a column that may be null: false where it is, since `not` of null would drop the row."""
        return f"coalesce({comparison}, false)" if self.negations else comparison

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        """One value: an operator where one says it, else an anchored pattern that ignores letter case (K4, K8)."""
        return self.comparison(cond.field, cond.value, cased=False)

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        """One value that minds letter case (K12)."""
        return self.comparison(cond.field, cond.value, cased=True)

    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        """A number, as text where the column holds text (K6)."""
        if self.types.get(cond.field, "string") in NUMERIC:
            return self.sure(f"{self.escape_and_quote_field(cond.field)} == {cond.value}")
        return self.comparison(cond.field, SigmaString(str(cond.value)), cased=False)

    def convert_condition_field_eq_val_bool(self, cond: Any, state: Any) -> Any:
        """A truth value, as text where the column holds text."""
        return self.comparison(cond.field, SigmaString(str(cond.value).lower()), cased=False)

    def convert_condition_field_eq_val_null(self, cond: Any, state: Any) -> Any:
        """Absent: a string column is never null, but empty (K1)."""
        test = "isempty" if self.types.get(cond.field, "string") in ("string", "dynamic") else "isnull"
        return f"{test}({self.escape_and_quote_field(cond.field)})"

    convert_condition_field_not_exists = convert_condition_field_eq_val_null

    def convert_condition_field_exists(self, cond: Any, state: Any) -> Any:
        """Present, by the same measure as absent."""
        test = "isnotempty" if self.types.get(cond.field, "string") in ("string", "dynamic") else "isnotnull"
        return f"{test}({self.escape_and_quote_field(cond.field)})"

    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        """A regular expression, quoted as KQL quotes and with its flags (K8)."""
        return f"{self.text(cond.field)} matches regex {pattern(cond.value)}"

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: Any) -> Any:
        """A block of addresses of either kind (K7)."""
        return within(self.text(cond.field), cond.value)

    def convert_condition_field_compare_op_val(self, cond: Any, state: Any) -> Any:
        """A number's order, which a column of text has to be read as a number for."""
        column = self.escape_and_quote_field(cond.field)
        if self.types.get(cond.field, "string") not in NUMERIC:
            column = f"{'toreal' if isinstance(cond.value.number.number, float) else 'tolong'}({self.text(cond.field)})"
        operator = self.compare_operators[cond.value.op]
        return self.sure(f"{column} {operator} {cond.value.number}")

    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        """Two columns compared as texts; raises where the other is none of the table's."""
        other = cond.value.field
        if other not in self.types:
            raise SigmaFeatureNotSupportedByBackendError(f"no pipeline maps the field {other}")
        ends = {(True, True): "contains", (True, False): "startswith", (False, True): "endswith"}
        kind = ends.get((cond.value.starts_with, cond.value.ends_with), "equals")
        return f"{self.text(cond.field)} {OPERATORS[kind]} {self.text(other)}"

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        """A list of values: the plain ones in one `in~` or `in`, each other by itself (K3, K5, K12, K13)."""
        either = isinstance(cond, ConditionOR)
        field = cond.args[0].field
        plain: list[str] = []
        rest: list[str] = []
        for arg in cond.args:
            if either and (item := self.list_item(field, arg.value)) is not None:
                plain.append(item)
            else:
                rest.append(str(self.convert_condition(arg, state)))
        column = self.escape_and_quote_field(field)
        one, several, null = ("=~", "in~", False) if self.types.get(field, "string") == "string" else ("==", "in", True)
        if plain:
            listed = f"{column} {one} {plain[0]}" if len(plain) == 1 else f"{column} {several} ({', '.join(plain)})"
            rest.insert(0, self.sure(listed) if null else listed)
        return chain(rest, "or" if either else "and")

    def list_item(self, field: str, value: Any) -> str | None:
        """The value as KQL's lists take it; None where it needs a comparison of its own."""
        kind = self.types.get(field, "string")
        if isinstance(value, SigmaNumber) and kind in NUMERIC:
            return str(value)
        if not isinstance(value, SigmaString) or isinstance(value, SigmaCasedString) or not plain_text(value):
            return None
        text = shape(value).text
        if kind == "string":
            self.check(field, value)
            return literal(text)
        return str(number(text, field)) if kind in NUMERIC and text else None

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """A value without a field: only where the route says which column holds the whole message (K9)."""
        if not self.keywords:
            raise SigmaFeatureNotSupportedByBackendError(
                "a keyword without a field cannot be said in KQL; name the field"
            )
        value = SigmaString(str(cond.value)) if isinstance(cond.value, SigmaNumber) else cond.value
        return self.comparison(
            self.keywords, SpecialChars.WILDCARD_MULTI + value + SpecialChars.WILDCARD_MULTI, cased=False
        )

    convert_condition_val_num = convert_condition_val_str

    def convert_condition_val_re(self, cond: Any, state: Any) -> Any:
        """A pattern without a field, under the same condition as a value."""
        if not self.keywords:
            raise SigmaFeatureNotSupportedByBackendError(
                "a keyword without a field cannot be said in KQL; name the field"
            )
        return f"{self.text(self.keywords)} matches regex {pattern(cond.value)}"

    def text(self, field: str) -> str:
        """The column as text."""
        column = self.escape_and_quote_field(field)
        return str(column) if self.types.get(field, "string") == "string" else f"tostring({column})"

    def check(self, field: str, value: SigmaString) -> None:
        """Raise for a value that the column can never hold: a query that cannot find it would mislead.

        Within `not` such a value takes nothing away, as it should.
        """
        column = self.computed.get(field)
        if (
            self.negations % 2 == 0
            and column
            and column.never
            and (found := re.search(column.never, render(value, str, "*", "?")))
        ):
            raise SigmaFeatureNotSupportedByBackendError(f"{field} never holds {found[0]!r}: {column.because}")

    def comparison(self, field: str, value: SigmaString, *, cased: bool) -> str:
        """The field compared with one string value, as its column's type asks (K2, K4, K5)."""
        self.check(field, value)
        column = self.escape_and_quote_field(field)
        wanted = shape(value)
        kind = self.types.get(field, "string")
        if kind != "string" and wanted.operator in ("equals", "anything"):
            return self.typed(field, wanted)
        if kind == "dynamic" and wanted.operator != "contains":
            raise SigmaFeatureNotSupportedByBackendError(f"{field} holds an object, not a text")
        return compare(column if kind == "string" else f"tostring({column})", value, wanted, cased=cased)

    def typed(self, field: str, wanted: Shape) -> str:
        """A column that holds no text, compared with one value or asked whether it holds any."""
        column, kind = self.escape_and_quote_field(field), self.types.get(field, "string")
        if wanted.operator == "anything" or wanted.text == "":
            tests = ("isempty", "isnotempty") if kind == "dynamic" else ("isnull", "isnotnull")
            return f"{tests[wanted.operator == 'anything']}({column})"
        if kind in NUMERIC:
            return self.sure(f"{column} == {number(wanted.text, field)}")
        if kind == "bool" and wanted.text.lower() in TRUTH:
            return self.sure(f"{column} == {TRUTH[wanted.text.lower()]}")
        raise SigmaFeatureNotSupportedByBackendError(f"{field} holds no text, so not {wanted.text!r}")


def leaves(condition: Any) -> int:
    """How many comparisons a condition has."""
    if isinstance(condition, ConditionItem):
        return sum(map(leaves, condition.args))
    value = getattr(condition, "value", None)
    return len(value.values) if isinstance(value, SigmaExpansion) else 1
