"""One stand-in for one method of pySigma."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Piece:
    """What stands in for `owner.name`, and why it does the same with less work.

    `upstream` is the method that it replaces, taken when the module is loaded: where a piece meets what it does not
    know, it calls that.
    """

    owner: type
    name: str
    ours: Callable[..., Any]
    why: str

    @property
    def replaces(self) -> str:
        """The method's full name."""
        return f"{self.owner.__module__}.{self.owner.__qualname__}.{self.name}"
