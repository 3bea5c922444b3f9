"""What Elasticsearch and OpenSearch take of a query string that is sound, but larger than they like.

https://docs.opensearch.org/latest/install-and-configure/configuring-opensearch/search-settings/:
indices.query.bool.max_clause_count is 1,024, and a query string has at most 32,000 characters;
https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/search-settings: max_nested_depth is 30, and
the number of clauses grows with the node.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from converter.targets.target import Route

CLAUSES, LENGTH, DEPTH = 1024, 32_000, 30
OVER_CLAUSES = "over OpenSearch's clause limit"
OVER_LENGTH = "over the length of OpenSearch's query strings"
OVER_DEPTH = "over Elasticsearch's nesting limit"
# One value: quoted, a regular expression, or a word with escapes.
VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|/(?:\\/|[^/])*/|(?:\\.|[^\s()"/\\:])+(?P<field>:)?', re.DOTALL)
WORDS = {"AND", "OR", "NOT"}


def marks(text: str, _route: Route) -> list[str]:
    """What a reader of the query should know of its size."""
    # Most queries are far from any limit, which is seen without taking them apart: no group without a bracket.
    found = [OVER_CLAUSES] if _most_clauses(text) > CLAUSES and clauses(text) > CLAUSES else []
    found += [OVER_LENGTH] if len(text) > LENGTH else []
    return found + ([OVER_DEPTH] if text.count("(") > DEPTH and depth(text) > DEPTH else [])


def _most_clauses(text: str) -> int:
    """A number that `clauses` is never above: each value stands first, behind white space, or at one of these signs."""
    return len(text.split()) + sum(map(text.count, '()":/')) + 1


def clauses(text: str) -> int:
    """How many values the query asks for."""
    return sum(found["field"] is None and found[0] not in WORDS for found in VALUE.finditer(text))


def depth(text: str) -> int:
    """How deep its groups are nested."""
    deepest = now = 0
    for sign in VALUE.sub("", text):
        now += (sign == "(") - (sign == ")")
        deepest = max(deepest, now)
    return deepest
