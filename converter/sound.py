"""Rules as pySigma reads them, or the reason why it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule

from converter import encodings
from converter.errors import Problem
from converter.refused import Refused
from converter.rule import Rule, whole
from converter.upstream.rules import Originals

# `windash` makes five values of every dash that begins a word: beyond this many nothing sensible is meant.
MOST_DASHES = 5
MOST_EXPANDED = 20_000
OF = re.compile(r"\bof\s+([\w*]+)")
MARKED = encodings.MODIFIERS | {"windash"}
NESTED = {dict, list}


def parsed(rule: Rule) -> SigmaRule:
    """The rule as pySigma reads it, fresh, since pipelines change it; raises Refused with every fault found."""
    return _originals.copy(rule, "", lambda: _read(rule))


_originals = Originals()


def _read(rule: Rule) -> SigmaRule:
    document = whole(rule.document)
    marked, empty = _looked_at(document.get("detection"))
    if marked:
        _refuse_bombs(rule)
    _refuse_nothing(rule, listless=empty)
    if marked:
        _refuse_encodings(rule)
    sigma = SigmaRule.from_dict(_one_condition(document), collect_errors=True)
    _refuse_faults(rule, sigma.errors)
    return sigma


def is_sound(rule: Rule) -> bool:
    """Whether pySigma can read the rule, its condition included."""
    try:
        if rule.is_correlation:
            return bool(correlation(rule))
        return all(condition.parsed is not None for condition in parsed(rule).detection.parsed_condition)
    except (Refused, SigmaError, RecursionError):
        return False


def filtered(rule: Rule, filters: Sequence[Rule]) -> SigmaRule:
    """The rule with the Sigma filters that take its log source or name it."""
    sigma = parsed(rule)
    for each in filters:
        # Fresh as well: a filter's detections become the rule's own, and pipelines rename their fields.
        SigmaFilter.from_dict(deepcopy(dict(whole(each.document)))).apply_on_rule(sigma)
    return sigma


def filter_problems(filters: Sequence[Rule]) -> list[Problem]:
    """One problem for each filter that pySigma cannot read."""
    problems = []
    for each in filters:
        try:
            errors = SigmaFilter.from_dict(deepcopy(dict(whole(each.document))), collect_errors=True).errors
        except SigmaError as error:
            errors = [error]
        if errors:
            problems.append(Problem(f"is no sound Sigma filter: {reason(errors[0])}", each.path, each.first_line))
    return problems


def correlation(rule: Rule) -> SigmaCorrelationRule:
    """The correlation as pySigma reads it, its references not yet resolved; raises Refused with every fault found."""
    try:
        sigma = SigmaCorrelationRule.from_dict(deepcopy(dict(whole(rule.document))), collect_errors=True)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        said = reason(error) if isinstance(error, SigmaError) else "it is no mapping of the form that Sigma asks for"
        raise Refused(f"is no sound Sigma correlation: {said}", rule.line("correlation")) from error
    _refuse_faults(rule, sigma.errors)
    return sigma


def referred(rule: Rule, referable: Sequence[Rule]) -> list[Rule]:
    """The rules that a correlation names, by `name` or id, in its order; raises Refused for one that is not there."""
    by_name = {name: other for other in referable for name in (other.id, str(other.document.get("name") or "")) if name}
    found = []
    for reference in correlation(rule).rules or ():
        name = str(reference.reference)
        other = by_name.get(name) or by_name.get(name.lower())
        if other is None:
            raise Refused(f"names the rule {name}, which is not among the INPUTs", rule.line("rules"))
        if other.is_correlation:
            raise Refused(f"correlates the correlation {name}, which is not supported", rule.line("rules"))
        found.append(other)
    return found


def reason(error: SigmaError) -> str:
    """What pySigma says, without the path that it adds."""
    return " ".join(map(str, error.args)) or type(error).__name__


def line(rule: Rule, error: SigmaError) -> int | None:
    """The line of the key that the kind of error is about, None where no key is."""
    kind = type(error).__name__.lower()
    keys = {"identifier": "id", "unknownmodifier": "detection"}
    for key in ("logsource", "condition", "detection", "modifier", "identifier", "title", "date", "status", "level"):
        if key in kind:
            return rule.line(keys.get(key, key))
    return None


def line_of_fault(rule: Rule, error: Exception) -> int | None:
    """The line of the key that the error is about, None where no key is."""
    return line(rule, error) if isinstance(error, SigmaError) else None


def _refuse_faults(rule: Rule, errors: Sequence[SigmaError]) -> None:
    if errors:
        reasons = "; ".join(dict.fromkeys(map(reason, errors)))
        raise Refused(f"is no sound Sigma rule: {reasons}", line(rule, errors[0]))


def _one_condition(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its conditions joined: a list of them means any of them (specification 2.1, `condition`)."""
    detection = document.get("detection")
    conditions = detection.get("condition") if isinstance(detection, dict) else None
    found = dict(document)
    if (
        isinstance(detection, dict)
        and isinstance(conditions, list)
        and all(isinstance(each, str) for each in conditions)
    ):
        found["detection"] = detection | {"condition": " or ".join(f"({each})" for each in conditions)}
    return found


def _looked_at(item: object) -> tuple[bool, bool]:
    """Whether a key has a modifier whose values have to be looked at, and whether a key lists none.

    Few rules have either, so that this is the only walk through most of them.
    """
    marked = empty = False
    waiting = [item]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, each in value.items():
                marked = marked or _is_marked(str(key))
                empty = empty or (isinstance(each, list) and not each)
            waiting.extend(value.values())
        elif isinstance(value, list) and not NESTED.isdisjoint(map(type, value)):
            waiting.extend(value)
    return marked, empty


@lru_cache(maxsize=4096)
def _is_marked(key: str) -> bool:
    return not MARKED.isdisjoint(key.split("|"))


def _refuse_bombs(rule: Rule) -> None:
    expanded = 0
    for key, value in _values(rule.document.get("detection")):
        if "windash" in key.split("|") and isinstance(value, str):
            dashes = len(re.findall(r"\B[-/]\b", value))
            if dashes > MOST_DASHES:
                message = f"windash makes 5^{dashes} values of one with {dashes} dashes; split it with |all"
                raise Refused(message, rule.line(key.split("|")[0]))
            expanded += 5**dashes
    if expanded > MOST_EXPANDED:
        message = f"windash makes {expanded} values of this rule's; split it, or take some dashes out"
        raise Refused(message, rule.line("detection"))


def _refuse_encodings(rule: Rule) -> None:
    """Refuse what pySigma encodes otherwise than the specification means it."""
    for key, value in _values(rule.document.get("detection")):
        field, *modifiers = key.split("|")
        if isinstance(value, str) and (fault := encodings.fault(modifiers, value)):
            raise Refused(fault, rule.line(field) or rule.line("detection"))


def _refuse_nothing(rule: Rule, *, listless: bool) -> None:
    """Refuse what pySigma takes for a condition that is not there: a pattern without a selection, an empty list.

    Lists are looked at where some key is `listless`.
    """
    detection = rule.document.get("detection")
    if not isinstance(detection, dict):
        return
    conditions = detection.get("condition")
    for condition in conditions if isinstance(conditions, list) else [conditions]:
        for pattern in OF.findall(condition) if isinstance(condition, str) else ():
            if pattern != "them" and not any(fnmatchcase(str(name), pattern) for name in detection):
                raise Refused(f"the condition names {pattern}, which no selection fits", rule.line("condition"))
    for key, value in _empty_lists(detection) if listless else ():
        if not value:
            raise Refused(f"{key} lists no value; delete it, or list one", rule.line(key.split("|")[0]))


def _empty_lists(item: object) -> Iterator[tuple[str, list[object]]]:
    """Every list that stands as the value of a field."""
    waiting = [item]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from ((str(key), each) for key, each in value.items() if isinstance(each, list))
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _values(item: object) -> Iterator[tuple[str, object]]:
    """Every value of a detection with the key that it stands under, however the lists and mappings are nested."""
    waiting: list[tuple[str, object]] = [("", item)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((str(name), each) for name, each in value.items())
        elif isinstance(value, list):
            waiting.extend((key, each) for each in value)
        else:
            yield key, value
