"""How KQL says a Sigma rule: the stock backend, with the repairs that its defects need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sigma.backends.kusto.kusto import KustoBackend as StockBackend
from sigma.conditions import ConditionOR
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.pipelines.microsoftxdr.tables import MICROSOFT_XDR_TABLES
from sigma.processing.pipeline import ProcessingPipeline
from sigma.types import SigmaCasedString, SigmaNumber, SigmaString

from converter.targets.lists import FlatLists
from converter.targets.strings import Shape, render, shape
from converter.targets.target import HuntingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sigma.rule import SigmaRule

    from converter.packs import Hunting
    from converter.targets.target import Arm, Route

# https://learn.microsoft.com/kusto/query/scalar-data-types/string: the escapes of a quoted literal.
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
OPERATORS = {"equals": "=~", "startswith": "startswith", "endswith": "endswith", "contains": "contains"}
CASED_OPERATORS = {"equals": "==", "startswith": "startswith_cs", "endswith": "endswith_cs", "contains": "contains_cs"}
TIME = "Timestamp"
# Microsoft's columns, as they ship with the stock backend.
TABLES: Mapping[str, Mapping[str, Mapping[str, str]]] = MICROSOFT_XDR_TABLES
NUMERIC = {"int", "long", "real", "decimal"}


def columns(route: Route, _pipeline: ProcessingPipeline) -> set[str]:
    """Every column of the route's table, and those that the route computes."""
    return set(types(route))


def types(route: Route) -> dict[str, str]:
    """The Kusto type of every column of the route's table; a column that the route computes is a string."""
    table = {name: column["data_type"].lower() for name, column in TABLES[route.data].items()}
    return table | dict.fromkeys(route.options.get("computed", {}), "string")


def query(fresh: Callable[[], SigmaRule], route: Route) -> list[str]:
    """One query for each condition of the rule: the table, what has to be computed, and one filter."""
    return [f"{route.data}\n{_computed(route, condition)}| where {condition}" for condition in conditions(fresh, route)]


def conditions(fresh: Callable[[], SigmaRule], route: Route) -> list[str]:
    """Each condition of the rule, with the one by which its route picks events, as a predicate over the table."""
    found = [str(condition) for condition in Backend(route).convert_rule(fresh())]
    where = route.options.get("where")
    return [f"{where} and ({condition})" for condition in found] if where else found


def _computed(route: Route, *texts: str) -> str:
    """The columns that these texts name and the route computes, each as an `extend`."""
    computed: Mapping[str, str] = route.options.get("computed", {})
    named = (name for name in computed if any(re.search(rf"\b{name}\b", text) for text in texts))
    return "".join(f"| extend {name} = {computed[name]}\n" for name in named)


def literal(text: str) -> str:
    """The text as a quoted KQL string literal; raises for a control character that KQL's escapes do not name."""
    if found := re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        raise SigmaFeatureNotSupportedByBackendError(f"a value holds the control character {found[0]!r}")
    return f'"{text.translate(ESCAPES)}"'


def hunting(settings: Hunting, arms: Sequence[Arm], _known: Mapping[str, str]) -> dict[str, str]:
    """One query over the arms' table; raises HuntingError where they have several, or it lacks a column."""
    tables = sorted({arm.route.data for arm in arms})
    if len(tables) > 1:
        raise HuntingError(f"the rules read several tables: {', '.join(tables)}")
    known = TABLES[tables[0]].keys() | {settings.category_column}
    if unknown := [column for column in settings.columns if column not in known]:
        raise HuntingError(f"{tables[0]} has no column {unknown[0]}")
    cases = "".join(f"    {arm.condition}, {literal(arm.category)},\n" for arm in arms)
    routes = {arm.route.name: arm.route for arm in arms}.values()
    computed = "".join(dict.fromkeys(_computed(route, *(arm.condition for arm in arms)) for route in routes))
    text = f"""\
{tables[0]}
| where {TIME} > ago({settings.window})
{computed}\
| extend {settings.category_column} = case(
{cases}    "")
| where isnotempty({settings.category_column})
| project {", ".join(settings.columns)}
| sort by {TIME} desc"""
    return {"kql": text}


class Backend(FlatLists, StockBackend):
    """pySigma's Kusto backend; each override names the defect it repairs, after the project's list of defects."""

    def __init__(self, route: Route) -> None:
        super().__init__(ProcessingPipeline())
        self.types = types(route)

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        """One value: an operator where one says it, else an anchored pattern that ignores letter case (K4, K8)."""
        return self.comparison(cond.field, cond.value, cased=False)

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: Any) -> Any:
        """One value that minds letter case (K12)."""
        return self.comparison(cond.field, cond.value, cased=True)

    def convert_condition_field_eq_val_num(self, cond: Any, state: Any) -> Any:
        """A number, as text where the column holds text (K6)."""
        if self.types.get(cond.field) == "string":
            return self.comparison(cond.field, SigmaString(str(cond.value)), cased=False)
        return str(super().convert_condition_field_eq_val_num(cond, state))

    def convert_condition_field_eq_val_null(self, cond: Any, state: Any) -> Any:
        """Absent: a string column is never null, but empty (K1)."""
        test = "isempty" if self.types.get(cond.field) == "string" else "isnull"
        return f"{test}({self.escape_and_quote_field(cond.field)})"

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        """A list of values: the plain ones in one `in~`, each other by itself (K3, K12, K13)."""
        plain: list[str] = []
        rest: list[str] = []
        field = cond.args[0].field
        for arg in cond.args:
            value = arg.value
            simple = isinstance(value, SigmaString) and not isinstance(value, SigmaCasedString)
            if simple and isinstance(cond, ConditionOR) and self.types.get(field) == "string" and plain_text(value):
                plain.append(literal(shape(value).text))
            else:
                rest.append(str(self.convert_condition(arg, state)))
        if len(plain) == 1:
            rest.insert(0, f"{self.escape_and_quote_field(field)} =~ {plain[0]}")
        elif plain:
            rest.insert(0, f"{self.escape_and_quote_field(field)} in~ ({', '.join(plain)})")
        return (" or " if isinstance(cond, ConditionOR) else " and ").join(rest)

    def convert_condition_val_str(self, cond: Any, state: Any) -> Any:
        """A value without a field: KQL has no such comparison (K9)."""
        raise SigmaFeatureNotSupportedByBackendError("a keyword without a field cannot be said in KQL; name the field")

    convert_condition_val_num = convert_condition_val_str
    convert_condition_val_re = convert_condition_val_str

    def comparison(self, field: str, value: SigmaString, *, cased: bool) -> str:
        """The field compared with one string value, as its column's type asks (K2, K4, K5)."""
        column = self.escape_and_quote_field(field)
        wanted = shape(value)
        if self.types.get(field) in NUMERIC and wanted.operator == "equals":
            return f"{column} == {number(wanted.text, field)}"
        if self.types.get(field) != "string":
            column = f"tostring({column})"
        return compare(column, value, wanted, cased=cased)


def compare(column: str, value: SigmaString, wanted: Shape, *, cased: bool) -> str:
    """The KQL comparison of a string column with a value of this shape."""
    if wanted.operator == "anything":
        return f"isnotempty({column})"
    if wanted.operator == "wildcards":
        # https://learn.microsoft.com/kusto/query/regex: (?s) lets `.` match a newline, as Sigma's wildcards do.
        pattern = render(value, rust_escape, ".*", ".")
        return f"{column} matches regex {literal(f'(?s)^{pattern}$' if cased else f'(?is)^{pattern}$')}"
    operator = (CASED_OPERATORS if cased else OPERATORS)[wanted.operator]
    return f"{column} {operator} {literal(wanted.text)}"


def plain_text(value: SigmaString) -> bool:
    """Whether the value is one plain text, without a wildcard."""
    return shape(value).operator == "equals"


def number(text: str, field: str) -> SigmaNumber | int:
    """The whole number that a text stands for; raises where the column is numeric and the text is not."""
    try:
        return int(text, 0)
    except ValueError:
        message = f"{field} holds numbers, which {text!r} is not"
        raise SigmaFeatureNotSupportedByBackendError(message) from None


def rust_escape(text: str) -> str:
    """Plain text as a regular expression of Kusto's syntax, which is Rust's."""
    return re.sub(r"([\\.+*?()|\[\]{}^$#&\-~])", r"\\\1", text)
