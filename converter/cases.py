"""The events that a rule must and must not match, and the gaps that are known, from the file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from converter import documents
from converter.errors import SigmapackError
from converter.rule import Rule

# The key of the file that names known gaps: target and reason.
TODO = "todo"
Verb = Literal["must_match", "must_not_match"]
VERBS: tuple[Verb, ...] = get_args(Verb)


@dataclass(frozen=True)
class Case:
    """One event, in the field names of the rule's log source, and what the rule must do with it."""

    name: str
    verb: Verb
    event: Mapping[str, str | int | bool | None]


def read(rule: Rule) -> list[Case]:
    """The rule's cases in the order of the file; raises SigmapackError where it is missing or not well formed."""
    return _read(rule)[0]


def todo(rule: Rule) -> Mapping[str, str]:
    """Why the rule's query on a target is known not to be exact, by target; raises SigmapackError like `read`."""
    return _read(rule)[1]


def _read(rule: Rule) -> tuple[list[Case], Mapping[str, str]]:
    path = rule.cases_path
    if not path.is_file():
        raise SigmapackError(f"has no cases; write some into {path.name}", rule.path)
    text = documents.read_text(path)
    document = documents.parse_yaml(text, path)

    def refuse(message: str, key: str) -> SigmapackError:
        return SigmapackError(message, path, documents.line_of(text, key))

    known = (*VERBS, TODO)
    if unknown := sorted(map(str, document.keys() - set(known))):
        raise refuse(f"unknown key {unknown[0]}; have: {', '.join(known)}", unknown[0])
    gaps = document.get(TODO, {})
    if not isinstance(gaps, dict) or not all(isinstance(part, str) and part for pair in gaps.items() for part in pair):
        raise refuse(f"{TODO} must map each target with a known gap to the reason", TODO)
    cases: list[Case] = []
    for verb in VERBS:
        entries = document.get(verb)
        if not isinstance(entries, list) or not entries:
            raise refuse(f"{verb} must be a non-empty list of cases", verb)
        for number, entry in enumerate(entries, 1):
            if (fault := _fault(entry)) is not None:
                raise refuse(f"case {number} of {verb} {fault}", verb)
            if any(case.name == entry["name"] for case in cases):
                raise refuse(f"two cases are named {entry['name']!r}; name them apart", verb)
            cases.append(Case(entry["name"], verb, entry["event"]))
    return cases, gaps


def _fault(entry: Any) -> str | None:  # noqa: ANN401 - whatever stands in the file
    if not isinstance(entry, dict) or entry.keys() != {"name", "event"}:
        return "must have exactly a name and an event"
    if not isinstance(entry["name"], str) or not entry["name"].strip():
        return "needs a name"
    event = entry["event"]
    if not isinstance(event, dict) or not event or not all(isinstance(key, str) for key in event):
        return f"({entry['name']}) needs an event: a mapping of field names to values"
    if not all(value is None or isinstance(value, str | int | bool) for value in event.values()):
        return f"({entry['name']}) has a value that is neither text, number, true, false nor null"
    return None
