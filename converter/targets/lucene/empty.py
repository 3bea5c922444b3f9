"""Values that an ingest pipeline takes away, so that the field is as if the event had none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.types import SigmaNull, SigmaString

from converter.targets.strings import only_text

# "Remove all empty values from event_data", the first step of the pipelines for Sysmon, Security and PowerShell
# (packages/windows and packages/system of https://github.com/elastic/integrations).
EMPTY = frozenset({"", "-", "{00000000-0000-0000-0000-000000000000}"})


def is_empty(value: SigmaString) -> bool:
    """Whether this is such a value."""
    return only_text(value) in EMPTY


def without_empty(cond: ConditionOR) -> ConditionOR:
    """The alternatives without such values of a field that may be missing as well: an event with one is found so."""
    return ConditionOR(_others(cond.args, _missing(cond.args)), cond.source)


def without_negated_empty(cond: ConditionAND) -> ConditionAND:
    """The conditions without negations of such values of a field that must not be missing either."""
    fields = _missing(arg.args[0] for arg in cond.args if isinstance(arg, ConditionNOT))
    kept: list[Any] = []
    for arg in cond.args:
        inner = _negated(arg)
        rest = _others(inner.args if isinstance(inner, ConditionOR) else [inner], fields)
        if isinstance(inner, ConditionOR) and 0 < len(rest) < len(inner.args):
            kept.append(ConditionNOT([ConditionOR(rest, inner.source) if len(rest) > 1 else rest[0]]))
        elif rest:
            kept.append(arg)
    return ConditionAND(kept, cond.source)


def _negated(arg: Any) -> Any:
    """What a negation says not to be; None of another condition."""
    return arg.args[0] if isinstance(arg, ConditionNOT) else None


def _missing(args: Iterable[Any]) -> set[str]:
    """The fields of which these say that they are missing."""
    leaves = (arg for arg in args if isinstance(arg, ConditionFieldEqualsValueExpression))
    return {leaf.field for leaf in leaves if isinstance(leaf.value, SigmaNull)}


def _others(args: Sequence[Any], fields: set[str]) -> list[Any]:
    """Those that ask none of the fields for such a value."""
    return [arg for arg in args if not (_asks_empty(arg) and arg.field in fields)]


def _asks_empty(arg: Any) -> bool:
    leaf = isinstance(arg, ConditionFieldEqualsValueExpression)
    return leaf and isinstance(arg.value, SigmaString) and is_empty(arg.value)
