"""Letter case: what texts compare equal, in the readings of the engines, which differ beyond ASCII."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

Fold = Callable[[str], str]


def ascii_folded(text: str) -> str:
    """The text with A to Z in lower case and everything else as it is."""
    return (
        text.lower() if text.isascii() else text.encode("utf-8", "surrogatepass").lower().decode(errors="surrogatepass")
    )


def loosely_folded(text: str) -> str:
    """The text as engines see it that compare capitals: dotted and dotless i are then both an i."""
    return text.replace("\u0130", "i").upper().casefold()


# From the strictest to the loosest; what all of them say is so.
FOLDS: Sequence[Fold] = (ascii_folded, str.casefold, loosely_folded)


@lru_cache(maxsize=64)
def folded(text: str) -> Sequence[str]:
    """The text in each of these readings; long lists of values ask for those of one text over and over."""
    return [fold(text) for fold in FOLDS]


def agreed(readings: Sequence[bool]) -> bool | None:
    """What all readings say, None where they differ."""
    return readings[0] if all(reading == readings[0] for reading in readings) else None
