"""Near-misses: an event changed at one place that a leaf of the rule asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from converter.generate import scalars
from converter.generate.drafts import KEYWORDS, Draft
from converter.generate.goals import Want
from converter.generate.pieces import Filled, swapped
from converter.generate.words import test_label
from converter.oracle.tree import Pattern, Reference, Text

Edit = tuple[str, Draft]

# Digits stay digits, and letters of hexadecimal numbers such letters.
NEXT = str.maketrans(
    "0123456789abcdefABCDEFghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ",
    "1234567890bcdefaBCDEFAhijklmnopqrstuvwxyzgHIJKLMNOPQRSTUVWXYZG",
)


def edits(draft: Draft, number: int, want: Want, members: Sequence[str] = ()) -> Iterator[Edit]:
    """Changes to the value that this want, of this number in the plan, asks for; each with its name.

    `members` are all the values that the field can have, where they are few.
    """
    field = want.leaf.field or KEYWORDS
    made = draft.fields.get(field)
    if made is None:
        return
    label = f"{field}: {test_label(want.leaf.test)}"
    for member in members:
        yield f"{field} {member}", draft.put(field, member)
    if isinstance(made, Filled) and not members:
        for name, changed in _texts(made, number, want):
            yield f"{label} {name}", draft.put(field, changed)
    elif not isinstance(made, Filled):
        for name, value in scalars.neighbours(want.leaf.test, made):
            yield f"{label} {name}", draft.put(field, value)
    if isinstance(made, Filled) and len(made.pieces) == 1 and made.text.isdigit():
        yield f"{label} as number", draft.put(field, int(made.text))
    yield f"{field} missing", draft.without(field)
    yield f"{field} empty", draft.put(field, "")
    yield f"{field} null", draft.put(field, None)


def _texts(made: Filled, number: int, want: Want) -> Iterator[tuple[str, Filled]]:
    mine = [at for at, piece in enumerate(made.pieces) if piece.leaf == number and piece.text]
    if not mine:
        return
    first, last = mine[0], mine[-1]
    longest = max(mine, key=lambda at: len(made.pieces[at].text))
    text = made.pieces[longest].text
    yield "with one character changed", made.changed(longest, _other(text))
    yield "with text before it", made.changed(first, "x" + made.pieces[first].text)
    yield "with text after it", made.changed(last, made.pieces[last].text + "x")
    yield "with letters at both sides", around(made, first, last)
    yield from _order(made, mine)
    yield from _case(made, mine, want)
    yield "without its last character", made.changed(last, made.pieces[last].text[:-1])
    yield "without its first character", made.changed(first, made.pieces[first].text[1:])
    yield from _signs(made, mine)
    yield from _surrounded(made, first, last)
    yield "only its first half", made.changed(longest, text[: len(text) // 2])
    yield "only its second half", made.changed(longest, text[len(text) // 2 :])
    yield "with its first character changed", made.changed(first, _other(made.pieces[first].text, 0))
    yield "with its last character changed", made.changed(last, _other(made.pieces[last].text, -1))
    yield "with a character more in the middle", made.changed(longest, _halves(text, "x"))
    yield "with a space in the middle", made.changed(longest, _halves(text, " "))
    yield "twice", made.changed(longest, text * 2)


def _surrounded(made: Filled, first: int, last: int) -> Iterator[tuple[str, Filled]]:
    """Signs beside the value that readers of logs like to trim, or that end a line."""
    for name, sign in (("a space", " "), ("a line break", "\n"), ("a quote", '"'), ("a dot", ".")):
        yield f"with {name} after it", made.changed(last, made.pieces[last].text + sign)
        yield f"with {name} before it", made.changed(first, sign + made.pieces[first].text)


def _halves(text: str, between: str) -> str:
    return f"{text[: len(text) // 2]}{between}{text[len(text) // 2 :]}"


def _other(text: str, wanted: int | None = None) -> str:
    """The text with one character changed: an alphanumeric one next to its middle, or that at the place told."""
    places = [at for at, sign in enumerate(text) if sign.isascii() and sign.isalnum()]
    middle = min(places, key=lambda place: abs(place - len(text) // 2), default=len(text) - 1)
    at = middle if wanted is None else wanted % len(text)
    sign = text[at].translate(NEXT)
    return text[:at] + (sign if sign != text[at] else "x") + text[at + 1 :]


def around(made: Filled, first: int, last: int) -> Filled:
    """It with a letter before the one piece and one after the other."""
    glued = made.changed(first, "x" + made.pieces[first].text)
    return glued.changed(last, glued.pieces[last].text + "x")


def _order(made: Filled, mine: list[int]) -> Iterator[tuple[str, Filled]]:
    """Parts of one value, or values of one field, in the opposite order."""
    if len(mine) > 1:
        pieces = list(made.pieces)
        for at, source in zip(mine, reversed(mine), strict=True):
            pieces[at] = made.pieces[source]
        yield "in another order", replace(made, pieces=tuple(pieces))
    elif len({piece.leaf for piece in made.pieces if piece.leaf is not None}) > 1:
        yield "in another order", replace(made, pieces=made.pieces[::-1])


def _case(made: Filled, mine: list[int], want: Want) -> Iterator[tuple[str, Filled]]:
    test = want.leaf.test
    changed = made
    for at in mine:
        changed = changed.changed(at, swapped(made.pieces[at].text))
    yield "in the other letter case", changed
    if isinstance(test, Pattern | Reference) or (isinstance(test, Text) and test.cased):
        yield "with one letter in the other case", made.changed(mine[0], _one_case(made.pieces[mine[0]].text))


def _one_case(text: str) -> str:
    at = next((at for at, sign in enumerate(text) if swapped(sign) != sign), 0)
    return text[:at] + swapped(text[at : at + 1]) + text[at + 1 :]


def _signs(made: Filled, mine: list[int]) -> Iterator[tuple[str, Filled]]:
    """What is easily read as something else: literal wildcards, backslashes, spaces, and what `?` stands for."""
    for at in mine:
        piece = made.pieces[at]
        if piece.one:
            yield "with nothing for ?", made.changed(at, "")
            yield "with two characters for ?", made.changed(at, piece.text * 2)
            continue
        for sign in "*?":
            if sign in piece.text:
                yield f"with a letter for {sign}", made.changed(at, piece.text.replace(sign, "x"))
                yield f"with nothing for {sign}", made.changed(at, piece.text.replace(sign, ""))
        if "\\" in piece.text:
            yield "with slashes for backslashes", made.changed(at, piece.text.replace("\\", "/"))
            yield "with double backslashes", made.changed(at, piece.text.replace("\\", "\\\\"))
            yield "without backslashes", made.changed(at, piece.text.replace("\\", ""))
        if " " in piece.text:
            yield "with two spaces for one", made.changed(at, piece.text.replace(" ", "  "))
            yield "without spaces", made.changed(at, piece.text.replace(" ", ""))


def padded(draft: Draft, field: str, length: int) -> Draft | None:
    """It with more than so many characters in a filling of this field; None where no wildcard takes them."""
    made = draft.fields.get(field)
    if not isinstance(made, Filled):
        return None
    places = [at for at, piece in enumerate(made.pieces) if piece.leaf is None]
    if not places:
        return None
    at = places[-1]
    words = "sample text " * (length // len("sample text ") + 1)
    return draft.put(field, made.changed(at, f"{made.pieces[at].text} {words}" if at else f"{words} "))
