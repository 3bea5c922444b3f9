"""Detection items: their values checked without a walk through abstract base classes."""

from __future__ import annotations

from typing import Any

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionOR
from sigma.rule.detection import SigmaDetectionItem
from sigma.types import SigmaNumber, SigmaString

from converter.upstream.piece import Piece

_post_init = SigmaDetectionItem.__post_init__
_postprocess = SigmaDetectionItem.postprocess
LINKS = (ConditionAND, ConditionOR)
PLAIN = (SigmaString, SigmaNumber)


def post_init(self: Any) -> None:
    """Check the values and apply the modifiers; values of the two common types need no look at their bases."""
    held = self.value
    if type(held) is not list or any(type(value) not in PLAIN for value in held):
        _post_init(self)
        return
    self.original_value = held.copy()
    if self.modifiers and self.auto_modifiers:
        self.apply_modifiers()


def postprocess(self: Any, detections: Any, parent: Any = None, source: Any = None) -> Any:
    """The item as a part of a condition; with what stands above and where it was read set as it is made."""
    values, field, linking = self.value, self.field, self.value_linking
    if not values or field is None or self.negated or linking not in LINKS:
        return _postprocess(self, detections, parent, source)
    self.parent = parent
    self.source = where = source or self.source
    if len(values) == 1:
        return _compared(field, values[0], self, where)
    made = linking([])
    made.parent, made.source = parent, where
    made.args = [_compared(field, value, made, where) for value in values]
    return made


def _compared(field: str, value: Any, parent: Any, source: Any) -> ConditionFieldEqualsValueExpression:
    made = ConditionFieldEqualsValueExpression(field, value)
    made.parent, made.source = parent, source
    return made


PIECES = (
    Piece(SigmaDetectionItem, "__post_init__", post_init, "asks an abstract base class about each value"),
    Piece(SigmaDetectionItem, "postprocess", postprocess, "walks the condition of each item a second time"),
)
