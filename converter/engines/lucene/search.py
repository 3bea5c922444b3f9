"""Search bodies in JSON: the subset that a hunting query is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from converter.engines.engine import Hit, Invalid, Unjudged
from converter.engines.lucene import fields, holding, predicates, typed
from converter.engines.lucene.clauses import Meaning
from converter.engines.lucene.predicates import EVERY, NEVER, Predicate, all_of, either, inverse
from converter.engines.lucene.syntax import Range, parsed
from converter.engines.store import quoted
from converter.schemas.layout import Source, Table

_BODY = frozenset({"size", "track_total_hits", "query", "sort", "_source", "fields"})
_BOOL = frozenset({"filter", "should", "must", "must_not", "minimum_should_match", "_name"})
_LIMITS = frozenset({"gt", "gte", "lt", "lte"})
# https://www.elastic.co/docs/reference/elasticsearch/index-settings/index-modules#index-max-result-window
_MOST_HITS, _DEFAULT_HITS = 10_000, 10


def body(query: str) -> Mapping[str, Any] | None:
    """The search body that the text is, None where it is no JSON but a query string that begins with a range."""
    try:
        found = json.loads(query)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def documents(query: str, connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], now: datetime) -> list[Hit]:
    """The documents that a query string finds, the latest first, with all of their fields."""
    columns = [name for source in sources for name in source.table.columns]
    asked = {"query_string": {"query": query, "analyze_wildcard": True}}
    latest = [{source.time: {"order": "desc"}} for source in sources[:1]]
    return hits(
        {"query": asked, "fields": [*dict.fromkeys(columns)], "sort": latest, "size": _MOST_HITS},
        connection,
        sources,
        now,
    )


def hits(
    asked: Mapping[str, Any], connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], now: datetime
) -> list[Hit]:
    """The hits of a search body over the sources' tables; a hit's category is all names that match, joined by commas.

    Raises Unjudged for what this does not know of a search body, and Invalid for what a node refuses.
    """
    _known(asked, _BODY, "a search body")
    size = asked.get("size", _DEFAULT_HITS)
    if not isinstance(size, int) or not 0 <= size <= _MOST_HITS:
        raise Invalid(f"size {size}: a node gives up to {_MOST_HITS} hits")
    orders = [_order(order) for order in asked.get("sort", [])]
    found: list[tuple[list[Any], Hit]] = []
    for table in {source.table.name: source.table for source in sources}.values():
        found += _of_table(asked, connection, table, [name for name, _ in orders], now)
    for number, (_, descending) in reversed([*enumerate(orders)]):
        # A hit without a value comes last in either order.
        found.sort(key=lambda pair: _key(pair[0][number], descending=descending))
    return [hit for _, hit in found[:size]]


def _of_table(
    asked: Mapping[str, Any], connection: duckdb.DuckDBPyConnection, table: Table, orders: Sequence[str], now: datetime
) -> list[tuple[list[Any], Hit]]:
    """Each hit of one table, with the values that it is sorted by."""
    asking = _Asking(Meaning(table, now))
    wanted = asking.query(asked["query"]) if "query" in asked else EVERY
    names = [*asking.named]
    listed = [_listed(name) for name in asked.get("fields", [])]
    shown = [table.columns.get(name) for name in listed]
    parts = [
        *(quoted(column.name) if column else "NULL" for column in shown),
        *(predicates.sql(asking.named[name]) for name in names),
        *(_sorted(table, name) for name in orders),
    ]
    rows = connection.execute(
        f"SELECT [] AS _none, {', '.join(parts)} FROM {quoted(table.name)} WHERE {predicates.sql(wanted)} ORDER BY _row"
    ).fetchall()
    result = []
    for _, *row in rows:
        cells = [holding.shown(column, value) if column else None for column, value in zip(shown, row, strict=False)]
        truths, keys = row[len(listed) : len(listed) + len(names)], row[len(listed) + len(names) :]
        own = ", ".join(sorted(name for name, true in zip(names, truths, strict=True) if true))
        result.append((keys, Hit(dict(zip(listed, cells, strict=True)), own or None)))
    return result


@dataclass
class _Asking:
    """Compiles the queries of a body over one table; those that have a name go into `named`."""

    meaning: Meaning
    named: dict[str, Predicate] = field(default_factory=dict)

    def query(self, clause: Mapping[str, Any]) -> Predicate:
        if len(clause) != 1:
            raise Invalid("a query has one kind")
        ((kind, held),) = clause.items()
        kinds: Mapping[str, Callable[[Any], Predicate]] = {
            "bool": self.boolean,
            "query_string": self.string,
            "range": self.range,
        }
        if kind not in kinds:
            raise Unjudged(f"a query {kind}")
        return kinds[kind](held)

    def string(self, held: Mapping[str, Any]) -> Predicate:
        _known(held, frozenset({"query", "analyze_wildcard"}), "a query_string")
        if held.get("analyze_wildcard") is not True:
            raise Unjudged("a query_string without analyze_wildcard")
        return self.meaning.query(parsed(held["query"])) if held["query"].strip() else NEVER

    def range(self, held: Mapping[str, Any]) -> Predicate:
        ((name, limits),) = held.items()
        _known(limits, _LIMITS, "a range")
        own = fields.named(self.meaning.table, name)
        if own is None:
            return NEVER
        if own.type not in {"date", "long", "ip"}:
            raise Unjudged(f"a range on {name}, which is of type {own.type}")
        low, high = limits.get("gte", limits.get("gt")), limits.get("lte", limits.get("lt"))
        wanted = Range(_bound(low), _bound(high), with_low="gte" in limits, with_high="lte" in limits)
        return typed.between(own, wanted, self.meaning.now)

    def boolean(self, held: Mapping[str, Any]) -> Predicate:
        _known(held, _BOOL, "a bool query")
        parts = {
            name: [self.query(inner) for inner in _listing(held.get(name, []))]
            for name in ("filter", "must", "should", "must_not")
        }
        needed = [*parts["filter"], *parts["must"]]
        least = held.get("minimum_should_match", int(bool(parts["should"]) and not needed))
        if least not in {0, 1}:
            raise Unjudged(f"minimum_should_match {least}")
        if least:
            needed.append(either(parts["should"]))
        found = all_of([*needed, *map(inverse, parts["must_not"])])
        if "_name" in held:
            if held["_name"] in self.named:
                raise Unjudged(f"two queries have the name {held['_name']}")
            self.named[held["_name"]] = found
        return found


def _bound(held: Any) -> str | None:  # noqa: ANN401 - whatever the JSON holds
    return None if held is None else str(held)


def _listing(held: Any) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401 - as above
    return [held] if isinstance(held, dict) else held


def _order(order: Any) -> tuple[str, bool]:  # noqa: ANN401 - as above
    if not isinstance(order, dict) or len(order) != 1:
        raise Unjudged(f"the order {order}")
    ((name, told),) = order.items()
    _known(told, frozenset({"order"}), "an order")
    return name, told["order"] == "desc"


def _sorted(table: Table, name: str) -> str:
    """The value that a document is sorted by: of several the last, or the first where the order rises."""
    column = table.columns.get(name)
    if column is None or column.type not in {"date", "long"}:
        raise Unjudged(f"an order by {name}")
    return f"{quoted(name)}[1]"


def _key(value: Any, *, descending: bool) -> tuple[bool, Any]:  # noqa: ANN401 - as above
    return (True, 0) if value is None else (False, -value if descending else value)


def _listed(name: Any) -> str:  # noqa: ANN401 - as above
    if not isinstance(name, str) or "*" in name:
        raise Unjudged(f"the listed field {name}")
    return name


def _known(held: Mapping[str, Any], keys: frozenset[str], where: str) -> None:
    """Raise Unjudged for a key that is none of these."""
    if unknown := sorted(held.keys() - keys):
        raise Unjudged(f"{unknown[0]} in {where}")
