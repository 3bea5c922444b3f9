"""Conditions: how search identifiers are joined.

Specification, Condition: `x of` binds most, then `not`, `and`, `or`. Its words are read in any letter case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from converter.oracle.detection import every, some
from converter.oracle.tree import Node, Not
from converter.oracle.unmeant import Unmeant

TOKEN = re.compile(r"[()]|[^\s()]+")
NAME = re.compile(r"[\w-]+")
PATTERN = re.compile(r"[\w*-]+")
RESERVED = frozenset({"and", "or", "not", "of", "(", ")"})
MOST_DEEP = 100


def parse(condition: str, searches: Mapping[str, Node]) -> Node:
    """What the condition asks, given what its search identifiers ask; raises Unmeant where it is malformed."""
    tokens = TOKEN.findall(condition)
    if "|" in condition:
        raise Unmeant("condition: an aggregation after | has been replaced by correlations")
    if not tokens:
        raise Unmeant("condition: is empty")
    reader = _Reader(tokens, searches)
    node = reader.either()
    if reader.at < len(tokens):
        raise Unmeant(f"condition: {tokens[reader.at]!r} stands where nothing can stand")
    return node


class _Reader:
    """Where the reading of one condition stands."""

    def __init__(self, tokens: Sequence[str], searches: Mapping[str, Node]) -> None:
        self.tokens, self.searches = tokens, searches
        self.at = self.deep = 0

    def next_is(self, word: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].lower() == word

    def take(self, word: str) -> bool:
        taken = self.next_is(word)
        self.at += taken
        return taken

    def either(self) -> Node:
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return some(parts)

    def both(self) -> Node:
        parts = [self.negated()]
        while self.take("and"):
            parts.append(self.negated())
        return every(parts)

    def negated(self) -> Node:
        turned = False
        while self.take("not"):
            turned = not turned
        part = self.single()
        return Not(part) if turned else part

    def single(self) -> Node:
        if self.take("("):
            self.deep += 1
            if self.deep > MOST_DEEP:
                raise Unmeant("condition: is nested too deeply")
            node = self.either()
            if not self.take(")"):
                raise Unmeant("condition: a parenthesis is not closed")
            self.deep -= 1
            return node
        if self.at >= len(self.tokens):
            raise Unmeant("condition: ends where a search identifier is needed")
        word = self.tokens[self.at]
        self.at += 1
        if self.take("of"):
            return self.several(word.lower())
        if word.lower() in RESERVED:
            raise Unmeant(f"condition: {word!r} stands where a search identifier is needed")
        if not NAME.fullmatch(word) or word not in self.searches:
            raise Unmeant(f"condition: there is no search identifier {word!r}")
        return self.searches[word]

    def several(self, quantity: str) -> Node:
        if quantity not in {"1", "any", "all"}:
            raise Unmeant(f"condition: only '1 of' and 'all of' are defined, not '{quantity} of'")
        pattern = self.tokens[self.at] if self.at < len(self.tokens) else ""
        self.at += 1
        parts = [self.searches[name] for name in _named(pattern, self.searches)]
        return every(parts) if quantity == "all" else some(parts)


def _named(pattern: str, names: Mapping[str, object]) -> list[str]:
    """The search identifiers that a pattern names; one that begins with `_` only if the pattern begins so, too.

    The specification leaves such names out of `them`, and has patterns differ from it by nothing but the names.
    """
    if pattern.lower() == "them":
        pattern = "*"
    if not PATTERN.fullmatch(pattern) or pattern.lower() in RESERVED:
        raise Unmeant(f"condition: {pattern!r} is no pattern of search identifiers")
    regex = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
    found = [name for name in names if regex.fullmatch(name) and (pattern.startswith("_") or not name.startswith("_"))]
    if not found:
        raise Unmeant(f"condition: no search identifier is named by {pattern!r}")
    return found
