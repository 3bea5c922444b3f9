"""Each repair of the Lucene backend: an event that the stock query loses or invents, and that ours does not."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from sigma.data import mitre_attack

from converter.convert import How, Query, Refusal, converted
from converter.stock import StockOptions
from converter.targets import TARGETS
from converter.targets.lucene.repairs import REPAIRS
from tests import elastic_documents, lucene, lucene_terms
from tests.elastic_index import KEYWORD, PROPERTIES
from tests.events import Event, now
from tests.lucene_terms import RefusedError
from tests.repair_cases import PROCESS, Case, named, ours, stock, uncovered

LINUX = {"category": "process_creation", "product": "linux"}
NETWORK = {"category": "network_connection", "product": "windows"}
SCRIPT = {"category": "ps_script", "product": "windows"}
WINDOWS = "lucene_windows"
CASES = [
    Case("L1", {"s": {"CommandLine|contains": "crt.sh"}}, {"CommandLine": "curl CRT.SH"}),
    Case("L1", {"s": {"CommandLine|contains": "crt.sh"}, "condition": "not s"}, {"CommandLine": "CRT.SH"}, found=False),
    Case("L2", {"s": {"ParentImage|endswith": "\\x.exe"}}, {"ParentImage": "C:\\X.exe"}, target=WINDOWS),
    Case(
        "L2",
        {"s": {"ParentImage|endswith": "\\x.exe"}, "condition": "not s"},
        {"ParentImage": "C:\\x.exe"},
        found=False,
        target=WINDOWS,
    ),
    Case("L3", {"s": {"CommandLine|re": "cert[uv]til"}}, {"CommandLine": "a certutil b"}),
    Case("L4", {"s": {"CommandLine|re": '^a "x" b$'}}, {"CommandLine": 'a "x" b'}),
    Case("L4", {"s": {"CommandLine|re": '.*a"b"c.*'}}, {"CommandLine": "abc"}, found=False),
    Case("L5", {"s": {"CommandLine": "whoami"}}, {"CommandLine": "whoami", "os": "linux"}, logsource=LINUX),
    Case("L5", {"s": {"CommandLine": "whoami"}}, {"CommandLine": "whoami"}, logsource={"category": "process_creation"}),
    Case("L6", {"s": {"Image": "<5"}}, {"Image": "<5"}),
    Case("L7", {"s": {"Image": "AND"}}, {"Image": "AND"}),
    Case("L8", {"s": {"Image": "a\tb"}}, {"Image": "a\tb"}),
    Case("L9", {"s": {"SourceIp|startswith": "10."}}, {"SourceIp": "10.1.2.3"}, logsource=NETWORK),
    Case("L10", {"s": {"User": "DOM\\bob"}}, {"User": "DOM\\bob"}),
    Case("L11", {"s": {"ScriptBlockText|contains": "a b"}}, {"ScriptBlockText": "x a b y"}, logsource=SCRIPT),
    Case("L12", {"s": {"CommandLine|contains": "crt.sh"}}, {"CommandLine": f"{'x' * 1100} CRT.SH"}),
    Case("L16", {"s": {"Image|cased": "C:\\WhoAmI"}}, {"Image": "C:\\WhoAmI"}),
    # The ingest pipeline has taken the empty value away.
    Case("L17", {"s": {"ParentImage": ""}}, {}, target=WINDOWS),
]
# Repairs that no query shows, with the test that does.
ELSEWHERE = {
    "L13": "test_the_stock_rule_file_has_no_look_back",
    "L14": "test_the_stock_saved_search_has_no_query",
    "L15": "test_correlations_and_references_to_fields_are_refused",
}
EXPRESSION = re.compile(r"[\w.]+:/(.*)/")
ADDRESS = re.compile(r'source\.ip:(?:"([^"]*)"|(.*))')
TEXT = re.compile(r"powershell\.file\.script_block_text:(.*)")


def finds(case: Case, condition: str) -> bool | None:
    """Whether a query string finds the case's event; None where it fails, or is another one than it seems."""
    if found := ADDRESS.fullmatch(condition):
        # A pattern on a field of addresses fails the whole query; a network is a term of it.
        return ipaddress.ip_address(case.event["SourceIp"]) in ipaddress.ip_network(found[1]) if found[1] else None
    if found := TEXT.fullmatch(condition):
        # Patterns are tried on single words, which are runs of these characters.
        pattern = ".*".join(map(re.escape, re.sub(r"\\(.)", r"\1", found[1]).split("*")))
        words = re.findall(r"[A-Za-z0-9_-]+", case.event["ScriptBlockText"])
        return any(re.fullmatch(pattern, word, re.IGNORECASE) for word in words)
    if (found := EXPRESSION.fullmatch(condition)) and re.search(r'(?<!\\)["^$]', found[1]):
        return re.fullmatch(lucenes(found[1]), case.event["CommandLine"]) is not None
    fields = {"Image": "C:\\a.exe", "CommandLine": "x", "os": "windows"} | dict(case.event)
    document = elastic_documents.document(Event("1", fields, now(), recent=True))
    try:
        return bool(lucene.find(condition, {"1": document}, now()))
    except RefusedError:
        return None


def lucenes(text: str) -> str:
    r"""Lucene's expression as Python's: between quotation marks all stands for itself, and so do ^ and $.

    https://www.elastic.co/docs/reference/query-languages/query-dsl/regexp-syntax: no anchors; `"` needs an escape.
    """
    parts = re.split(r'(?<!\\)"((?:[^"\\]|\\.)*)(?<!\\)"', text)
    return "".join(
        re.escape(part) if number % 2 else re.sub(r"(?<!\\)([\^$])", r"\\\1", part) for number, part in enumerate(parts)
    )


@pytest.fixture(autouse=True)
def _index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fields of the case's data stream; a query for a field that no document has finds nothing."""
    case: Case | None = getattr(request.node, "callspec", None) and request.node.callspec.params.get("case")
    known: dict[str, Mapping[str, object]] = {**PROPERTIES, "CommandLine": KEYWORD}
    if case is not None and case.target == WINDOWS:
        # packages/windows/data_stream/sysmon_operational/fields/ecs.yml of github.com/elastic/integrations: `.caseless`
        # of process.executable and process.name alone.
        absent = {"fields": {"caseless": {**KEYWORD, "ignore_above": 0}}}
        known["process.parent.executable"] = {**KEYWORD, **absent}
    monkeypatch.setattr(lucene_terms, "PROPERTIES", known)


@pytest.mark.parametrize("case", named(CASES))
def test_the_stock_query_is_wrong(case: Case) -> None:
    text = stock(replace(case, pipeline="ecs_windows"), "lucene")
    assert text is None or finds(case, text) is not case.found


def condition(case: Case, *without: str) -> str | None:
    """The rule's own part of our query; None where it is refused."""
    query = ours(case, case.target or "lucene", *without)
    if isinstance(query, Refusal):
        return None
    return query.text.removeprefix(f"{query.route.data} AND (").removesuffix(")")


@pytest.mark.parametrize("case", named(CASES))
def test_our_query_is_right_and_names_the_repair(case: Case) -> None:
    text = condition(case)
    if case.id == "L11":
        assert text is None
        return
    assert text is not None
    query = ours(case, case.target or "lucene")
    assert isinstance(query, Query)
    assert case.id in query.repairs
    assert finds(case, text) is case.found


@pytest.mark.parametrize("case", named(CASES))
def test_our_query_is_wrong_again_without_the_repair(case: Case) -> None:
    text = condition(case, case.id)
    assert text is None or finds(case, text) is not case.found


def test_a_fields_punctuation_is_escaped() -> None:
    case = Case("L16", {"s": {"a:b (c)": "5"}}, {})
    assert condition(case) == r"a\:b\ \(c\):5"
    assert condition(case, "L16") == r"a:b\ (c):5"
    text = stock(replace(case, pipeline="ecs_windows"), "lucene")
    assert text is not None
    assert r"a:b\ (c):5" in text


def in_format(case: Case, form: str) -> str:
    options = StockOptions(("ecs_windows",), format=form)
    outcome = converted(case.rule, TARGETS["lucene"], How(options, stock=True, referable=(case.rule,)))
    assert isinstance(outcome, Query), outcome
    return outcome.text


def test_the_stock_saved_search_has_no_query() -> None:
    """Kibana reads `query.query`; what the stock format writes in its place is dropped, and all events are found."""
    saved = json.loads(in_format(Case("L14", {"s": {"Image": "x"}}, {}), "kibana_ndjson"))
    source = json.loads(saved["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    assert "query" not in source["query"]


def test_the_stock_rule_file_has_no_look_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its data of ATT&CK is fetched when it is first asked for: without a network the format fails."""
    for name in ("mitre_attack_tactics", "mitre_attack_techniques"):
        monkeypatch.setitem(vars(mitre_attack), name, {})
    rule = json.loads(in_format(Case("L13", {"s": {"Image": "x"}}, {}), "siem_rule"))
    # What is indexed late, after the run that was due, no run ever sees.
    assert (rule["schedule"]["interval"], rule["params"]["from"]) == ("5m", "now-5m")


def test_correlations_and_references_to_fields_are_refused() -> None:
    correlation = {"type": "event_count", "rules": ["x"], "timespan": "5m", "condition": {"gte": 2}}
    for case in (
        Case("L15", {"s": {"Image|fieldref": "ParentImage"}}, {}, logsource=PROCESS),
        Case("L15", {}, {}, more={"correlation": correlation}),
    ):
        assert isinstance(ours(case, "lucene"), Refusal)


def test_every_repair_has_a_case() -> None:
    assert uncovered(REPAIRS, CASES, ELSEWHERE) == set()
    assert all(name in globals() for name in ELSEWHERE.values())
    assert {name for name, repair in REPAIRS.items() if repair.inseparable} < ELSEWHERE.keys()


def test_an_empty_value_is_a_missing_field() -> None:
    case = Case("L17", {"s": {"CommandLine": ["", "a"]}}, {}, target=WINDOWS)
    assert condition(case) == "(process.command_line:/[aA]/ OR (NOT _exists_:process.command_line))"
    assert condition(case, "L17") == 'process.command_line:("" OR /[aA]/)'
