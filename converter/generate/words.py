"""How a generated event's name speaks of a leaf of the rule."""

from __future__ import annotations

from converter.generate.goals import Goal, Want
from converter.oracle.tree import (
    Boolean,
    Compare,
    Exists,
    Leaf,
    Network,
    Null,
    Number,
    Pattern,
    Reference,
    Test,
    Text,
    Wild,
)

LONGEST = 40


def label(goal: Goal) -> str:
    """The goal in a few words: its first leaf stands for several."""
    if isinstance(goal, Want):
        return leaf_label(goal.leaf) if goal.holds else f"not {leaf_label(goal.leaf)}"
    return label(goal.parts[0]) + (f" and {len(goal.parts) - 1} more" if len(goal.parts) > 1 else "")


def leaf_label(leaf: Leaf) -> str:
    """`Field 'value'`, the value with its wildcards and cut where it is long."""
    shown = test_label(leaf.test)
    return f"{leaf.field} {shown}" if leaf.field is not None else shown


def test_label(test: Test) -> str:
    """What the test asks, in a few words."""
    match test:
        case Text():
            return f"'{_short(''.join(part.sign if isinstance(part, Wild) else part for part in test.parts))}'"
        case Pattern():
            return f"/{_short(test.pattern)}/"
        case Number():
            return str(test.number)
        case Boolean():
            return str(test.truth).lower()
        case Null():
            return "null"
        case Exists():
            return "there" if test.there else "not there"
        case Network():
            return f"in {test.block}"
        case Compare():
            return f"{test.operator} {test.number}"
        case Reference():
            return f"{test.kind} {test.other}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
