"""A running Elasticsearch or OpenSearch on this machine, asked over HTTP."""

from __future__ import annotations

import json
import os
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests import elastic_index
from tests.elastic_documents import Document
from tests.elastic_index import Properties

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
TIMEOUT = 60


class NodeError(Exception):
    """The node does not answer, or answers with an error."""


@dataclass(frozen=True)
class Engine:
    """One kind of node: the variable that gives its URL, and the type that it has for Elastic's `wildcard`."""

    name: str
    variable: str
    wildcard: Properties

    @property
    def url(self) -> str | None:
        """Where the node is to be asked, None if nobody said."""
        return os.environ.get(self.variable) or None


ENGINES = {
    engine.name: engine
    for engine in (
        # `wildcard` is in x-pack, which a node made of Maven's jars lacks: a keyword without a limit finds the same.
        Engine("elasticsearch", "SIGMAPACK_ELASTICSEARCH_URL", {"type": "keyword"}),
        Engine("opensearch", "SIGMAPACK_OPENSEARCH_URL", {"type": "wildcard"}),
    )
}


@dataclass(frozen=True)
class Index:
    """An index of the node."""

    url: str
    name: str

    def search(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The hits of a search body, in its order."""
        (hits,) = self.searches([body])
        return hits

    def answers(self, bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What the node says to each search body, which may be an error."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(bodies), 100):
            lines = [line for body in bodies[start : start + 100] for line in ({}, body)]
            found += _ask(self.url, "POST", f"{self.name}/_msearch", lines)["responses"]
        return found

    def searches(self, bodies: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
        """The hits of each search body; raises NodeError with the first one that the node refuses."""
        answers = self.answers(bodies)
        for body, answer in zip(bodies, answers, strict=True):
            if "error" in answer or answer["_shards"]["failed"] or answer["timed_out"]:
                raise NodeError(f"{json.dumps(body)[:400]}: {json.dumps(answer)[:2000]}")
        return [answer["hits"]["hits"] for answer in answers]

    def find(self, query: str) -> set[str]:
        """The ids that a query string finds, asked as Kibana asks."""
        (found,) = self.finds([query])
        return found

    def finds(self, queries: Sequence[str]) -> list[set[str]]:
        """The ids that each query string finds."""
        bodies = [
            {"size": 10_000, "_source": False, "query": {"query_string": {"query": query, "analyze_wildcard": True}}}
            for query in queries
        ]
        found: list[set[str]] = []
        for start in range(0, len(bodies), 100):
            found += ({hit["_id"] for hit in hits} for hits in self.searches(bodies[start : start + 100]))
        return found


@contextmanager
def index(engine: Engine, documents: Mapping[str, Document]) -> Iterator[Index]:
    """An index of a random name with these documents, at least one, which is gone afterwards."""
    with made(engine, elastic_index.body(engine.wildcard), documents) as index:
        yield index


@contextmanager
def made(engine: Engine, body: Mapping[str, Any], documents: Mapping[str, Document]) -> Iterator[Index]:
    """The same with this mapping and these settings."""
    url = engine.url
    if url is None or urllib.parse.urlsplit(url).hostname not in LOOPBACK:
        raise NodeError(f"{engine.variable} is {url}, which is not on this machine")
    index = Index(url.rstrip("/"), f"sigmapack-test-{secrets.token_hex(8)}")
    _ask(index.url, "PUT", index.name, body)
    try:
        lines = [line for name, document in documents.items() for line in ({"index": {"_id": name}}, document)]
        answer = _ask(index.url, "POST", f"{index.name}/_bulk?refresh=true", lines)
        if answer["errors"]:
            raise NodeError(f"{index.name} refuses a document: {json.dumps(answer)[:2000]}")
        yield index
    finally:
        _ask(index.url, "DELETE", index.name)


def _ask(url: str, method: str, path: str, content: Mapping[str, Any] | list[Any] | None = None) -> dict[str, Any]:
    """What the node answers to JSON, or to a list as JSON lines; raises NodeError where it is an error."""
    lines = "".join(f"{json.dumps(line)}\n" for line in content) if isinstance(content, list) else json.dumps(content)
    kind = "application/x-ndjson" if isinstance(content, list) else "application/json"
    request = urllib.request.Request(  # noqa: S310 - the URL is on this machine
        f"{url}/{path}",
        data=None if content is None else lines.encode(),
        method=method,
        headers={"Content-Type": kind},
    )
    # No proxy stands between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            held: dict[str, Any] = json.load(answer)
            return held
    except urllib.error.HTTPError as error:
        with error:
            raise NodeError(f"{method} {path}: {error.read().decode(errors='replace')[:2000]}") from error
    except OSError as error:
        raise NodeError(f"{url} does not answer: {error}") from error
