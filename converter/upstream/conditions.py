"""Conditions of rules: parsed once for all that say the same, and copied by what they are made of."""

from __future__ import annotations

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
    return condition.parse_string(text, parse_all=True)[0]


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
    Piece(SigmaCondition, "parse", parse, "copy.deepcopy of the tree each time, and a cache too small for a rule set"),
)
