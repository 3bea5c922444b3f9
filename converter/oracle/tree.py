"""The condition of a Sigma rule as a tree: what its leaves ask of a field, and how they are joined.

Whoever asks what a rule means, or makes events from it, works on this tree; nothing in it knows of pySigma.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# What a field of an event holds; a sequence is a field of several values, of which any may do.
Scalar = str | int | float | bool
Value = Scalar | None | Sequence[Scalar]


@dataclass(frozen=True)
class Wild:
    """A wildcard of a text: `*` any run of characters, `?` exactly one."""

    sign: Literal["*", "?"]


ANY, ONE = Wild("*"), Wild("?")


@dataclass(frozen=True)
class Text:
    """The whole value is this text, wildcards in place; no two texts stand side by side. Empty `parts`: no text."""

    parts: tuple[str | Wild, ...]
    cased: bool = False


@dataclass(frozen=True)
class Pattern:
    """A regular expression is found somewhere in the value; `flags` are of `i`, `m`, `s`."""

    pattern: str
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Number:
    """The value is this number."""

    number: int | float


@dataclass(frozen=True)
class Boolean:
    """The value is this truth value."""

    truth: bool


@dataclass(frozen=True)
class Null:
    """The field is not there."""


@dataclass(frozen=True)
class Exists:
    """The field is there, or, with `there` false, is not."""

    there: bool


@dataclass(frozen=True)
class Network:
    """The value is an address of this block, as `192.0.2.0/24` or `2001:db8::/32`."""

    block: str


@dataclass(frozen=True)
class Compare:
    """The value is a number of this order to `number`; `!=` is of `neq`."""

    operator: Literal["<", "<=", ">", ">=", "!="]
    number: int | float


@dataclass(frozen=True)
class Reference:
    """The value equals, begins with, ends with or contains that of the field `other` of the same event."""

    other: str
    kind: Literal["equals", "startswith", "endswith", "contains"] = "equals"
    cased: bool = False


Test = Text | Pattern | Number | Boolean | Null | Exists | Network | Compare | Reference


@dataclass(frozen=True)
class Leaf:
    """A test of a field; without a field, of the event's values one by one, of which any may do (a keyword)."""

    field: str | None
    test: Test


@dataclass(frozen=True)
class And:
    """All of them hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """Any of them holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """It does not hold."""

    part: Node


Node = Leaf | And | Or | Not
