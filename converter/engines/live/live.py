"""Rows in indices of their own on a running cluster, which are gone when the work is done or broken off."""

from __future__ import annotations

import json
import re
import secrets
import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Self

from converter.engines.engine import OWNER, ROW, Hit, Invalid, Unjudged
from converter.engines.live.address import Address, Unreachable, address
from converter.engines.live.clients import CLIENTS, Ask, Refused
from converter.engines.live.index import INSTEAD, PREFIX, SCRIPTS_LACK, body, lacks, uncut
from converter.engines.store import Stored
from converter.schemas.layout import Row, Source, Table

# Rows in one request, and hits in one answer: the default of `index.max_result_window`.
BULK, PAGE = 500, 10_000
_BAD, _FOUND_NOT = 400, 404
_LACKS = re.compile(r"type \[(\w+)\] (?:declared on field|for \[)")


class Live:
    """The rows of tables on one cluster; touches no index but those that it has made.

    Raises UsageError where the client is not installed, and Unreachable where the cluster does not answer.
    """

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.address = address(url)
        self._ask = CLIENTS[name](self.address)
        self._lacking: set[str] = set()
        self._missing: set[str] = set()
        self._owners = count()
        self._known: dict[int, int] = {}
        # By table, and by name with whether the cluster has said that it is there.
        self._indices: dict[str, str] = {}
        self._made: dict[str, bool] = {}
        # Runs at the exit of Python too, however that comes about.
        self._close = weakref.finalize(self, _remove, self._ask, self.name, self.address, self._made)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove all that was made."""
        self._close()

    @property
    def unmade(self) -> tuple[str, ...]:
        """What this cluster does not show of the layout: the types that it lacks."""
        return tuple(
            f"{self.name} with the type {kind}, which this one lacks, but with {INSTEAD[kind]}"
            for kind in sorted(self._missing)
        )

    def load(self, source: Source, rows: Sequence[Stored]) -> set[int]:
        """Add the rows; gives the numbers of those that the cluster refuses."""
        index = self._index(source.table)
        unheld: set[int] = set()
        for start in range(0, len(rows), BULK):
            part = rows[start : start + BULK]
            lines: list[object] = []
            for row in part:
                lines += [{"index": {}}, self._document(row)]
            answer = self._asked("POST", f"/{index}/_bulk", lines, refresh="true")
            for row, item in zip(part, answer["items"], strict=True):
                if item["index"]["status"] == _BAD:
                    unheld.add(row.number)
                elif "error" in item["index"]:
                    raise self._fault(Refused(item["index"]["status"], item["index"]))
        return unheld

    def find(self, query: str, sources: Sequence[Source], owner: int) -> set[int]:
        """The numbers of the owner's rows that the query string finds; raises Invalid, Unjudged."""
        tables = {source.table.name: source.table for source in sources}.values()
        for table in tables:
            self._index(table)
            if named := uncut(table, self._lacking, query):
                raise Unjudged(f"it lacks the analyser {SCRIPTS_LACK}, which cuts {named} into words")
        asked = {"query_string": {"query": query, "analyze_wildcard": True}}
        if owner not in self._known:
            # Whether it is a query at all is still to be said.
            self._known[owner] = next(self._owners)
        wanted = {"bool": {"must": asked, "filter": {"term": {OWNER: self._known[owner]}}}}
        found: set[int] = set()
        # Sources that share a table share its index. One is asked at a time: what one of two refuses, the other hides.
        for table in tables:
            for hit in self._hits(self._index(table), {"query": wanted, "_source": False, "docvalue_fields": [ROW]}):
                found.update(map(int, hit["fields"][ROW]))
        return found

    def hunt(self, text: str, sources: Sequence[Source]) -> list[Hit]:
        """The hits of a search body, or of a query string the latest first, at the cluster's own now.

        A hit's category is all names of queries that match, joined by commas. Raises Invalid.
        """
        search = _body(text)
        if search is None:
            columns = dict.fromkeys(name for source in sources for name in source.table.columns)
            asked = {"query_string": {"query": text, "analyze_wildcard": True}}
            latest = [{sources[0].time: {"order": "desc"}}]
            search = {"query": asked, "fields": [*columns], "sort": latest, "size": PAGE, "_source": False}
        # The same indices as one, as the pattern of a data view names them.
        indices = ",".join(dict.fromkeys(self._index(source.table) for source in sources))
        names = [name if isinstance(name, str) else name["field"] for name in search.get("fields", ())]
        return [
            Hit(
                {name: hit.get("fields", {}).get(name) for name in names},
                ", ".join(hit.get("matched_queries", ())) or None,
            )
            for hit in self._searched(indices, search)
        ]

    def clear(self, owner: int | None = None) -> None:
        """Let the owner's rows be found no more, or remove all."""
        if owner is not None:
            self._known.pop(owner, None)
            return
        self._known.clear()
        self._indices.clear()
        _remove(self._ask, self.name, self.address, self._made)

    def _document(self, row: Stored) -> dict[str, Any]:
        if row.owner not in self._known:
            self._known[row.owner] = next(self._owners)
        return {**_spelt(row.row), ROW: row.number, OWNER: self._known[row.owner]}

    def _index(self, table: Table) -> str:
        """The name of the table's index, which is made where it is not there."""
        if table.name in self._indices:
            return self._indices[table.name]
        index = f"{PREFIX}{secrets.token_hex(8)}"
        self._made[index] = False
        while True:
            try:
                self._ask("PUT", f"/{index}", {}, body(table, self._lacking))
                break
            except Refused as refused:
                kind = _LACKS.search(refused.reason)
                if kind is None or kind[1] not in INSTEAD or kind[1] in self._lacking:
                    raise self._fault(refused) from None
                self._lacking.add(kind[1])
        self._made[index] = True
        self._indices[table.name] = index
        self._missing |= lacks(table, self._lacking)
        return index

    def _hits(self, index: str, search: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """All hits in the index, page by page."""
        page: dict[str, Any] = {**search, "size": PAGE, "sort": [{ROW: "asc"}]}
        while True:
            hits = self._searched(index, page)
            yield from hits
            if len(hits) < PAGE:
                return
            page["search_after"] = hits[-1]["sort"]

    def _searched(self, indices: str, search: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        try:
            answer = self._ask("POST", f"/{indices}/_search", {"allow_partial_search_results": "false"}, search)
        except Refused as refused:
            # A query that is too costly is an error of the query, though a version may call it one of the node.
            if refused.status == _BAD or "too_complex_to_determinize_exception" in refused.types:
                raise Invalid(refused.reason) from None
            raise self._fault(refused) from None
        hits: Sequence[Mapping[str, Any]] = answer["hits"]["hits"]
        return hits

    def _asked(self, method: str, path: str, content: object, **parameters: str) -> dict[str, Any]:
        try:
            return self._ask(method, path, parameters, content)
        except Refused as refused:
            raise self._fault(refused) from None

    def _fault(self, refused: Refused) -> Unreachable:
        return Unreachable(
            f"{self.name} at {self.address} answers {refused.status}: {refused.reason[:500]}; mend it, or name another"
        )


def _body(text: str) -> dict[str, Any] | None:
    """The search body that the text is, None for a query string."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _spelt(row: Row) -> dict[str, Any]:
    return {name: list(cell) if isinstance(cell, tuple) else cell for name, cell in row.items()}


def _remove(ask: Ask, name: str, place: Address, made: dict[str, bool]) -> None:
    """Remove the indices; says on standard error which of them are left behind."""
    left = []
    for index in list(made):
        there = made.pop(index)
        try:
            ask("DELETE", f"/{index}", {}, None)
        except Refused as refused:
            if refused.status != _FOUND_NOT:
                left.append(index)
        except Unreachable:
            if there:
                left.append(index)
    if left:
        sys.stderr.write(f"sigmapack: {name} at {place} still has {', '.join(left)}; remove what is left of a test\n")
