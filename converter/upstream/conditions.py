"""Conditions of rules: parsed once for all that say the same, and copied by what they are made of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from pyparsing import ParseException
from sigma.conditions import (
    ConditionAND,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
    ParentChainMixin,
    SigmaCondition,
    condition,
)

from converter.upstream.piece import Piece

_parse = SigmaCondition.parse
# What the grammar of plain words needs: its blanks are those of pyparsing.
TOKENS = re.compile(r"[()]|[A-Za-z0-9_*-]+")
BLANKS = dict.fromkeys(map(ord, " \n\t\r"))
LINKS = (("or", ConditionOR), ("and", ConditionAND))
QUANTIFIERS = {"1", "any", "all"}
PATTERN = re.compile(r"[A-Za-z0-9_*]+")
IDENTIFIER = re.compile(r"(?!not|and|or|of|1|any|all)[A-Za-z0-9_-]+")
# Deeper ones are for the grammar itself, which says what it does not take.
MOST_BRACKETS, MOST_NOTS = 20, 20
NODES = {ConditionAND, ConditionIdentifier, ConditionNOT, ConditionOR, ConditionSelector}


class _Foreign(Exception):  # noqa: N818 - an answer
    """Says that a tree holds what only pySigma knows to copy."""


def parse(self: SigmaCondition, postprocess: bool = True) -> Any:
    """The condition's tree, fresh."""
    if "|" in self.condition:
        return _parse(self, postprocess)
    try:
        tree = _copied(_parsed(self.condition))
    except (ParseException, TypeError, _Foreign):
        # Upstream says it in its own words, or knows better.
        return _parse(self, postprocess)
    return tree.postprocess(self.detections, source=self.source) if postprocess else tree


# Upstream keeps 256, of which the targets of one rule use one.
@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    try:
        return read(text)
    except _Foreign:
        return condition.parse_string(text, parse_all=True)[0]


def read(text: str) -> Any:
    """The tree of a condition of plain words; raises _Foreign for one that needs pySigma's own grammar.

    That grammar takes `notable` for `not able`; words that begin like an operator, and what is no condition, are its.
    """
    tokens = TOKENS.findall(text)
    if "".join(tokens) != text.translate(BLANKS) or text.count("(") > MOST_BRACKETS or tokens.count("not") > MOST_NOTS:
        raise _Foreign
    # The end is a word that no condition can hold.
    tokens.append("")
    tokens.reverse()
    tree = _linked(tokens, 0)
    if tokens != [""]:
        raise _Foreign
    return tree


def _linked(tokens: list[str], level: int) -> Any:
    """Operands linked by `or`, and within them by `and`; the tokens that were read are taken off the end."""
    if level == len(LINKS):
        return _operand(tokens)
    word, kind = LINKS[level]
    found = [_linked(tokens, level + 1)]
    while tokens[-1] == word:
        tokens.pop()
        found.append(_linked(tokens, level + 1))
    return kind(found) if len(found) > 1 else found[0]


def _operand(tokens: list[str]) -> Any:
    word = tokens.pop()
    if word == "not":
        return ConditionNOT([_operand(tokens)])
    if word == "(":
        found = _linked(tokens, 0)
        if tokens.pop() != ")":
            raise _Foreign
        return found
    if word in QUANTIFIERS and tokens[-1] == "of":
        tokens.pop()
        pattern = tokens.pop()
        if not PATTERN.fullmatch(pattern):
            raise _Foreign
        return ConditionSelector([word, pattern])
    if not IDENTIFIER.fullmatch(word):
        raise _Foreign
    return ConditionIdentifier([word])


def _copied(node: Any) -> Any:
    kind = type(node)
    if kind is str:
        return node
    if kind not in NODES:
        raise _Foreign
    made = object.__new__(kind)
    made.__dict__.update(node.__dict__)
    made.args = [_copied(arg) for arg in node.args]
    return made


def postprocess(self: Any, detections: Any, parent: Any = None, source: Any = None) -> Any:  # noqa: ARG001
    """Set what stands above, and where it was read; without an error caught for each node that is read nowhere."""
    self.parent = parent
    self.source = source or getattr(self, "source", None)
    return self


PIECES = (
    Piece(ParentChainMixin, "postprocess", postprocess, "raises and catches an error for each node without a file"),
    Piece(
        SigmaCondition,
        "parse",
        parse,
        "pyparsing for conditions of a few words, copy.deepcopy of the tree each time, a cache too small for a set",
    ),
)
