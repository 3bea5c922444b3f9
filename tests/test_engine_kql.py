"""The embedded KQL engine: what operators and functions find, what it refuses, and what a hunting query shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from converter.engines import embedded
from converter.engines.engine import Invalid, Unjudged
from converter.engines.kql.addresses import in_range6
from converter.schemas.layout import Column, read
from tests.events import ROOT
from tests.kql_rows import Rows

COLUMNS = {
    "s": "string",
    "t": "string",
    "n": "int",
    "l": "long",
    "d": "dynamic",
    "b": "bool",
    "at": "datetime",
}


def finds(condition: str, **values: object) -> bool:
    """Whether the condition finds a row with these values; a string that is left out is empty, anything else null."""
    return Rows(COLUMNS, [values]).find(f"T | where {condition}") == {0}


@pytest.mark.parametrize(
    ("condition", "value", "found"),
    [
        # https://learn.microsoft.com/kusto/query/datatypes-string-operators: what case counts and what is a term.
        ('s == "a"', "A", False),
        ('s =~ "a"', "A", True),
        ('s !~ "a"', "A", False),
        ('s contains "B"', "abc", True),
        ('s contains_cs "B"', "abc", False),
        ('s startswith "AB"', "abc", True),
        ('s !startswith_cs "AB"', "abc", True),
        ('s endswith "BC"', "abc", True),
        ('s has "-store"', "certutil -addstore x", False),
        ('s has "-store"', "certutil -store x", True),
        ('s has "-store"', "certutil x-store", True),
        ('s has "-URL"', "certutil -urlcache", False),
        ('s has "zgrab"', "zgrab2", False),
        ('s has "zgrab"', "a_zgrab.exe", True),
        ('s has "zgrab"', "ézgrab", False),
        ('s has "zgrab"', "é zgrab", True),
        ('s has ""', "anything", True),
        ('s has " "', "b .b-", True),
        ('s has "é"', "É", True),
        ('s hasprefix "err"', "x-error", True),
        ('s hassuffix "err"', "x-error", False),
        ('s hassuffix_cs "ROR"', "x-error", False),
        ('s has_any ("zz", "GRAB")', "z grab", True),
        ('s has_all ("z", "GRAB")', "z grab", True),
        ('s has_all ("z", "x")', "z grab", False),
        ('s has_any (dynamic(["x", "grab"]))', "z grab", True),
        ('s in ("A", "b")', "a", False),
        ('s in~ ("A", "b")', "a", True),
        ('s !in~ ("A", "b")', "a", False),
        # A value's own wildcards and escapes are plain signs.
        ('s contains "%"', "a", False),
        ('s contains "a_c"', "abc", False),
        (r's endswith "\\Run*"', "x\\Runx", False),
        # Literals: https://learn.microsoft.com/kusto/query/scalar-data-types/string
        (r's == "\u0041\x42\t\""', 'AB\t"', True),
        (r's == @"C:\dir"', "C:\\dir", True),
        ("s == @'it''s'", "it's", True),
        ('s == h"secret"', "secret", True),
        (r"s == h@'a\b'", "a\\b", True),
        ("s == ```a\nb```", "a\nb", True),
        ('s == "a" // "b', "a", True),
        ("s == 'a' 'b'", "ab", True),
        # Regular expressions: unanchored, case counts, `.` takes no newline, `$` is the very end.
        ('s matches regex "B"', "abc", False),
        ('s matches regex "(?i)B"', "abc", True),
        ('s matches regex "a.c"', "a\nc", False),
        ('s matches regex "(?is)^A.C$"', "a\nc", True),
        ('s matches regex "a$"', "a\n", False),
        ('s matches regex "(?<name>a)"', "a", True),
        # Functions.
        ("isempty(s)", "", True),
        ("isnotempty(s)", "", False),
        ('strcat(s, "x", 1, true) == "ax1True"', "a", True),
        ('tohex(tolong(s), 8) == "000000ff"', "255", True),
        ('tohex(tolong(s)) == "ffffffffffffff00"', "-256", True),
        ('tohex(toint(-256), 8) == "ffffff00"', "", True),
        ('tohex(tolong(s), 2) == "100"', "256", True),
        ('tohex(tolong(s), 8) == ""', "no number", True),
        ('tohex(tolong(s)) == "10"', " 0x10 ", True),
        ("tolong(s) == 5", "5.7", False),
        ('substring(s, 1, 2) == "bc"', "abcd", True),
        ('substring(s, 9) == ""', "abcd", True),
        (r'replace_string(s, "\"", "") == "ab"', 'a"b', True),
        ('replace_regex(s, "(?i)^hkey_(\\\\w+)", "<\\\\1>") == "<users>x"', "HKEY_users\\x", False),
        ('replace_regex(s, "(?i)^hkey_([a-z]+)", "<\\\\1>") == "<users>.x"', "HKEY_users.x", True),
        ('extract("^([a-z]+)://([^/]*)", 2, s) == "host"', "https://host/x", True),
        ('extract("(x)", 1, s) == ""', "abc", True),
        ('case(s == "a", "one", s == "b", "two", "else") == "two"', "b", True),
        ('iif(n == 1, "yes", "no") == "no"', "", True),
        ('coalesce(s, "filled") == "filled"', "", True),
        ("strlen(s) == 2", "éa", True),
        ('tostring(parse_json(s).Name) == "x"', '{"Name": "x", "name": "y"}', True),
        ('tostring(parse_json(s)["a b"][0]) == "1"', '{"a b": [1, 2]}', True),
        ('tostring(parse_json(s).Name) == ""', "no JSON", True),
        ('tostring(parse_json(s)) == "no JSON"', "no JSON", True),
    ],
)
def test_a_string_condition_finds(condition: str, value: str, found: bool) -> None:  # noqa: FBT001 - a table
    assert finds(condition, s=value) is found


@pytest.mark.parametrize(
    ("condition", "values", "found"),
    [
        # https://learn.microsoft.com/kusto/query/scalar-data-types/null-values and …/logical-operators
        ("n == 4", {}, False),
        ("n != 4", {}, True),
        ("n > 4", {}, False),
        ("not(n > 4)", {}, False),
        ("n > 4 or isnull(n)", {}, True),
        ('n > 4 and s == ""', {}, False),
        ("not(n > 4 and n == 5)", {}, True),
        ("n == l", {}, False),
        ("not(n == l)", {}, False),
        ("n != l", {"l": 1}, True),
        ("n in (1, 2)", {"n": 2}, True),
        ("n !in (1, 2)", {}, True),
        ("l between (1 .. 3)", {"l": 3}, True),
        ("b", {"b": True}, True),
        ("not(b)", {}, False),
        ("isnull(d)", {}, True),
        ('tostring(d.k) contains "X"', {"d": '{"k": ["x"]}'}, True),
        ('d.k == "x"', {"d": '{"k": "x"}'}, True),
        ('d has "k"', {"d": '{"k": "x"}'}, True),
        ('tostring(d) == "plain"', {"d": "plain"}, True),
        ("at > datetime(2026-01-01)", {"at": "2026-01-02T00:00:00Z"}, True),
        ("at between (datetime(2026-01-01) .. datetime(2026-01-03))", {"at": "2026-01-02T00:00:00+02:00"}, True),
    ],
)
def test_a_condition_on_other_types_finds(condition: str, values: dict[str, object], found: bool) -> None:  # noqa: FBT001
    assert finds(condition, **values) is found


@pytest.mark.parametrize(
    ("condition", "address", "found"),
    [
        ('ipv4_is_in_range(s, "10.0.0.0/8")', "10.255.0.1", True),
        ('ipv4_is_in_range(s, "10.0.0.0/8")', "11.0.0.0", False),
        ('not(ipv4_is_in_range(s, "10.0.0.0/8"))', "11.0.0.0", True),
        # Null for what is no IPv4 address, and the row is dropped either way.
        ('not(ipv4_is_in_range(s, "10.0.0.0/8"))', "::1", False),
        ('not(ipv4_is_in_range(s, "10.0.0.0/8"))', "", False),
        ('not(ipv4_is_in_range(s, "10.0.0.0/8"))', "01.2.3.4", False),
        ('not(coalesce(ipv4_is_in_range(s, "10.0.0.0/8"), false))', "::1", True),
        ('ipv6_is_in_range(s, "fe80::/10")', "FEBF::1", True),
        ('ipv6_is_in_range(s, "fe80::/10")', "fec0::1", False),
        ('ipv6_is_in_range(s, "fc00::/7")', "fdff:1::2", True),
        ('ipv6_is_in_range(s, "::1/128")', "0:0:0:0:0:0:0:1", True),
        ('not(ipv6_is_in_range(s, "::1/128"))', "nonsense", False),
        ('ipv4_is_match(s, "10.0.0.9", 24)', "10.0.0.1", True),
        ('ipv4_compare(s, "10.0.0.9") < 0', "10.0.0.1", True),
    ],
)
def test_addresses(condition: str, address: str, found: bool) -> None:  # noqa: FBT001
    assert finds(condition, s=address) is found


def test_an_ipv4_address_is_its_mapped_one_among_ipv6_networks() -> None:
    assert in_range6("10.0.0.1", "::ffff:10.0.0.0/8") is True
    assert in_range6("fe80::1%eth0", "fe80::/10") is True
    assert in_range6("fe80::1", "fe80::/129") is None


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("T | where missing == 1", "no column missing"),
        ("T | where N == 1", "no column N"),
        ("V | where s == 1", "no table V"),
        ('T | where n == "4"', "type int"),
        ('T | where n in~ ("4")', "in~ takes strings"),
        ('T | where n contains "4"', "contains takes strings"),
        ("T | where s == 9", "of type long"),
        ('T | where s < "b"', "not defined for values of type string"),
        ('T | where "text"', "takes a condition"),
        ("T | where s", "takes a condition"),
        ('T | where s == "a" and "b"', "takes a condition"),
        ('T | where not("a")', "takes a condition"),
        ("T | where isnull(s)", "never null"),
        (r'T | where s contains ":\*."', r"the escape \*"),
        ('T | where s == "a', "has no end"),
        ("T | where s contains", "could not parse"),
        ("T | wher s == 1", "could not parse"),
        ('T | where s matches regex "("', "missing"),
        ('T | where s matches regex "[a"', "missing"),
        ('T | where s matches regex "*a"', "nothing stands before"),
        ('T | where s matches regex "a(?=b)"', "look-around"),
        ('T | where s matches regex "a(?<!b)"', "look-around"),
        ('T | where s matches regex @"(a)\\1"', "back-references"),
        (f'T | where s matches regex "{"(a)" * 17}"', "17 groups"),
        ('T | where extract("(a)", 2, s) == ""', "group 2"),
        ('T | where ipv4_is_in_range(s, "::1/128")', "an IPv6 address"),
        ('T | where ipv4_is_in_range(s, "10.0.0/8")', "no address"),
        ("T | where ipv4_is_in_range(n, s)", "takes strings"),
        ('T | where tohex(s) == ""', "whole number"),
        ('T | extend x = case(n == 1, "a", 2)', "one type"),
        ('T | where strlen() == ""', "does not take 0 arguments"),
        ('T | where s == "a" | project s, missing', "no column missing"),
    ],
)
def test_what_the_service_would_not_take_is_invalid(query: str, words: str) -> None:
    with pytest.raises(Invalid) as raised:
        Rows(COLUMNS, []).compile(query)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("T | where at > ago(1h)", "what time it is"),
        ('T | where parse_path(s).x == "a"', "parse_path"),
        ('T | where s matches regex "[a-z&&[aeiou]]"', "class"),
        ('T | where s matches regex "(?x)a b"', "flags"),
        ('T | where s matches regex "a{x"', "brace"),
        ('T | where s matches regex @"a\\<b"', "escape"),
        ("T | where s matches regex t", "no literal"),
        ("T | where s in ((U | project s))", "query inside"),
        ("T | union U | where n == 1", "union"),
        ("let x = U; T | where n == 1", "one table"),
        ("U | join T on s | where n == 1", "join"),
        ("T | where n + 1 == 2", "operator +"),
        ('T | where at == "2026-01-01"', "datetime"),
    ],
)
def test_what_is_not_known_is_not_judged(query: str, words: str | None) -> None:
    rows = Rows(COLUMNS, [{"n": 1}])
    if words is None:
        # The first operator is no filter: what stands before it finds all.
        assert rows.find(query) == ({0} if query.startswith("T") else set())
        return
    with pytest.raises(Unjudged, match=re.escape(words)):
        rows.compile(query)


@pytest.mark.parametrize("pattern", [r"\d", r"\w+", r"\s", r"\bx", r"a\W"])
def test_rows_beyond_ascii_prove_nothing_of_unicode_classes(pattern: str) -> None:
    rows = Rows(COLUMNS, [{"s": "x 1"}, {"s": "x é"}, {"s": "x\x0b"}, {"s": "", "t": "é"}])
    assert rows.undecided(f'T | where s matches regex @"{pattern}"') == {1, 2}
    # A filter before it decides first.
    assert rows.undecided(f'T | where s != "x é" | where s matches regex @"{pattern}"') == {2}
    assert rows.undecided(f'T | extend e = replace_regex(s, @"{pattern}", "") | where e == ""') == {1, 2}
    assert rows.undecided('T | where s matches regex "[0-9]"') == set()


def test_a_query_goes_as_far_as_its_filters() -> None:
    rows = Rows(COLUMNS, [{"s": "a"}, {"s": "b"}])
    for rest in ("summarize count() by s | where count_ > 5", "take 0", "top 1 by s", "project s | where s == 'b'"):
        with pytest.raises(Unjudged):
            rows.compile(f'T | where s == "a" | {rest}')
    assert rows.find('T | extend s = strcat(s, "x") | where s == "ax" | project s') == {0}
    # Columns know letter case, those of tables too.
    assert Rows({"s": "string", "S": "string"}, [{"s": "a"}, {"S": "a"}]).find('T | where S == "a"') == {1}
    assert rows.find('T | extend S = "upper" | where S == "upper" and s == "a"') == {0}
    assert rows.find('T | extend Column = "k", s2 = s | where Column == "k" and s2 == "b"') == {1}


def test_a_name_that_let_gives_stands_for_its_value_unless_a_column_has_it() -> None:
    rows = Rows(COLUMNS, [{"n": 1, "l": 2}])
    assert rows.find("let x = 1; T | where n == x") == {0}
    assert rows.find("let n = 2; T | where n == 2") == set()


def test_a_query_of_another_table_finds_nothing() -> None:
    assert Rows(COLUMNS, [{"s": "a"}]).find('U | where s == "a"') == set()


@pytest.mark.parametrize("count", [500, 3_000])
@pytest.mark.parametrize("word", ["or", "and"])
def test_a_chain_of_thousands_is_found(word: str, count: int) -> None:
    rows = Rows(COLUMNS, [{"s": "x"}, {"s": "a0b"}])
    chain = f" {word} ".join(f's != "a{number}b"' for number in range(count))
    assert rows.find(f"T | where {chain}") == ({0} if word == "and" else {0, 1})


def test_parentheses_may_be_deep() -> None:
    assert finds("(" * 60 + 's == "a"' + ")" * 60, s="a")


def test_has_any_of_many_values_is_fast() -> None:
    rows = Rows(COLUMNS, [{"s": f"the word{number} stands"} for number in range(300)])
    listed = ", ".join(f'"word{number}"' for number in range(400))
    started = datetime.now(UTC)
    assert len(rows.find(f"T | where s has_any ({listed})")) == 300
    # 10 ms a value would be four seconds.
    assert datetime.now(UTC) - started < timedelta(seconds=3)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [("int", "4", "no int"), ("long", True, "no long"), ("string", 4, "no string"), ("bool", 1, "no bool")],
)
def test_a_cell_of_another_type_is_refused(kind: str, value: str | int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        embedded("kusto").cell(Column("c", kind), value)


def test_a_column_of_a_type_that_kusto_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="no type keyword"):
        embedded("kusto").column(Column("c", "keyword"))


NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)


def test_a_hunting_query_shows_its_columns_in_order() -> None:
    rows = Rows(
        {"Timestamp": "datetime", "s": "string", "n": "int"},
        [
            {"Timestamp": (NOW - timedelta(hours=hours)).isoformat(), "s": name, "n": 1}
            for hours, name in ((3, "first"), (1, "second"), (25, "old"), (2, "none"), (24, "edge"))
        ],
    )
    query = """T
| where Timestamp > ago(24h)
| extend Category = case(s == "first", "One", s in ("second", "old", "edge"), "Two", "")
| where isnotempty(Category)
| project Timestamp, Category, Name = s
| sort by Timestamp desc"""
    shown = rows.engine.hunt(query, rows.store.connection, rows.layout, [rows.source], NOW)
    assert [list(hit.columns.items()) for hit in shown] == [
        [("Timestamp", NOW - timedelta(hours=1)), ("Category", "Two"), ("Name", "second")],
        [("Timestamp", NOW - timedelta(hours=3)), ("Category", "One"), ("Name", "first")],
    ]
    assert {hit.category for hit in shown} == {None}


@pytest.mark.parametrize(
    ("operators", "shown"),
    [
        ("sort by n asc", [None, 1, 2]),
        ("sort by n", [2, 1, None]),
        ("sort by n asc nulls last", [1, 2, None]),
        ("top 2 by n", [2, 1]),
        ("sort by n | take 1", [2]),
        ("sort by s | sort by n asc | take 2", [None, 1]),
        ("project-away s | where n == 2", [2]),
        ("order by s asc", [2, None, 1]),
    ],
)
def test_the_order_of_a_hunting_query(operators: str, shown: list[int | None]) -> None:
    rows = Rows({"s": "string", "n": "int"}, [{"s": "c", "n": 1}, {"s": "b"}, {"s": "a", "n": 2}])
    hits = rows.engine.hunt(f"T | {operators}", rows.store.connection, rows.layout, [rows.source], NOW)
    assert [hit.columns["n"] for hit in hits] == shown


@pytest.mark.parametrize("operators", ["take 1", "summarize count()", "distinct s", "join U on s"])
def test_a_hunting_query_that_is_not_known_is_not_judged(operators: str) -> None:
    rows = Rows({"s": "string"}, [])
    with pytest.raises(Unjudged):
        rows.engine.hunt(f"T | {operators}", rows.store.connection, rows.layout, [rows.source], NOW)


def test_the_packs_hunting_query_runs() -> None:
    layout = read("defender")
    table = layout.tables["DeviceProcessEvents"]
    query = (ROOT / "outputs" / "kusto" / "t1596_003" / "_hunting.kql").read_text(encoding="utf-8")
    at = (NOW - timedelta(hours=1)).isoformat()
    certutil = {"FolderPath": "C:\\Windows\\certutil.exe", "ProcessCommandLine": "certutil -STORE my", "Timestamp": at}
    rows = Rows(
        {column.name: column.type for column in table.columns.values()},
        [certutil, {**certutil, "ProcessCommandLine": "certutil -x"}],
    )
    asked = query.replace("DeviceProcessEvents", "T")
    (hit,) = rows.engine.hunt(asked, rows.store.connection, rows.layout, [rows.source], NOW)
    assert list(hit.columns) == [name.strip() for name in query.split("| project ")[1].split("\n")[0].split(",")]
    assert hit.columns["ToolCategory"] == "CertutilEnum"
