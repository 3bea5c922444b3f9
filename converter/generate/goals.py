"""A condition in the form that events are made from: negations stand at the leaves, and each node has an opposite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from converter.oracle.tree import And, Leaf, Node, Not

# So many leaves of one field say enough of a list that an event has to keep clear of.
ENOUGH = 4

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Want:
    """A leaf that is to hold, or, with `holds` false, not to."""

    leaf: Leaf
    holds: bool

    @cached_property
    def opposite(self) -> Goal:
        """The same leaf, the other way."""
        return Want(self.leaf, not self.holds)


@dataclass(frozen=True, eq=False)
class Every:
    """All of the parts are wanted."""

    parts: tuple[Goal, ...]

    @cached_property
    def opposite(self) -> Goal:
        """One of the parts not wanted."""
        return Some(tuple(part.opposite for part in self.parts), broken=True)

    @cached_property
    def avoids(self) -> bool:
        """Whether it is a list of values, none of which is to be there."""
        return all(isinstance(part, Want) and not part.holds for part in self.parts)

    @cached_property
    def needed(self) -> tuple[int, ...]:
        """The numbers of the parts that an event is made by: all, but of long lists to keep clear of only a few."""
        seen: dict[str | None, int] = {}
        numbers = []
        for number, part in enumerate(self.parts):
            if isinstance(part, Want) and not part.holds:
                seen[part.leaf.field] = count = seen.get(part.leaf.field, 0) + 1
                if count > ENOUGH:
                    continue
            numbers.append(number)
        return tuple(numbers)


@dataclass(frozen=True, eq=False)
class Some:
    """Any of the parts is wanted; `broken`: it stands for parts that belong together and must not all hold."""

    parts: tuple[Goal, ...]
    broken: bool = False

    @cached_property
    def opposite(self) -> Goal:
        """None of the parts wanted."""
        return Every(tuple(part.opposite for part in self.parts))


Goal = Want | Every | Some


def goal(node: Node, *, holds: bool = True) -> Goal:
    """What has to be the case for the node to hold, or not to."""
    if isinstance(node, Leaf):
        return Want(node, holds)
    if isinstance(node, Not):
        return goal(node.part, holds=not holds)
    parts = tuple(goal(part, holds=holds) for part in node.parts)
    if len(parts) == 1:
        return parts[0]
    if isinstance(node, And):
        return Every(parts) if holds else Some(parts, broken=True)
    return Some(parts) if holds else Every(parts)


def wants(of: Goal) -> list[Want]:
    """The leaves in order."""
    return [of] if isinstance(of, Want) else [leaf for part in of.parts for leaf in wants(part)]


def spread(items: Sequence[T], limit: int) -> list[T]:
    """At most so many of the items, first and last among them, at even distances."""
    if len(items) <= limit:
        return list(items)
    return [items[round(number * (len(items) - 1) / (limit - 1))] for number in range(limit)]
