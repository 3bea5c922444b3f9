"""Conversions in this process, or in several side by side."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from converter.convert import How, Outcome, Query, Refusal, convert
from converter.packs import Rule
from converter.targets.target import Target

if TYPE_CHECKING:
    from converter.kept import Kept

# Enough that a worker's answer pays, few enough that the last one does not keep the others waiting.
CHUNK = 64
# Below this many rules, a second process takes longer to start than the first one to be done.
WORTH_A_WORKER = 200


def conversions(
    rules: Iterable[Rule], targets: Sequence[Target], how: How, jobs: int = 1, kept: Kept | None = None
) -> Iterator[Outcome]:
    """Convert each rule to each target, in that order, with at most `jobs` processes; what is `kept` is taken."""
    if jobs > 1:
        rules = list(rules)
        known = {id(rule): found for rule in rules if (found := _known(rule, targets, how, kept)) is not None}
        missing = [rule for rule in rules if id(rule) not in known]
        if len(missing) >= WORTH_A_WORKER:
            fresh = _side_by_side(missing, targets, how, jobs)
            for rule in rules:
                found = known.get(id(rule))
                yield from _kept(rule, next(fresh), how, kept) if found is None else found
            return
    for rule in rules:
        found = _known(rule, targets, how, kept)
        yield from _kept(rule, list(convert([rule], targets, how)), how, kept) if found is None else found


def _known(rule: Rule, targets: Sequence[Target], how: How, kept: Kept | None) -> list[Outcome] | None:
    return None if kept is None else kept.outcomes(rule, targets, how)


def _kept(rule: Rule, outcomes: list[Outcome], how: How, kept: Kept | None) -> list[Outcome]:
    if kept is not None:
        kept.keep(rule, outcomes, how)
    return outcomes


def _side_by_side(rules: Sequence[Rule], targets: Sequence[Target], how: How, jobs: int) -> Iterator[list[Outcome]]:
    """The outcomes of each rule, in order."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - most runs are of one process

    starts = range(0, len(rules), CHUNK)
    # What stands now is the same for all: no process has to look through it for what to throw away.
    gc.freeze()
    with ProcessPoolExecutor(min(jobs, len(starts)), initializer=_start, initargs=(rules, targets, how)) as pool:
        by_name = {target.name: target for target in targets}
        for start, answers in zip(starts, pool.map(_converted, starts), strict=True):
            for rule, told in zip(rules[start : start + CHUNK], answers, strict=True):
                yield [_outcome(rule, by_name[name], facts) for name, facts in told]


# What a worker works on; set once, when it starts.
_work: dict[str, Any] = {}


def _start(rules: Sequence[Rule], targets: Sequence[Target], how: How) -> None:
    _work.update(rules=rules, targets=targets, how=how)


def _converted(start: int) -> list[list[tuple[str, tuple[Any, ...]]]]:
    """What each rule of a chunk became: without the rules and targets, which the other side has."""
    chunk = _work["rules"][start : start + CHUNK]
    return [[_facts(outcome) for outcome in convert([rule], _work["targets"], _work["how"])] for rule in chunk]


def _facts(outcome: Outcome) -> tuple[str, tuple[Any, ...]]:
    if isinstance(outcome, Refusal):
        return outcome.target.name, (outcome.reason, outcome.line, outcome.detail)
    facts = (outcome.text, outcome.route, outcome.pipelines, outcome.marks, outcome.warnings, outcome.repairs)
    return outcome.target.name, facts


def _outcome(rule: Rule, target: Target, facts: tuple[Any, ...]) -> Outcome:
    return (
        Refusal(rule, target, *facts)
        if len(facts) == len(("reason", "line", "detail"))
        else Query(rule, target, *facts)
    )
