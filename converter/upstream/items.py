"""Items of pipelines: whether they take a detection item, and what its field becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sigma.processing.conditions.fields import ExcludeFieldCondition, IncludeFieldCondition
from sigma.processing.conditions.state import (
    DetectionItemProcessingItemAppliedCondition,
    FieldNameProcessingItemAppliedCondition,
)
from sigma.processing.conditions.values import (
    ContainsWildcardCondition,
    IsNullCondition,
    MatchStringCondition,
    MatchValueCondition,
)
from sigma.processing.pipeline import ProcessingItem
from sigma.processing.transformations.base import FieldMappingTransformationBase
from sigma.processing.transformations.fields import (
    AddFieldnamePrefixTransformation,
    AddFieldnameSuffixTransformation,
    FieldMappingTransformation,
)
from sigma.types import SigmaFieldReference

from converter.upstream.piece import Piece

# Conditions on values, which are asked last: most items are refused by the name of their field.
OF_VALUES = {ContainsWildcardCondition, IsNullCondition, MatchStringCondition, MatchValueCondition}
OF_FIELDS = {ExcludeFieldCondition, FieldNameProcessingItemAppliedCondition, IncludeFieldCondition}
OF_WHOLE = OF_VALUES | {DetectionItemProcessingItemAppliedCondition}
# Names of fields that are asked for without anything being changed.
PURE_NAMES = {
    AddFieldnamePrefixTransformation.apply_field_name,
    AddFieldnameSuffixTransformation.apply_field_name,
    FieldMappingTransformation.apply_field_name,
}
# Which fields an item takes, by item; and what one asks that goes by more.
_names: dict[int, tuple[Any, tuple[tuple[frozenset[str], bool], ...] | None]] = {}
_held: dict[int, tuple[Any, tuple[Questions, Questions] | None]] = {}
MOST_ITEMS = 20_000
Found = TypeVar("Found")
_match_detection_item = ProcessingItem.match_detection_item
_mapped_item = FieldMappingTransformationBase.apply_detection_item


def match_detection_item(self: ProcessingItem, detection_item: Any) -> bool:
    """Whether the item takes the field; lists of field names are asked at once."""
    names = named(self)
    if names is None:
        return _matches(self, detection_item)
    field = detection_item.field
    for fields, included in names:
        if (field in fields) is included:
            continue
        referred = [value.field for value in detection_item.value if type(value) is SigmaFieldReference]
        if not any((name in fields) is included for name in referred):
            return False
    return not self.detection_item_conditions or _match_detection_item(self, detection_item)


def _matches(item: ProcessingItem, detection_item: Any) -> bool:
    """The same for an item that goes by more: its questions about the field first."""
    asked = _asked(item)
    if asked is None or SigmaFieldReference in map(type, detection_item.value):
        return _match_detection_item(item, detection_item)
    of_field, of_whole = asked
    return of_field.answer(detection_item) and of_whole.answer(detection_item)


@dataclass(frozen=True, slots=True)
class Questions:
    """What an item asks of a detection item, by its field or as a whole, and what it makes of the answers."""

    all: tuple[Callable[[Any], bool], ...]
    linking: Callable[[Iterable[bool]], bool]
    negated: bool

    def answer(self, detection_item: Any) -> bool:
        """Whether the item takes it."""
        return bool(self.linking([ask(detection_item) for ask in self.all])) is not self.negated


def _asked(item: ProcessingItem) -> tuple[Questions, Questions] | None:
    """What `_questions` says, kept."""
    held = _held.get(id(item))
    if held is None or held[0] is not item:
        held = _remembered(_held, item, _questions(item))
    return held[1]


def _questions(item: Any) -> tuple[Questions, Questions] | None:
    """The questions of an item about fields and about items, None where one of them is of no known kind."""
    expressions = item.detection_item_condition_expression, item.field_name_condition_expression
    linkings = item.field_name_condition_linking, item.detection_item_condition_linking
    of_field, of_whole = item.field_name_conditions, item.detection_item_conditions
    if expressions != (None, None) or None in linkings or type(of_field) is not list or type(of_whole) is not list:
        return None
    if not {*map(type, of_field)} <= OF_FIELDS or not {*map(type, of_whole)} <= OF_WHOLE:
        return None
    asks = tuple(map(_asks_field, of_field))
    return (
        Questions(asks, linkings[0], bool(item.field_name_condition_negation)),
        Questions(
            tuple(condition.match for condition in of_whole), linkings[1], bool(item.detection_item_condition_negation)
        ),
    )


def _asks_field(condition: Any) -> Callable[[Any], bool]:
    """Whether a condition takes the field of a detection item whose values refer to none."""
    if type(condition) is FieldNameProcessingItemAppliedCondition:
        # Which looks at the whole item.
        return cast("Callable[[Any], bool]", condition.match_detection_item)
    match = condition.match_field_name
    return lambda detection_item: match(detection_item.field)


def named(item: Any) -> tuple[tuple[frozenset[str], bool], ...] | None:
    """What `_name_lists` says, kept."""
    held = _names.get(id(item))
    if held is None or held[0] is not item:
        held = _remembered(_names, item, _name_lists(item))
    return held[1]


def _remembered(known: dict[int, tuple[Any, Found]], item: Any, found: Found) -> tuple[Any, Found]:
    """Keep what was found of an item, of which there are no more than MOST_ITEMS."""
    if len(known) >= MOST_ITEMS:
        known.clear()
    known[id(item)] = (item, found)
    return item, found


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
    if type(self).apply_field_name not in PURE_NAMES or SigmaFieldReference in map(type, detection_item.value):
        return _mapped_item(self, detection_item)
    field = detection_item.field
    name = self.apply_field_name(field)
    if name is None:
        return None
    item = self.processing_item
    if type(item) is not ProcessingItem or field is None or type(name) is not str or self._pipeline is None:
        return _mapped_item(self, detection_item)
    asks_nothing = item.field_name_conditions == [] and named(item) is not None
    if not asks_nothing and not item.match_field_name(field):
        return None
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
)
