"""Named repairs: what the stock backends get wrong, which of it a query mends, and which is left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from sigma.exceptions import SigmaError, SigmaFeatureNotSupportedByBackendError

Said = TypeVar("Said")


@dataclass(frozen=True)
class Repair:
    """One defect of a stock backend: `stock` is what that writes, `effect` what the repaired query does.

    `inseparable` says why it cannot be switched off by itself; empty where it can.
    """

    id: str
    title: str
    stock: str
    effect: str
    inseparable: str = ""


def table(*repairs: Repair) -> dict[str, Repair]:
    """The repairs of a family by id, in order."""
    return {repair.id: repair for repair in repairs}


@dataclass
class Repairs:
    """What one conversion was told and what it did: `used` are the repairs that its query would be another without.

    `off` names those that are left out. With `inexact_allowed`, what has no exact form is said as nearly as can be,
    and `inexactness` says why it is only near.
    """

    off: frozenset[str] = frozenset()
    inexact_allowed: bool = False
    used: set[str] = field(default_factory=set)
    inexactness: list[str] = field(default_factory=list)

    def is_off(self, name: str, *, wanted: bool = True) -> bool:
        """Whether this repair is switched off, where it is `wanted`; where it is not off it counts as used then."""
        if wanted and name not in self.off:
            self.used.add(name)
        return wanted and name in self.off

    def choose(
        self, name: str, ours: Callable[[], Said], stock: Callable[[], Said], *, differ: bool | None = None
    ) -> Said:
        """What the repair says, or what stands there without it; where the two differ the repair counts as used.

        Who knows already whether they `differ` can say so: the other one is not built then.
        """
        if name in self.off:
            return stock()
        said = ours()
        if differ is None:
            differ = self.other(stock) != said
        if differ:
            self.used.add(name)
        return said

    def other(self, stock: Callable[[], Said]) -> Said | None:
        """What another way would say, tried without leaving a trace; None where it says nothing."""
        with self.aside():
            try:
                return stock()
            except (SigmaError, NotImplementedError):
                return None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Whatever is tried within leaves no trace."""
        used, inexactness = set(self.used), list(self.inexactness)
        try:
            yield
        finally:
            self.used, self.inexactness = used, inexactness

    def inexact(self, reason: str) -> None:
        """Say that what follows is not exact: raises with the reason, unless that is allowed."""
        if not self.inexact_allowed:
            raise SigmaFeatureNotSupportedByBackendError(reason)
        if reason not in self.inexactness:
            self.inexactness.append(reason)

    def fresh(self) -> Repairs:
        """The same orders, nothing done yet."""
        return Repairs(self.off, self.inexact_allowed)


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Names of repairs in the order of their numbers."""
    return tuple(sorted(names, key=_number))


@lru_cache(maxsize=512)
def _number(name: str) -> tuple[str, int]:
    return name[0], int(name[1:])
