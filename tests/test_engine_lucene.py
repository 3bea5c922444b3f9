"""The embedded Lucene engine: what each construct finds in documents made for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from converter.engines import ENGINES, engine
from converter.engines.engine import Hit, Invalid, Unjudged
from converter.engines.lucene import holding, limits
from converter.engines.lucene.automaton import automaton
from converter.engines.lucene.regex_tree import read
from converter.schemas.layout import Column, Source
from tests.lucene_index import NOW, Embedded

LOWER = {"type": "keyword", "normalizer": "lowercase"}
CASELESS = {"fields": {"caseless": {"type": "keyword", "ignore_above": 1024, "normalizer": "lowercase"}}}
PROPERTIES: Mapping[str, Any] = {
    "@timestamp": {"type": "date"},
    "k": {"type": "keyword", "ignore_above": 40, **CASELESS},
    "w": {"type": "wildcard", **CASELESS},
    "l": LOWER,
    "set": {"type": "constant_keyword"},
    "t": {"type": "text"},
    "m": {"type": "match_only_text"},
    "n": {"type": "long"},
    "ip": {"type": "ip"},
    "b": {"type": "boolean"},
    "o.k": {"type": "keyword"},
}
DOCUMENTS: Mapping[str, Mapping[str, object]] = {
    "x": {"k": "one", "n": 1},
    "xy": {"k": "one", "w": "two", "n": 2},
    "yz": {"w": "two", "l": "Three", "n": -3},
    "Foo": {"k": "Foo", "w": "Foo", "l": "Foo", "set": "logs"},
    "foo": {"k": "foo", "w": "foo", "l": "foo", "set": "logs"},
    "path": {"k": r"C:\Dir\cmd.exe", "w": r"C:\Dir\cmd.exe"},
    "several": {"k": ["Foo", "bar"], "n": [7, 70]},
    "long": {"k": "L" * 41, "w": "L" * 1025},
    "empty": {"k": "", "l": ""},
    "signs": {"k": 'a b\tc\nd*e?f"g/h>i<j(k)', "l": "ÀİΣ"},
    "gt": {"k": ">x"},
    "AND": {"k": "AND"},
    "bird": {"k": "🦆!"},
    "mark": {"t": "!"},
    "script": {"t": "Invoke-Web (New-Object Net.WebClient).Down_load('C:\\x.ps1')", "m": ["one two", "three"]},
    "v4": {"ip": "10.1.2.3", "b": True, "@timestamp": "2026-06-10T11:30:00Z", "o.k": "in"},
    "v6": {"ip": "2001:db8::1", "b": False, "@timestamp": "2026-06-08T00:00:00.500+02:00"},
}
EVERY = set(DOCUMENTS)
HELD_K = {"x", "xy", "Foo", "foo", "path", "several", "empty", "signs", "gt", "AND", "bird"}

FORMS: list[tuple[str, set[str]]] = [
    # Operators: boolean only where parentheses say so.
    ("n:1 OR w:two AND l:three", {"yz"}),
    ("w:two AND l:three OR n:1", {"yz"}),
    ("n:1 OR (w:two AND l:three)", {"x", "yz"}),
    ("n:1 OR NOT w:two", {"x"}),
    ("NOT k:*", EVERY - HELD_K),
    ("w:two AND (NOT k:one)", {"yz"}),
    ("w:two AND NOT (NOT k:one)", {"xy"}),
    ("l:three OR (NOT _exists_:w AND NOT n:*)", EVERY - {"xy", "path", "Foo", "foo", "long", "x", "several"}),
    ("w:two AND k:(NOT one)", {"yz"}),
    ("k:one w:two", {"x", "xy", "yz"}),
    ("+w:two -k:one", {"yz"}),
    ("w:two && !k:one", {"yz"}),
    ("k:(one || bar)", {"x", "xy", "several"}),
    ("k:(one OR bar) AND n:>6", {"several"}),
    ("(k:one^2 OR k:bar)^3 AND n:70", {"several"}),
    # Words, quotes and escapes.
    ("k:Foo", {"Foo", "several"}),
    ("k:foo", {"foo"}),
    ("k.caseless:FOO", {"Foo", "foo", "several"}),
    ('k.caseless:"fOO"', {"Foo", "foo", "several"}),
    ("l:FOO", {"Foo", "foo"}),
    ("l:àiσ", {"signs"}),
    ("l:ÀİΣ", {"signs"}),
    ("w:FOO", set()),
    ('k:""', {"empty"}),
    (r'k:"C:\\Dir\\cmd.exe"', {"path"}),
    (r"k:C\:\\Dir\\cmd.exe", {"path"}),
    (r'k:"a b	c' + "\n" + r'd*e?f\"g/h>i<j(k)"', {"signs"}),
    ('k:a\\ b\\\tc\\\nd\\*e\\?f\\"g\\/h>i<j\\(k\\)', {"signs"}),
    ("k:\\u0046oo", {"Foo", "several"}),
    ('k:"AND"', {"AND"}),
    (r"k:\AND", {"AND"}),
    ("k:AND*", {"AND"}),
    ("k:🦆\\!", {"bird"}),
    ("k : foo", {"foo"}),
    # Wildcards.
    ("k:F*", {"Foo", "several"}),
    ("k:*oo", {"Foo", "foo", "several"}),
    (r"k:C\:\\*", {"path"}),
    (r"k:*\\cmd.exe", {"path"}),
    (r"k.caseless:*\\CMD.EXE", {"path"}),
    ("k:?oo", {"Foo", "foo", "several"}),
    ("k:?\\!", {"bird"}),
    ("k:??\\!", set()),
    ('k:"f*"', set()),
    (r"k:*d\**", {"signs"}),
    ("k:*b?c*", {"signs"}),
    ("k:*L*", set()),
    ("k.caseless:l*l", {"long"}),
    ("w:*LL", {"long"}),
    ("w.caseless:*", {"xy", "yz", "Foo", "foo", "path"}),
    ("w:* AND NOT _exists_:w.caseless", {"long"}),
    ("k:*", HELD_K),
    ("k:**", HELD_K),
    ("k:?*", HELD_K - {"empty"}),
    ("_exists_:k", HELD_K),
    ('_exists_:"n"', {"x", "xy", "yz", "several"}),
    ("_exists_:(n OR b)", {"x", "xy", "yz", "several", "v4", "v6"}),
    ("_exists_:o", {"v4"}),
    ("*:*", EVERY),
    ("set:log*", {"Foo", "foo"}),
    ("set:LOGS", set()),
    # Ranges of words.
    ("k:>foo", {"x", "xy", "bird"}),
    (r"k:\>foo", {"x", "xy", "bird"}),
    ("k:>=foo", {"foo", "x", "xy", "bird"}),
    ('k:">x"', {"gt"}),
    ("k:?x", {"gt"}),
    ("k:[bar TO foo]", {"foo", "several"}),
    ("k:{bar TO foo}", set()),
    ("k:[* TO *]", HELD_K),
    ('k:{"*" TO bar]', {"several", "Foo", "path", "empty", "signs", "gt", "AND"}),
    (r"k:\>\*", HELD_K),
    # Fields that the mapping lacks.
    ("nope:foo", set()),
    ("nope:/f../", set()),
    ("nope:>3", set()),
    ("_exists_:nope", set()),
    ("NOT nope:foo", EVERY),
    # Expressions.
    ("k:/oo/", set()),
    ("k:/.oo/", {"Foo", "foo", "several"}),
    ("k:/^foo$/", set()),
    ("k.caseless:/F[O]O/", {"Foo", "foo", "several"}),
    ("k:/(?i)foo/", set()),
    ("k:/f.*?o/", {"foo"}),
    (r"k:/a\sb.c.d\*.+/", {"signs"}),
    (r"k:/C:\\\w+\\cmd[.]exe/", {"path"}),
    (r"k:/.*\\{1}cmd.*/", {"path"}),
    ("k:/foo|one/", {"foo", "x", "xy"}),
    ("k:/foo&f@/", {"foo"}),
    ("k:/fo{2}/", {"foo"}),
    ("k:/f<1-3>|foo/", {"foo"}),
    ("k:/foo#/", set()),
    ('k:/"f"oo/', {"foo"}),
    (r"k:/[^\w]x/", {"gt"}),
    (r"k:/\>x/", {"gt"}),
    (r"k:/.*g\/h.*/", {"signs"}),
    ("k:/[🐀-🦿]!/", {"bird"}),
    # Numbers, addresses, truth values, times.
    ("n:1", {"x"}),
    ('n:"-3"', {"yz"}),
    ("n:1.0", {"x"}),
    ("n:1.5", set()),
    ("n:(1 OR 70)", {"x", "several"}),
    ("n:>=2", {"xy", "several"}),
    ("n:{1 TO 7]", {"xy", "several"}),
    ("n:<1.5", {"x", "yz"}),
    ('ip:"10.0.0.0/8"', {"v4"}),
    (r"ip:10.1.2.0\/24", {"v4"}),
    ("ip:10.1.2.3", {"v4"}),
    ('ip:"2001:db8::/32"', {"v6"}),
    ('ip:"::ffff:10.1.2.3"', {"v4"}),
    ("ip:*", {"v4", "v6"}),
    ("ip:[10.0.0.0 TO 10.255.255.255]", {"v4"}),
    ("b:true", {"v4"}),
    ("b:(true OR false)", {"v4", "v6"}),
    ("@timestamp:{now-24h TO *}", {"v4"}),
    ("@timestamp:>now-3d", {"v4", "v6"}),
    ("@timestamp:2026-06-10", {"v4"}),
    ("@timestamp:<2026-06-08", {"v6"}),
    ('@timestamp:["2026-06-07T22:00:00.500Z" TO "2026-06-07T22:00:00.500Z"]', {"v6"}),
    # Text, as terms.
    ("t:WEB", {"script"}),
    ("t:new-object", {"script"}),
    ('t:"new object net.webclient"', {"script"}),
    ('t:"object new"', set()),
    ("t:down_load", {"script"}),
    ("t:*webclient", {"script"}),
    ("t:*", {"script", "mark"}),
    ("t:?*", {"script"}),
    (r"t:*new\-*", set()),
    ("t:/x.ps1/", {"script"}),
    ("t:net.web*", {"script"}),
    ("m:(two OR nothing)", {"script"}),
    ('m:"two three"', set()),
    (r"m:(\- AND three)", {"script"}),
    # Words for any field.
    ("webclient", set()),
    ("INVOKE", {"script"}),
    ("two", {"xy", "yz", "script"}),
    ("*cmd.exe", {"path"}),
    ("one two", {"script"}),
    ("", set()),
    (" ", set()),
]


@cache
def index() -> Embedded:
    return Embedded(PROPERTIES, DOCUMENTS)


@pytest.mark.parametrize(("query", "wanted"), FORMS)
def test_a_form_finds_its_documents(query: str, wanted: set[str]) -> None:
    assert index().find(query) == wanted


# What a node refuses as a whole.
REFUSED = [
    *("k:AND", "k:", "k:(a", "()", "k:a/b", 'k:"a', "k:a:b", ":a", "k:a OR", "k:[a TO", "k:~", r"k:\u00zz", "k:a^x"),
    *(
        "ip:10.*",
        "ip:*1",
        "ip:/10.*/",
        "ip:foo",
        "ip:10.0.0.0/8",
        'ip:"10.0.0.0/33"',
        'ip:"010.0.0.1"',
        r"ip:10.0.0.0\/x",
    ),
    *("n:abc", "n:4*", "n:/4/", 'n:""', "n:0x4", "n:>a", "n:4~", "n:1 OR ip:10.*", "b:TRUE", "b:1", "b:t*"),
    *("@timestamp:foo", "@timestamp:20*", r"k:/\bfoo/", r"k:/a\tb/", "k:/<x/", "k:/a)/", "k:/(a|)/", "k:/[a/"),
    *("k:/a{2,1}/", "k:/a{,2}/", "k:/[z-a]/", 'k:/"a/', "k:/<a-b>/", "k:/(a/", "k:/a{x}/", "k:/" + "a" * 1001 + "/"),
    *(
        "k:/(.*a){20}.*b.{9,30}/",
        "k:/.*a.{1,64}c/",
        "k:*a" + "?" * 12 + "*",
        "k:*" + "1" * 400 + "*",
        "k:/b{2147483648}/",
    ),
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_a_node_refuses_is_invalid(query: str) -> None:
    with pytest.raises(Invalid):
        index().find(query)


@pytest.mark.parametrize(
    "query",
    [
        "k:a~", '"a b"~2', "k:/a~b/", r"l:*\F*", "t:/Quick/", "*:a", r"_exists_:k\*", "_id:1", "b:>false", "set:l?gs",
        "n:99999999999999999999",
        "k:/(a&b)c/", "k:/<1-9999>/", r"@timestamp:>now\/d", "t:日本", r"t:\-*",
        "k:/(ab{100}){20}/", "k:/b{2147483647}/",
    ],
)  # fmt: skip
def test_what_is_not_known_is_not_judged(query: str) -> None:
    with pytest.raises(Unjudged):
        index().find(query)


def test_the_time_of_now_is_not_guessed() -> None:
    with pytest.raises(Unjudged, match="time of now"):
        engine("lucene").compile("@timestamp:>now-1h", index().layout, index().source)


def test_the_table_names_the_engine() -> None:
    assert ENGINES["lucene"] == "converter.engines.lucene"
    assert (engine("lucene").name, engine("lucene").language) == ("lucene", "Lucene")


@pytest.mark.parametrize(
    ("expression", "states"),
    [
        *(("", 0), ("b", 2), ("b*", 1), ("b+", 3), ("b?", 2), ("(bc)*", 2), ("(b|cd)", 3), ("(bd|cd)", 4)),
        *(("(bc|de)+", 7), ("b{2,4}", 5), ("b{2,}", 4), ("(bc){2,3}", 7), ("()", 1), ("(b?)+", 3), ("(b*c)*", 2)),
        *(("(b|c*)", 3), (".+", 3)),
    ],
)
def test_an_expression_has_as_many_states_as_nodes_say(expression: str, states: int) -> None:
    # Both nodes name 67 states when they refuse the second part alone, and so many more with the first.
    assert len(automaton(read(f"{expression}.*a.{{1,64}}c")).steps) - 67 == states


@pytest.mark.parametrize(
    ("column", "value"),
    [("n", "x"), ("n", 2**63), ("ip", "foo"), ("b", "yes"), ("@timestamp", "yesterday")],
)
def test_what_a_node_does_not_store_is_no_cell(column: str, value: str | int) -> None:
    with pytest.raises(ValueError, match=r"no date|invalid literal|64 bits|neither true nor false|does not appear"):
        engine("lucene").cell(index().source.table.columns[column], value)


def test_a_type_of_no_mapping_is_not_held() -> None:
    with pytest.raises(Unjudged, match="of type geo_point"):
        engine("lucene").column(Column("place", "geo_point"))


def test_a_script_is_cut_at_all_but_letters_digits_underscores_and_hyphens() -> None:
    column = Column("s", "text", analyzer="powershell_script")
    held = holding.held(column, "Get-Item $env:TEMP_1.é")
    assert held == {"v": ["Get-Item $env:TEMP_1.é"], "t": ["env", "get-item", "temp_1"], "p": [" get-item env temp_1 "]}


def body(**changed: object) -> str:
    named = [
        {"bool": {"_name": name, "must": [string(query)]}} for name, query in (("old", "b:false"), ("new", "b:true"))
    ]
    query = {
        "bool": {"filter": [{"range": {"@timestamp": {"gt": "now-7d"}}}], "should": named, "minimum_should_match": 1}
    }
    whole = {
        "size": 10_000,
        "track_total_hits": True,
        "query": query,
        "sort": [{"@timestamp": {"order": "desc"}}],
        "_source": False,
        "fields": ["@timestamp", "ip", "k", "nope"],
    }
    return json.dumps({**whole, **changed})


def string(query: str) -> dict[str, object]:
    return {"query_string": {"query": query, "analyze_wildcard": True}}


def hunted(query: str) -> list[Hit]:
    held = index()
    return held.engine.hunt(query, held.store.connection, held.layout, [held.source], NOW)


V4 = Hit({"@timestamp": "2026-06-10T11:30:00.000Z", "ip": "10.1.2.3", "k": None, "nope": None}, "new")
V6 = Hit({"@timestamp": "2026-06-07T22:00:00.500Z", "ip": "2001:db8::1", "k": None, "nope": None}, "old")


def test_a_search_body_shows_its_fields_and_the_name_that_matches() -> None:
    assert hunted(body()) == [V4, V6]
    assert hunted(body(sort=[{"@timestamp": {"order": "asc"}}])) == [V6, V4]
    assert hunted(body(size=1)) == [V4]


def test_all_names_that_match_are_the_category() -> None:
    both = {"bool": {"_name": "any", "must": [string("b:*")], "must_not": [string("b:false")], "should": [{**V_ANY}]}}
    assert [hit.category for hit in hunted(body(query=both))] == ["any, v"]


V_ANY: dict[str, object] = {"bool": {"_name": "v", "should": [string("_exists_:ip")]}}


def test_a_range_with_a_query_string_is_found_whole() -> None:
    (hit,) = hunted("@timestamp:{now-24h TO *} AND (b:*)")
    assert (hit.columns["ip"], hit.columns["b"], hit.category) == ("10.1.2.3", True, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"aggs": {}},
        {"query": {"match_all": {}}},
        {"sort": ["_score"]},
        {"fields": ["k*"]},
        {"sort": [{"k": {"order": "asc"}}]},
        {"query": {"query_string": {"query": "k:a"}}},
        {"query": {"bool": {"should": [], "boost": 2}}},
        {"query": {"bool": {"should": [V_ANY, string("k:a")], "minimum_should_match": 2}}},
        {"query": {"bool": {"should": [V_ANY, V_ANY]}}},
    ],
)
def test_what_is_not_known_of_a_search_body_is_not_judged(changed: Mapping[str, object]) -> None:
    with pytest.raises(Unjudged):
        hunted(body(**changed))


def test_a_size_over_a_nodes_window_is_invalid() -> None:
    with pytest.raises(Invalid, match="10000"):
        hunted(body(size=10_001))


def test_tables_are_searched_together() -> None:
    held = index()
    other = replace(held.source, name="twin", logsources=())
    sources: list[Source] = [held.source, other]
    assert held.engine.hunt(body(), held.store.connection, held.layout, sources, NOW) == [V4, V6]


def many(count: int) -> str:
    """As many clauses, in two groups."""
    half = count // 2
    groups = [" OR ".join(f"v{number}" for number in numbers) for numbers in (range(half), range(half, count))]
    return " OR ".join(f"k:({group})" for group in groups)


def long(length: int) -> str:
    return "k:" + "a" * (length - 2)


def test_what_is_over_the_limits_of_opensearch_is_told() -> None:
    assert limits.over(many(1024)) == limits.over(long(32_000)) == []
    assert limits.over(many(1025)) == ["1025 clauses: OpenSearch takes 1024"]
    assert limits.over(long(32_001)) == ["32001 characters: OpenSearch takes 32000"]
