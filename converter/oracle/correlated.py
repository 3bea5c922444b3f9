"""Correlation documents: what each asks of the events that its rules find.

Specification, "Sigma Correlation Rules".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from converter.oracle.meaning import Meaning
from converter.oracle.unmeant import Unmeant

COUNTS, SEQUENCES = frozenset({"event_count", "value_count"}), frozenset({"temporal", "temporal_ordered"})
OPERATORS: Mapping[str, Callable[[int, int], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}
UPWARD = frozenset({"gt", "gte"})
SECONDS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400}
TIMESPAN = re.compile(r"([1-9][0-9]{0,8})([smhd])")
KEYS = frozenset({"type", "rules", "aliases", "group-by", "timespan", "condition", "generate"})


@dataclass(frozen=True)
class Correlation:
    """A correlation; `timespan` is in seconds, `sources` are by the names and in the order that its rules have there.

    `generate` is whether the rules that it refers to stand for themselves, too.
    """

    kind: str
    sources: Mapping[str, Meaning | Correlation]
    group_by: Sequence[str]
    timespan: int
    condition: Mapping[str, int]
    counted: Sequence[str] = ()
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    generate: bool = False

    def column(self, name: str, rule: str) -> str:
        """The field that a name in `group-by` stands for in the events of a rule."""
        return self.aliases[name][rule] if name in self.aliases else name

    @property
    def nested(self) -> Sequence[Correlation]:
        """The correlations among its sources."""
        return [source for source in self.sources.values() if isinstance(source, Correlation)]

    @property
    def all(self) -> Iterator[Correlation]:
        """It and all correlations below it."""
        yield self
        for inner in self.nested:
            yield from inner.all

    @property
    def is_upward(self) -> bool:
        """Whether more events never make it find less."""
        return set(self.condition) <= UPWARD

    def holds(self, number: int) -> bool:
        """Whether the number meets the condition."""
        return all(OPERATORS[name](number, limit) for name, limit in self.condition.items())


def read(document: Mapping[str, Any], rules: Mapping[str, Meaning | Correlation]) -> Correlation:
    """The correlation of the document, whose rules are looked up by name or id.

    Raises Unmeant where it is malformed, refers to a rule that is not there, or is of a kind that is left out: sums,
    averages and percentiles.
    """
    held = document.get("correlation")
    if not isinstance(held, Mapping):
        raise Unmeant("has no correlation")
    if unknown := sorted(str(key) for key in set(held) - KEYS):
        raise Unmeant(f"correlation: there is no {unknown[0]}")
    kind = held.get("type")
    if kind not in COUNTS | SEQUENCES:
        raise Unmeant(f"correlation: the type {kind!r} is none that is judged")
    names = _names(held, "rules")
    if not names:
        raise Unmeant("correlation: has no rules")
    if absent := [name for name in names if name not in rules]:
        raise Unmeant(f"correlation: there is no rule {absent[0]!r}")
    generate = held.get("generate", False)
    if not isinstance(generate, bool):
        raise Unmeant("correlation: generate is no truth value")
    condition, counted = _condition(held, kind, len(names))
    sources = {name: rules[name] for name in names}
    made = Correlation(
        kind, sources, _names(held, "group-by"), _timespan(held), condition, counted, _aliases(held, names), generate
    )
    _refuse_unclear(made)
    return made


def _names(held: Mapping[str, Any], key: str) -> Sequence[str]:
    names = held.get(key, [])
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Unmeant(f"correlation: {key} is no list of names")
    if len(set(names)) < len(names):
        raise Unmeant(f"correlation: {key} names one twice")
    return names


def _timespan(held: Mapping[str, Any]) -> int:
    found = TIMESPAN.fullmatch(str(held.get("timespan")))
    if not found:
        raise Unmeant("correlation: timespan is no whole number followed by s, m, h or d")
    return int(found[1]) * SECONDS[found[2]]


def _condition(held: Mapping[str, Any], kind: str, rules: int) -> tuple[Mapping[str, int], Sequence[str]]:
    """The limits of the count, all of which must hold, and the fields whose values are counted."""
    condition = held.get("condition")
    if condition is None and kind in SEQUENCES:
        return {"gte": rules}, ()
    if not isinstance(condition, Mapping):
        raise Unmeant("correlation: has no condition")
    limits = {name: limit for name, limit in condition.items() if name != "field"}
    for name, limit in limits.items():
        if name not in OPERATORS or not isinstance(limit, int) or isinstance(limit, bool):
            raise Unmeant(f"correlation: condition {name}: {limit} compares with no whole number")
    if not limits:
        raise Unmeant("correlation: condition compares with nothing")
    counted = _names(condition, "field")
    if bool(counted) != (kind == "value_count"):
        raise Unmeant("correlation: field is for value_count, which needs it")
    if kind == "temporal_ordered" and limits != {"gte": rules}:
        raise Unmeant("correlation: the order of some of the rules only is not defined")
    return limits, counted


def _aliases(held: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    aliases = held.get("aliases", {})
    if not isinstance(aliases, Mapping):
        raise Unmeant("correlation: aliases is no map")
    for alias, columns in aliases.items():
        if not isinstance(columns, Mapping) or not all(isinstance(column, str) for column in columns.values()):
            raise Unmeant(f"correlation: the alias {alias} is no map of fields")
        if set(columns) != set(names):
            raise Unmeant(f"correlation: the alias {alias} does not name a field of each rule, by the names in rules")
    return aliases


def _refuse_unclear(made: Correlation) -> None:
    """Refuse what a chain leaves open: how many events a correlation is, and the fields that it has none of."""
    for name, source in made.sources.items():
        if not isinstance(source, Correlation):
            continue
        if made.kind in COUNTS:
            raise Unmeant(f"correlation: how many events the correlation {name} makes is not defined")
        for group in made.group_by:
            if made.column(group, name) not in source.group_by:
                raise Unmeant(f"correlation: {name} is not grouped by {made.column(group, name)}, so it has none")
