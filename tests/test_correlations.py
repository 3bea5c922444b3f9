"""Correlations on Splunk: converted, refused where they have no exact form, and judged on sequences of events."""

from __future__ import annotations

import json
import random
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from converter import engines, oracle, schemas
from converter.convert import How, Query, Refusal, converted
from converter.correlations import Correlating, judged
from converter.engines.spl import ENGINE
from converter.engines.store import Store, Stored
from converter.rule import Rule
from converter.targets import TARGETS
from converter.verdicts import Verdict
from tests.command import sigmapack

WHOAMI: dict[str, Any] = {
    "title": "Whoami",
    "id": "00000000-0000-4000-8000-000000000001",
    "name": "whoami",
    "status": "test",
    "logsource": {"category": "process_creation", "product": "windows"},
    "detection": {"s": {"CommandLine|contains": "whoami"}, "condition": "s"},
}
NET = WHOAMI | {
    "title": "Net",
    "id": "00000000-0000-4000-8000-000000000002",
    "name": "net",
    "detection": {"s": {"Image|endswith": "\\net.exe"}, "condition": "s"},
    "fields": ["CommandLine"],
}
CLEARED = WHOAMI | {
    "title": "Cleared",
    "id": "00000000-0000-4000-8000-000000000003",
    "name": "cleared",
    "logsource": {"product": "windows", "service": "security"},
    "detection": {"s": {"EventID": 1102}, "condition": "s"},
}
NAMED = {each["name"]: each for each in (WHOAMI, NET, CLEARED)}
EVENT_COUNT: dict[str, Any] = {"type": "event_count", "rules": ["whoami"], "timespan": "5m", "condition": {"gte": 4}}
VALUE_COUNT: dict[str, Any] = EVENT_COUNT | {"type": "value_count", "condition": {"gte": 3, "field": "Image"}}
TEMPORAL: dict[str, Any] = {"type": "temporal", "rules": ["whoami", "net"], "timespan": "1h"}
BY: dict[str, Any] = {"group-by": ["User"]}
ALIASED: dict[str, Any] = {
    "rules": ["whoami", "cleared"],
    "group-by": ["who"],
    "aliases": {"who": {"whoami": "User", "cleared": "SubjectUserName"}},
}
EXACT: dict[str, dict[str, Any]] = {
    "event_count": EVENT_COUNT | BY,
    "event_count of one": EVENT_COUNT | BY | {"condition": {"gte": 1}},
    "event_count, gt": EVENT_COUNT | BY | {"condition": {"gt": 2}},
    "event_count of all": EVENT_COUNT,
    "event_count by two fields": EVENT_COUNT | {"group-by": ["User", "Image"], "timespan": "12h"},
    "event_count of two rules": EVENT_COUNT | ALIASED,
    "event_count by a field that the rule asks for": EVENT_COUNT | {"group-by": ["CommandLine"], "timespan": "10s"},
    "value_count": VALUE_COUNT | BY,
    "value_count of all": VALUE_COUNT,
    "value_count of a field that the rule asks for": VALUE_COUNT | {"condition": {"gt": 1, "field": "CommandLine"}},
    "temporal": TEMPORAL | BY,
    "temporal of all": TEMPORAL,
    "temporal by an alias": TEMPORAL | ALIASED,
    "temporal, two of three": TEMPORAL
    | BY
    | {"rules": ["whoami", "net", "cleared"], "condition": {"gte": 2}}
    | {"group-by": ["Computer"]},
}


def rule(document: dict[str, Any]) -> Rule:
    return Rule(Path("r.yml"), PurePosixPath("r"), yaml.safe_dump(document, sort_keys=False), document)


def document(correlation: dict[str, Any]) -> dict[str, Any]:
    return {"title": "C", "id": "00000000-0000-4000-8000-000000000099", "status": "test", "correlation": correlation}


def outcome(
    correlation: dict[str, Any], *without: str, inexact: bool = False, target: str = "splunk"
) -> Query | Refusal:
    how = How(referable=tuple(map(rule, NAMED.values())), without=frozenset(without), allow_inexact=inexact)
    return converted(rule(document(correlation)), TARGETS[target], how)


def query(correlation: dict[str, Any], *without: str) -> Query:
    found = outcome(correlation, *without)
    assert isinstance(found, Query), found
    return found


def verdict(correlation: dict[str, Any], text: str) -> Verdict:
    layout = schemas.layout("splunk")
    assert layout is not None
    named = {name: NAMED[name] for name in correlation["rules"]}
    return judged(Correlating(document(correlation), named), text, layout, engines.embedded("splunk"))


@pytest.mark.parametrize("name", EXACT)
def test_the_query_is_exact(name: str) -> None:
    found = query(EXACT[name])
    assert "S20" in found.repairs
    told = verdict(EXACT[name], found.text)
    assert (told.kind, told.reason, told.shown) == ("exact", "", ())
    assert min(told.events[:2]) > 1


@pytest.mark.parametrize("name", [name for name in EXACT if not name.endswith("of one")])
def test_without_the_repair_it_misses_what_lies_on_two_sides_of_an_edge(name: str) -> None:
    found = query(EXACT[name], "S20")
    assert "S20" not in found.repairs
    assert "without S20" in found.marks
    assert "| bin _time span=" in found.text
    told = verdict(EXACT[name], found.text)
    assert told.kind == "narrower"
    (shown,) = told.shown
    assert (shown.name, shown.wanted) == ("across the edge of a fixed window", True)


def test_the_events_that_are_missed_are_shown() -> None:
    told = verdict(EXACT["temporal by an alias"], query(EXACT["temporal by an alias"], "S20").text)
    assert told.shown[0].event == {
        "0001 after 0.000 s": "whoami, User: value0",
        "0002 after 2160.000 s": "cleared, SubjectUserName: value0",
    }
    assert told.shown[0].row == {"who": "value0"}


# What each change of the right query makes of it.
WRONG = [
    ("event_count", ">= 4", ">= 3", "wider", "one too few"),
    ("event_count", ">= 4", "> 4", "narrower", ""),
    ("event_count", "=5m", "=6m", "wider", "spread over a little more than the timespan"),
    ("event_count", "=5m", "=4m", "narrower", "across the timespan, all but its end"),
    ("event_count", " by User", "", "wider", "in two groups, too few in each"),
    ("event_count", "count as event_count", "dc(User) as event_count", "broken", ""),
    ("event_count", '"*whoami*"', '"*"', "wider", "one too few, among events of no rule"),
    ("event_count", "by User", "by CommandLine", "broken", ""),
    ("event_count", "by User", "by Image", "untested", ""),
    ("event_count", "dedup User", "head 1", "narrower", "in two groups, enough in each"),
    ("event_count", "table _time, User, event_count", "table _time, event_count", "broken", ""),
    ("event_count", "EventCode=1 ", "EventCode=one ", "broken", ""),
    ("value_count", "dc(Image)", "count", "wider", "one without the field that is counted"),
    ("value_count", "dc(Image)", "dc(CommandLine)", "wider", "one without the field that is counted"),
    ("temporal", "dc(event_type)", "count", "wider", "one too few"),
    ("temporal", 'event_type="net"', 'event_type="whoami"', "broken", ""),
    ("event_count", "dedup User", "dedup User | uniq", "untested", ""),
    ("event_count", "where event_count >= 4", "where (event_count >= 4", "broken", ""),
]


@pytest.mark.parametrize(("name", "old", "new", "kind", "shown"), WRONG)
def test_a_changed_query_is_told(name: str, old: str, new: str, kind: str, shown: str) -> None:
    right = query(EXACT[name]).text
    assert old in right
    told = verdict(EXACT[name], right.replace(old, new))
    assert told.kind == kind
    if shown:
        assert shown in [each.name for each in told.shown]


@pytest.mark.parametrize(
    ("correlation", "reason"),
    [
        (EVENT_COUNT | {"condition": {"lt": 3}}, "lt of a count in a sliding window"),
        (EVENT_COUNT | {"condition": {"lte": 3}}, "lte of a count in a sliding window"),
        (EVENT_COUNT | {"condition": {"eq": 3}}, "eq of a count in a sliding window"),
        (EVENT_COUNT | {"condition": {"neq": 3}}, "neq of a count in a sliding window"),
        (EVENT_COUNT | {"condition": {"gte": 10001}}, "holds 10000 events"),
        (EVENT_COUNT | {"timespan": "1M"}, "1M, which has no fixed length"),
        (TEMPORAL | {"condition": "whoami and not net"}, "a condition over names of rules"),
    ],
)
def test_what_a_sliding_window_cannot_say_is_refused_or_marked(correlation: dict[str, Any], reason: str) -> None:
    refused = outcome(correlation)
    assert isinstance(refused, Refusal)
    assert reason in refused.reason
    assert refused.line is not None
    near = outcome(correlation, inexact=True)
    assert isinstance(near, Query)
    assert "inexact" in near.marks
    assert any(reason in warning for warning in near.warnings)
    assert near.text == query(correlation, "S20").text


@pytest.mark.parametrize(
    ("correlation", "reason"),
    [
        (TEMPORAL | {"type": "temporal_ordered"}, "temporal_ordered has no form"),
        (EVENT_COUNT | {"group-by": ["NoField"]}, "no pipeline maps the field NoField"),
        (EVENT_COUNT | {"group-by": ["user"]}, "the closest mapped name is User"),
        (VALUE_COUNT | {"condition": {"gte": 2, "field": "Imag"}}, "the closest mapped name is Image"),
        (TEMPORAL | {"rules": ["whoami", "cleared"], "group-by": ["SubjectUserName"]}, "of the rule 'Whoami'"),
        (
            TEMPORAL | {"group-by": ["who"], "aliases": {"who": {"whoami": "User"}}},
            "the alias who names no field of the rule net",
        ),
        (
            TEMPORAL
            | {
                "group-by": ["User", "Image"],
                "aliases": {
                    "User": {"whoami": "Image", "net": "User"},
                    "Image": {"whoami": "User", "net": "Image"},
                },
            },
            "another field in a search",
        ),
    ],
)
def test_what_has_no_form_or_no_name_is_refused(correlation: dict[str, Any], reason: str) -> None:
    for inexact in (False, True):
        refused = outcome(correlation, inexact=inexact)
        assert isinstance(refused, Refusal)
        assert reason in refused.reason


def test_fields_take_the_names_of_the_routes() -> None:
    on_4688 = outcome(EVENT_COUNT | {"group-by": ["Image"]}, target="splunk_security")
    assert isinstance(on_4688, Query)
    assert "as event_count by NewProcessName\n" in on_4688.text
    weeks = query(EVENT_COUNT | {"timespan": "2w"}).text
    assert "time_window=14d" in weeks


def test_an_unmapped_field_passes_where_it_may() -> None:
    how = How(referable=(rule(WHOAMI),), allow_unmapped=True)
    found = converted(rule(document(EVENT_COUNT | {"group-by": ["Nothing"]})), TARGETS["splunk"], how)
    assert isinstance(found, Query), found
    assert "unmapped" in found.marks
    assert "as event_count by Nothing\n" in found.text


def test_a_name_of_a_rule_breaks_out_of_no_quotation() -> None:
    odd = WHOAMI | {"name": 'a" | delete "'}
    named = {"rules": [odd["name"], "net"]}
    how = How(referable=(rule(odd), rule(NET)))
    found = converted(rule(document(TEMPORAL | BY | named)), TARGETS["splunk"], how)
    assert isinstance(found, Query), found
    assert 'eval event_type="a\\" | delete \\"" ]' in found.text
    layout = schemas.layout("splunk")
    assert layout is not None
    asked = Correlating(document(TEMPORAL | BY | named), {odd["name"]: odd, "net": NET})
    assert judged(asked, found.text, layout, engines.embedded("splunk")).kind == "exact"


def test_a_display_list_ends_no_search_that_is_counted() -> None:
    assert "table CommandLine" not in query(TEMPORAL).text


@pytest.mark.parametrize("seed", range(4))
def test_the_oracle_and_the_engine_agree_on_random_sequences(seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - no secret
    layout = schemas.layout("splunk")
    assert layout is not None
    source = next(each for each in layout.sources if each.table.name == "sysmon_1")
    sure = 0
    for _ in range(25):
        correlation = {
            **luck.choice([EVENT_COUNT, VALUE_COUNT, TEMPORAL]),
            **luck.choice([BY, {}]),
            "timespan": luck.choice(["30s", "2m"]),
        }
        if correlation["type"] == "event_count":
            correlation |= {"condition": {luck.choice(["gt", "gte"]): luck.randint(1, 4)}}
        meant = oracle.correlation(
            document(correlation), {name: oracle.read(NAMED[name]) for name in correlation["rules"]}
        )
        events = [
            (
                1_700_000_000 + luck.uniform(0, 240),
                {
                    "CommandLine": luck.choice(["whoami /all", "ipconfig"]),
                    "Image": f"C:\\{luck.choice('abc')}\\{luck.choice(['net', 'cmd'])}.exe",
                    "User": luck.choice(["one", "two"]),
                },
            )
            for _ in range(luck.randint(2, 14))
        ]
        store = Store(ENGINE, layout)
        rows = [{**source.rows(event)[0], "_time": time} for time, event in events]
        store.load(source, [Stored(number, 0, row) for number, row in enumerate(rows)])
        text = query(correlation).text
        found = ENGINE.correlate(text, store.connection, layout, [source])
        wanted = meant.found(events)
        if all(one.sure for one in wanted):
            sure += bool(wanted)
            assert {str(one.get("User")) for one in found} == {str(one.group.get("User")) for one in wanted}, text
    assert sure > 4


def test_the_command_judges_a_folder_with_a_correlation_and_its_rules(tmp_path: Path) -> None:
    for name, each in {**NAMED, "many": document(EXACT["event_count"])}.items():
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(each))
    for options, kind, code in (([], "exact", 0), (["--without", "S20"], "narrower", 1)):
        done = sigmapack(
            "test", "-t", "splunk", "-j", "1", *options, "--report", "json=r.json", "-q", ".", cwd=tmp_path
        )
        assert done.returncode == code, done.stderr
        lines = [line.split() for line in done.stdout.splitlines()]
        assert ["many", kind] in lines
        assert ["whoami", "exact"] in lines
        assert json.loads((tmp_path / "r.json").read_text())
    done = sigmapack("test", "-t", "kusto", "-t", "lucene", "-j", "1", "-q", ".", cwd=tmp_path)
    assert ["many", "refused", "refused"] in [line.split() for line in done.stdout.splitlines()]


def test_a_change_of_a_named_rule_is_noticed_in_the_cache(tmp_path: Path) -> None:
    (tmp_path / "many.yml").write_text(yaml.safe_dump(document(EXACT["event_count"])))
    (tmp_path / "whoami.yml").write_text(yaml.safe_dump(WHOAMI))
    said = []
    for _ in range(2):
        done = sigmapack("test", "-t", "splunk", "-j", "1", "-q", ".", cwd=tmp_path)
        said.append([line.split() for line in done.stdout.splitlines() if line.startswith("many ")])
        changed = WHOAMI | {"logsource": {"product": "windows", "service": "no-such-log"}}
        (tmp_path / "whoami.yml").write_text(yaml.safe_dump(changed))
    assert said == [[["many", "exact"]], [["many", "refused"]]]
