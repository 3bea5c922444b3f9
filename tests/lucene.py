"""An evaluator of exactly the query strings and search bodies that we emit; it refuses everything else.

Groups follow what real nodes answer: a group is boolean only where its operators are all of one kind and nothing in an
OR is negated without parentheses, and a group of negations alone is filled with all documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.lucene_terms import BARE, QUOTED, REGEX, RefusedError, indexed, pattern, properties

Document = Mapping[str, object]
Found = Callable[[Document], bool]

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
FIELD = re.compile(r"([@\w.]+):")
AGE = re.compile(r"now-(\d+)([smhdw])")


def find(query: str, documents: Mapping[str, Document], now: datetime) -> set[str]:
    """The ids of the documents that the query string finds; raises RefusedError for a form that we do not emit."""
    found = parsed(query, now)
    return {name for name, document in documents.items() if found(document)}


def search(body: Mapping[str, Any], documents: Mapping[str, Document], now: datetime) -> list[tuple[str, list[str]]]:
    """The hits of a search body in its order, each with the names of the queries that match it."""
    _known(body, {"size", "track_total_hits", "query", "sort", "_source", "fields"})
    named: dict[str, Found] = {}
    found = _query(body["query"], now, named)
    hits = [name for name, document in documents.items() if found(document)]
    for order in reversed(body.get("sort", [])):
        ((field, direction),) = order.items()
        _known(direction, {"order"})
        times = {name: _time(documents[name], field) for name in hits}
        hits.sort(key=times.__getitem__, reverse=direction["order"] == "desc")
    return [
        (hit, sorted(name for name, matches in named.items() if matches(documents[hit])))
        for hit in hits[: body["size"]]
    ]


def parsed(query: str, now: datetime) -> Found:
    """What the query string says of a document."""
    reader = _Reader(query, now)
    found = reader.group()
    if reader.position < len(query):
        raise RefusedError(f"unexpected {reader.rest()}")
    return found


class _Reader:
    """Reads one query string from left to right."""

    def __init__(self, text: str, now: datetime) -> None:
        self.text, self.now, self.position = text, now, 0

    def rest(self) -> str:
        """The beginning of what is still to be read."""
        return repr(self.text[self.position : self.position + 40])

    def take(self, form: re.Pattern[str] | str) -> re.Match[str] | None:
        """The form, if it stands next."""
        found = (re.compile(re.escape(form)) if isinstance(form, str) else form).match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def need(self, form: re.Pattern[str] | str) -> re.Match[str]:
        """The form, which must stand next."""
        found = self.take(form)
        if found is None:
            raise RefusedError(f"unexpected {self.rest()}")
        return found

    def group(self) -> Found:
        """Clauses joined by one operator."""
        negated, first = self.clause()
        clauses, operators, negations = [first], set(), {negated}
        while (operator := self.take(re.compile(" (AND|OR) "))) is not None:
            operators.add(operator[1])
            negated, clause = self.clause()
            clauses.append(clause)
            negations.add(negated)
        if len(operators) > 1 or ("OR" in operators and True in negations):
            raise RefusedError(f"a mix of operators is not boolean, before {self.rest()}")
        return _any(clauses) if "OR" in operators else _all(clauses)

    def clause(self) -> tuple[bool, Found]:
        """One clause, and whether it is negated."""
        negated = self.take("NOT ") is not None
        if self.take("("):
            found = self.group()
            self.need(")")
        else:
            found = self.field(self.need(FIELD)[1])
        return negated, (lambda document: not found(document)) if negated else found

    def field(self, name: str) -> Found:
        """What stands after a field's name."""
        if name == "_exists_":
            other = self.need(re.compile(r"[@\w.]+"))[0]
            properties(other)
            return lambda document: bool(indexed(document, other))
        if self.take("{"):
            age = self.need(AGE)
            self.need(" TO *}")
            return _after(name, self.now - _age(age))
        if not self.take("("):
            return _holds(name, self.value())
        values = [self.value()]
        while self.take(" OR "):
            values.append(self.value())
        self.need(")")
        return _any([_holds(name, value) for value in values])

    def value(self) -> str:
        """One value as it is written."""
        found = self.take(QUOTED) or self.take(REGEX) or self.need(BARE)
        return found[0]


def _holds(field: str, value: str) -> Found:
    wanted = pattern(value, field)
    return lambda document: any(wanted.fullmatch(held) for held in indexed(document, field))


def _any(clauses: list[Found]) -> Found:
    return lambda document: any(clause(document) for clause in clauses)


def _all(clauses: list[Found]) -> Found:
    return lambda document: all(clause(document) for clause in clauses)


def _age(text: re.Match[str]) -> timedelta:
    return timedelta(**{UNITS[text[2]]: int(text[1])})


def _time(document: Document, field: str) -> datetime:
    _, held = properties(field)
    if held["type"] != "date":
        raise RefusedError(f"{field} is no date")
    return datetime.fromisoformat(str(document[field]))


def _after(field: str, moment: datetime) -> Found:
    return lambda document: _time(document, field) > moment


def _query(clause: Mapping[str, Any], now: datetime, named: dict[str, Found]) -> Found:
    """One query of a search body; those with a name go into `named`."""
    ((kind, held),) = clause.items()
    if kind == "query_string":
        _known(held, {"query", "analyze_wildcard"})
        return parsed(held["query"], now)
    if kind == "range":
        ((field, limits),) = held.items()
        age = AGE.fullmatch(str(limits.get("gt")))
        if limits.keys() != {"gt"} or age is None:
            raise RefusedError(f"the range {limits} is not one that we emit")
        return _after(field, now - _age(age))
    if kind != "bool":
        raise RefusedError(f"we emit no query {kind}")
    _known(held, {"filter", "should", "must", "must_not", "minimum_should_match", "_name"})
    parts = {
        name: [_query(inner, now, named) for inner in held.get(name, [])]
        for name in ("filter", "must", "should", "must_not")
    }
    needed = _all([*parts["filter"], *parts["must"]])
    # Without a word on it, one alternative must match only where nothing else must.
    least = held.get("minimum_should_match", int(not parts["filter"] and not parts["must"] and bool(parts["should"])))

    def found(document: Document) -> bool:
        alternatives = sum(part(document) for part in parts["should"])
        return needed(document) and alternatives >= least and not _any(parts["must_not"])(document)

    if "_name" in held:
        named[held["_name"]] = found
    return found


def _known(held: Mapping[str, Any], keys: set[str]) -> None:
    if unknown := sorted(held.keys() - keys):
        raise RefusedError(f"we emit no {unknown[0]} here")
