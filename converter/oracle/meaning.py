"""What a Sigma rule means: its tree, its fields, and whether it is true of an event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from converter.oracle import condition as conditions
from converter.oracle.detection import Placeholders, every, search, some
from converter.oracle.events import Event
from converter.oracle.tree import And, Leaf, Node, Not, Or, Reference
from converter.oracle.truth import Truth, leaf, truth
from converter.oracle.unmeant import Unmeant

NO_PLACEHOLDERS: Placeholders = MappingProxyType({})


@dataclass(frozen=True)
class Meaning:
    """What a rule asks of one event."""

    condition: Node

    def __reduce__(self) -> tuple[type[Meaning], tuple[Node]]:
        # What is made ready for events stays in its process.
        return Meaning, (self.condition,)

    @cached_property
    def _truth(self) -> Truth:
        return truth(self.condition)

    @cached_property
    def fields(self) -> frozenset[str]:
        """Every field that the rule names."""
        return frozenset(name for one in leaves(self.condition) for name in _named(one))

    def truth(self, event: Event) -> bool | None:
        """Whether the rule is true of the event; None where readings of the specification differ on it."""
        return self._truth(event)

    def trace(self, event: Event) -> Sequence[tuple[Leaf, bool | None]]:
        """The leaves that are not false of the event, each once, and whether they are true or undecided."""
        said = ((one, leaf(one)(event)) for one in dict.fromkeys(leaves(self.condition)))
        return [(one, answer) for one, answer in said if answer is not False]


def read(
    document: Mapping[str, Any],
    filters: Sequence[Mapping[str, Any]] = (),
    placeholders: Placeholders = NO_PLACEHOLDERS,
) -> Meaning:
    """What the rule of the document means under the filters, all of which apply to it.

    Raises Unmeant where the document is malformed or the specification does not define what it says.
    """
    parts = [_section(document, "detection", placeholders)]
    parts += [_section(one, "filter", placeholders) for one in filters]
    return Meaning(every(parts))


def _section(document: Mapping[str, Any], name: str, placeholders: Placeholders) -> Node:
    """What the detection of a rule, or the filter of a Sigma filter, asks; several conditions are OR."""
    section = document.get(name)
    if not isinstance(section, Mapping):
        raise Unmeant(f"has no {name}")
    written = section.get("condition")
    lines = written if isinstance(written, list) else [written]
    texts = [line for line in lines if isinstance(line, str)]
    if not texts or len(texts) < len(lines):
        raise Unmeant(f"{name}: condition is no text, nor a list of texts")
    other = {"condition", "rules"} if name == "filter" else {"condition"}
    if "timeframe" in section:
        raise Unmeant("timeframe has been replaced by correlations")
    searches = {str(key): search(str(key), value, placeholders) for key, value in section.items() if key not in other}
    return some([conditions.parse(line, searches) for line in texts])


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf of the tree, from left to right."""
    match node:
        case Leaf():
            yield node
        case Not(part=part):
            yield from leaves(part)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from leaves(part)


def _named(one: Leaf) -> Iterator[str]:
    if one.field is not None:
        yield one.field
    if isinstance(one.test, Reference):
        yield one.test.other
