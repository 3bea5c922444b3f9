"""How SPL says a Sigma rule: in `search` where that can say it all, else in one `where`; or in `tstats` over CIM."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from converter.targets import fields
from converter.targets.splunk import correlate, deferred, formats, sources, tstats
from converter.targets.splunk.repairs import REPAIRS
from converter.targets.splunk.search import SearchBackend, Unsayable
from converter.targets.splunk.where import WhereBackend, literal
from converter.targets.target import HuntingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sigma.rule import SigmaRule

    from converter.packs import Hunting
    from converter.targets.repair import Repairs
    from converter.targets.target import Arm, Route

__all__ = ["REPAIRS", "columns", "conditions", "correlation", "formats", "hunting", "located", "query", "shown"]

PLAIN = re.compile(r"[\w.]+")
columns = fields.mapped
correlation = correlate.correlation


def located(route: Route, repairs: Repairs) -> Route:
    """The route with its data source as far as its repairs are on (S16, S17)."""
    return sources.located(route, repairs)


def query(fresh: Callable[[], SigmaRule], route: Route, repairs: Repairs) -> list[str]:
    """One query for each condition of the rule: the data source, and one condition over it."""
    if _of_model(route):
        return [tstats.query(condition, route) for condition in tstats.TstatsBackend(repairs).convert_rule(fresh())]
    try:
        return [sources.searched(condition, route) for condition in SearchBackend(repairs).convert_rule(fresh())]
    except Unsayable:
        later = deferred.query(fresh, route, repairs)
        return later or [f"{route.data}\n| where {condition}" for condition in conditions(fresh, route, repairs)]


def shown(text: str, names: Sequence[str], route: Route, listed: Sequence[str], repairs: Repairs) -> str:
    """The query with the rule's display list as a table (S13); a data model has the fields that it counts by.

    `names` are the target's for the fields that the rule has `listed`, less those that are not mapped.
    """
    if _of_model(route):
        return text
    plain = tuple(names) == tuple(listed) and all(PLAIN.fullmatch(name) for name in names)
    if repairs.is_off("S13", wanted=not plain):
        return f"{text}\n| table {','.join(listed)}"
    columns = (name if PLAIN.fullmatch(name) else literal(name) for name in names)
    return f"{text}\n| table {', '.join(columns)}" if names else text


def conditions(fresh: Callable[[], SigmaRule], route: Route, repairs: Repairs) -> list[str]:
    """Each condition of the rule as an expression of `where` and `eval`; raises HuntingError over a data model."""
    if _of_model(route):
        raise HuntingError("tstats counts the rows of a data model; hunt on splunk, which has the events")
    return [str(condition) for condition in WhereBackend(repairs).convert_rule(fresh())]


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
