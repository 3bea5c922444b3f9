"""The embedded Lucene engine beside real nodes: the same hits, and an error where they have one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from random import Random
from typing import Any

import pytest

from converter.engines.engine import Invalid, Unjudged
from tests import elastic_node, lucene_random
from tests.elastic_node import Engine
from tests.lucene_index import Embedded
from tests.test_engine_lucene import DOCUMENTS, FORMS, PROPERTIES, REFUSED, long, many

pytestmark = pytest.mark.live

Found = set[str] | str
DEFAULTS = ("keyword", "wildcard", "text", "match_only_text")


@pytest.fixture(params=elastic_node.ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen = elastic_node.ENGINES[request.param]
    if chosen.url is None:
        pytest.skip(f"{chosen.variable} is not set: it names the {chosen.name} to ask")
    return chosen


@contextmanager
def asking(
    engine: Engine, properties: Mapping[str, Any], documents: Mapping[str, Mapping[str, object]]
) -> Iterator[Any]:
    """An index of the documents; gives what finds a list of queries: ids, or the node's error for each."""
    # OpenSearch's own type `wildcard` misses values; a keyword without a limit finds what Elastic's finds.
    instead = {"wildcard": "keyword", "constant_keyword": "keyword", "match_only_text": "text"}
    held = {name: {**told, "type": instead.get(told["type"], told["type"])} for name, told in properties.items()}
    words = [name for name, told in properties.items() if told["type"] in DEFAULTS]
    body = {"settings": {"index.query.default_field": words}, "mappings": {"dynamic": "strict", "properties": held}}
    with elastic_node.made(engine, body, documents) as index:
        yield lambda queries: [answer(response) for response in index.answers(list(map(asked, queries)))]


def asked(query: str) -> dict[str, object]:
    held = {"query": query, "analyze_wildcard": True}
    return {"size": 10_000, "_source": False, "query": {"query_string": held}}


def answer(response: Mapping[str, Any]) -> Found:
    return json.dumps(response["error"]) if "error" in response else {hit["_id"] for hit in response["hits"]["hits"]}


def embedded(held: Embedded, query: str) -> Found | None:
    """What the embedded engine says: ids, an error, or None where it does not judge."""
    try:
        return held.find(query)
    except Invalid as error:
        return str(error)
    except Unjudged:
        return None


def differing(own: Sequence[tuple[str, Found | None]], found: Sequence[Found]) -> list[tuple[str, object, object]]:
    """The queries on which the engine and the node disagree; what is not judged does not."""
    return [
        (query, mine, theirs)
        for (query, mine), theirs in zip(own, found, strict=True)
        if mine is not None and mine != theirs and not (isinstance(mine, str) and isinstance(theirs, str))
    ]


def test_each_form_finds_on_a_node_what_it_finds_here(engine: Engine) -> None:
    # A node has its own time of now, and takes an empty query string for a mistake of who sent it.
    queries = [query for query, _ in FORMS if "now" not in query and query.strip()]
    held = Embedded(PROPERTIES, DOCUMENTS)
    with asking(engine, PROPERTIES, DOCUMENTS) as finds:
        found = finds(queries)
    assert differing([(query, embedded(held, query)) for query in queries], found) == []


def test_a_node_refuses_what_is_invalid_here(engine: Engine) -> None:
    with asking(engine, PROPERTIES, DOCUMENTS) as finds:
        found = finds(REFUSED)
    assert [query for query, given in zip(REFUSED, found, strict=True) if not isinstance(given, str)] == []


@cache
def random_queries() -> Sequence[tuple[str, Found | None]]:
    """Random queries, with what the embedded engine says of each."""
    random = Random(2026)  # noqa: S311 - no secret
    held = Embedded(lucene_random.PROPERTIES, random_documents())
    queries = [lucene_random.query(random) for _ in range(2_000)]
    return [(query, embedded(held, query)) for query in queries]


@cache
def random_documents() -> Mapping[str, Mapping[str, object]]:
    random = Random(610)  # noqa: S311 - no secret
    return {str(number): lucene_random.document(random) for number in range(300)}


def test_random_queries_find_on_a_node_what_they_find_here(engine: Engine) -> None:
    with asking(engine, lucene_random.PROPERTIES, random_documents()) as finds:
        found = finds([query for query, _ in random_queries()])
    assert differing(random_queries(), found) == []
    assert sum(isinstance(given, set) and 0 < len(given) < len(random_documents()) for given in found) > 1_300


def test_opensearch_refuses_what_is_over_its_limits(engine: Engine) -> None:
    if engine.name != "opensearch":
        pytest.skip("the limits of Elasticsearch are not fixed")
    within, beyond = [many(1024), long(32_000)], [many(1025), long(32_001)]
    with asking(engine, PROPERTIES, DOCUMENTS) as finds:
        found = finds([*within, *beyond])
    assert [isinstance(given, str) for given in found] == [False, False, True, True]
