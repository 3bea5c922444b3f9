"""What Microsoft's services take of a query that runs as it is, but not everywhere.

https://learn.microsoft.com/azure/sentinel/scheduled-rules-overview: a rule's query has 1 to 10,000 characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.targets.kusto import tables

if TYPE_CHECKING:
    from converter.targets.target import Route

LONGEST_RULE = 10_000
OVER_RULE = "over the length of Sentinel's analytics rules"


def marks(text: str, route: Route) -> list[str]:
    """What a reader of the query should know of its size."""
    return [OVER_RULE] if tables.is_sentinel(route) and len(text) > LONGEST_RULE else []
