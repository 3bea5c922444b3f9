"""How a Lucene query string says a Sigma rule, and a search body a hunting query."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from converter.targets import fields
from converter.targets.lucene import formats, limits
from converter.targets.lucene.backend import Backend
from converter.targets.lucene.repairs import NAMES, REPAIRS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sigma.rule import SigmaRule

    from converter.logsource import LogSource
    from converter.packs import Hunting
    from converter.targets.repair import Repairs
    from converter.targets.target import Arm, Route

__all__ = ["REPAIRS", "columns", "conditions", "formats", "hunting", "marks", "naming", "query"]

# https://www.elastic.co/docs/reference/elasticsearch/index-settings/index-modules#index-max-result-window
MAX_RESULT_WINDOW = 10_000
TIME = "@timestamp"


columns = fields.mapped
marks = limits.marks


def naming(source: LogSource) -> str:
    """The repair that names the fields of this log source, if one does: the stock pipeline leaves them as they are."""
    return NAMES if source.category == "process_creation" and source.product != "windows" else ""


def query(fresh: Callable[[], SigmaRule], route: Route, repairs: Repairs) -> list[str]:
    """One query for each condition of the rule: the events of the data stream, and one condition over them."""
    return conditions(fresh, route, repairs)


def conditions(fresh: Callable[[], SigmaRule], route: Route, repairs: Repairs) -> list[str]:
    """Each condition of the rule, with that of its route: the query string is both."""
    return [f"{route.data} AND ({condition})" for condition in Backend(route, repairs).convert_rule(fresh())]


def hunting(settings: Hunting, arms: Sequence[Arm], known: Mapping[str, str]) -> dict[str, str]:
    """A search body in which each hit has the name of one category, and the same as one query string.

    Raises HuntingError where a column has no field on this target.
    """
    named = fields.hunting_columns(settings, known)
    body = {
        "size": MAX_RESULT_WINDOW,
        "track_total_hits": True,
        "query": {
            "bool": {
                "filter": [{"range": {TIME: {"gt": f"now-{settings.window}"}}}],
                "should": [_exclusive(arm, arms[:number]) for number, arm in enumerate(arms)],
                "minimum_should_match": 1,
            }
        },
        "sort": [{TIME: {"order": "desc"}}],
        "_source": False,
        "fields": list(named.values()),
    }
    any_arm = " OR ".join(f"({arm.condition})" for arm in arms)
    return {
        "json": json.dumps(body, ensure_ascii=False, indent=2),
        "lucene": f"{TIME}:{{now-{settings.window} TO *}} AND ({any_arm})",
    }


def _exclusive(arm: Arm, before: Sequence[Arm]) -> dict[str, object]:
    """The arm's events that no arm before it finds, under the name of its category."""
    clause: dict[str, object] = {"_name": arm.category, "must": [_query_string(arm)]}
    if before:
        clause["must_not"] = [_query_string(earlier) for earlier in before]
    return {"bool": clause}


def _query_string(arm: Arm) -> dict[str, object]:
    return {"query_string": {"query": arm.condition, "analyze_wildcard": True}}
