"""A text made for a field, in pieces: which leaf of the rule asked for each, and what only fills a wildcard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from string import ascii_lowercase, ascii_uppercase

# Letters beyond ASCII keep their case: what they fold to differs by vendor.
UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)
LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
SWAP = str.maketrans(ascii_lowercase + ascii_uppercase, ascii_uppercase + ascii_lowercase)


@dataclass(frozen=True)
class Piece:
    """A part of a value; `leaf` is the number of the want that asks for it, None for a filling.

    `one`: it stands for exactly one character.
    """

    text: str
    leaf: int | None = None
    one: bool = False


@dataclass(frozen=True)
class Filled:
    """A text, piece by piece; `odd`: the rule itself asks for one that logs of its kind do not hold."""

    pieces: tuple[Piece, ...]
    odd: bool = False

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(piece.text for piece in self.pieces)

    def changed(self, number: int, text: str) -> Filled:
        """It with another text at the piece of this number."""
        pieces = list(self.pieces)
        pieces[number] = replace(pieces[number], text=text)
        return replace(self, pieces=tuple(pieces))

    def cased(self, case: Callable[[str], str], kept: int) -> Filled:
        """It with each piece's letters put through `case`, but for so many characters at its begin."""
        pieces = []
        for piece in self.pieces:
            held = min(kept, len(piece.text))
            kept -= held
            pieces.append(replace(piece, text=piece.text[:held] + case(piece.text[held:])))
        return replace(self, pieces=tuple(pieces))


def as_written(text: str) -> str:
    """The text itself."""
    return text


def upper(text: str) -> str:
    """The text in capital letters."""
    return text.translate(UPPER)


def lower(text: str) -> str:
    """The text in small letters."""
    return text.translate(LOWER)


def swapped(text: str) -> str:
    """The text with every letter in the other case."""
    return text.translate(SWAP)


def mixed(text: str) -> str:
    """The text with every second character in capital letters."""
    return "".join(upper(sign) if number % 2 else lower(sign) for number, sign in enumerate(text))
