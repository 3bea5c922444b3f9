"""Pipelines: which items a log source takes is asked once, not for every rule."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sigma.processing.conditions.fields import ExcludeFieldCondition, IncludeFieldCondition
from sigma.processing.conditions.rule import LogsourceCondition
from sigma.processing.conditions.state import RuleProcessingItemAppliedCondition, RuleProcessingStateCondition
from sigma.processing.conditions.values import (
    ContainsWildcardCondition,
    IsNullCondition,
    MatchStringCondition,
    MatchValueCondition,
)
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.tracking import FieldMappingTracking
from sigma.processing.transformations.base import FieldMappingTransformationBase
from sigma.processing.transformations.fields import FieldMappingTransformation
from sigma.rule import SigmaRule
from sigma.rule.logsource import SigmaLogSource
from sigma.types import SigmaFieldReference

from converter.upstream.piece import Piece

_apply = ProcessingPipeline.apply
_match = LogsourceCondition.match
# Conditions on values, which are asked last: most items are refused by the name of their field.
OF_VALUES = {ContainsWildcardCondition, IsNullCondition, MatchStringCondition, MatchValueCondition}
ASKED = {LogsourceCondition, RuleProcessingItemAppliedCondition, RuleProcessingStateCondition}
# True for an item that a log source takes, False for one that it does not, the state that it needs, or None where it
# has to be asked.
Wanted = bool | tuple[str, Any] | None
# What each item wants, by pipeline and log source.
_plans: dict[int, tuple[ProcessingPipeline, list[Any], dict[tuple[Any, ...], list[Wanted]]]] = {}
MOST_PIPELINES = 512
# Which fields an item takes, by item.
_names: dict[int, tuple[Any, tuple[tuple[frozenset[str], bool], ...] | None]] = {}
MOST_ITEMS = 20_000
_match_detection_item = ProcessingItem.match_detection_item
_mapped_item = FieldMappingTransformationBase.apply_detection_item
_OWN_FIELD_NAME = FieldMappingTransformation.apply_field_name
_OWN_APPLY = ProcessingItem.apply
_OWN_MATCH = ProcessingItem.match_rule_conditions


def apply(self: ProcessingPipeline, rule: Any) -> Any:
    """Apply the pipeline; items whose log source is another one are passed over at once."""
    if type(rule) is not SigmaRule or type(rule.logsource) is not SigmaLogSource:
        return _apply(self, rule)
    self.applied = applied = []
    self.applied_ids = set()
    self.field_name_applied_ids = defaultdict(set)
    self.field_mappings = FieldMappingTracking()
    self.state = {}
    source = rule.logsource
    plan = _plan(self, source)
    for number, item in enumerate(self.items):
        if rule.logsource is not source:
            source = rule.logsource
            plan = _plan(self, source)
        wanted = plan[number]
        if wanted is None:
            wanted = item.apply(rule)
        elif type(wanted) is tuple:
            key, value = wanted
            wanted = bool(self.state.get(key) == value) and item.apply(rule)
        elif wanted:
            item.transformation.apply(rule)
        applied.append(wanted)
        if wanted and item.identifier:
            self.applied_ids.add(item.identifier)
    return rule


def _plan(pipeline: ProcessingPipeline, source: SigmaLogSource) -> list[Wanted]:
    held = _plans.get(id(pipeline))
    if held is None or held[0] is not pipeline or held[1] != pipeline.items:
        if len(_plans) >= MOST_PIPELINES:
            _plans.clear()
        held = _plans[id(pipeline)] = (pipeline, list(pipeline.items), {})
    key = (source.category, source.product, source.service)
    plan = held[2].get(key)
    if plan is None:
        plan = held[2][key] = [_takes(item, source) for item in pipeline.items]
    return plan


def _takes(item: Any, source: SigmaLogSource) -> Wanted:
    """Whether the item takes the log source; the state that it asks for besides, or None where that is not all."""
    kind = type(item)
    if kind.apply is not _OWN_APPLY or kind.match_rule_conditions is not _OWN_MATCH:
        return None
    conditions = item.rule_conditions
    if item.rule_condition_expression is not None or not isinstance(conditions, list):
        return None
    if item.rule_condition_linking is None:
        return None
    if not conditions:
        return True
    if any(type(condition) is not LogsourceCondition for condition in conditions):
        return _of_state(item, conditions)
    found = bool(item.rule_condition_linking([source in condition.logsource for condition in conditions]))
    return found is not bool(item.rule_condition_negation)


def _of_state(item: Any, conditions: list[Any]) -> tuple[str, Any] | None:
    """The state without which the item is not applied, None where none is that sure."""
    known = all(type(condition) in ASKED for condition in conditions)
    if not known or item.rule_condition_linking is not all or item.rule_condition_negation:
        return None
    for condition in conditions:
        if type(condition) is RuleProcessingStateCondition and condition.op == "eq" and condition.val is not None:
            return condition.key, condition.val
    return None


def match_detection_item(self: ProcessingItem, detection_item: Any) -> bool:
    """Whether the item takes the field; lists of field names are asked at once."""
    held = _names.get(id(self))
    if held is None or held[0] is not self:
        if len(_names) >= MOST_ITEMS:
            _names.clear()
        held = _names[id(self)] = (self, _named(self))
    names = held[1]
    if names is None:
        return _match_detection_item(self, detection_item)
    field = detection_item.field
    for fields, included in names:
        if (field in fields) is included:
            continue
        referred = [value.field for value in detection_item.value if type(value) is SigmaFieldReference]
        if not any((name in fields) is included for name in referred):
            return False
    return not self.detection_item_conditions or _match_detection_item(self, detection_item)


def _named(item: Any) -> tuple[tuple[frozenset[str], bool], ...] | None:
    """The lists of field names that must, or must not, hold the field; None where the item asks for something else."""
    if item.detection_item_condition_expression is not None or item.field_name_condition_expression is not None:
        return None
    asked = item.detection_item_conditions
    if not isinstance(asked, list) or not isinstance(item.field_name_conditions, list):
        return None
    if any(type(condition) not in OF_VALUES for condition in asked):
        return None
    if item.detection_item_condition_linking is not all or item.field_name_condition_linking is not all:
        return None
    if item.detection_item_condition_negation or item.field_name_condition_negation:
        return None
    kinds = {IncludeFieldCondition: True, ExcludeFieldCondition: False}
    found = []
    for condition in item.field_name_conditions:
        if type(condition) not in kinds or condition.mode != "plain":
            return None
        if any(type(name) is not str for name in condition.fields):
            return None
        found.append((frozenset(condition.fields), kinds[type(condition)]))
    return tuple(found)


def mapped_item(self: Any, detection_item: Any) -> Any:
    """The item under its new name; one that the mapping does not name, and that names no field itself, stays."""
    if type(self).apply_field_name is _OWN_FIELD_NAME and self.mapping.get(detection_item.field) is None:
        for value in detection_item.value:
            if type(value) is SigmaFieldReference:
                break
        else:
            return None
    return _mapped_item(self, detection_item)


PIECES = (
    Piece(ProcessingItem, "match_detection_item", match_detection_item, "asks each condition about each value"),
    Piece(
        FieldMappingTransformationBase,
        "apply_detection_item",
        mapped_item,
        "copies the values of each item before it looks whether its field is mapped",
    ),
    Piece(ProcessingPipeline, "apply", apply, "asks some seventy items for each rule whether they take its log source"),
)
