"""Sigma's older collections: several rules in one file, with parts that they share."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from converter.errors import SigmapackError


def carried_out(documents: Sequence[Mapping[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """The rules of a file's documents, with `action: global`, `reset` and `repeat` carried out as pySigma does.

    Each comes with the index of its document. A global part wins over what a rule says itself, and leaves correlations
    and filters alone. Raises SigmapackError for another action.
    """
    if not any("action" in document for document in documents):
        return [(number, dict(document)) for number, document in enumerate(documents)]
    found: list[tuple[int, dict[str, Any]]] = []
    everywhere: dict[str, Any] = {}
    before: dict[str, Any] = {}
    for number, document in enumerate(copy.deepcopy([dict(one) for one in documents])):
        action = document.get("action")
        if action is None and ("correlation" in document or "filter" in document):
            found.append((number, document))
        elif action is None:
            before = _merged(document, everywhere)
            found.append((number, copy.deepcopy(before)))
        elif action == "global":
            del document["action"]
            everywhere = before = document
        elif action == "reset":
            everywhere = {}
        elif action == "repeat":
            found.append((number, copy.deepcopy(_merged(before, document))))
        else:
            message = f"has the unknown action {action} in document {number + 1}; have: global, reset, repeat"
            raise SigmapackError(message)
    return found


def _merged(into: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """`into` itself, as pySigma has it: a repeated rule changes the one that it repeats, were it the global part."""
    for key, value in other.items():
        into[key] = _merged(into.get(key, {}), value) if isinstance(value, dict) else value
    return into
