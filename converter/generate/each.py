"""Every value of a rule by itself: shows a query that lacks it, anchors it otherwise or asks another field for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from converter.generate.drafts import KEYWORDS, Draft
from converter.generate.edits import Edit, around, padded
from converter.generate.goals import Goal, Want, wants
from converter.generate.pieces import Filled, Piece
from converter.generate.words import test_label
from converter.generate.worlds import Kind, World
from converter.oracle.tree import Text

# https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation
LONGEST = 200


def alone(made: Draft, number: int, want: Want, padding: int | None) -> Iterator[Edit]:
    """What one leaf has of its own: letters at both sides of its value, and a text of more than so many characters."""
    field = want.leaf.field or KEYWORDS
    value = made.fields.get(field)
    if not isinstance(value, Filled):
        return
    mine = [at for at, piece in enumerate(value.pieces) if piece.leaf == number and piece.text]
    if not mine:
        return
    label = f"{field}: {test_label(want.leaf.test)}"
    yield f"{label} glued to letters", made.put(field, around(value, mine[0], mine[-1]))
    if not "".join(piece.text for piece in value.pieces[: mine[0]]):
        # Nothing may stand before a value that begins like the whole: "/" of a path.
        yield f"{label} glued to a letter", made.put(field, value.changed(mine[-1], value.pieces[mine[-1]].text + "x"))
    long = padded(made, field, padding) if padding is not None else None
    if long is not None:
        yield f"{label} in more than {padding} characters", long


def strayed(whole: Goal, made: Draft, world: World) -> Iterator[Edit]:
    """The event without a field that the rule names, whose values stand in another field that it names."""
    values: dict[str, list[str]] = {}
    for want in wants(whole):
        if isinstance(want.leaf.test, Text) and want.leaf.field is not None:
            parts = [part for part in want.leaf.test.parts if isinstance(part, str)]
            values.setdefault(want.leaf.field, []).extend(parts)
    for field, texts in values.items():
        for name in values:
            kind = world.kind(name, unix=made.unix)
            fitting = [text for text in dict.fromkeys(texts) if not set(text) & set(kind.barred)]
            if name != field and not (kind.members or kind.number or kind.name == "hashes"):
                yield (
                    f"{name} with what {field} is asked for",
                    with_text(made.without(field), name, " ".join(short(fitting)), kind),
                )


def short(texts: Sequence[str]) -> Iterator[str]:
    """The first texts that together are no longer than what a path or a name may be."""
    left = LONGEST
    for text in texts:
        left -= len(text) + 1
        if left < 0:
            return
        yield text


def with_text(made: Draft, field: str, text: str, kind: Kind) -> Draft:
    """The event with more text at the first wildcard of the field, or after a value that is none of the rule."""
    value = made.fields.get(field)
    if not isinstance(value, Filled):
        return made.put(field, Filled((Piece(f"{kind.plain[0]} {text}"),)))
    pieces = list(value.pieces)
    at = next((at for at, piece in enumerate(pieces) if piece.leaf is None), len(pieces) - 1)
    pieces.insert(at + 1, Piece(text))
    return made.put(field, replace(value, pieces=tuple(pieces)))
