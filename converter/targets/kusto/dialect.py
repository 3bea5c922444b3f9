"""How KQL says a Sigma rule, and a hunting query over several."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from converter.targets.kusto import limits, tables
from converter.targets.kusto.backend import Backend
from converter.targets.kusto.repairs import REPAIRS
from converter.targets.kusto.values import literal
from converter.targets.repair import Repairs
from converter.targets.target import HuntingError

__all__ = ["REPAIRS", "columns", "conditions", "hunting", "marks", "query"]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sigma.processing.pipeline import ProcessingPipeline
    from sigma.rule import SigmaRule

    from converter.packs import Hunting
    from converter.targets.target import Arm, Route

marks = limits.marks
WORD = re.compile(r"(?<![.\w])\w+")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def columns(route: Route, _pipeline: ProcessingPipeline) -> set[str]:
    """Every column of the route's table, and those that the route computes."""
    return set(tables.types(route))


def query(fresh: Callable[[], SigmaRule], route: Route, repairs: Repairs) -> list[str]:
    """One query for each condition of the rule: the table, what has to be computed, and one filter."""
    found = conditions(fresh, route, repairs)
    return [f"{route.data}\n{_computed(route, condition)}| where {condition}" for condition in found]


def conditions(fresh: Callable[[], SigmaRule], route: Route, repairs: Repairs) -> list[str]:
    """Each condition of the rule, with the one by which its route picks events, as a predicate over the table."""
    found = [str(condition) for condition in Backend(route, repairs).convert_rule(fresh())]
    where = route.options.get("where")
    return [f"{where} and ({condition})" for condition in found] if where else found


def _computed(route: Route, *texts: str) -> str:
    """The columns that these texts name outside their strings and the route computes, each as an `extend`.

    Those that another one names stand before it.
    """
    columns = tables.computed(route)
    ordered: dict[str, None] = {}

    def add(text: str) -> None:
        # Most texts name none, which is seen without taking them apart.
        possible = [name for name in columns if name in text]
        named = _words(text) if possible else ()
        for name in (name for name in possible if name in named and name not in ordered):
            add(columns[name].expression)
            ordered[name] = None

    for text in texts:
        add(text)
    return "".join(f"| extend {name} = {columns[name].expression}\n" for name in ordered)


def _words(text: str) -> set[str]:
    """The names in an expression, but for those of an object's values."""
    return set(WORD.findall(QUOTED.sub("", text)))


def hunting(settings: Hunting, arms: Sequence[Arm], known: Mapping[str, str]) -> dict[str, str]:
    """One query over the arms' table; raises HuntingError where they have several, or it lacks a column.

    `known` names the columns that are called otherwise in the table.
    """
    names = sorted({arm.route.data for arm in arms})
    if len(names) > 1:
        raise HuntingError(f"the rules read several tables: {', '.join(names)}")
    route = arms[0].route
    held = tables.stored(route).keys() | {settings.category_column}
    if unknown := [column for column in settings.columns if known.get(column, column) not in held]:
        raise HuntingError(f"{names[0]} has no column {unknown[0]}")
    shown = (f"{column} = {known[column]}" if column in known else column for column in settings.columns)
    # Once the time has another name, only that name is left to sort by.
    order = next((column for column, held in known.items() if held == tables.time(route)), tables.time(route))
    cases = "".join(f"    {arm.condition}, {literal(arm.category)},\n" for arm in arms)
    routes = {arm.route.name: arm.route for arm in arms}.values()
    computed = "".join(dict.fromkeys(_computed(route, *(arm.condition for arm in arms)) for route in routes))
    text = f"""\
{names[0]}
| where {tables.time(route)} > ago({settings.window})
{computed}\
| extend {settings.category_column} = case(
{cases}    "")
| where isnotempty({settings.category_column})
| project {", ".join(shown)}
| sort by {order} desc"""
    return {"kql": text}
