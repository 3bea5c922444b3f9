"""The evaluator of Lucene: what it finds by the forms that we emit, and that it refuses all others."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any

import pytest

from tests import events, lucene
from tests.lucene_terms import RefusedError

LINES = {
    "a": "a",
    "A": "A",
    "empty": "",
    "space": "a b",
    "tab": "a\tb",
    "newline": "a\nb",
    "star": "a*b",
    "backslash": "a\\b",
    "quote": 'a"b',
    "slash": "a/b",
    "less": "<A",
    "word": "AND",
    "kelvin": "\N{KELVIN SIGN}",
    "sigma": "ΑΣ",
    "long": "A" + "b" * 1024,
    "edge": "\N{GRINNING FACE}" * 512,
    "over": "\N{GRINNING FACE}" * 513,
}


def hours_ago(hours: int) -> str:
    return (events.now() - timedelta(hours=hours)).isoformat()


DOCUMENTS: dict[str, dict[str, object]] = {
    name: {"@timestamp": hours_ago(2), "event.category": ["process"], "process.command_line": line}
    for name, line in LINES.items()
}
DOCUMENTS["none"] = {"@timestamp": hours_ago(30), "event.category": ["file", "process"]}
ALL = DOCUMENTS.keys()


# "f" stands for process.command_line, "c" for process.command_line.caseless: both hold the lines above.
FIELDS = {"f": "process.command_line", "c": "process.command_line.caseless"}


def spelt_out(query: str) -> str:
    return re.sub(r"\b[fc](?=:)|(?<=_exists_:)[fc]\b", lambda found: FIELDS[found[0]], query)


# What each query finds; test_lucene_live.py asks real nodes the same.
FORMS: list[tuple[str, AbstractSet[str]]] = [
    ("f:a", {"a"}),
    ("c:A", {"a", "A"}),
    ('c:"A B"', {"space"}),
    ('f:""', {"empty"}),
    (r"f:a\ b", {"space"}),
    ("f:a\\\tb", {"tab"}),
    ('f:"a\nb"', {"newline"}),
    ("f:a*", {"a", "space", "tab", "newline", "star", "backslash", "quote", "slash"}),
    ("f:?", {"a", "A", "kelvin"}),
    ("c:?", {"a", "A", "kelvin"}),
    ("c:k", {"kelvin"}),
    ("c:ας", set()),
    ("c:ασ", {"sigma"}),
    ("f:a?b", {"space", "tab", "newline", "star", "backslash", "quote", "slash"}),
    (r"f:a\*b", {"star"}),
    ('f:"a*b"', {"star"}),
    (r"f:a\\*", {"backslash"}),
    (r'f:"a\\b"', {"backslash"}),
    (r'f:"a\"b"', {"quote"}),
    (r"f:a\/b", {"slash"}),
    ('f:"<A"', {"less"}),
    ('f:"AND"', {"word"}),
    ("f:AND*", {"word"}),
    (r"f:/[aA]/", {"a", "A"}),
    (r"f:/[aA].*/", {name for name, line in LINES.items() if line[:1] in {"a", "A"}}),
    (r"f:/a[\\].*/", {"backslash"}),
    (r"f:/a\\{1}.*/", {"backslash"}),
    (r"f:/a\/b/", {"slash"}),
    (r"f:/a.b/", {"space", "tab", "newline", "star", "backslash", "quote", "slash"}),
    (r"c:/\<A/", {"less"}),
    ("f://", {"empty"}),
    ("c:*b", {"space", "tab", "newline", "star", "backslash", "quote", "slash"}),
    ("f:*bbbb", {"long"}),
    ("f:(a OR A)", {"a", "A"}),
    ("NOT _exists_:c", {"long", "over", "none"}),
    ("NOT _exists_:f", {"none"}),
    ("f:a OR (NOT _exists_:f)", {"a", "none"}),
    ("NOT f:a AND NOT f:A", ALL - {"a", "A"}),
    ("_exists_:f AND (NOT f:a AND NOT f:A)", ALL - {"a", "A", "none"}),
    ("NOT (NOT f:a)", {"a"}),
    ("event.category:file", {"none"}),
    ("event.category:process", ALL),
    ("host.name:x", set()),
    ("@timestamp:{now-24h TO *}", ALL - {"none"}),
    ("@timestamp:{now-2d TO *}", ALL),
]


@pytest.mark.parametrize(("query", "found"), FORMS)
def test_a_form_that_we_emit_finds_what_a_node_finds(query: str, found: AbstractSet[str]) -> None:
    assert lucene.find(spelt_out(query), DOCUMENTS, events.now()) == found


@pytest.mark.parametrize(
    "query",
    [
        "",
        " f:a",
        "f:a ",
        "f:a\n",
        "a",
        '"a"',
        "*",
        "f:",
        "f:a b",
        "f:a  AND f:b",
        "f:a AND f:b OR f:c",
        "f:a OR f:b AND f:c",
        "f:a OR NOT f:b",
        "NOT f:a OR f:b",
        "NOT NOT f:a",
        "f:a && f:b",
        "f:a || f:b",
        "!f:a",
        "-f:a",
        "+f:a",
        "f:(a)(b)",
        "f:(a AND b)",
        "f:(NOT a)",
        "f:(a OR (b OR a))",
        "(f:a",
        "f:a)",
        "f:(a OR b",
        "f:AND",
        "f:OR",
        "f:NOT",
        "f:TO",
        r"f:\AND",
        "f:-a",
        "f:>a",
        "f:>=a",
        r"f:\<a",
        r"f:\>a*",
        f"f:*{'1' * 400}*",
        f"f:*a{'?' * 15}*",
        f"f:/.*a{'.' * 15}.*/",
        "f:*",
        "f:**",
        "f:a/b",
        "f:a:b",
        'f:a"b',
        'f:"a',
        r'f:"a\b"',
        'f:"a"~2',
        "f:a~",
        "f:a^2",
        "f:[a TO b]",
        "f:{a TO *}",
        r"f:a\u0041",
        "f:a\tb",
        "f:a\u3000b",
        "f:/a",
        "f:/a|b/",
        "f:/a+/",
        "f:/a*/",
        "f:/.?/",
        "f:/.+/",
        "f:/(a)/",
        "f:/[a-z]/",
        "f:/[^a]/",
        "f:/[0-9]/",
        "f:/[ab/",
        r"f:/\d/",
        r"f:/\\/",
        r"f:/a\/",
        "f:/^a$/",
        'f:/"a"/',
        "f:/<a/",
        "f:/a#/",
        "f:/a~/",
        "f:/a-b/",
        f"f:/{'a' * 1001}/",
        "nope:a",
        "_exists_:nope",
        "process.command_line.nope:a",
        "process.command_line.text:a",
        "@timestamp:a",
        "@timestamp:[now-24h TO *]",
        "@timestamp:{now-24h TO now}",
        "@timestamp:{now-24h/d TO *}",
        "process.pid:>5",
        "process.pid:5",
        "data_stream.type:logs",
    ],
)
def test_a_form_that_we_do_not_emit_is_refused(query: str) -> None:
    with pytest.raises(RefusedError):
        lucene.find(spelt_out(query), DOCUMENTS, events.now())


def body(query: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"size": 100, "query": query, **more}


def string(query: str) -> dict[str, Any]:
    return {"query_string": {"query": spelt_out(query), "analyze_wildcard": True}}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"must": [string("f:a")]}, {"a"}),
        ({"must": [string("c:a")], "must_not": [string("f:a")]}, {"A"}),
        ({"must_not": [string("_exists_:f")]}, {"none"}),
        ({"should": [string("f:a"), string("f:A")]}, {"a", "A"}),
        ({"filter": [string("c:a")], "should": [string("f:a")]}, {"a", "A"}),
        ({"filter": [string("c:a")], "should": [string("f:a")], "minimum_should_match": 1}, {"a"}),
        ({"filter": [string("c:a"), {"range": {"@timestamp": {"gt": "now-1h"}}}]}, set()),
        ({"filter": [{"range": {"@timestamp": {"gt": "now-121m"}}}]}, ALL - {"none"}),
    ],
)
def test_a_bool_query_finds_what_its_parts_say(query: dict[str, Any], found: AbstractSet[str]) -> None:
    assert {name for name, _ in lucene.search(body({"bool": query}), DOCUMENTS, events.now())} == found


def test_a_hit_has_the_names_of_all_queries_that_match_it_in_the_order_asked_for() -> None:
    named = [{"bool": {"_name": "any", "must": [string("c:a")]}}, {"bool": {"_name": "small", "must": [string("f:a")]}}]
    documents = {
        "old": DOCUMENTS["a"] | {"@timestamp": hours_ago(3)},
        "new": DOCUMENTS["A"],
        "other": DOCUMENTS["word"],
    }
    asked = body({"bool": {"should": named}}, sort=[{"@timestamp": {"order": "desc"}}])
    found = [("new", ["any"]), ("old", ["any", "small"])]
    assert lucene.search(asked, documents, events.now()) == found
    assert lucene.search(asked | {"sort": [{"@timestamp": {"order": "asc"}}]}, documents, events.now()) == found[::-1]
    assert lucene.search(asked | {"size": 1}, documents, events.now()) == found[:1]


@pytest.mark.parametrize(
    "asked",
    [
        body({"match_all": {}}),
        body({"bool": {"must": [], "boost": 2}}),
        body({"query_string": {"query": "_exists_:host.name", "default_operator": "AND"}}),
        body({"range": {"@timestamp": {"gte": "now-24h"}}}),
        body({"range": {"@timestamp": {"gt": "now-24h/d"}}}),
        body({"range": {"process.pid": {"gt": "now-24h"}}}),
        body(string("_exists_:f"), sort=[{"process.name": {"order": "asc"}}]),
        body(string("_exists_:f"), sort=[{"@timestamp": {"order": "asc", "missing": "_last"}}]),
        body(string("_exists_:f"), min_score=1),
    ],
)
def test_a_search_body_that_we_do_not_emit_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        lucene.search(asked, DOCUMENTS, events.now())
