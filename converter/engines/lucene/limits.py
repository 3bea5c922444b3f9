"""Limits of products that a query string may be over, where they are certain; no engine refuses a query for them.

OpenSearch has fixed ones: https://docs.opensearch.org/latest/query-dsl/full-text/query-string/ and the settings
`indices.query.bool.max_clause_count` and `search.query.max_query_string_length`. That of Elasticsearch grows with its
heap, from 1,024 clauses on: https://www.elastic.co/docs/reference/elasticsearch/configuration-reference/search-settings.
"""

from __future__ import annotations

from collections.abc import Iterator

from converter.engines.lucene.syntax import Clause, Group, parsed

MOST_CLAUSES, MOST_CHARACTERS = 1_024, 32_000


def over(query: str) -> list[str]:
    """What of the query is over OpenSearch's limits, none where it is within them; raises Invalid as `parsed` does."""
    count = sum(1 for _ in _leaves(parsed(query)))
    found = []
    if count > MOST_CLAUSES:
        found.append(f"{count} clauses: OpenSearch takes {MOST_CLAUSES}")
    if len(query) > MOST_CHARACTERS:
        found.append(f"{len(query)} characters: OpenSearch takes {MOST_CHARACTERS}")
    return found


def _leaves(group: Group) -> Iterator[Clause]:
    """The clauses that are no groups."""
    for item in group.items:
        if isinstance(item.clause.body, Group):
            yield from _leaves(item.clause.body)
        else:
            yield item.clause
