"""Modifiers, lists, negations and absent fields: each emitted query finds on its engine what the rule means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from converter.convert import Query, Refusal, converted
from converter.rule import Rule
from converter.targets import TARGETS
from tests.events import Event, now
from tests.test_quoting import ENGINES

LINES = {
    "foo": "foo",
    "Foo": "Foo",
    "FOO bar": "FOO bar",
    "bar": "bar",
    "slash": "tool /A x",
    "dash": "tool -A x",
    "small dash": "tool -a x",
    "en dash": "tool –A x",
    "network": "10.0.0.0/8",
    "address": "10.1.2.3",
    "none": "",
}
EVENTS = [
    Event(name, {"Image": "C:\\x.exe", "CommandLine": line, "os": "windows"}, now(), recent=True)
    for name, line in LINES.items()
    if line
] + [Event("absent", {"Image": "C:\\x.exe", "os": "windows"}, now(), recent=True)]
ALL = {event.id for event in EVENTS}


def outcome(target: str, detection: Mapping[str, Any], **more: object) -> Query | Refusal:
    document = {
        "title": "T",
        "logsource": {"category": "process_creation", "product": "windows"},
        "detection": {"condition": "s"} | dict(detection),
    }
    return converted(Rule(Path("r.yml"), PurePosixPath("r"), "", document | more), TARGETS[target])


MEANINGS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a list minding letter case": ({"s": {"CommandLine|cased": ["Foo", "bar"]}}, {"Foo", "bar"}),
    "not a list minding letter case": (
        {"s": {"CommandLine|cased": ["Foo", "bar"]}, "condition": "not s"},
        ALL - {"Foo", "bar"},
    ),
    "windash minding letter case": (
        {"s": {"CommandLine|contains|windash|cased": " -A", "Image|endswith": "x.exe"}},
        {"slash", "dash", "en dash"},
    ),
    "not windash": (
        {"s": {"CommandLine|contains|windash": " -A"}, "condition": "not s"},
        ALL - {"slash", "dash", "small dash", "en dash"},
    ),
    "windash and another list": (
        {"s": {"CommandLine|contains|windash": [" -A", " -B"], "Image|endswith": ["y.exe", "x.exe"]}},
        {"slash", "dash", "small dash", "en dash"},
    ),
    "all of a list": ({"s": {"CommandLine|contains|all": ["foo", "bar"]}}, {"FOO bar"}),
    "a list mixed of words and wildcards": (
        {"s": {"CommandLine": ["bar", "f?o", "*o b*"]}},
        {"foo", "Foo", "FOO bar", "bar"},
    ),
    "a text that looks like a network": ({"s": {"CommandLine": "10.0.0.0/8"}}, {"network"}),
    "absent": ({"s": {"CommandLine": None}}, {"absent"}),
    "not absent": ({"s": {"CommandLine": None}, "condition": "not s"}, ALL - {"absent"}),
    "several conditions mean any of them": (
        {"s": {"CommandLine": "foo"}, "t": {"CommandLine": "bar"}, "condition": ["s", "t"]},
        {"foo", "Foo", "bar"},
    ),
    "nested negations": (
        {"s": {"CommandLine": "foo"}, "t": {"CommandLine": "bar"}, "condition": "not (s or not (not t))"},
        ALL - {"foo", "Foo", "bar"},
    ),
}


@pytest.mark.parametrize("target", ENGINES)
@pytest.mark.parametrize(("detection", "found"), MEANINGS.values(), ids=MEANINGS)
def test_a_query_finds_what_its_rule_means(target: str, detection: dict[str, Any], found: set[str]) -> None:
    query = outcome(target, detection)
    assert isinstance(query, Query), query
    assert ENGINES[target](query.text, EVENTS) == found


@pytest.mark.parametrize("target", ENGINES)
@pytest.mark.parametrize(
    ("detection", "reason"),
    [
        ({"s": {"FolderPath": "x"}}, "no pipeline maps the field FolderPath"),
        ({"s": {"process.executable": "x"}}, "no pipeline maps the field process.executable"),
        ({"s": {"Image|fieldref": "Bogus"}}, "Bogus"),
        ({"s": {"Image": "x"}, "condition": "s and 1 of filter_*"}, "names filter_*, which no selection fits"),
        ({"s": {"Image": "x"}, "condition": "s and not 1 of filter_*"}, "names filter_*, which no selection fits"),
        ({"s": {"Image|contains": []}}, "lists no value"),
    ],
)
def test_what_cannot_be_meant_is_refused(target: str, detection: dict[str, Any], reason: str) -> None:
    refusal = outcome(target, detection)
    assert isinstance(refusal, Refusal)
    assert reason in refusal.reason


def test_a_display_list_is_a_table_after_the_search() -> None:
    query = outcome("splunk", {"s": {"Image": "x"}}, fields=["CommandLine", "Foo Bar", "User"])
    assert isinstance(query, Query)
    assert query.text.endswith('(Image="x")\n| table CommandLine, User')
    assert query.warnings == ("no pipeline maps the field Foo Bar; left out of fields",)
