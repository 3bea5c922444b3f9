"""Whether a project's rules are sound, and its outputs what the rules convert to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

from sigma.rule import SigmaRule
from sigma.validation import SigmaValidator
from sigma.validators.base import SigmaRuleValidator, SigmaValidationIssue
from sigma.validators.core import validators
from sigma.validators.core.tags import ATTACKTagValidator, D3FENDTagValidator

from converter import cases
from converter.attack import attack
from converter.errors import Problem, SigmapackError
from converter.logsource import LogSource
from converter.mapping import sigma_fields
from converter.refused import Refused
from converter.rule import Rule
from converter.sound import parsed
from converter.targets.target import Route, Target

# These two download their lists at run time. ATT&CK tags are held against the list that ships with us instead.
NEED_A_NETWORK = {ATTACKTagValidator, D3FENDTagValidator}


def findings(rules: Sequence[Rule], targets: Sequence[Target]) -> list[Problem]:
    """What is wrong with the rules and their cases, in order of path; `convert` tells of those that do not parse."""
    sound: dict[str, tuple[Rule, SigmaRule]] = {}
    for rule in rules:
        try:
            sound[str(rule.place)] = rule, parsed(rule)
        except Refused:
            continue
    problems = [*_validated(sound.values()), *_tags(sound.values()), *_cases(rules, targets)]
    return sorted(problems, key=lambda problem: (str(problem.path), problem.line or 0, problem.message))


def _validated(rules: Iterable[tuple[Rule, SigmaRule]]) -> Iterator[Problem]:
    chosen: set[type[SigmaRuleValidator]] = set(validators.values()) - NEED_A_NETWORK
    by_rule = {id(sigma): rule for rule, sigma in rules}
    validator = SigmaValidator(chosen)
    issues: list[SigmaValidationIssue] = []
    for rule, sigma in rules:
        try:
            issues += validator.validate_rule(sigma)
        except Exception as error:  # noqa: BLE001 - a validator that fails on a rule must not stop the others
            yield Problem(f"cannot be validated: {' '.join(map(str, error.args)) or type(error).__name__}", rule.path)
    issues += validator.finalize()
    for issue in issues:
        for blamed in issue.rules:
            rule = by_rule[id(blamed)]
            yield Problem(f"{_said(issue)} ({issue.severity.name.lower()}: {type(issue).__name__})", rule.path)


def _said(issue: SigmaValidationIssue) -> str:
    """The issue's description, and the values that it names."""
    details = (getattr(issue, field.name) for field in fields(issue) if field.name != "rules")
    return ": ".join([issue.description, *map(str, details)])


def _tags(rules: Iterable[tuple[Rule, SigmaRule]]) -> Iterator[Problem]:
    known, retired = attack().known, attack().retired
    for rule, sigma in rules:
        for tag in sigma.tags:
            # SigmaHQ's older rules write a tactic with underscores.
            name = tag.name.lower().replace("_", "-")
            if tag.namespace != "attack" or name in known:
                continue
            line = rule.line("tags")
            if name in retired:
                instead = retired[name]
                remedy = f"use attack.{instead.lower()}" if instead else "delete it"
                yield Problem(f"the tag {tag} is retired from ATT&CK; {remedy}", rule.path, line)
            else:
                yield Problem(f"the tag {tag} is none of ATT&CK's; mend it", rule.path, line)


def _cases(rules: Iterable[Rule], targets: Sequence[Target]) -> Iterator[Problem]:
    for rule in rules:
        if rule.is_correlation:
            continue
        try:
            found = cases.read(rule)
        except SigmapackError as error:
            yield error.problem
            continue
        known = _fields(rule, targets)
        for case in found:
            for name in case.event:
                if known and name not in known:
                    near = difflib.get_close_matches(name, known, 1)
                    hint = f"; did you mean {near[0]}?" if near else ""
                    yield Problem(f"the case {case.name!r} has the unknown field {name}{hint}", rule.cases_path)


def _fields(rule: Rule, targets: Sequence[Target]) -> set[str]:
    """The Sigma fields that any target maps for the rule's log source; none where no target takes it."""
    try:
        source = LogSource.of(parsed(rule).logsource.to_dict())
    except Refused:
        return set()
    routes = ((target, target.route(source)) for target in targets)
    return {name for target, route in routes if isinstance(route, Route) for name in sigma_fields(target, route)}
