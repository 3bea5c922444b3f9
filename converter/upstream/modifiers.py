"""Modifiers: the type of a value is checked once for all values of that type, and wildcards are put where they go."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sigma.modifiers import (
    SigmaContainsModifier,
    SigmaEndswithModifier,
    SigmaModifier,
    SigmaStartswithModifier,
)
from sigma.types import SigmaNumber, SigmaString, SpecialChars

from converter.upstream.piece import Piece

MANY = SpecialChars.WILDCARD_MULTI
_type_check = SigmaModifier.type_check
_apply = SigmaModifier.apply
_contains = SigmaContainsModifier.modify
_startswith = SigmaStartswithModifier.modify
_endswith = SigmaEndswithModifier.modify
# What a modifier says of every value of one of these types.
PLAIN = {SigmaString, SigmaNumber}
_takes: dict[tuple[type, type], bool] = {}


def type_check(self: Any, val: Any, explicit_type: Any = None) -> bool:
    """Whether the modifier takes the value, which hangs on its type alone."""
    kind = type(val)
    if explicit_type is not None or kind not in PLAIN:
        return bool(_type_check(self, val, explicit_type))
    key = (type(self), kind)
    found = _takes.get(key)
    if found is None:
        found = _takes[key] = bool(_type_check(self, val))
    return found


def apply(self: Any, val: Any) -> Any:
    """The list of what becomes of a value; a string of the common type is none that was expanded before."""
    if type(val) is not SigmaString or not self.type_check(val):
        return _apply(self, val)
    made = self.modify(val)
    return list(made) if isinstance(made, list) else [made]


def contains(self: Any, val: Any) -> Any:
    """The value with a wildcard before and after it."""
    return _between(val, before=True, after=True) if _is_whole(val) else _contains(self, val)


def startswith(self: Any, val: Any) -> Any:
    """The value with a wildcard after it."""
    return _between(val, before=False, after=True) if _is_whole(val) else _startswith(self, val)


def endswith(self: Any, val: Any) -> Any:
    """The value with a wildcard before it."""
    return _between(val, before=True, after=False) if _is_whole(val) else _endswith(self, val)


def _is_whole(value: Any) -> bool:
    """Whether the value is a string that holds something, texts and wildcards in turns: others are joined first."""
    if type(value) is not SigmaString or not value.s:
        return False
    pieces = value.s
    return len(pieces) == 1 or not any(type(one) is type(other) is str for one, other in pairwise(pieces))


def _between(value: SigmaString, *, before: bool, after: bool) -> SigmaString:
    pieces = value.s
    front, back = before and pieces[0] is not MANY, after and pieces[-1] is not MANY
    if not front and not back:
        return value
    made = SigmaString()
    made.s = [*([MANY] if front else ()), *pieces, *([MANY] if back else ())]
    return made


PIECES = (
    Piece(SigmaModifier, "type_check", type_check, "asks abstract base classes about each value"),
    Piece(SigmaModifier, "apply", apply, "asks an abstract base class about each value"),
    Piece(SigmaContainsModifier, "modify", contains, "four steps to put two wildcards around a string"),
    Piece(SigmaStartswithModifier, "modify", startswith, "two steps to put a wildcard at the end of a string"),
    Piece(SigmaEndswithModifier, "modify", endswith, "two steps to put a wildcard before a string"),
)
