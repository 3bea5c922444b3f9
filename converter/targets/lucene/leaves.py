"""Conditions on one field, as the rewriting of conditions makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sigma.conditions import ConditionFieldEqualsValueExpression
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sigma.types import SigmaString

    from converter.targets.strings import Part


def is_(field: str, value: Any) -> Any:
    """The condition that the field holds the value."""
    return ConditionFieldEqualsValueExpression(field, value)


def string_like(like: SigmaString, pieces: Sequence[Part]) -> SigmaString:
    """A string of these pieces, which minds letter case if `like` does."""
    made = type(like)()
    made.s = list(pieces)
    return made


def refused(field: str, value: Any, why: str) -> SigmaFeatureNotSupportedByBackendError:
    """Why a condition is refused."""
    return SigmaFeatureNotSupportedByBackendError(f"{field} {str(value)!r} cannot be said: {why}")
