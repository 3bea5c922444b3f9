"""What one rule needs from the others: the global parts of its file, and the rules that a correlation refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sigma.correlations import SigmaExtendedCorrelationCondition
from sigma.exceptions import SigmaError

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Unit:
    """A rule with the rules that it refers to, directly or through others.

    `written` is whether sigma-cli writes a text for it where it converts all of them: none for a filter, nor for a
    rule that a correlation without `generate` refers to.
    """

    document: Document
    needs: tuple[Document, ...]
    written: bool


def units(documents: Sequence[Document]) -> list[Unit]:
    """Each document with what it needs, in the order given.

    References are found by id, then by name, as pySigma does it: of two rules with one name the last counts. One that
    is not found is left out of `needs`, and the conversion says so.
    """
    known: dict[UUID | str, Document] = {}
    for document in documents:
        if "filter" not in document:
            if isinstance(name := document.get("name"), str):
                known[name] = document
            with suppress(ValueError):
                known[UUID(str(document.get("id")))] = document
    silent = {
        id(found)
        for document in documents
        if not _correlation(document).get("generate")
        for found in _referred(document, known)
        if "correlation" not in found
    }
    return [
        Unit(document, _needs(document, known), id(document) not in silent and "filter" not in document)
        for document in documents
    ]


def _needs(document: Document, known: Mapping[UUID | str, Document]) -> tuple[Document, ...]:
    found: dict[int, Document] = {}
    waiting = [document]
    while waiting:
        for one in _referred(waiting.pop(), known):
            if id(one) not in found and one is not document:
                found[id(one)] = one
                waiting.append(one)
    return tuple(found.values())


def _referred(document: Document, known: Mapping[UUID | str, Document]) -> Iterator[Document]:
    correlation = _correlation(document)
    names, condition = correlation.get("rules"), correlation.get("condition")
    if isinstance(names, str):
        names = [names]
    elif not names and isinstance(condition, str):
        try:
            names = SigmaExtendedCorrelationCondition(condition).get_referenced_rules()
        except SigmaError:
            names = []
    for name in names if isinstance(names, list) else []:
        try:
            key: UUID | str = UUID(str(name))
        except ValueError:
            key = str(name)
        if key in known:
            yield known[key]


def _correlation(document: Document) -> Mapping[str, Any]:
    correlation = document.get("correlation")
    return correlation if isinstance(correlation, dict) else {}
