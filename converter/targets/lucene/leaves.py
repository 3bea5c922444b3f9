"""Conditions on one field, as the rewriting of conditions makes them."""

from __future__ import annotations

from typing import Any

from sigma.conditions import ConditionFieldEqualsValueExpression
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaCasedString


class Word(SigmaCasedString):
    """A word of the data stream's own, in the only letter case that it has there."""


def is_(field: str, value: Any) -> Any:
    """The condition that the field holds the value."""
    return ConditionFieldEqualsValueExpression(field, value)


def refused(field: str, value: Any, why: str) -> SigmaFeatureNotSupportedByBackendError:
    """Why a condition is refused."""
    return SigmaFeatureNotSupportedByBackendError(f"{field} {str(value)!r} cannot be said: {why}")
