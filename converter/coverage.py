"""What became of rules, log source by log source on each target, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from converter.convert import Query, Refusal
from converter.logsource import LogSource
from converter.rule import Rule
from converter.targets.target import Homeless, Route, Target

ROUTED = "routed"
REFUSED = "refused"
LATER = "not mapped yet"
UNDECIDED = "nothing is decided for it"
# What stands for the log source of a rule that has none.
CORRELATION = LogSource(category="(correlation)")
NONE = LogSource(category="(none)")


@dataclass
class Line:
    """The rules of one log source on one target.

    `decision` is what the target's table says of the log source: ROUTED, REFUSED, or LATER, which has a home that
    nobody mapped. `why` is the route's name, or the reason.
    """

    logsource: LogSource
    target: Target
    decision: str
    why: str
    converted: int = 0
    refused: int = 0


@dataclass
class Total:
    """The rules of one target; what is refused counts as the decision on its log source, or as a rule of its own."""

    target: Target
    converted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True)
class Coverage:
    """Lines by number of rules, the most first, then by log source; totals in the order of the targets."""

    lines: Sequence[Line]
    totals: Sequence[Total]


def coverage(outcomes: Iterable[Query | Refusal], targets: Sequence[Target]) -> Coverage:
    """Count the outcomes of rules on these targets."""
    lines: dict[tuple[LogSource, str], Line] = {}
    totals = {target.name: Total(target) for target in targets}
    for outcome in outcomes:
        logsource = logsource_of(outcome.rule)
        key = (logsource, outcome.target.name)
        if key not in lines:
            lines[key] = Line(logsource, outcome.target, *decision(logsource, outcome.target))
        line, total = lines[key], totals[outcome.target.name]
        if isinstance(outcome, Query):
            line.converted += 1
            total.converted += 1
        else:
            line.refused += 1
            total.refused[line.decision] += 1
            reason = outcome.reason.partition(";")[0] if line.decision == ROUTED else line.why
            total.reasons[line.decision, " ".join(reason.split())] += 1
    rules = Counter[LogSource]()
    for line in lines.values():
        rules[line.logsource] = max(rules[line.logsource], line.converted + line.refused)
    places = {target.name: place for place, target in enumerate(targets)}
    ordered = sorted(
        lines.values(), key=lambda line: (-rules[line.logsource], str(line.logsource), places[line.target.name])
    )
    return Coverage(ordered, list(totals.values()))


def decision(logsource: LogSource, target: Target) -> tuple[str, str]:
    """What the target's table says of the log source, with the route's name or the reason."""
    if logsource is CORRELATION:
        # Each rule that it names has a log source of its own.
        return ROUTED, "those of the rules that it names"
    home = target.route(logsource)
    if isinstance(home, Route):
        return ROUTED, home.name
    if isinstance(home, Homeless):
        return LATER if home.later else REFUSED, home.reason
    return LATER, UNDECIDED


def logsource_of(rule: Rule) -> LogSource:
    """The log source that the rule names; CORRELATION or NONE where it names none."""
    if rule.is_correlation:
        return CORRELATION
    named = rule.document.get("logsource")
    logsource = LogSource.of(named if isinstance(named, dict) else {})
    return NONE if logsource == LogSource() else logsource


def routes(targets: Iterable[Target]) -> Iterator[tuple[Target, LogSource, Route]]:
    """Each log source that a route of the targets takes, in the order of their tables."""
    for target in targets:
        for route in target.routes:
            for logsource in route.logsources:
                yield target, logsource, route
