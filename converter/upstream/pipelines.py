"""Pipelines: which items a log source takes is asked once, not for every rule."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
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
from sigma.processing.transformations.base import (
    DetectionItemTransformation,
    FieldMappingTransformationBase,
    Transformation,
    ValueTransformation,
)
from sigma.processing.transformations.detection_item import DropDetectionItemTransformation
from sigma.processing.transformations.fields import (
    AddFieldnamePrefixTransformation,
    AddFieldnameSuffixTransformation,
    FieldMappingTransformation,
)
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
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
# What is to be done, by pipeline and log source.
_plans: dict[int, tuple[ProcessingPipeline, list[Any], dict[tuple[Any, ...], Plan]]] = {}
MOST_PIPELINES = 512
# Which fields an item takes, by item.
_names: dict[int, tuple[Any, tuple[tuple[frozenset[str], bool], ...] | None]] = {}
MOST_ITEMS = 20_000
_match_detection_item = ProcessingItem.match_detection_item
_mapped_item = FieldMappingTransformationBase.apply_detection_item
_OWN_FIELD_NAME = FieldMappingTransformation.apply_field_name
_OWN_APPLY = ProcessingItem.apply
_OWN_MATCH = ProcessingItem.match_rule_conditions
_OWN_APPLIED = Transformation.processing_item_applied
# The ways to go through a rule that change no detection item but one whose field the item takes.
WALKS = {DetectionItemTransformation.apply, FieldMappingTransformationBase.apply}
WALKS_WITHIN = {
    DetectionItemTransformation.apply_detection,
    DropDetectionItemTransformation.apply_detection,
    FieldMappingTransformationBase.apply_detection,
    ValueTransformation.apply_detection,
}
# Names of fields that are asked for without anything being changed.
PURE_NAMES = {
    AddFieldnamePrefixTransformation.apply_field_name,
    AddFieldnameSuffixTransformation.apply_field_name,
    FieldMappingTransformation.apply_field_name,
}


@dataclass(frozen=True, slots=True)
class Step:
    """An item that may take rules of a log source, and how many before it take none of them."""

    number: int
    refused: tuple[bool, ...]
    item: Any
    wanted: Wanted
    # The lists of field names that it goes by, None where it asks for more.
    names: tuple[tuple[frozenset[str], bool], ...]
    # Whether it renames fields, by a table that it holds, or by whatever else.
    renames: bool
    by_table: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for a log source, and how many items after the last take no rule of it."""

    steps: tuple[Step, ...]
    refused: tuple[bool, ...]


def apply(self: ProcessingPipeline, rule: Any) -> Any:
    """Apply the pipeline; items of another log source, and such as ask for fields that the rule lacks, do nothing."""
    if type(rule) is not SigmaRule or type(rule.logsource) is not SigmaLogSource:
        return _apply(self, rule)
    self.applied = []
    self.applied_ids = set()
    self.field_name_applied_ids = defaultdict(set)
    self.field_mappings = FieldMappingTracking()
    self.state = {}
    number = 0
    while number < len(self.items):
        number = _until_another_source(self, rule, number)
    return rule


def _until_another_source(self: ProcessingPipeline, rule: Any, first: int) -> int:
    """Apply the items from this number on, up to one that changes the log source; gives the number of the next."""
    source = rule.logsource
    plan = _plan(self, source, first)
    applied: list[Any] = self.applied
    fields: frozenset[str | None] | None = None
    for step in plan.steps:
        # At once, since a transformation may look at what was applied before it.
        applied.extend(step.refused)
        item, wanted = step.item, step.wanted
        if type(wanted) is tuple:
            wanted = bool(self.state.get(wanted[0]) == wanted[1]) and item.match_rule_conditions(rule)
        if wanted is None:
            wanted, fields = item.apply(rule), None
        elif wanted:
            if fields is None and (step.names or step.by_table):
                fields = _fields(rule)
            if fields and _finds_nothing(step, fields, rule):
                if step.renames:
                    rule.fields = []
                item.transformation.processing_item_applied(rule)
            else:
                item.transformation.apply(rule)
                fields = None
        applied.append(wanted)
        if wanted and item.identifier:
            self.applied_ids.add(item.identifier)
        if rule.logsource is not source:
            return step.number + 1
    applied.extend(plan.refused)
    return len(self.items)


def _finds_nothing(step: Step, fields: frozenset[str | None], rule: Any) -> bool:
    """Whether the item has nothing to do with a rule of these fields."""
    if step.renames and rule.fields:
        return False
    for names, included in step.names:
        if names.isdisjoint(fields) if included else fields <= names:
            return True
    return step.by_table and fields.isdisjoint(step.item.transformation.mapping)


def _fields(rule: Any) -> frozenset[str | None]:
    """The fields of the rule, with None for keywords; none at all where it refers to fields in other ways."""
    found: set[str | None] = set()
    waiting = list(rule.detection.detections.values())
    for detection in waiting:
        for item in detection.detection_items:
            kind = type(item)
            if kind is SigmaDetectionItem:
                if SigmaFieldReference in map(type, item.value):
                    return frozenset()
                found.add(item.field)
            elif kind is SigmaDetection:
                waiting.append(item)
            else:
                return frozenset()
    return frozenset(found)


def _plan(pipeline: ProcessingPipeline, source: SigmaLogSource, first: int) -> Plan:
    held = _plans.get(id(pipeline))
    if held is None or held[0] is not pipeline or held[1] != pipeline.items:
        if len(_plans) >= MOST_PIPELINES:
            _plans.clear()
        held = _plans[id(pipeline)] = (pipeline, list(pipeline.items), {})
    key = (source.category, source.product, source.service, first)
    plan = held[2].get(key)
    if plan is None:
        plan = held[2][key] = _planned(pipeline, source, first)
    return plan


def _planned(pipeline: ProcessingPipeline, source: SigmaLogSource, first: int) -> Plan:
    steps: list[Step] = []
    refused = 0
    for number, item in enumerate(pipeline.items[first:], first):
        wanted = _takes(item, source)
        if wanted is False:
            refused += 1
            continue
        names, renames, by_table = _asks(item)
        steps.append(Step(number, (False,) * refused, item, wanted, names, renames, by_table))
        refused = 0
    return Plan(tuple(steps), (False,) * refused)


def _asks(item: Any) -> tuple[tuple[tuple[frozenset[str], bool], ...], bool, bool]:
    """What an item goes by where it looks at nothing but fields: lists of names; whether it renames; by a table."""
    made = item.transformation
    kind = type(made)
    known = isinstance(made, DetectionItemTransformation) and made.processing_item is item
    if not known or type(item) is not ProcessingItem or kind.processing_item_applied is not _OWN_APPLIED:
        return (), False, False
    if kind.apply not in WALKS or kind.apply_detection not in WALKS_WITHIN:
        return (), False, False
    renames = kind.apply is FieldMappingTransformationBase.apply
    if renames and kind.apply_field_name not in PURE_NAMES:
        return (), False, False
    by_table = kind is FieldMappingTransformation
    return _named(item) or (), renames, by_table


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
    names = _named(self)
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
    """What `_name_lists` says, kept."""
    held = _names.get(id(item))
    if held is None or held[0] is not item:
        if len(_names) >= MOST_ITEMS:
            _names.clear()
        held = _names[id(item)] = (item, _name_lists(item))
    return held[1]


def _name_lists(item: Any) -> tuple[tuple[frozenset[str], bool], ...] | None:
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
    if type(self).apply_field_name is not _OWN_FIELD_NAME or SigmaFieldReference in map(type, detection_item.value):
        return _mapped_item(self, detection_item)
    field = detection_item.field
    name = self.mapping.get(field)
    if name is None:
        return None
    item = self.processing_item
    sure = type(item) is ProcessingItem and item.field_name_conditions == [] and _named(item) is not None
    if not sure or field is None or type(name) is not str or self._pipeline is None:
        return _mapped_item(self, detection_item)
    detection_item.field = name
    self.processing_item_applied(detection_item)
    self._pipeline.field_mappings.add_mapping(field, name)
    return detection_item


PIECES = (
    Piece(ProcessingItem, "match_detection_item", match_detection_item, "asks each condition about each value"),
    Piece(
        FieldMappingTransformationBase,
        "apply_detection_item",
        mapped_item,
        "copies the values of each item before it looks whether its field is mapped",
    ),
    Piece(
        ProcessingPipeline,
        "apply",
        apply,
        "asks some seventy items for each rule whether they take its log source, then each detection for each item",
    ),
)
