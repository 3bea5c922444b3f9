"""Where the events of a route lie: its data source before the condition of a rule."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from converter.targets.repair import Repairs
    from converter.targets.target import Route

# Both spellings of one log's source, as our routes have them.
EITHER = re.compile(r'source="XmlWinEventLog:([^"]*)" OR source="WinEventLog:\1"')
XML = 'source="XmlWinEventLog:'
ALL = "*"


def located(route: Route, repairs: Repairs) -> Route:
    """The route with its data source, or with what the stock pipelines write in its place (S16, S17)."""
    # They say nothing of the events of a category, and know only the older spelling of a log.
    if "by" in route.options:
        return route
    data = route.data
    if repairs.is_off("S16", wanted=any(source.category for source in route.logsources)):
        data = ALL
    elif repairs.is_off("S17", wanted=XML in data):
        data = EITHER.sub(r'source="WinEventLog:\1"', data).replace(XML, 'source="WinEventLog:')
    return route if data == route.data else replace(route, data=data)


def searched(condition: str, route: Route) -> str:
    """A whole search of a condition."""
    return condition if route.data == ALL else f"{route.data} AND ({condition})"
