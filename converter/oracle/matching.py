"""Whether a text value is what stands in a field: exactly, wildcards in place, in every reading of letter case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from converter.oracle.letters import FOLDS, Fold, agreed, folded
from converter.oracle.tree import ANY, ONE, Text, Wild

LAST_OF_BASIC_PLANE = "\uffff"


@dataclass(frozen=True)
class Piece:
    """What stands between two `*`: a text of `width` characters, or, with a `?` in it, a regular expression."""

    text: str
    regex: re.Pattern[str] | None
    width: int

    def at(self, text: str, start: int) -> bool:
        """Whether the piece stands in the text at `start`."""
        return text.startswith(self.text, start) if self.regex is None else bool(self.regex.match(text, start))

    def find(self, text: str, start: int) -> int:
        """Where the piece first stands in the text from `start` on, -1 if nowhere."""
        if self.regex is None:
            return text.find(self.text, start)
        found = self.regex.search(text, start)
        return found.start() if found else -1


@dataclass(frozen=True)
class Shape:
    """A text value folded: its pieces between the `*`, in their order; one piece where there is no `*`."""

    pieces: Sequence[Piece]

    def matches(self, text: str) -> bool:
        """Whether the whole of the folded text is of this shape."""
        first, last = self.pieces[0], self.pieces[-1]
        if len(self.pieces) == 1:
            return len(text) == first.width and first.at(text, 0)
        if not first.at(text, 0):
            return False
        start, end = first.width, len(text) - last.width
        # The leftmost place of each leaves the most to those that follow.
        for piece in self.pieces[1:-1]:
            found = piece.find(text, start)
            if found < 0:
                return False
            start = found + piece.width
        return start <= end and last.at(text, end)


def shape(text: Text, fold: Fold) -> Shape:
    """The shape of a text value, its letters folded."""
    groups: list[list[str | Wild]] = [[]]
    for part in text.parts:
        if part == ANY:
            groups.append([])
        else:
            groups[-1].append(part)
    return Shape([_piece(group, fold) for group in groups])


def _piece(parts: Sequence[str | Wild], fold: Fold) -> Piece:
    folded = [part if isinstance(part, Wild) else fold(part) for part in parts]
    if ONE not in folded:
        whole = "".join(part for part in folded if isinstance(part, str))
        return Piece(whole, None, len(whole))
    regex = re.compile("".join("." if isinstance(part, Wild) else re.escape(part) for part in folded), re.DOTALL)
    return Piece("", regex, sum(1 if isinstance(part, Wild) else len(part) for part in folded))


class Matcher:
    """One text value, ready to be asked."""

    def __init__(self, text: Text) -> None:
        self.empty, self.anything = text.parts == (), text.parts == (ANY,)
        self.holed = ONE in text.parts
        # The text itself, where there are no wildcards.
        self.literal = text.parts[0] if len(text.parts) == 1 and isinstance(text.parts[0], str) else None
        self.cased = text.cased
        self.is_ascii = all(part.isascii() for part in text.parts if isinstance(part, str))
        self.folds: Sequence[Fold] = (str,) if text.cased else FOLDS
        self.shapes = [shape(text, fold) for fold in self.folds]

    def matches(self, text: str) -> bool | None:
        """Whether the text is of this value; None where readings differ."""
        if self.empty:
            return not text
        if self.anything:
            # Backends that cannot tell an empty text from none do not find it by `*`.
            return True if text else None
        if self.is_ascii and text.isascii():
            return self.shapes[0].matches(self.folds[0](text))
        if self.holed and _uncounted(text, cased=self.cased):
            return None
        readings = (text,) if self.cased else folded(text)
        return agreed([shape.matches(reading) for shape, reading in zip(self.shapes, readings, strict=True)])


def _uncounted(text: str, *, cased: bool) -> bool:
    """Whether it is open how many characters the text has: surrogates are two to some, and folding makes more."""
    if any(character > LAST_OF_BASIC_PLANE for character in text):
        return True
    return not cased and any(len(fold(character)) != 1 for character in text for fold in FOLDS)
