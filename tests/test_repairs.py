"""Repairs by name: which a query uses, what leaving one out does, and what is let through though it is not exact."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from converter import packs
from converter.convert import How, Query, Refusal, converted
from converter.rule import Rule
from converter.targets import DEFAULTS, TARGETS
from tests.command import sigmapack
from tests.events import PACK, ROOT
from tests.repair_cases import PROCESS, Case, ours

CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq"
REGISTRY = {"category": "registry_set", "product": "windows"}
SCRIPT = {"category": "ps_script", "product": "windows"}
RULE = """\
title: A Rule
id: 6f3a1c52-0000-4000-8000-000000000001
status: test
logsource:
    category: process_creation
    product: windows
detection:
    selection:
        CommandLine: null
    condition: selection
"""


def switchable(target: str) -> list[str]:
    return [name for name, repair in TARGETS[target].repairs.items() if not repair.inseparable]


def disagreements(rule: Rule, target: str) -> list[str]:
    """The repairs that the query names though its text is the same without, and those that it should name."""
    query = converted(rule, TARGETS[target])
    if isinstance(query, Refusal):
        return []
    found = []
    for name in switchable(target):
        without = converted(rule, TARGETS[target], How(without=frozenset([name])))
        differs = isinstance(without, Refusal) or without.text != query.text
        if differs != (name in query.repairs):
            found.append(f"{rule.place}: {name}")
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_a_query_names_exactly_the_repairs_that_change_it(target: str) -> None:
    for rule in packs.read([str(PACK)]).rules:
        assert disagreements(rule, target) == []


@pytest.mark.corpus
@pytest.mark.parametrize("target", DEFAULTS)
def test_published_rules_name_exactly_the_repairs_that_change_them(target: str) -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"{CORPUS} is not there")
    rules = [rule for rule in packs.read([str(CORPUS / "rules")]).rules if not rule.is_correlation]
    assert len(rules) > 1000
    for rule in rules[::29]:
        assert disagreements(rule, target) == []


@pytest.mark.parametrize("target", TARGETS)
def test_the_ids_of_a_family_are_its_own(target: str) -> None:
    letter = {"kusto": "K", "splunk": "S", "lucene": "L"}[TARGETS[target].family]
    repairs = TARGETS[target].repairs
    assert {name: repair.id for name, repair in repairs.items()} == {name: name for name in repairs}
    assert {name[0] for name in repairs} == {letter}
    assert [int(name[1:]) for name in repairs] == list(range(1, len(repairs) + 1))


def test_the_page_of_repairs_has_a_row_for_each() -> None:
    page = (ROOT / "docs" / "repairs.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| [KSL]\d+ \|", line)]
    assert rows == [
        "| " + " | ".join(text.replace("|", r"\|") for text in vars(repair).values()) + " |"
        for target in DEFAULTS
        for repair in TARGETS[target].repairs.values()
    ]


def test_without_marks_the_query_and_names_it_no_more(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(RULE)
    for options, marks, repairs, text in (
        ([], [], ["K1"], "isempty(ProcessCommandLine)"),
        (["--without", "k1"], ["without K1"], [], "isnull(ProcessCommandLine)"),
    ):
        done = sigmapack("convert", "-t", "kusto", *options, "-o", "out", "a.yml", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        (entry,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["queries"]
        assert (entry["marks"], entry["repairs"]) == (marks, repairs)
        assert text in (tmp_path / "out" / "kusto" / "a.kql").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--without", "K99"], "unknown repair K99; have: K1, K2"),
        (["--without", "L1"], "unknown repair L1; have: K1, K2"),
        (["--without", "K14"], "K14 cannot be left out: the stock backend writes nothing here"),
        (["--without", "K1", "--stock"], "--stock has no repairs"),
        (["--allow-inexact", "--stock"], "--stock has no repairs"),
    ],
)
def test_a_repair_that_cannot_be_left_out_is_wrong_usage(tmp_path: Path, options: list[str], message: str) -> None:
    (tmp_path / "a.yml").write_text(RULE)
    done = sigmapack("convert", "-t", "kusto", *options, "a.yml", cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_the_projects_own_outputs_keep_every_repair(tmp_path: Path) -> None:
    (tmp_path / "sigmapack.toml").write_text('packs = ["pack"]\n')
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "a.yml").write_text(RULE)
    for arguments in ([], ["-o", "outputs"], ["pack", "-o", "outputs"]):
        done = sigmapack("convert", "--without", "K1", *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert "project's outputs" in done.stderr
        assert not (tmp_path / "outputs").exists()
    assert sigmapack("convert", "--without", "K1", "-o", "other", cwd=tmp_path).returncode == 0


# Rules that have only a near form: the target, what the near form holds, and the reason.
NEAR: dict[str, tuple[str, Case, str, str]] = {
    "a hash that is not kept": (
        "kusto",
        Case("", {"s": {"Hashes|contains": ["IMPHASH=A", "MD5=B"]}}, {}),
        'Hashes contains "IMPHASH=A"',
        "Hashes never holds 'IMPHASH='",
    ),
    "a text on a column of numbers": (
        "kusto",
        Case("", {"s": {"ProcessId": "four"}}, {}),
        'tostring(ProcessId) =~ "four"',
        "which 'four' is not",
    ),
    "a keyword in KQL": ("kusto", Case("", {"s": ["whoami"]}, {}), '* contains "whoami"', "name the field"),
    "a keyword beside ? in SPL": (
        "splunk",
        Case("", {"s": ["whoami"], "t": {"Image": "a?"}, "condition": "s and t"}, {}),
        'match(_raw, "(?is)whoami")',
        "name the field",
    ),
    "? in a data model": ("splunk_cim", Case("", {"s": {"Image": "a?b"}}, {}), '="a*b"', "which tstats cannot seek"),
    "letter case in a data model": ("splunk_cim", Case("", {"s": {"Image|cased": "A"}}, {}), '="A"', "letter case"),
    "absence in a data model": ("splunk_cim", Case("", {"s": {"Image": None}}, {}), '="unknown"', "does not tell"),
    "a keyword in Lucene": ("lucene", Case("", {"s": ["who"]}, {}), "*who*", "without a field"),
    "words of a script": (
        "lucene",
        Case("", {"s": {"ScriptBlockText|contains": "New-Object Net.WebClient"}}, {}, logsource=SCRIPT),
        'powershell.file.script_block_text:"new-object net webclient"',
        "kept as single words",
    ),
    "a value that is too long for a pattern": (
        "lucene_winlogbeat",
        Case("", {"s": {"CommandLine|contains": "ab" * 200}}, {}),
        f"process.command_line:*{'ab' * 200}*",
        "over 1000 characters long",
    ),
    "a value that no keyword keeps": (
        "lucene",
        Case("", {"s": {"Image": "1" * 1100}}, {}),
        f"process.executable.caseless:{'1' * 1100}",
        "keeps no value over 1024 characters",
    ),
}


@pytest.mark.parametrize(("target", "case", "text", "reason"), NEAR.values(), ids=NEAR)
def test_what_is_not_exact_is_refused_unless_it_is_allowed(target: str, case: Case, text: str, reason: str) -> None:
    refusal = ours(case, target)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason
    query = converted(case.rule, TARGETS[target], How(allow_inexact=True, allow_unmapped=True))
    assert isinstance(query, Query), query
    assert text in query.text
    assert "inexact" in query.marks
    assert any(reason in warning for warning in query.warnings)


@pytest.mark.parametrize(
    ("target", "detection", "logsource"),
    [
        ("lucene", {"s": {"CommandLine|re": "(?=a)b"}}, PROCESS),
        ("lucene", {"s": {"ProcessId|contains": "4"}}, PROCESS),
        ("lucene", {"s": {"ScriptBlockText|contains": "[["}}, SCRIPT),
        ("kusto", {"s": {"CommandLine|re": "(?=a)b"}}, PROCESS),
        ("kusto", {"s": {"NoSuchField": "x"}}, PROCESS),
        ("splunk_cim", {"s": {"CommandLine|re": "a"}}, PROCESS),
    ],
)
def test_what_has_no_near_form_stays_refused(
    target: str, detection: Mapping[str, Any], logsource: Mapping[str, str]
) -> None:
    case = Case("", detection, {}, logsource=logsource)
    assert isinstance(converted(case.rule, TARGETS[target], How(allow_inexact=True)), Refusal)


def test_an_inexact_query_is_marked_and_warned_of(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(RULE.replace("CommandLine: null", "Hashes|contains: IMPHASH=A"))
    refused = sigmapack("convert", "-t", "kusto", "-o", "out", "a.yml", cwd=tmp_path)
    assert refused.returncode == 1
    assert "Hashes never holds 'IMPHASH='" in refused.stderr
    done = sigmapack("convert", "-t", "kusto", "--allow-inexact", "-o", "out", "a.yml", cwd=tmp_path)
    assert done.returncode == 0
    assert "a.yml: is not exact: Hashes never holds" in done.stderr
    (entry,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["queries"]
    assert entry["marks"] == ["inexact"]


def test_within_not_a_value_that_is_never_there_is_exact() -> None:
    case = Case("", {"s": {"Image": "x"}, "f": {"Hashes|contains": "IMPHASH=A"}, "condition": "s and not f"}, {})
    query = ours(case, "kusto")
    assert isinstance(query, Query)
    assert query.marks == ()


LARGE: dict[str, tuple[str, Case, list[str]]] = {
    "Sentinel's length": (
        "sentinel",
        Case("", {"s": {"Image|contains": [f"part{number}" for number in range(500)]}}, {}),
        ["over the length of Sentinel's analytics rules"],
    ),
    "the same in Defender": ("kusto", Case("", {"s": {"Image|contains": [f"part{n}" for n in range(500)]}}, {}), []),
    "OpenSearch's clauses": (
        "lucene",
        Case("", {"s": {"Image": [f"part{number}" for number in range(1100)]}}, {}),
        ["over OpenSearch's clause limit"],
    ),
    "clauses and length": (
        "lucene",
        Case("", {"s": {"Image": [f"{'part' * 9}{number}" for number in range(1100)]}}, {}),
        ["over OpenSearch's clause limit", "over the length of OpenSearch's query strings"],
    ),
    "neither": ("lucene", Case("", {"s": {"Image": [f"part{number}" for number in range(900)]}}, {}), []),
    "nesting": (
        "lucene",
        Case("", {"s": {"Image": "a"}, "t": {"User": "b"}, "condition": f"{'not (t and ' * 32}s{')' * 32}"}, {}),
        ["over Elasticsearch's nesting limit"],
    ),
}


@pytest.mark.parametrize(("target", "case", "marks"), LARGE.values(), ids=LARGE)
def test_a_query_over_a_services_limit_is_marked(target: str, case: Case, marks: list[str]) -> None:
    query = ours(case, target)
    assert isinstance(query, Query), query
    assert list(query.marks) == marks
