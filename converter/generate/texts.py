"""One text that several values with wildcards fit: what each asks for at the begin, in the middle, at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from converter.generate.fills import Fill
from converter.generate.pieces import Filled, Piece
from converter.generate.worlds import Kind
from converter.oracle.tree import ANY, ONE, Wild


@dataclass(frozen=True)
class Shape:
    """A value with wildcards, and the number of the want that asks for it."""

    leaf: int
    parts: tuple[str | Wild, ...]

    def fits(self, text: str) -> bool:
        """Whether the text is like this, letter case aside."""
        signs = {ANY: ".*", ONE: "."}
        pattern = "".join(signs[part] if isinstance(part, Wild) else re.escape(part) for part in self.parts)
        return re.fullmatch(f"(?is){pattern}", text) is not None


# Part of a value, or a wildcard, and who asks for it.
Token = tuple["str | Wild", "int | None"]


def compose(shapes: Sequence[Shape], kind: Kind, fill: Fill) -> Filled:
    """A text of this kind made to fit all the shapes; where they contradict each other it fits only some."""
    whole = next((shape for shape in shapes if ANY not in shape.parts), None)
    tokens = [(part, whole.leaf) for part in whole.parts] if whole is not None else _joined(shapes, fill)
    if kind.name == "account" and any("\\" in _text(token) for token in tokens):
        # There is only one backslash in an account's name.
        kind = replace(kind, separator="")
    pieces: list[Piece] = []
    for number, (part, leaf) in enumerate(tokens):
        if isinstance(part, str):
            pieces.append(Piece(part, leaf))
        elif part == ONE:
            pieces.append(Piece(fill.one(kind), leaf, one=True))
        else:
            left = "".join(piece.text for piece in pieces)
            right = _text(tokens[number + 1]) if number + 1 < len(tokens) else None
            pieces.append(Piece(_filling(kind, fill, left if number else None, right)))
    asked = isinstance(tokens[0][0], str) and kind.begun is not None and kind.begun.match(tokens[0][0]) is None
    return Filled(tuple(pieces), odd=asked)


def _filling(kind: Kind, fill: Fill, left: str | None, right: str | None) -> str:
    if left is None:
        return fill.begin(kind, right) if right is not None else kind.plain[fill.variant % len(kind.plain)]
    return fill.within(kind, left, right) if right is not None else fill.finish(kind, left)


def _text(token: Token) -> str:
    return token[0] if isinstance(token[0], str) else "a"


def _joined(shapes: Sequence[Shape], fill: Fill) -> list[Token]:
    """All the shapes in one row; the longest of several beginnings stands, and of several ends."""
    head = max((shape for shape in shapes if shape.parts[0] != ANY), key=_first, default=None)
    tail = max((shape for shape in shapes if shape.parts[-1] != ANY), key=_last, default=None)
    middle = [shape for shape in shapes if shape not in (head, tail)]
    if fill.variant % 2:
        middle.reverse()
    tokens: list[Token] = []
    if head is not None:
        parts = head.parts if head is not tail else head.parts[: -_tail_length(head)]
        tokens += [(part, head.leaf) for part in parts]
    for shape in middle:
        tokens += [(ANY, None), *((part, shape.leaf) for part in _inside(shape)), (ANY, None)]
    if tail is not None:
        parts = tail.parts if tail is not head else tail.parts[-_tail_length(tail) :]
        tokens += [(ANY, None), *((part, tail.leaf) for part in (_after(tail) if tail is not head else parts))]
    return _collapsed(tokens)


def _collapsed(tokens: Sequence[Token]) -> list[Token]:
    kept: list[Token] = []
    for token in tokens:
        if not (token[0] == ANY and kept and kept[-1][0] == ANY):
            kept.append(token)
    return kept


def _first(shape: Shape) -> int:
    return len(_text((shape.parts[0], None)))


def _last(shape: Shape) -> int:
    return len(_text((shape.parts[-1], None)))


def _tail_length(shape: Shape) -> int:
    """How many parts stand after the last run of any characters."""
    return shape.parts[::-1].index(ANY)


def _after(shape: Shape) -> tuple[str | Wild, ...]:
    """The parts of a shape whose beginning another one has."""
    return shape.parts[shape.parts.index(ANY) :]


def _inside(shape: Shape) -> tuple[str | Wild, ...]:
    """The parts of a shape between its first and its last run of any characters."""
    last = len(shape.parts) - _tail_length(shape)
    return shape.parts[shape.parts.index(ANY) : last]
