"""Formats of the backends hold our queries so that their readers read them: S12, S13, S14, L13, L14.

Each file is read as its reader's documentation says, and compared with what the rule asks for; the stock backend's file
fails the same reading.
"""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from converter.convert import How, Query, Refusal, converted
from converter.errors import UsageError
from converter.framing import Framed, framed
from converter.rule import Rule
from converter.stock import StockOptions
from converter.targets import TARGETS
from tests.command import sigmapack

ID = "6f3a1c52-0000-4000-8000-00000000000{}"
PIPELINES = {"splunk": "splunk_windows", "lucene": "ecs_windows"}
LEVELS = ("informational", "low", "medium", "high", "critical", None)
# Kibana's schema of rules, security_solution/common/api/detection_engine/model/rule_schema/common_attributes.
SEVERITIES = {"low", "medium", "high", "critical"}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_named: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def rule(number: int = 1, **more: Any) -> Rule:  # noqa: ANN401 - YAML
    document: dict[str, Any] = {
        "title": "A Rule",
        "id": ID.format(number),
        "logsource": {"category": "process_creation", "product": "windows"},
        "detection": {"s": {"Image|endswith": "\\whoami.exe"}, "condition": "s"},
        **more,
    }
    document = {key: value for key, value in document.items() if value is not None}
    text, place = yaml.safe_dump(document), PurePosixPath(f"{number}.yml")
    return Rule(Path(place), place.with_suffix(""), text, document, file=place)


Options = dict[str, int | str]


def ours(form: str, target: str, *rules: Rule, without: str = "", options: Options | None = None) -> Framed:
    how = How(StockOptions((), format=form, backend_options=options or {}), without=frozenset(filter(None, [without])))
    queries = [query(one, target) for one in rules]
    return framed(queries, how)


def query(one: Rule, target: str) -> Query:
    outcome = converted(one, TARGETS[target])
    assert isinstance(outcome, Query), outcome
    return outcome


def stock(form: str, target: str, one: Rule) -> str:
    """What sigma-cli writes."""
    how = How(StockOptions((PIPELINES[target],), format=form), stock=True, referable=(one,))
    outcome = converted(one, TARGETS[target], how)
    assert isinstance(outcome, Query), outcome
    return outcome.text


def conf(text: str) -> dict[str, dict[str, str]]:
    """The settings of a file by stanza.

    splunk.conf: a line that ends in a backslash goes on in the next; what stands in brackets begins a stanza; of two
    stanzas of one name the settings are merged, the later ones win.
    """
    found: dict[str, dict[str, str]] = {}
    stanza: dict[str, str] = {}
    for line in re.sub(r"\\\n", "\n\0", text).replace("\n\0", "\0").split("\n"):
        if header := re.fullmatch(r"\[(.*)\]", line):
            stanza = found.setdefault(header[1], {})
        elif "=" in line:
            name, _, value = line.partition("=")
            stanza[name.strip()] = value.strip()
        else:
            assert line.strip() == "", line
    return found


TEXTS = {
    "a backslash at the end": "Runs from C:\\",
    "a backslash at the end of a line": "Runs from C:\\\nor elsewhere",
    "several lines": "Runs.\n\nsearch = *\n[other]\nx = y",
    "a carriage return": "Runs.\r\nsearch = *\rdisabled = 1",
    "white space at the end": "Runs from C:\\  \n",
    "nothing": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_description_stays_within_its_setting(text: str) -> None:
    one = rule(description=text)
    found = conf(ours("savedsearches", "splunk", one).text)
    assert found.keys() == {"default", "A Rule"}
    assert found["A Rule"].keys() == {"description", "search"}
    assert found["A Rule"]["search"] == query(one, "splunk").text.replace("\n", " ")
    assert found["A Rule"]["description"].removesuffix(".").split() == text.removesuffix(".").split()


def test_the_stock_file_has_other_settings() -> None:
    one = rule(description="Runs from C:\\")
    assert conf(stock("savedsearches", "splunk", one))["A Rule"].keys() == {"description"}
    without = ours("savedsearches", "splunk", one, without="S12")
    assert conf(without.text)["A Rule"].keys() == {"description"}
    assert "S12" not in without.queries[0].repairs
    assert "S12" in ours("savedsearches", "splunk", one).queries[0].repairs


@pytest.mark.parametrize("title", ["In C:\\", "A [Rule]", "A\nRule", "A = B", "[default]", "Default"])
def test_a_title_names_its_own_search(title: str) -> None:
    found = conf(ours("savedsearches", "splunk", rule(title=title, description="x")).text)
    (name,) = found.keys() - {"default"}
    assert found[name]["description"] == "x"
    assert found["default"].keys() == {"dispatch.earliest_time", "dispatch.latest_time"}
    assert not name.endswith("\\")


def test_searches_of_one_title_are_several() -> None:
    rules = [rule(number, detection={"s": {"Image": f"{number}"}, "condition": "s"}) for number in (1, 2, 3)]
    found = conf(ours("savedsearches", "splunk", *rules, rule(4, id=None)).text)
    assert len(found) == 5
    assert {f"A Rule ({ID.format(2)})", f"A Rule ({ID.format(3)})"} < found.keys()
    assert len({settings.get("search") for settings in found.values()}) == 5


@pytest.mark.parametrize("value", ["whoami.x", "a?b"])
def test_a_search_is_one_line_with_its_table_once(value: str) -> None:
    """savedsearches.conf.spec: a search of several lines has limitations. The table has the add-on's names (S13)."""
    logsource = {"product": "windows", "service": "security"}
    detection = {"s": {"EventID": 4688, "NewProcessName|endswith": value}, "condition": "s"}
    one = rule(logsource=logsource, detection=detection, fields=["NewProcessName"])
    search = conf(ours("savedsearches", "splunk", one).text)["A Rule"]["search"]
    assert "\0" not in search
    assert search.split() == query(one, "splunk").text.split()
    assert search.count("| table ") == 1


def test_a_format_has_the_query_of_the_default_one() -> None:
    """S14: the stock format loses the part before a regular expression under OR."""
    detection = {"s": {"Image": "x"}, "t": {"CommandLine|re": "a.b"}, "condition": "s and (s or t)"}
    one = rule(detection=detection)
    assert conf(stock("savedsearches", "splunk", one))["A Rule"]["search"].startswith("\0| rex")
    assert (
        conf(ours("savedsearches", "splunk", one).text)["A Rule"]["search"].split() == query(one, "splunk").text.split()
    )


def source(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.loads(text)["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    return found


def test_a_saved_search_of_kibana_has_its_query() -> None:
    one = rule(description=None)
    told = ours("kibana_ndjson", "lucene", one)
    held = source(told.text)
    assert held["query"] == {"query": query(one, "lucene").text, "language": "lucene"}
    saved = json.loads(told.text)
    assert held["indexRefName"] in {reference["name"] for reference in saved["references"]}
    assert saved["attributes"]["description"] == ""
    assert "L14" in told.queries[0].repairs


def test_the_stock_saved_search_has_none() -> None:
    assert "query" not in source(stock("kibana_ndjson", "lucene", rule()))["query"]
    without = ours("kibana_ndjson", "lucene", rule(), without="L14")
    assert "query" not in source(without.text)["query"]
    assert "L14" not in without.queries[0].repairs


def detection_rule(form: str, *rules: Rule, options: Options | None = None) -> dict[str, Any]:
    """The last rule of the file, in the spelling with underscores."""
    told = ours(form, "lucene", *rules, options=options)
    found: dict[str, Any] = json.loads(told.text.split("\n")[-1])
    if "params" in found:
        params = {re.sub("[A-Z]", lambda at: f"_{at[0].lower()}", key): value for key, value in found["params"].items()}
        found = {**params, **found, "interval": found["schedule"]["interval"]}
    assert "L13" in told.queries[-1].repairs
    return found


both = pytest.mark.parametrize("form", ["siem_rule", "siem_rule_ndjson"])


@both
@pytest.mark.parametrize("level", LEVELS)
def test_every_level_has_a_severity(form: str, level: str | None) -> None:
    found = detection_rule(form, rule(level=level, description=""))
    assert found["severity"] in SEVERITIES
    assert found["severity"] == level or level in {"informational", None}
    assert found["description"]
    assert 0 <= found["risk_score"] <= 100


@both
@pytest.mark.parametrize(
    ("options", "since"),
    [
        ({}, "now-360s"),
        ({"schedule_interval": 30, "schedule_interval_unit": "s"}, "now-90s"),
        ({"schedule_interval": 1, "schedule_interval_unit": "h"}, "now-3660s"),
    ],
)
def test_a_rule_looks_back_further_than_its_interval(form: str, options: Options, since: str) -> None:
    found = detection_rule(form, rule(), options=options)
    assert found["from"] == since
    assert found["query"] == query(rule(), "lucene").text


def test_an_interval_that_kibana_lacks_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="5w"):
        ours("siem_rule", "lucene", rule(), options={"schedule_interval_unit": "w"})


TAGS = {
    "two of one tactic": (
        ["attack.execution", "attack.t1059.001", "attack.t1059.003"],
        {"TA0002": {"T1059", "T1059.001", "T1059.003"}},
    ),
    "a technique without a tactic": (["attack.t1027"], {"TA0005": {"T1027"}}),
    "a tactic without a technique": (["attack.privilege_escalation"], {"TA0004": set()}),
    "a technique of one of two tactics": (
        ["attack.discovery", "attack.execution", "attack.t1059"],
        {"TA0007": set(), "TA0002": {"T1059"}},
    ),
    "retired names": (["attack.defense-evasion", "attack.t1086"], {"TA0002": {"T1059", "T1059.001"}}),
    "a group": (["attack.g0001", "detection.emerging-threats"], {}),
    "none": ([], {}),
}


@both
@pytest.mark.parametrize(("tags", "wanted"), TAGS.values(), ids=TAGS)
def test_every_technique_and_tag_is_there(form: str, tags: list[str], wanted: dict[str, set[str]]) -> None:
    found = detection_rule(form, rule(tags=tags))
    told: dict[str, set[str]] = {}
    for threat in found["threat"]:
        assert threat["framework"] == "MITRE ATT&CK"
        entries = [threat["tactic"], *threat["technique"]]
        entries += [below for each in threat["technique"] for below in each["subtechnique"]]
        for entry in entries:
            assert entry.keys() >= {"id", "name", "reference"}
            assert entry["name"]
            assert entry["reference"].endswith(f"/{entry['id'].replace('.', '/')}/")
        told[threat["tactic"]["id"]] = {entry["id"] for entry in entries[1:]}
    assert told == wanted
    assert found["tags"] == [tag.replace(".", "-", 1) for tag in tags]


@both
def test_the_stock_rule_needs_a_network(form: str) -> None:
    how = How(StockOptions(("ecs_windows",), format=form), stock=True, referable=(one := rule(),))
    outcome = converted(one, TARGETS["lucene"], how)
    assert isinstance(outcome, Refusal)
    with pytest.raises(UsageError, match="ATT&CK"):
        ours(form, "lucene", one, without="L13")


@pytest.mark.parametrize("form", ["siem_rule", "siem_rule_ndjson", "kibana_ndjson"])
def test_a_rule_that_the_file_cannot_name_is_refused_alone(form: str) -> None:
    told = ours(form, "lucene", rule(1), rule(2, id=None), rule(3), rule(4, id=ID.format(1)))
    assert [one.rule.file.stem for one in told.queries] == ["1", "3"]
    assert [(one.rule.file.stem, form in one.reason) for one in told.refusals] == [("2", True), ("4", True)]
    assert len(told.text.split("\n")) == 2


def test_the_command_says_what_is_refused_and_names_the_repairs(tmp_path: Path) -> None:
    for number, identity in ((1, ID.format(1)), (2, None)):
        (tmp_path / f"{number}.yml").write_text(rule(number, id=identity, status="test").text)
    done = sigmapack("convert", "-t", "lucene", "-f", "siem_rule_ndjson", ".", cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["rule_id"] == ID.format(1)
    assert "2.yml" in done.stderr
    done = sigmapack("convert", "-t", "lucene", "-f", "siem_rule_ndjson", "-o", "out", ".", cwd=tmp_path)
    assert done.returncode == 1
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [(entry["path"], "L13" in entry["repairs"]) for entry in manifest["queries"]] == [("1.yml", True)]
    assert [entry["path"] for entry in manifest["refusals"]] == ["2.yml"]
    assert [path.name for path in (tmp_path / "out" / "lucene").iterdir()] == ["1.lucene"]
