"""A rule as pySigma reads it, copied for each backend, since pipelines change the rule that they are given.

In place of `SigmaRule.from_dict` for every backend: a copy takes a tenth of that. What pipelines change in place is
copied: the rule, its lists and its attributes, its detections and their items. Values are shared: pySigma makes new
ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sigma.conditions import SigmaCondition
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.rule.detection import SigmaDetections

from converter.upstream import applied

MUTABLE = (list, dict, set)
# Rules whose copies may still be asked for: the targets of one rule come one after the other.
MOST_HELD = 16


class Originals:
    """The rules read last, by what they were read from."""

    def __init__(self) -> None:
        self.held: dict[tuple[int, str], tuple[object, SigmaRule]] = {}

    def copy(self, origin: object, variant: str, read: Callable[[], SigmaRule]) -> SigmaRule:
        """A copy of what `read` gives, which is called once for the same `origin` and `variant`."""
        if not applied():
            return read()
        key = (id(origin), variant)
        found = self.held.get(key)
        if found is None or found[0] is not origin:
            rule = read()
            if not is_plain(rule):
                return rule
            if len(self.held) >= MOST_HELD:
                self.held.pop(next(iter(self.held)))
            found = self.held[key] = (origin, rule)
        return cloned(found[1])


def is_plain(rule: Any) -> bool:
    """Whether the rule is of pySigma's own class, without errors: what `cloned` knows."""
    return type(rule) is SigmaRule and type(rule.detection) is SigmaDetections and not rule.errors


def cloned(rule: SigmaRule) -> SigmaRule:
    """A rule that can be changed while this one stays as it is."""
    made: SigmaRule = object.__new__(SigmaRule)
    made.__dict__ = {key: one.copy() if type(one) in MUTABLE else one for key, one in rule.__dict__.items()}
    made.detection = _detections(rule.detection)
    return made


def _detections(held: SigmaDetections) -> SigmaDetections:
    made: SigmaDetections = object.__new__(SigmaDetections)
    made.__dict__ = held.__dict__.copy()
    made.detections = {name: _detection(one) for name, one in held.detections.items()}
    made.condition = held.condition.copy() if type(held.condition) is list else held.condition
    made.parsed_condition = [_condition(one, made) for one in held.parsed_condition]
    return made


def _condition(held: SigmaCondition, detections: SigmaDetections) -> SigmaCondition:
    made: SigmaCondition = object.__new__(SigmaCondition)
    made.__dict__ = held.__dict__.copy()
    made.detections = detections
    made.applied_processing_items = held.applied_processing_items.copy()
    return made


def _detection(held: SigmaDetection) -> SigmaDetection:
    made: SigmaDetection = object.__new__(SigmaDetection)
    made.__dict__ = held.__dict__.copy()
    made.detection_items = [
        _item(one) if type(one) is SigmaDetectionItem else _detection(one)  # type: ignore[arg-type]
        for one in held.detection_items
    ]
    return made


def _item(held: SigmaDetectionItem) -> SigmaDetectionItem:
    made: SigmaDetectionItem = object.__new__(SigmaDetectionItem)
    made.__dict__ = held.__dict__.copy()
    made.value = held.value.copy()
    made.applied_processing_items = held.applied_processing_items.copy()
    return made
