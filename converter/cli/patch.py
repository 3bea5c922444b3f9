"""A few rules converted by themselves, and put where they stood in the outputs of the run before.

It takes a run that hangs on nothing but one rule a query, and rules of which nothing has changed but what their queries
say, and why they have none. For all else there is None, and everything is converted.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from converter import manifest, tree
from converter.cli import report
from converter.cli.asked import Request
from converter.cli.replay import Earlier
from converter.cli.request import how_of, kept_of, places, requested_targets
from converter.convert import How, Outcome, Query, Refusal, convert
from converter.packs import File, Reading, read_chunk
from converter.rule import WHOLE, Rule
from converter.targets.target import Target
from converter.watched import Untold


def may_follow(request: Request, reading: Reading, how: How) -> bool:
    """Whether rules of such a run may be converted by themselves: none hangs on another, and all went well."""
    plain = request.form == "default" and request.encoding == "utf-8" and not how.stock
    chosen = request.prune or request.reports or request.levels or request.statuses or request.tags
    faults = reading.problems or reading.absent or reading.unread or reading.filters
    named = how.filters or how.options.pipelines or any(rule.is_correlation for rule in reading.rules)
    return plain and not (chosen or faults or named)


class Shapes:
    """What was said of the queries of each rule, gathered as they go by."""

    def __init__(self) -> None:
        self.said: dict[int, list[list[object]]] = defaultdict(list)
        self.refused: dict[int, list[Refusal]] = defaultdict(list)

    def note(self, outcome: Outcome) -> None:
        """Note what is said of an outcome."""
        self.said[id(outcome.rule)].append(_said(outcome))

    def of(self, reading: Reading, refusals: Iterable[Refusal]) -> dict[str, list[str]]:
        """Of each rule file that may be converted by itself: place, id, shape, and what was said of its refusals."""
        for refusal in refusals:
            self.note(refusal)
            self.refused[id(refusal.rule)].append(refusal)
        hunted = [pack.place for pack in reading.packs if pack.hunting]
        return {
            rule.path_name: [
                rule.place_name,
                rule.id,
                _shape(self.said[id(rule)]),
                report.refused(self.refused[id(rule)]),
            ]
            for rule in reading.rules
            if rule.last_line == WHOLE and not any(rule.place.is_relative_to(place) for place in hunted)
        }


def _said(outcome: Outcome) -> list[object]:
    """What has to stay as it is: whether there is a query, and its warnings."""
    if isinstance(outcome, Query):
        return [outcome.target.name, *outcome.warnings]
    return [outcome.target.name, None]


def _shape(said: Sequence[Sequence[object]]) -> str:
    """All that has to stay as it is of the outcomes of a rule, as one."""
    told = json.dumps(sorted(said, key=lambda each: str(each[0])))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def patched(request: Request, earlier: Earlier) -> Mapping[str, Any] | None:
    """The record of the run once its changed rules are converted and written; None where that is not enough."""
    rules = [_alone(path, *earlier.held["rules"][path][:2]) for path in earlier.changed]
    if not all(rules):
        return None
    project, inputs, output = places(request)
    if output is None:
        return None
    found = [rule for rule in rules if rule]
    how = how_of(project, Reading(rules=found), request)
    targets = requested_targets(request, project)
    outcomes = _outcomes(found, targets, how, earlier.held["rules"])
    queries = [outcome for outcome in outcomes or () if isinstance(outcome, Query)]
    listing = manifest.renewed(tree.text_of(output / manifest.NAME), outcomes or ())
    said = _said_again(earlier.held, found, outcomes or ())
    if outcomes is None or listing is None or said is None:
        return None
    texts = {PurePosixPath(query.output): f"{query.text}\n" for query in queries}
    if tree.write(texts, output) or tree.write({PurePosixPath(manifest.NAME): listing}, output):
        return None
    kept = kept_of(inputs, targets, request)
    for rule in found:
        kept.keep(rule, [outcome for outcome in outcomes if outcome.rule is rule], how)
    kept.save()
    try:
        contents = {rule.path_name: rule.file_sha256 for rule in found}
        record = earlier.renewed(contents, [f"{output}/{path}" for path in (*texts, manifest.NAME)])
    except Untold:
        return None
    return {**record, **said}


def _alone(path: str, place: str, rule_id: str) -> Rule | None:
    """The rule of the file, if that holds what it held: one rule of this id."""
    (found,) = read_chunk([File(path, place)])
    if found.unread or found.filters or found.shares or len(found.rules) != 1:
        return None
    (rule,) = found.rules
    return rule if rule.last_line == WHOLE and rule.id == rule_id and not rule.is_correlation else None


def _outcomes(
    rules: Sequence[Rule], targets: Sequence[Target], how: How, shaped: Mapping[str, Sequence[str]]
) -> list[Outcome] | None:
    """What the rules become; None where something else would have to be said of them than was."""
    found = []
    for rule in rules:
        outcomes = list(convert([rule], targets, how))
        if _shape([_said(outcome) for outcome in outcomes]) != shaped[rule.path_name][2]:
            return None
        found += outcomes
    return found


def _said_again(
    held: Mapping[str, Any], rules: Sequence[Rule], outcomes: Sequence[Outcome]
) -> Mapping[str, Any] | None:
    """What was said, with the refusals of these rules as they are now; None where they do not stand there once."""
    said, known = f"\n{held['said']}", dict(held["rules"])
    for rule in rules:
        *facts, before = known[rule.path_name]
        after = report.refused(one for one in outcomes if isinstance(one, Refusal) and one.rule is rule)
        if bool(before) is not bool(after) or (before and said.count(f"\n{before}") != 1):
            return None
        said = said.replace(f"\n{before}", f"\n{after}") if before else said
        known[rule.path_name] = [*facts, after]
    return {"said": said[1:], "rules": known}
