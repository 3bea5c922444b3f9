"""Detection items: their values checked without a walk through abstract base classes."""

from __future__ import annotations

from typing import Any

from sigma.rule.detection import SigmaDetectionItem
from sigma.types import SigmaNumber, SigmaString

from converter.upstream.piece import Piece

_post_init = SigmaDetectionItem.__post_init__
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


PIECES = (Piece(SigmaDetectionItem, "__post_init__", post_init, "asks an abstract base class about each value"),)
