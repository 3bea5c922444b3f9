"""Regular expressions, in the readings of the dialects that logs are searched with.

The specification's flavour is PCRE. What it supports means the same everywhere for ASCII text, and Python's `re` says
so. Beyond that PCRE, RE2, Rust and Lucene differ, and a text on which they may differ proves nothing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, overload

from converter.oracle.tree import Pattern
from converter.oracle.unmeant import Unmeant

# An escape, a class, or a single character; classes are cut out whole.
TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|.", re.DOTALL)
# What Python reads otherwise than PCRE, or what PCRE alone knows: escapes, in classes, and in what is neither.
ESCAPE = re.compile(r"\\.", re.DOTALL)
FOREIGN_ESCAPE = re.compile(r"\\[ZzGKRXhHQEpPCNoukgl]")
FOREIGN_IN_CLASS = re.compile(r"(?<=.)\[[:.=]|&&|--|~~|\|\|")
FOREIGN = re.compile(r"\{,\d|\(\?(?:[|#&R+\dauLx]|P[>=]|\()|\(\*")
# Flags for the whole pattern are the same everywhere where they stand in front.
INLINE = re.compile(r"\(\?([ims]+)\)")
FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
# White space to some: RE2 leaves out \v, Lucene \f too, and Python alone has the separators; U+0085 is PCRE's.
DISPUTED_SPACE = re.compile(r"[\x0b\x0c\x1c-\x1f\x85]")


@dataclass(frozen=True)
class Readings:
    """A compiled expression: for ASCII text, and what else it may mean for other text."""

    ascii: re.Pattern[str]
    unicode: re.Pattern[str]
    octets: re.Pattern[bytes] | None
    is_ascii: bool
    ends: bool
    spaces: bool

    def found(self, text: str) -> bool | None:
        """Whether the expression is found in the text; None where that depends on the dialect."""
        truth = self.ascii.search(text) is not None
        if self.ends and text.endswith("\n"):
            # PCRE's `$` also stands before a last newline, that of Rust and Lucene does not.
            return None
        if self.spaces and DISPUTED_SPACE.search(text):
            return None
        if not text:
            # A backend that cannot tell an empty text from none may find or lose it.
            return None if truth else False
        if text.isascii() and self.is_ascii:
            return truth
        if (self.unicode.search(text) is not None) != truth:
            return None
        if text.isascii():
            return truth
        if self.octets is None:
            return None
        octets = self.octets.search(text.encode("utf-8", "surrogatepass")) is not None
        return truth if octets == truth else None


@lru_cache(maxsize=4096)
def readings(test: Pattern) -> Readings:
    """The expression compiled; raises Unmeant where dialects do not agree on what it is at all."""
    pattern, flags = test.pattern, test.flags
    if inline := INLINE.match(pattern):
        pattern, flags = pattern[inline.end() :], flags | set(inline[1])
    tokens = TOKEN.findall(pattern)
    if foreign := _foreign(tokens):
        raise Unmeant(f"the regular expression holds {foreign}, which dialects read differently")
    joined = re.RegexFlag(0)
    for flag in flags:
        joined |= FLAGS[flag]
    return Readings(
        _compiled(pattern, joined | re.ASCII),
        _compiled(pattern, joined),
        _compiled(pattern.encode(), joined) if _is_made_of_octets(tokens) else None,
        pattern.isascii(),
        "$" in tokens and "m" not in flags,
        any(token.lower() == "\\s" or (token.startswith("[") and "\\s" in token.lower()) for token in tokens),
    )


@overload
def _compiled(pattern: str, flags: re.RegexFlag) -> re.Pattern[str]: ...
@overload
def _compiled(pattern: bytes, flags: re.RegexFlag) -> re.Pattern[bytes]: ...
def _compiled(pattern: str | bytes, flags: re.RegexFlag) -> re.Pattern[Any]:
    try:
        with warnings.catch_warnings():
            # Python warns of what may become a nested set there; until then a `[` in a class is itself, as in PCRE.
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(pattern, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise Unmeant(f"the regular expression is not sound: {error}") from error


def _is_made_of_octets(tokens: Sequence[str]) -> bool:
    """Whether the expression says the same of bytes: no class holds, and no quantifier follows, more than ASCII."""
    return not any(
        not token.isascii() and (len(token) > 1 or following in {"*", "+", "?", "{"})
        for token, following in zip(tokens, [*tokens[1:], ""], strict=True)
    )


def _foreign(tokens: Sequence[str]) -> str:
    """The first thing that is not read alike everywhere, empty if there is none."""
    for token in tokens:
        is_class = len(token) > 1 and token[0] == "["
        for escape in ESCAPE.findall(token):
            if FOREIGN_ESCAPE.fullmatch(escape):
                return str(escape)
        if is_class and (found := FOREIGN_IN_CLASS.search(ESCAPE.sub("", token))):
            return str(found[0])
    rest = "".join(token if len(token) == 1 else "." for token in tokens)
    last = FOREIGN.search(rest)
    return str(last[0]) if last else ""
