"""Pipelines: which items a log source takes is asked once, not for every rule."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sigma.processing.conditions.rule import LogsourceCondition
from sigma.processing.conditions.state import RuleProcessingItemAppliedCondition, RuleProcessingStateCondition
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.tracking import FieldMappingTracking
from sigma.processing.transformations.base import (
    DetectionItemTransformation,
    FieldMappingTransformationBase,
    Transformation,
    ValueTransformation,
)
from sigma.processing.transformations.detection_item import DropDetectionItemTransformation
from sigma.processing.transformations.fields import FieldMappingTransformation
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.rule.logsource import SigmaLogSource
from sigma.types import SigmaFieldReference

from converter.upstream.items import PURE_NAMES, named
from converter.upstream.piece import Piece

_apply = ProcessingPipeline.apply
_match = LogsourceCondition.match
ASKED = {LogsourceCondition, RuleProcessingItemAppliedCondition, RuleProcessingStateCondition}
# True for an item that takes a log source, False for one that does not, the state that it needs, or None where it has
# to be asked.
Wanted = bool | tuple[str, Any] | None
# What is to be done, by pipeline and log source.
_plans: dict[int, tuple[ProcessingPipeline, list[Any], list[Facts], dict[tuple[Any, ...], Plan]]] = {}
MOST_PIPELINES = 512
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


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be said of an item once for all rules."""

    item: Any
    # The log sources that it takes, as category, product and service; None where it goes by something else: `wanted`.
    sources: tuple[tuple[str | None, ...], ...] | None
    wanted: Wanted
    # The lists of field names that it goes by, none where it asks for more.
    names: tuple[tuple[frozenset[str], bool], ...]
    # Whether it renames fields, by a table that it holds, or by whatever else.
    renames: bool
    by_table: bool

    def takes(self, source: tuple[str | None, ...]) -> Wanted:
        """Whether the item takes the log source, or what is to be asked besides."""
        if self.sources is None:
            return self.wanted
        linking = self.item.rule_condition_linking
        category, product, service = source
        found = linking(
            [
                (one is None or one == category)
                and (another is None or another == product)
                and (third is None or third == service)
                for one, another, third in self.sources
            ]
        )
        return bool(found) is not bool(self.item.rule_condition_negation)


@dataclass(frozen=True, slots=True)
class Step:
    """An item that may take rules of a log source, and how many before it take none of them."""

    number: int
    refused: tuple[bool, ...]
    facts: Facts
    wanted: Wanted


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
        facts, wanted = step.facts, step.wanted
        item = facts.item
        if type(wanted) is tuple:
            wanted = bool(self.state.get(wanted[0]) == wanted[1]) and item.match_rule_conditions(rule)
        if wanted is None:
            wanted, fields = item.apply(rule), None
        elif wanted:
            if fields is None and (facts.names or facts.by_table):
                fields = _fields(rule)
            if fields and _finds_nothing(facts, fields, rule):
                if facts.renames:
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


def _finds_nothing(facts: Facts, fields: frozenset[str | None], rule: Any) -> bool:
    """Whether the item has nothing to do with a rule of these fields."""
    if facts.renames and rule.fields:
        return False
    for names, included in facts.names:
        if names.isdisjoint(fields) if included else fields <= names:
            return True
    return facts.by_table and fields.isdisjoint(facts.item.transformation.mapping)


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
        items = list(pipeline.items)
        held = _plans[id(pipeline)] = (pipeline, items, [_facts(item) for item in items], {})
    key = (source.category, source.product, source.service)
    plan = held[3].get((key, first))
    if plan is None:
        plan = held[3][key, first] = _planned(held[2], key, first)
    return plan


def _planned(items: list[Facts], source: tuple[str | None, ...], first: int) -> Plan:
    steps: list[Step] = []
    refused = 0
    for number, facts in enumerate(items[first:], first):
        wanted = facts.takes(source)
        if wanted is False:
            refused += 1
            continue
        steps.append(Step(number, (False,) * refused, facts, wanted))
        refused = 0
    return Plan(tuple(steps), (False,) * refused)


def _facts(item: Any) -> Facts:
    names, renames, by_table = _asks(item)
    wanted = _wanted(item)
    sources = None
    if wanted is False:
        sources = tuple(
            (one.logsource.category, one.logsource.product, one.logsource.service) for one in item.rule_conditions
        )
    return Facts(item, sources, wanted, names, renames, by_table)


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
    return named(item) or (), renames, by_table


def _wanted(item: Any) -> Wanted:
    """Whether the item takes every log source, False where that hangs on the log source and on nothing else."""
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
    if any(type(condition.logsource) is not SigmaLogSource for condition in conditions):
        return None
    return False


def _of_state(item: Any, conditions: list[Any]) -> tuple[str, Any] | None:
    """The state without which the item is not applied, None where none is that sure."""
    known = all(type(condition) in ASKED for condition in conditions)
    if not known or item.rule_condition_linking is not all or item.rule_condition_negation:
        return None
    for condition in conditions:
        if type(condition) is RuleProcessingStateCondition and condition.op == "eq" and condition.val is not None:
            return condition.key, condition.val
    return None


PIECES = (
    Piece(
        ProcessingPipeline,
        "apply",
        apply,
        "asks some seventy items for each rule whether they take its log source, then each detection for each item",
    ),
)
