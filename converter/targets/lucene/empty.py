"""Values that an ingest pipeline takes away, so that the field is as if the event had none."""

from __future__ import annotations

from typing import Any

from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionOR
from sigma.types import SigmaNull, SigmaString

from converter.targets.strings import shape

# "Remove all empty values from event_data", the first step of the pipelines for Sysmon, Security and PowerShell
# (packages/windows and packages/system of https://github.com/elastic/integrations).
EMPTY = frozenset({"", "-", "{00000000-0000-0000-0000-000000000000}"})


def is_empty(value: SigmaString) -> bool:
    """Whether this is such a value."""
    wanted = shape(value)
    return wanted.operator == "equals" and wanted.text in EMPTY


def without_empty(cond: ConditionOR) -> ConditionOR:
    """The alternatives without such values of a field that may be missing as well: an event with one is found so."""
    leaves = [arg for arg in cond.args if isinstance(arg, ConditionFieldEqualsValueExpression)]
    missing = {leaf.field for leaf in leaves if isinstance(leaf.value, SigmaNull)}
    gone = [leaf for leaf in leaves if leaf.field in missing and _is_empty(leaf.value)]
    return ConditionOR([arg for arg in cond.args if not any(arg is leaf for leaf in gone)], cond.source)


def _is_empty(value: Any) -> bool:
    return isinstance(value, SigmaString) and is_empty(value)
