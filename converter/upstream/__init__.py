"""Stand-ins for methods of pySigma that do the same with less work: what each replaces, why, and for which versions.

With a version of pySigma or of a backend that the pieces were not held against, upstream's own methods run. `own()`
runs upstream's methods for a while, so that tests can hold both against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from converter.upstream.imports import put_off
from converter.upstream.piece import Piece
from converter.upstream.versions import KNOWN, known

# Before anything imports what it puts off.
put_off()

from converter.upstream import backends, conditions, detections, items, modifiers, pipelines, values  # noqa: E402

__all__ = ["KNOWN", "PIECES", "applied", "apply", "known", "own", "put_off", "withdraw"]

PIECES: tuple[Piece, ...] = (
    *values.PIECES,
    *modifiers.PIECES,
    *detections.PIECES,
    *conditions.PIECES,
    *items.PIECES,
    *pipelines.PIECES,
    *backends.PIECES,
)
_originals: dict[Piece, Any] = {}


def apply() -> bool:
    """Put every piece in its place, once; gives whether they stand there. Nothing is done for an unknown version."""
    if not known():
        return False
    for piece in PIECES:
        if piece not in _originals:
            _originals[piece] = piece.owner.__dict__[piece.name]
            setattr(piece.owner, piece.name, piece.ours)
    return True


def applied() -> bool:
    """Whether the pieces stand in place of upstream's methods."""
    return bool(_originals)


def withdraw() -> None:
    """Put upstream's own methods back."""
    for piece, original in _originals.items():
        setattr(piece.owner, piece.name, original)
    _originals.clear()


@contextmanager
def own() -> Iterator[None]:
    """Upstream's own methods within, whatever stood there before."""
    stood = applied()
    withdraw()
    try:
        yield
    finally:
        if stood:
            apply()
