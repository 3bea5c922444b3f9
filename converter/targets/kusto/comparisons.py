"""One column compared with one value, as the column's type asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sigma.types import SigmaString

from converter.targets.kusto import registry, tables
from converter.targets.kusto.chains import Chains
from converter.targets.kusto.values import compare, is_number, literal, number
from converter.targets.strings import Shape, only_text, render, shape

if TYPE_CHECKING:
    from converter.targets.repair import Repairs
    from converter.targets.target import Route

NUMERIC = {"int", "long", "real", "decimal"}
VALUED = NUMERIC | {"bool"}
# https://learn.microsoft.com/sysinternals/downloads/sysmon: of numbers, sessions of logon alone stand in hexadecimal.
HEXADECIMAL = "LogonId"
TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}

# Of a program without such a text Sysmon writes `-`, and Defender has nothing, as where an event says nothing.
RESOURCES = {
    "ProcessVersionInfoCompanyName",
    "ProcessVersionInfoFileDescription",
    "ProcessVersionInfoOriginalFileName",
    "ProcessVersionInfoProductName",
}


class Comparisons(Chains):
    """The columns of a route's table: what each holds, and how it is asked."""

    def __init__(self, route: Route, repairs: Repairs) -> None:
        super().__init__(repairs)
        self.registry = route.data == registry.TABLE
        self.types = tables.types(route)
        self.computed = tables.computed(route)
        self.negations = 0

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

    def absent(self, field: str) -> str:
        """Whether the column holds nothing."""
        test = "isempty" if self.types.get(field, "string") in ("string", "dynamic") else "isnull"
        return f"{test}({self.escape_and_quote_field(field)})"

    def text(self, field: str) -> str:
        """The column as text."""
        column = self.escape_and_quote_field(field)
        return str(column) if self.types.get(field, "string") == "string" else f"tostring({column})"

    def check(self, field: str, value: SigmaString) -> None:
        """Say that the column can never hold a value: a query that cannot find it would mislead.

        Within `not` such a value takes nothing away, as it should.
        """
        if field in RESOURCES and only_text(value) == "-":
            self.repairs.inexact(f"{field} is empty where Sysmon writes '-', and where an event says nothing")
        column = self.computed.get(field)
        if (
            self.negations % 2 == 0
            and column
            and column.never
            and (found := re.search(column.never, render(value, str, "*", "?")))
        ):
            self.repairs.inexact(f"{field} never holds {found[0]!r}: {column.because}")

    def comparison(self, field: str, value: SigmaString, *, cased: bool) -> str:
        """The field compared with one string value, as its column's type asks (K2, K16)."""
        if (other := self.replaced(field, value)) is not None:
            column, value = other
            return compare(column, value, shape(value), cased=cased)
        self.check(field, value)
        column = self.escape_and_quote_field(field)
        wanted = shape(value)
        kind = self.types.get(field, "string")
        if kind != "string" and wanted.operator in ("equals", "anything"):
            return self.typed(field, wanted)
        if kind == "dynamic" and wanted.operator != "contains":
            self.repairs.inexact(f"{field} holds an object, not a text")
        return compare(column if kind == "string" else f"tostring({column})", value, wanted, cased=cased)

    def replaced(self, field: str, value: SigmaString) -> tuple[str, SigmaString] | None:
        """The stock pipeline's column and value of a registry field, where that repair is off (K2, K16)."""
        if not self.registry:
            return None
        if registry.rereads(field, value) and self.repairs.is_off("K2"):
            return field, registry.reread(value)
        if registry.differs(field, value) and self.repairs.is_off("K16"):
            return registry.stock(field, value)
        return None

    @staticmethod
    def as_number(field: str, text: str) -> bool:
        """Whether a text stands for a number of the column: in hexadecimal where Sysmon writes the field so (K5)."""
        return is_number(text) and (field.endswith(HEXADECIMAL) or "x" not in text.lower())

    def typed(self, field: str, wanted: Shape) -> str:
        """A column that holds no text, compared with one value or asked whether it holds any."""
        column, kind = self.escape_and_quote_field(field), self.types.get(field, "string")
        if wanted.operator == "anything" or wanted.text == "":
            tests = ("isempty", "isnotempty") if kind == "dynamic" else ("isnull", "isnotnull")
            return f"{tests[wanted.operator == 'anything']}({column})"
        if kind in NUMERIC and self.as_number(field, wanted.text):
            return self.sure(f"{column} == {number(wanted.text)}")
        if kind == "bool" and wanted.text.lower() in TRUTH:
            return self.sure(f"{column} == {TRUTH[wanted.text.lower()]}")
        if kind in NUMERIC and is_number(wanted.text):
            # Within `not` a value that is never held takes nothing away, as it should.
            if self.negations % 2 == 0:
                self.repairs.inexact(f"{field} stands in events as a decimal number, never as {wanted.text!r}")
        else:
            held = "numbers, which {!r} is not" if kind in NUMERIC else "no text, so not {!r}"
            self.repairs.inexact(f"{field} holds {held.format(wanted.text)}")
        return f"tostring({column}) =~ {literal(wanted.text)}"
