"""What is asked of a document: conditions on lists of values, joined, as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

# One regular expression for many patterns is much faster planned than many; RE2 refuses programs beyond its memory.
_MAX_PATTERN = 20_000
VALUE = "x"


@dataclass(frozen=True)
class Some:
    """A value of a list passes one of the tests: SQL on `x`, or patterns of RE2 that the whole value is to match."""

    values: str
    tests: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Always:
    """True or false of every document."""

    truth: bool


@dataclass(frozen=True)
class Not:
    """The other documents."""

    inner: Predicate


@dataclass(frozen=True)
class All:
    """What all of these say."""

    parts: Sequence[Predicate]


@dataclass(frozen=True)
class Either:
    """What one of these says."""

    parts: Sequence[Predicate]


Predicate = Some | Always | Not | All | Either
NEVER, EVERY = Always(truth=False), Always(truth=True)


def either(parts: Iterable[Predicate]) -> Predicate:
    """One of the parts; tests of the same values become one test."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Either) else [part])]
    if EVERY in flat:
        return EVERY
    merged: dict[str, Some] = {}
    rest: list[Predicate] = []
    for part in flat:
        if isinstance(part, Some):
            before = merged.get(part.values, Some(part.values))
            merged[part.values] = Some(part.values, before.tests + part.tests, before.patterns + part.patterns)
        elif part != NEVER:
            rest.append(part)
    found = [*merged.values(), *rest]
    return NEVER if not found else found[0] if len(found) == 1 else Either(found)


def all_of(parts: Iterable[Predicate]) -> Predicate:
    """All of the parts."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, All) else [part])]
    if NEVER in flat:
        return NEVER
    found = [part for part in flat if part != EVERY]
    return EVERY if not found else found[0] if len(found) == 1 else All(found)


def inverse(part: Predicate) -> Predicate:
    """What the part does not say: no condition here is ever unknown."""
    if isinstance(part, Always):
        return Always(not part.truth)
    return part.inner if isinstance(part, Not) else Not(part)


def sql(part: Predicate) -> str:
    """The predicate as SQL that is true or false of every row."""
    match part:
        case Always(truth):
            return "true" if truth else "false"
        case Not(inner):
            return f"(NOT {sql(inner)})"
        case All(parts):
            return _joined([sql(inner) for inner in parts], "AND")
        case Either(parts):
            return _joined([sql(inner) for inner in parts], "OR")
        case Some():
            return _some(part)


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _some(part: Some) -> str:
    patterns = [f"regexp_full_match({VALUE}, {literal('(?s)' + whole)})" for whole in _chunks(part.patterns)]
    tests = _joined([*dict.fromkeys(part.tests), *patterns], "OR")
    return f"coalesce(len(list_filter({part.values}, lambda {VALUE}: {tests})) > 0, false)"


def _chunks(patterns: Sequence[str]) -> Iterable[str]:
    sizes, total = [], 0
    for pattern in patterns:
        total += len(pattern)
        sizes.append((total // _MAX_PATTERN, pattern))
    for _, group in groupby(sizes, key=lambda pair: pair[0]):
        yield "|".join(dict.fromkeys(f"(?:{pattern})" for _, pattern in group))


def _joined(parts: Sequence[str], operator: str) -> str:
    """The parts joined as a tree of little depth: DuckDB's expressions may not be deep."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_joined(parts[:half], operator)} {operator} {_joined(parts[half:], operator)})"
