r"""Regular expressions of Splunk: PCRE2, with UTF-8, ASCII's `\d \w \s \b`, no flags but those of the pattern.

Search Manual, "SPL and regular expressions": PCRE. That texts are UTF-8 and classes ASCII's is PCRE's default of such
builds; no manual of Splunk's says it, so letter case beyond ASCII folds here as PCRE2's UTF mode does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Protocol

import pcre2  # type: ignore[import-untyped] # it has no stubs

from converter.engines.engine import Invalid, Unjudged
from converter.engines.store import REFUSED

# limits.conf.spec, [rex], match_limit: where Splunk gives up by default. It then finds nothing and logs it.
LIMIT = "(*LIMIT_MATCH=100000)"
# Forms that the library, which sets two options of its own, or an older PCRE, which Splunk's releases differ in, reads
# otherwise: \x without two digits, \C, {,n}, and verbs.
UNSURE = re.compile(r"\\x(?![0-9A-Fa-f]{2})|\\C|\{,\d|\(\*")
# PCRE, "pcrepattern", "Unsupported escapes": errors there, letters to the library's option for JavaScript's syntax.
UNSUPPORTED = re.compile(r"\\[uULl]|\\N\{")


class Pattern(Protocol):
    """A compiled regular expression, to the extent that it is used here."""

    groupindex: Mapping[str, int]

    def search(self, text: str) -> Mapping[str, str | None] | None:
        """The first match, or None; its groups by name."""

    def sub(self, replacement: Callable[[Any], str], text: str) -> str:
        """The text with every match replaced."""


@lru_cache(maxsize=4_096)
def compiled(pattern: str) -> Pattern:
    """The regular expression; raises Invalid for a wrong one, Unjudged for one that releases of PCRE read differently.

    The wrong ones are those that PCRE refuses.
    """
    plain = re.sub(r"\\Q.*?(?:\\E|\Z)|\\\\", "", pattern, flags=re.DOTALL)
    if found := UNSURE.search(plain):
        raise Unjudged(f"{found[0]} in the regular expression {pattern}")
    if found := UNSUPPORTED.search(plain):
        raise Invalid(f"{found[0]} in the regular expression {pattern}, which PCRE does not support")
    try:
        done: Pattern = pcre2.compile(LIMIT + pattern, pcre2.ASCII)
    except pcre2.PatternError as error:
        raise Invalid(f"the regular expression {pattern}: {error}") from None
    return done


def found(pattern: str, text: str) -> bool:
    """Whether the regular expression finds a part of the text; raises Unjudged where it takes too long."""
    try:
        return compiled(pattern).search(text) is not None
    except pcre2.LibraryError as error:
        raise _open(pattern, error) from None


def group(pattern: str, name: str, text: str) -> str:
    """What the named group holds where the regular expression finds a part of the text, or else the empty text.

    Raises Unjudged for a group that holds an empty text: whether the field is then there is open.
    """
    try:
        match = compiled(pattern).search(text)
    except pcre2.LibraryError as error:
        raise _open(pattern, error) from None
    held = match[name] if match else None
    if held == "":
        raise Unjudged(f"{REFUSED}a field that rex finds empty")
    return held or ""


def replaced(pattern: str, replacement: str, text: str) -> str:
    """The text with every part that the regular expression finds replaced."""
    try:
        return compiled(pattern).sub(lambda _: replacement, text)
    except pcre2.LibraryError as error:
        raise _open(pattern, error) from None


def _open(pattern: str, error: Exception) -> Unjudged:
    return Unjudged(f"{REFUSED}{error} by the regular expression {pattern}")
