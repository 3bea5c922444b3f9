"""Strings of rules: read, cut and written without a step for each character."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sigma.types import SigmaString, SpecialChars

from converter.upstream.piece import Piece

MANY, ONE = SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE
WILDCARDS = {"*": MANY, "?": ONE}
# What reading cannot take as it stands: a wildcard, or a backslash that escapes something.
MARKED = re.compile(r"[*?]|\\\\")
TOKENS = re.compile(r"[^*?\\]+|\\[*?\\]|[*?\\]")
PLAIN_TOKENS = re.compile(r"[^*?]+|[*?]")

_getitem = SigmaString.__getitem__
_convert = SigmaString.convert
_to_plain = SigmaString.to_plain
_init = SigmaString.__init__
_contains_special = SigmaString.contains_special


def init(self: SigmaString, s: str | None = None, escape: bool = True) -> None:
    """Read a string: pieces between wildcards whole, and all of it at once where it has none."""
    if s is None or type(s) is str:
        self.original = text = s or ""
        self.s = _read(text, escape=escape) if MARKED.search(text) is not None else [text] if text else []
    else:
        _init(self, s, escape)


def _read(text: str, *, escape: bool) -> list[Any]:
    found: list[Any] = []
    plain: list[str] = []
    for token in (TOKENS if escape else PLAIN_TOKENS).findall(text):
        wildcard = WILDCARDS.get(token)
        if wildcard is None:
            # Two characters that begin with a backslash are one that is escaped.
            plain.append(token[1] if escape and len(token) == 2 and token[0] == "\\" else token)  # noqa: PLR2004
            continue
        if plain:
            found.append("".join(plain))
            plain = []
        found.append(wildcard)
    if plain:
        found.append("".join(plain))
    return found


def getitem(self: SigmaString, idx: int | slice) -> SigmaString:
    """A part of a string: without its first or last sign, where those are wildcards, no character is looked at."""
    if type(idx) is slice and idx.step is None:
        pieces = self.s
        first, last = idx.start or 0, idx.stop
        long_enough = len(pieces) > first + (last == -1)
        front = first == 0 or (first == 1 and bool(pieces) and type(pieces[0]) is SpecialChars)
        back = last is None or (last == -1 and bool(pieces) and type(pieces[-1]) is SpecialChars)
        if front and back and long_enough and "" not in pieces:
            made = self.__class__()
            made.s = pieces[first:last]
            return made
    return _getitem(self, idx)


def convert(  # noqa: PLR0913, PLR0917 - pySigma's
    self: SigmaString,
    escape_char: str | None = "\\",
    wildcard_multi: str | None = "*",
    wildcard_single: str | None = "?",
    add_escaped: str = "",
    filter_chars: str = "",
) -> str:
    """The string as a backend writes it, each piece by one search for what has to be escaped."""
    escaped = (wildcard_multi or "") + (wildcard_single or "") + add_escaped
    changed, table = _escapes(escaped, escape_char, filter_chars)
    made = []
    for piece in self.s:
        if type(piece) is str:
            made.append(piece if changed is None or changed(piece) is None else piece.translate(table))
        elif piece is MANY and wildcard_multi is not None:
            made.append(wildcard_multi)
        elif piece is ONE and wildcard_single is not None:
            made.append(wildcard_single)
        else:
            return _convert(self, escape_char, wildcard_multi, wildcard_single, add_escaped, filter_chars)
    return "".join(made)


@lru_cache(maxsize=64)
def _escapes(escaped: str, escape_char: str | None, dropped: str) -> tuple[Any, dict[int, str]]:
    """A search for what has to be changed, None where nothing has, and what each character becomes."""
    table = {} if escape_char is None else {ord(sign): escape_char + sign for sign in escaped}
    table |= dict.fromkeys(map(ord, dropped), "")
    if not table:
        return None, table
    return re.compile(f"[{''.join(re.escape(chr(sign)) for sign in sorted(table))}]").search, table


def contains_special(self: SigmaString) -> bool:
    """Whether the string has wildcards."""
    pieces = self.s
    return MANY in pieces or ONE in pieces


def to_plain(self: SigmaString, regex: bool = False) -> str:
    """The string as a rule has it."""
    made = []
    for piece in self.s:
        if type(piece) is str:
            made.append(
                piece if regex or MARKED.search(piece) is None else piece.replace("*", "\\*").replace("?", "\\?")
            )
        elif type(piece) is SpecialChars:
            made.append("*" if piece is MANY else "?")
        else:
            return _to_plain(self, regex)
    return "".join(made)


PIECES = (
    Piece(SigmaString, "to_plain", to_plain, "adds up texts with a check of the type for each piece"),
    Piece(SigmaString, "__init__", init, "a loop over all characters, of which one in ten is a wildcard"),
    Piece(SigmaString, "__getitem__", getitem, "counts characters to take a wildcard off an end"),
    Piece(SigmaString, "convert", convert, "a set and a generator for each piece, then a step for each character"),
    Piece(SigmaString, "contains_special", contains_special, "a generator and a check of the type for each piece"),
)
