"""How SPL says a Sigma rule: in `search` where that can say it all, else in one `where`; or in `tstats` over CIM."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from converter.targets import fields
from converter.targets.splunk import correlate, tstats
from converter.targets.splunk.search import SearchBackend, Unsayable
from converter.targets.splunk.where import WhereBackend, literal
from converter.targets.target import HuntingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sigma.rule import SigmaRule

    from converter.packs import Hunting
    from converter.targets.target import Arm, Route


columns = fields.mapped
correlation = correlate.correlation


def query(fresh: Callable[[], SigmaRule], route: Route) -> list[str]:
    """One query for each condition of the rule: the data source, and one condition over it."""
    if _of_model(route):
        return [tstats.query(condition, route) for condition in tstats.TstatsBackend().convert_rule(fresh())]
    try:
        return [f"{route.data} AND ({condition})" for condition in SearchBackend().convert_rule(fresh())]
    except Unsayable:
        return [f"{route.data}\n| where {condition}" for condition in conditions(fresh, route)]


def shown(text: str, names: Sequence[str], route: Route) -> str:
    """The query with the rule's display list as a table (S13); a data model has the fields that it counts by."""
    if _of_model(route):
        return text
    columns = (name if re.fullmatch(r"[\w.]+", name) else literal(name) for name in names)
    return f"{text}\n| table {', '.join(columns)}"


def conditions(fresh: Callable[[], SigmaRule], route: Route) -> list[str]:
    """Each condition of the rule as an expression of `where` and `eval`; raises HuntingError over a data model."""
    if _of_model(route):
        raise HuntingError("tstats counts the rows of a data model; hunt on splunk, which has the events")
    return [str(condition) for condition in WhereBackend().convert_rule(fresh())]


def hunting(settings: Hunting, arms: Sequence[Arm], known: Mapping[str, str]) -> dict[str, str]:
    """One search over the arms' data sources; raises HuntingError where a column has no expression on this target."""
    sources = list(dict.fromkeys(arm.route.data for arm in arms))
    data = sources[0] if len(sources) == 1 else f"({' OR '.join(f'({source})' for source in sources)})"
    cases = ",\n    ".join(f"{_within(arm, sources)}, {literal(arm.category)}" for arm in arms)
    named = fields.hunting_columns(settings, known)
    evals = ",\n    ".join(f"{column}={expression}" for column, expression in named.items())
    text = f"""\
{data} earliest=-{settings.window} latest=now
| eval {settings.category_column}=case(
    {cases})
| where isnotnull({settings.category_column})
| sort 0 - _time
| eval {evals}
| table {", ".join(settings.columns)}"""
    return {"spl": text}


def _within(arm: Arm, sources: Sequence[str]) -> str:
    """The arm's condition; with its own data source where the search reads others too."""
    if len(sources) == 1:
        return arm.condition
    # `search` ignores letter case, `eval` does not.
    data = re.sub(r'\b(source|sourcetype)="([^"]*)"', lambda at: f'lower({at[1]})="{at[2].lower()}"', arm.route.data)
    return f"({data} AND ({arm.condition}))"


def _of_model(route: Route) -> bool:
    """Whether the route's data is a data model of CIM: `by` names the fields that its hits are counted by."""
    return "by" in route.options
