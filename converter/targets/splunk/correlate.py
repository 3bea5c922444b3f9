"""Sigma correlations as SPL: the searches of the rules that they name, counted in windows of time.

Sigma's windows slide. `streamstats` counts back from each event over the `time_window` before it; it needs the events
in order of time, and holds 10,000 of them (Search Reference, "streamstats"; `max_stream_window` in limits.conf). What
comes of it is one row for each group: the event with which it first met the condition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sigma.backends.splunk.splunk import SplunkBackend
from sigma.collection import SigmaCollection
from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationFieldAliases,
    SigmaCorrelationType,
)
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.processing.pipeline import ProcessingPipeline

from converter.targets.splunk.where import literal

if TYPE_CHECKING:
    from sigma.correlations import SigmaCorrelationRule

    from converter.targets.repair import Repairs
    from converter.targets.target import Named

PLAIN = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
# What a window holds at most.
MOST = 10_000
OPERATORS = {SigmaCorrelationConditionOperator.GT: ">", SigmaCorrelationConditionOperator.GTE: ">="}
# The units of Sigma that have a fixed length, but for weeks.
UNITS = {"s": "s", "m": "m", "h": "h", "d": "d"}
WEEK = 7
# The name of the count, and what counts.
AGGREGATES = {
    SigmaCorrelationType.EVENT_COUNT: ("event_count", "count"),
    SigmaCorrelationType.VALUE_COUNT: ("value_count", "dc({field})"),
    SigmaCorrelationType.TEMPORAL: ("event_type_count", "dc(event_type)"),
}


def correlation(
    correlated: SigmaCorrelationRule, named: Sequence[Named], repairs: Repairs, method: str | None = None
) -> str:
    """The correlation over the rules that it names, each with its search (S20).

    Raises SigmaFeatureNotSupportedByBackendError for what has no exact form.
    """
    copied = _renamed(correlated, named)
    for one in named:
        one.rule.set_conversion_result([one.query])
    SigmaCollection([*(one.rule for one in named), correlated])

    def stock() -> str:
        backend = SplunkBackend(ProcessingPipeline())
        backend.init_processing_pipeline()
        (text,) = backend.convert_correlation_rule(correlated, method=method)
        return str(text)

    def ours() -> str:
        _refuse_unknown(correlated.type)
        if reason := _inexactness(correlated):
            repairs.inexact(reason)
            return stock()
        return f"{_searches(named, copied)}\n\n{_windowed(correlated)}"

    return repairs.choose("S20", ours, stock)


def _renamed(correlated: SigmaCorrelationRule, named: Sequence[Named]) -> Sequence[Mapping[str, str]]:
    """Give the correlation the names that its searches have, and say what each search has to call otherwise."""
    references = [reference.reference for reference in correlated.rules or ()]
    condition = correlated.condition
    counted = _counted(condition) if isinstance(condition, SigmaCorrelationCondition) else []
    known: dict[str, str] = {}
    aliases: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys([*(correlated.group_by or ()), *counted]):
        columns = [
            one.column(_field(correlated, name, reference)) for one, reference in zip(named, references, strict=True)
        ]
        known[name] = columns[0] if len(set(columns)) == 1 else name
        _refuse_odd(known[name], *columns)
        if len(set(columns)) > 1:
            aliases[name] = dict(zip(references, columns, strict=True))
    _refuse_overwritten(known, aliases)
    groups = dict.fromkeys(known[name] for name in correlated.group_by or ())
    correlated.group_by = list(groups) or None
    correlated.aliases = SigmaCorrelationFieldAliases.from_dict(aliases)
    if isinstance(condition, SigmaCorrelationCondition) and counted:
        condition.fieldref = known[counted[0]] if len(counted) == 1 else [known[name] for name in counted]
    return [
        {name: told[reference] for name, told in aliases.items() if told[reference] != name} for reference in references
    ]


def _field(correlated: SigmaCorrelationRule, name: str, reference: str) -> str:
    """The Sigma field that a name of the correlation stands for in the events of a rule."""
    alias = correlated.aliases.aliases.get(name)
    if alias is None:
        return name
    for told, field in alias.mapping.items():
        if told.reference == reference:
            return str(field)
    raise SigmaFeatureNotSupportedByBackendError(f"the alias {name} names no field of the rule {reference}")


def _counted(condition: SigmaCorrelationCondition) -> list[str]:
    field = condition.fieldref
    return [field] if isinstance(field, str) else list(field or ())


def _refuse_odd(*names: str) -> None:
    for name in names:
        if not PLAIN.fullmatch(name):
            raise SigmaFeatureNotSupportedByBackendError(f"a correlation by the field {name!r}, whose name is no word")


def _refuse_overwritten(known: Mapping[str, str], aliases: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a common name that one of the searches has for another field that it is asked for."""
    for name in aliases:
        others = [known[other] for other in known if other != name and other not in aliases]
        others += [column for other, told in aliases.items() if other != name for column in told.values()]
        if name in others:
            raise SigmaFeatureNotSupportedByBackendError(f"a correlation by {name}, which is another field in a search")


def _refuse_unknown(kind: SigmaCorrelationType) -> None:
    if kind not in AGGREGATES:
        raise SigmaFeatureNotSupportedByBackendError(f"the correlation {kind.name.lower()} has no form in SPL yet")


def _inexactness(correlated: SigmaCorrelationRule) -> str:
    """Why a sliding window does not say it; empty where it does."""
    condition = correlated.condition
    if not isinstance(condition, SigmaCorrelationCondition):
        return "a condition over names of rules counts nothing, and has no form over a sliding window"
    if condition.op not in OPERATORS:
        return f"{condition.op.name.lower()} of a count in a sliding window, in which the count also grows and falls"
    if condition.count >= MOST:
        return f"a count of {condition.count}, where a sliding window holds {MOST} events"
    if len(_counted(condition)) > 1:
        return "values of several fields, which no function counts together"
    if correlated.timespan.unit not in {*UNITS, "w"}:
        return f"a timespan of {correlated.timespan.spec}, which has no fixed length"
    return ""


def _searches(named: Sequence[Named], copied: Sequence[Mapping[str, str]]) -> str:
    """The search of the only rule; or those of all, whose events say which rule found them."""
    if len(named) == 1:
        return named[0].query
    lines = ["| multisearch"]
    for one, names in zip(named, copied, strict=True):
        said = f"event_type={literal(str(one.rule.name or one.rule.id))}"
        assigned = ", ".join([said, *(f"{name}={_quoted(column)}" for name, column in names.items())])
        lines.append(f"[ search {one.query} | eval {assigned} ]")
    return "\n".join(lines)


def _windowed(correlated: SigmaCorrelationRule) -> str:
    """The events in order of time, counted, and of each group the first that meets the condition."""
    condition, timespan = correlated.condition, correlated.timespan
    if not isinstance(condition, SigmaCorrelationCondition):
        raise TypeError(type(condition))
    name, function = AGGREGATES[correlated.type]
    aggregate = function.format(field=condition.fieldref)
    groups = correlated.group_by or []
    span = f"{timespan.count * WEEK}d" if timespan.unit == "w" else f"{timespan.count}{UNITS[timespan.unit]}"
    by = f" by {' '.join(groups)}" if groups else ""
    # An event without a field of the group belongs to none.
    kept = f"dedup {' '.join(groups)}" if groups else "head 1"
    present = f"| where {' AND '.join(f'isnotnull({_quoted(group)})' for group in groups)}\n" if groups else ""
    return (
        f"{present}| sort 0 _time\n"
        f"| streamstats time_window={span} {aggregate} as {name}{by}\n"
        f"| where {name} {OPERATORS[condition.op]} {condition.count}\n"
        f"| {kept}\n"
        f"| table {', '.join(['_time', *groups, name])}"
    )


def _quoted(name: str) -> str:
    """The name as an expression takes it: in single quotes where it is no plain word."""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"'{name}'"
