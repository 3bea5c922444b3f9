"""The judging notices every change of meaning in the pack's queries, and calls no other change one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from converter.judge import Given, Judge, NoQuery, Trial
from converter.plan import trial
from tests.mutations import Mutant, mutants
from tests.pack_judged import TARGETS, golden, held, known, plan, reading, rule

RULES = sorted(each.place.name for each in reading().rules)
# The long rule's queries take a while: of their changes every so many is tried, all of them with the variable set.
EVERY = "SIGMAPACK_EVERY_MUTANT"
LONG, STEP = "proc_creation_ct_log_query", 20


def changes() -> Iterator[Any]:
    for target in (each.name for each in TARGETS):
        for name in RULES:
            found = list(mutants(target, golden(target, name)))
            some = found[:: STEP if name == LONG and not os.environ.get(EVERY) else 1]
            yield from (pytest.param(target, name, mutant, id=f"{target} {name} {mutant.name}") for mutant in some)


# Values whose list has another one that is part of them.
COVERED = re.compile(r"zgrab2|urlcache|api\.certspotter\.com|search\.censys\.io")


def unchanged(target: str, name: str, mutant: Mutant) -> str:
    """Why the change leaves the meaning; nothing where it does not."""
    text = golden(target, name)
    before, after = text[: mutant.at], text[mutant.at :]
    # Patterns of both letter cases as their letters, without escapes.
    told = re.sub(r"\\(.)", r"\1", re.sub(r"\[([a-z])[A-Z]\]", r"\1", mutant.name))
    if COVERED.search(told) and not told.startswith(("letter", "negate")):
        if re.search(r" in \w+ \(at", told):
            return "both columns are asked for zgrab" if "zgrab2" in told else ""
        return "another value of its list finds all that it finds, however it is narrowed"
    if told.startswith("letter") and "urlcache" in told:
        return "with another letter after -url it still holds -URL, another value of its list"
    if target == "kusto" and told.startswith("or as and"):
        sides = re.search(r"url\w*\"$", before.rstrip()) and re.match(
            r" ?or \w+ contains \"\S+urlcache", after.lstrip()
        )
        return "both sides hold -URL, another value of their list" if sides and "urlcache" in before[-15:] else ""
    if target == "lucene" and told.startswith("AND as OR"):
        if re.search(r"NOT _exists_:\S+ $", before):
            return "a clause with NOT excludes beside OR as beside AND, and of the others one must match"
        if re.search(r" AND \S+ $", before) and re.match(r"AND \S+ AND ", after):
            return "clauses with AND at the other side must match"
    return ""


@pytest.mark.parametrize(("target", "name", "mutant"), list(changes()))
def test_a_change_of_a_query_is_noticed_if_and_only_if_it_changes_the_meaning(
    target: str, name: str, mutant: Mutant
) -> None:
    told = held(target, name).verdict(mutant.text)
    if reason := unchanged(target, name, mutant):
        assert told.kind == "exact", reason
    else:
        assert told.kind in {"wider", "narrower", "mixed", "broken"}
        assert told.shown or "is no valid" in told.reason or told.kind == "broken"


@pytest.mark.parametrize("target", [each.name for each in TARGETS])
@pytest.mark.parametrize("name", RULES)
def test_the_packs_queries_are_exact_by_at_least_thirty_generated_events(target: str, name: str) -> None:
    events = known(name).events
    generated = {event.name for event in events if not event.name.startswith(("case: ", "recorded: "))}
    assert len(generated) >= 30
    assert min(sum(event.truth is truth for event in events) for truth in (True, False)) >= 10
    told = held(target, name).verdict(golden(target, name))
    assert (told.kind, told.shown) == ("exact", ())


ADDED = {
    "kusto": (
        'or FolderPath contains "zgrab2"',
        'or FolderPath contains "zgrab2" or FolderPath endswith "\\\\evil.exe"',
    ),
    "splunk": ('"*zgrab2*"))', '"*zgrab2*", "*evil.exe*"))'),
    "lucene": (" OR *zgrab2*)", r" OR *zgrab2* OR *\\evil.exe)"),
}


@pytest.mark.parametrize("target", ADDED)
def test_a_value_that_only_the_query_has_is_found_and_the_smallest_event_shown(target: str) -> None:
    query = golden(target, "proc_creation_cert_enum_tool")
    before, after = ADDED[target]
    assert before in query
    one = trial(rule("proc_creation_cert_enum_tool"), plan())
    changed = Trial(one.document, {target: query.replace(before, after, 1)}, given=one.given)
    told = Judge().judge([changed])[0].verdicts[target]
    assert told.kind == "wider"
    shown = told.shown[0]
    assert "evil.exe" in " ".join(map(str, shown.event.values()))
    assert sum(len(str(value)) for value in shown.event.values()) < 60
    assert not shown.wanted
    assert Judge(generated=False).judge([changed])[0].verdicts[target].kind == "exact"


WINDOWS = {"category": "process_creation", "product": "windows"}


def simple(query: str | NoQuery, *given: Given, target: str = "kusto", **document: object) -> Trial:
    """A rule for one value with this query."""
    detection = {"s": {"CommandLine|contains": "curl"}, "condition": "s"}
    return Trial({"logsource": WINDOWS, "detection": detection, **document}, {target: query}, given=given)


GOOD = 'DeviceProcessEvents\n| where ProcessCommandLine contains "curl"'


@pytest.mark.parametrize(
    ("trial", "kind", "word"),
    [
        (simple(GOOD), "exact", ""),
        (simple(NoQuery("no field X")), "refused", "no field X"),
        (simple(NoQuery("is missing", "broken")), "broken", "is missing"),
        (simple("DeviceProcessEvents | where Nonsense == 1"), "broken", "no valid query"),
        (simple("DeviceProcessEvents | where ("), "broken", "no valid query"),
        (simple(GOOD.replace("Process", "Network", 1)), "broken", ""),
        (simple(GOOD.replace("DeviceProcessEvents", "DeviceEvents")), "broken", "none of the events"),
        (simple(GOOD.replace("curl", "wget")), "broken", "none of the events"),
        (simple(GOOD, logsource={"category": "nowhere"}), "untested", "no schema"),
        (simple(GOOD, detection={"s": {"Nonsense": 1}, "condition": "s"}), "untested", "Nonsense"),
        (simple(GOOD, detection={"s": {"A|base65": "x"}, "condition": "s"}), "untested", "not judged"),
        (simple("DeviceProcessEvents"), "wider", ""),
        (simple(GOOD.replace("contains", "startswith")), "narrower", ""),
    ],
)
def test_what_a_query_is_told_to_be(trial: Trial, kind: str, word: str) -> None:
    told = Judge().judge([trial])[0].verdicts["kusto"]
    assert told.kind == kind, told
    assert word in told.reason
    assert (kind in {"wider", "narrower"}) <= bool(told.shown)


def test_without_generated_events_a_rule_without_events_is_untested() -> None:
    judge = Judge(generated=False)
    true, false = Given("t", {"CommandLine": "a curl"}), Given("f", {"CommandLine": "wget"})
    told = [
        judge.judge([simple(GOOD, *given)])[0].verdicts["kusto"] for given in ((), (true,), (false,), (true, false))
    ]
    assert [(each.kind, each.events[2]) for each in told] == [("untested", 0)] * 3 + [("exact", 0)]


def test_a_given_event_that_says_otherwise_is_told_and_one_that_proves_nothing_is_counted() -> None:
    wrong = Given("wrong", {"CommandLine": "a curl"}, wanted=False)
    right = Given("right", {"CommandLine": "a wget"}, wanted=False)
    told = Judge().judge([simple(GOOD, wrong, right)])[0]
    assert told.contradictions == (wrong,)
    assert told.verdicts["kusto"].kind == "exact"


def test_rules_that_are_judged_together_get_what_they_get_alone() -> None:
    trials = [simple(GOOD), simple(GOOD.replace("curl", "wget")), simple("DeviceProcessEvents"), simple(GOOD)]
    together = Judge(minimise=False).judge(trials)
    alone = [Judge(minimise=False).judge([trial])[0] for trial in trials]
    assert [each.verdicts["kusto"].kind for each in together] == [each.verdicts["kusto"].kind for each in alone]
    assert [each.verdicts["kusto"].events for each in together] == [each.verdicts["kusto"].events for each in alone]
