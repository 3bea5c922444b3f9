"""What is to be tested: each rule with its queries, and with the events that stand beside it or are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from converter import cases, records, sound
from converter.convert import How, Refusal, converted
from converter.errors import Problem, SigmapackError
from converter.judge import Given, NoQuery, Trial
from converter.refused import Refused
from converter.rule import Rule, whole
from converter.targets.target import Target

# The key under which a published rule names its recorded events, https://github.com/SigmaHQ/sigma/tree/master/regression_data.
REGRESSION = "regression_tests_path"


@dataclass(frozen=True)
class Plan:
    """What is tested, and how.

    `hows` says for each target how rules are converted afresh. With `outputs` the query that stands in that folder is
    judged, and a rule is converted only to say why it has none. `given` are events by the rule's id; those under the
    empty id are for all rules. `engines` are as Judge takes them.
    """

    targets: tuple[Target, ...]
    hows: Mapping[str, How]
    outputs: Path | None = None
    given: Mapping[str, tuple[Given, ...]] = field(default_factory=dict)
    generated: bool = True
    minimise: bool = True
    seed: int = 0
    engines: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def live(self) -> bool:
        """Whether a running cluster judges, of which nothing is known in advance."""
        return any(self.engines.values())

    def given_for(self, rule: Rule) -> tuple[Given, ...]:
        """The events that the user names for this rule, or for all."""
        return (*self.given.get(rule.id, ()), *self.given.get("", ()))


def trial(rule: Rule, plan: Plan) -> Trial:
    """The rule with its queries and events."""
    how = next(iter(plan.hows.values()))
    return Trial(
        whole(rule.document),
        {target.name: _query(rule, target, plan) for target in plan.targets},
        tuple(whole(each.document) for each in how.filters),
        how.placeholders,
        (*_cases(rule), *recorded(rule), *plan.given_for(rule)),
        {name: whole(other.document) for name, other in referred(rule, plan).items()},
    )


def referred(rule: Rule, plan: Plan) -> dict[str, Rule]:
    """The rules that a correlation names, by these names; none where it names one that is not there."""
    if not rule.is_correlation:
        return {}
    try:
        names = [str(reference.reference) for reference in sound.correlation(rule).rules or ()]
        return dict(zip(names, sound.referred(rule, next(iter(plan.hows.values())).referable), strict=True))
    except Refused:
        return {}


def _query(rule: Rule, target: Target, plan: Plan) -> str | NoQuery:
    if plan.outputs is not None:
        path = plan.outputs / output(rule, target)
        try:
            return path.read_text(encoding="utf-8").removesuffix("\n")
        except FileNotFoundError:
            outcome = converted(rule, target, plan.hows[target.name])
            if isinstance(outcome, Refusal):
                return NoQuery(outcome.reason)
            return NoQuery(f"{path.as_posix()} is missing; run sigmapack convert", "broken")
        except (OSError, UnicodeDecodeError) as error:
            return NoQuery(f"{path.as_posix()} cannot be read: {error}", "broken")
    outcome = converted(rule, target, plan.hows[target.name])
    return NoQuery(outcome.reason) if isinstance(outcome, Refusal) else outcome.text


def output(rule: Rule, target: Target) -> PurePosixPath:
    """Where the rule's query stands below the folder of outputs."""
    return PurePosixPath(target.name, f"{rule.place}.{target.suffix}")


def _cases(rule: Rule) -> tuple[Given, ...]:
    """The rule's cases as events; none where it has no file of cases, or a bad one, which `gaps` tells of."""
    if not rule.cases_path.is_file():
        return ()
    try:
        found = cases.read(rule)
    except SigmapackError:
        return ()
    return tuple(Given(f"case: {case.name}", case.event, case.verb == "must_match") for case in found)


def recorded(rule: Rule) -> tuple[Given, ...]:
    """The events that the rule was published with."""
    place = recordings(rule)[-1:]
    if not place or not place[0].is_dir():
        return ()
    try:
        return given(place[0]).get(rule.id, ())
    except SigmapackError:
        return ()


def recordings(rule: Rule) -> list[Path]:
    """The folders where a rule's recorded events may be, from its own upward: none behind the first that is there."""
    named = rule.document.get(REGRESSION)
    if not isinstance(named, str) or not named:
        return []
    asked = []
    for folder in rule.path.absolute().parents:
        asked.append((folder / named).parent)
        if asked[-1].is_dir():
            break
    return asked


def given(path: Path) -> dict[str, tuple[Given, ...]]:
    """The events of a file or folder by the rule's id, under the empty id those of no rule; raises SigmapackError."""
    found: dict[str, list[Given]] = {}
    for each in records.read(path):
        event = Given(f"recorded: {each.name}", each.event, each.expected)
        for name in each.rules or ("",):
            found.setdefault(name, []).append(event)
    return {name: tuple(events) for name, events in found.items()}


def gaps(rule: Rule) -> Mapping[str, str] | Problem:
    """Why the rule's query is known not to be exact, by target; a problem where its file of cases is bad."""
    if not rule.cases_path.is_file():
        return {}
    try:
        return cases.todo(rule)
    except SigmapackError as error:
        return error.problem
