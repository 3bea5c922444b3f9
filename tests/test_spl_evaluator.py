"""The evaluator of SPL: what it says of the forms that we emit, by Splunk's manuals, and that it refuses all others.

Each group names its page of the Search Manual or the Search Reference; "open" marks what no page settles.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests import spl, splunk_rows
from tests.events import Event
from tests.spl_reader import RefusedError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROW: dict[str, object] = {
    "_id": "row",
    "_time": NOW.timestamp() - 60,
    "a": "1",
    "b": "2",
    "c": "3",
    "path": "C:\\Tools\\Curl.exe",
    "unix": "/opt/tools/curl",
    "line": 'say "hi" | more',
    "list": "x[1] = (y)",
    "user": "CORP\\jdoe",
    "lines": "one\ntwo",
    "star": "2*3",
    "dotted": "10.0.0.5",
    "text": "ten",
}


def found(query: str) -> bool:
    return spl.find(query, [ROW], NOW) == {"row"}


SEARCH: list[tuple[str, str, bool]] = [
    # The order in which operators are evaluated: NOT, OR, AND.
    ("Boolean expressions", "a=1 OR b=9 AND c=9", False),
    ("Boolean expressions", "c=9 AND b=9 OR a=1", False),
    ("Boolean expressions", "(c=9 AND b=9) OR a=1", True),
    ("Boolean expressions", "a=1 OR (b=9 AND c=9)", True),
    ("Boolean expressions", "NOT a=9 OR a=9", True),
    ("Boolean expressions", "NOT a=1 OR b=2", True),
    ("Boolean expressions", "NOT (a=1 OR b=2)", False),
    ("Boolean expressions", "NOT a=9 AND b=9", False),
    # AND is implied, and binds no tighter than when it is written.
    ("Boolean expressions", "a=1 b=2", True),
    ("Boolean expressions", "a=1 b=9", False),
    ("Boolean expressions", "c=9 b=9 OR a=1", False),
    ("Boolean expressions", "(a=1)(b=2)", True),
    # Fields that are absent.
    ("Difference between NOT and !=", "a=*", True),
    ("Difference between NOT and !=", "none=*", False),
    ("Difference between NOT and !=", "none=1", False),
    ("Difference between NOT and !=", "NOT none=1", True),
    ("Difference between NOT and !=", "none!=1", False),
    ("Difference between NOT and !=", "a!=1", False),
    ("Difference between NOT and !=", "a!=2", True),
    ("Difference between NOT and !=", "NOT none=*", True),
    ("Difference between NOT and !=", "a!=*", False),
    # Whole values, in any letter case.
    ("search", 'path="c:\\\\tools\\\\curl.EXE"', True),
    ("search", 'path="Curl.exe"', False),
    ("search", 'path="C:\\\\Tools"', False),
    ("search", 'PATH="c:\\\\tools\\\\curl.exe"', False),
    ("search", 'text="te"', False),
    ("search", 'text="t.n"', False),
    ("search", "a=10", False),
    # The asterisk: any run of characters, none and line ends too; no other wildcard, and no escape.
    ("Wildcards", 'path="*\\\\curl.exe"', True),
    ("Wildcards", 'path="*/curl.exe"', False),
    ("Wildcards", 'path="C:*exe"', True),
    ("Wildcards", 'path="*tools*"', True),
    ("Wildcards", 'text="*ten*"', True),
    ("Wildcards", 'text="t?n"', False),
    ("Wildcards", 'text="t_n"', False),
    ("Wildcards", 'text="*"', True),
    ("Wildcards", 'lines="one*two"', True),
    ("Wildcards", 'star="2*3"', True),
    ("Wildcards", 'text="t*n"', True),
    ("Backslashes", 'path="C:\\\\Tools\\\\*"', True),
    ("Backslashes", 'path="C:\\\\Tools*\\\\*"', True),
    # In quotes: the quote and the backslash by a backslash; the pipe, brackets and operators are text.
    ("search", 'line="say \\"hi\\" | more"', True),
    ("search", 'line="say \\"hi\\" | less"', False),
    ("search", 'list="x[1] = (y)"', True),
    ("search", 'NOT text="AND"', True),
    # Lists are alternatives, wildcards included.
    ("search", 'a IN ("2", "1")', True),
    ("search", "a IN (2, 1)", True),
    ("search", 'a IN ("2", "3")', False),
    ("search", 'path IN ("*/curl.exe", "*\\\\curl.exe")', True),
    ("search", 'NOT none IN ("1")', True),
    # Numbers in the order of numbers.
    ("search", "a<2", True),
    ("search", "a<1", False),
    ("search", "a<=1", True),
    ("search", "a>0.5", True),
    ("search", "a>=-1", True),
    ("search", "a>10", False),
    ("search", "none<10", False),
    # Time: from the earliest on, and before the latest.
    ("Specify time modifiers in your search", "a=1 earliest=-1h latest=now", True),
    ("Specify time modifiers in your search", "a=1 earliest=-60s latest=now", True),
    ("Specify time modifiers in your search", "a=1 earliest=-59s latest=now", False),
    ("Specify time modifiers in your search", "a=1 OR b=9 earliest=-59s", False),
    ("Specify time modifiers in your search", "a=9 earliest=-1h latest=now", False),
    ("Specify time modifiers in your search", "earliest=-1d a=1", True),
]


@pytest.mark.parametrize(("page", "query", "truth"), SEARCH)
def test_search_finds_what_its_page_says(page: str, query: str, truth: bool) -> None:  # noqa: FBT001 - a table's column
    assert found(query) == truth, page


@pytest.mark.parametrize(
    ("age", "inside"),
    [
        (timedelta(hours=-1), False),
        (timedelta(), False),
        (timedelta(milliseconds=1), True),
        (timedelta(hours=24), True),
        (timedelta(hours=24, milliseconds=1), False),
    ],
)
def test_the_window_holds_its_earliest_time_and_not_its_latest(age: timedelta, inside: bool) -> None:  # noqa: FBT001 - a table's column
    """Search Manual, "Specify time modifiers in your search"; a search's time range ends before its latest time."""
    row = {"_id": "row", "_time": (NOW - age).timestamp(), "a": "1"}
    assert spl.find("a=1 earliest=-24h latest=now", [row], NOW) == ({"row"} if inside else set())


WHERE: list[tuple[str, str, bool]] = [
    # The order in which operators are evaluated: NOT, AND, OR.
    ("Boolean expressions", "a=1 OR b=9 AND c=9", True),
    ("Boolean expressions", "c=9 AND b=9 OR a=1", True),
    ("Boolean expressions", "(a=1 OR b=9) AND c=9", False),
    ("Boolean expressions", "NOT a=1 OR b=2", True),
    ("Boolean expressions", "NOT (a=1 OR b=2)", False),
    ("Boolean expressions", "NOT NOT a=1", True),
    # Texts by letter case, and no wildcards.
    ("where", 'text="ten"', True),
    ("where", 'text="TEN"', False),
    ("where", 'text="t*"', False),
    ("where", 'text="te"', False),
    ("where", "text=text", True),
    ("where", "text=path", False),
    ("where", "lower(path)=lower(path)", True),
    ("where", 'lower(path)="c:\\\\tools\\\\curl.exe"', True),
    ("eval", "'text'=\"ten\"", True),
    ("eval", "isnull('te-xt')", True),
    # A field that reads as a number is one, beside a number.
    ("Predicate expressions", "a=1", True),
    ("Predicate expressions", "a=1.0", True),
    ("Predicate expressions", "a<10", True),
    ("Predicate expressions", "b<10 AND b>=2 AND b<=2 AND b>-1", True),
    ("Predicate expressions", "text=1", False),
    ("Predicate expressions", 'a="1.0"', False),
    # NULL is open; we never let it decide, and here it is as in SQL.
    ("open", "none=1", False),
    ("open", "NOT none=1", False),
    ("open", "NOT (none=1 AND a=9)", True),
    ("open", "NOT (none=1 OR a=1)", False),
    ("open", "none=1 AND a=1", False),
    ("open", "NOT (none=1 OR a=9)", False),
    ("open", "none=1 OR a=1", True),
    ("open", 'NOT match(none, "x")', False),
    ("open", "none<1", False),
    # Presence.
    ("Informational functions", "isnull(none)", True),
    ("Informational functions", "isnotnull(none)", False),
    ("Informational functions", "isnotnull(a)", True),
    ("Informational functions", "isnull(null())", True),
    ("Informational functions", 'isnotnull(none) AND match(none, ".")', False),
    ("Informational functions", 'NOT (isnotnull(none) AND match(none, "."))', True),
    # match finds any part, by letter case unless told otherwise.
    ("Comparison and Conditional functions", 'match(path, "Tools")', True),
    ("Comparison and Conditional functions", 'match(path, "tools")', False),
    ("Comparison and Conditional functions", 'match(path, "(?i)tools")', True),
    ("Comparison and Conditional functions", 'match(path, "^Tools")', False),
    ("Comparison and Conditional functions", 'if(a=1, b, c)="2"', True),
    ("Comparison and Conditional functions", 'if(none=1, b, c)="3"', True),
    ("Comparison and Conditional functions", 'case(a=9, "x", b=2, "y", b=2, "z")="y"', True),
    ("Comparison and Conditional functions", 'isnull(case(a=9, "x", none=1, "y"))', True),
    ("Comparison and Conditional functions", 'coalesce(none, null(), b, a)="2"', True),
    ("Comparison and Conditional functions", "isnull(coalesce(none, null()))", True),
    # A quoted text gives up one layer of backslashes, a regular expression another.
    ("SPL and regular expressions", 'match(path, "C:\\\\\\\\Tools")', True),
    ("SPL and regular expressions", 'match(path, "(?is)\\\\\\\\curl\\\\.exe\\\\z")', True),
    ("SPL and regular expressions", 'match(path, "(?is)/curl\\\\.exe\\\\z|\\\\\\\\tools\\\\\\\\")', True),
    ("SPL and regular expressions", 'match(unix, "(?is)/curl\\\\z")', True),
    ("SPL and regular expressions", 'match(unix, "(?is)/cur\\\\z")', False),
    ("SPL and regular expressions", 'match(line, "\\"hi\\" \\\\| m")', True),
    ("SPL and regular expressions", 'match(text, "^t.n\\\\z")', True),
    ("SPL and regular expressions", 'match(text, "^t\\\\.n\\\\z")', False),
    # PCRE: the dot and the ends of lines, the very end, a character by its number.
    ("SPL and regular expressions", 'match(lines, "one.two")', False),
    ("SPL and regular expressions", 'match(lines, "(?s)one.two")', True),
    ("SPL and regular expressions", 'match(lines, "one\\\\x0atwo")', True),
    ("SPL and regular expressions", 'match(lines, "one\\\\z")', False),
    ("SPL and regular expressions", 'match(lines, "^two")', False),
    ("SPL and regular expressions", 'match(text, "^(x|t)en\\\\z")', True),
    ("SPL and regular expressions", 'match(dotted, "^(?:\\\\d{1,3}\\\\.){3}[0-9]+$")', True),
]


@pytest.mark.parametrize(("page", "expression", "truth"), WHERE)
def test_where_keeps_what_its_page_says(page: str, expression: str, truth: bool) -> None:  # noqa: FBT001 - a table's column
    assert found(f"a=1\n| where {expression}") == truth, page


def test_the_very_end_comes_after_a_last_line_end() -> None:
    """PCRE's own manual, "pcrepattern": a dollar also stands before a last line end."""
    row = {"_id": "row", "_time": NOW.timestamp() - 1, "a": "x\n"}
    assert spl.find('a=* | where match(a, "x$")', [row], NOW) == {"row"}
    assert spl.find('a=* | where match(a, "x\\\\z")', [row], NOW) == set()


EVAL: list[tuple[str, str, object]] = [
    ("Text functions", 'replace(path, "^.*[\\\\\\\\/]", "")', "Curl.exe"),
    ("Text functions", 'replace(unix, "^.*[\\\\\\\\/]", "")', "curl"),
    ("Text functions", 'replace(text, "^.*[\\\\\\\\/]", "")', "ten"),
    ("Text functions", 'replace(path, "o", "0")', "C:\\T00ls\\Curl.exe"),
    ("Text functions", 'replace(none, "o", "0")', None),
    ("Text functions", "lower(path)", "c:\\tools\\curl.exe"),
    ("Multivalue eval functions", 'mvindex(split(user, "\\\\"), -1)', "jdoe"),
    ("Multivalue eval functions", 'mvindex(split(user, "\\\\"), 0)', "CORP"),
    ("Multivalue eval functions", 'mvindex(split(user, "\\\\"), 2)', None),
    ("Multivalue eval functions", 'mvindex(split(text, "\\\\"), -1)', "ten"),
    ("Multivalue eval functions", 'mvindex(split(text, "\\\\"), 1)', None),
    ("Multivalue eval functions", 'mvindex(split(none, "\\\\"), -1)', None),
    ("Multivalue eval functions", 'mvindex(split("SHA256=ab,IMPHASH=cd", "SHA256="), 1)', "ab,IMPHASH=cd"),
    ("Multivalue eval functions", 'mvindex(split(mvindex(split("M=1,SHA=ab,I=cd", "SHA="), 1), ","), 0)', "ab"),
    ("Multivalue eval functions", 'mvindex(split(mvindex(split("M=1,SHA=ab", "SHA="), 1), ","), 0)', "ab"),
    ("Multivalue eval functions", 'mvindex(split(mvindex(split("M=1", "SHA="), 1), ","), 0)', None),
    (
        "Comparison and Conditional functions",
        'if(match(user, "\\\\\\\\"), mvindex(split(user, "\\\\"), 0), null())',
        "CORP",
    ),
    (
        "Comparison and Conditional functions",
        'if(match(text, "\\\\\\\\"), mvindex(split(text, "\\\\"), 0), null())',
        None,
    ),
    ("Date and time format variables", 'strftime(_time, "%Y-%m-%dT%H:%M:%S.%3Q%:z")', "2026-11-24T11:59:00.000+00:00"),
    ("eval", "path", "C:\\Tools\\Curl.exe"),
    ("eval", '"a \\"b\\" \\\\ | c"', 'a "b" \\ | c'),
    ("eval", "none", None),
]


@pytest.mark.parametrize(("page", "expression", "value"), EVAL)
def test_eval_gives_what_its_page_says(page: str, expression: str, value: object) -> None:
    assert spl.run(f"a=1 | eval x={expression} | table x", [ROW], NOW) == [{"x": value}], page


def test_eval_sees_the_fields_before_it_and_drops_a_field_that_becomes_null() -> None:
    """Search Reference, "eval"."""
    (row,) = spl.run('a=1 | eval a="8", d=a, b=null(), e=coalesce(b, d)', [ROW], NOW)
    assert row == {**{name: value for name, value in ROW.items() if name != "b"}, "a": "8", "d": "8", "e": "8"}


ROWS: list[dict[str, object]] = [
    {"_id": name, "_time": NOW.timestamp() - age, "n": number}
    for name, age, number in [("new", 1, "9"), ("old", 30, "10"), ("middle", 2.5, "-1")]
]


@pytest.mark.parametrize(
    ("page", "query", "names"),
    [
        ("open", "n=*", ["new", "old", "middle"]),
        ("sort", "n=* | sort 0 - _time", ["new", "middle", "old"]),
        ("sort", "n=* | sort 0 + _time", ["old", "middle", "new"]),
        ("sort", "n=* | sort 0 - n", ["old", "new", "middle"]),
    ],
)
def test_rows_come_in_the_order_that_sort_says(page: str, query: str, names: list[str]) -> None:
    assert [row["_id"] for row in spl.run(query, ROWS, NOW)] == names, page


def test_table_gives_its_columns_in_its_order_and_nothing_else() -> None:
    """Search Reference, "table": an absent field is an empty cell."""
    (row,) = spl.run("a=1 | table b, none, a", [ROW], NOW)
    assert list(row.items()) == [("b", "2"), ("none", None), ("a", "1")]


def test_a_run_leaves_the_rows_it_was_given_alone() -> None:
    before = dict(ROW)
    spl.run('a=1 | eval a="2", z="3"', [ROW], NOW)
    assert before == ROW


REFUSED_SEARCHES = [
    "",
    "a",
    '"a"',
    "*",
    "a=",
    "a= 1",
    "a =1",
    "a==1",
    "a=x",
    "a=x*",
    "a=1 and b=2",
    "a=1 or b=2",
    "a=1 AND",
    "a=1 OR",
    "OR a=1",
    "NOT",
    "NOT NOT a=1",
    "a=1 XOR b=2",
    "(a=1",
    "a=1)",
    "a IN ()",
    "a IN (1",
    "a IN (1 2)",
    "a IN (1,)",
    "a in (1)",
    "a NOT IN (1)",
    'a=""',
    'a="x',
    'a="x"y',
    'a="C:\\Tools"',
    'a="x\\*"',
    'a="x\\|y"',
    "a='x'",
    '"a b"=1',
    "'a'=1",
    "a{}.b=1",
    'a<"x"',
    'a<"1"',
    "text<5",
    "a=CASE(x)",
    "a=TERM(x)",
    'dotted="10.0.0.0/8"',
    'dotted="fe80::/10"',
    'text="café"',
    "search a=1",
    "index=main a=1 [search b=2]",
    "`macro` a=1",
    "a=1 ```why```",
    "a=1 earliest=-24h@h",
    "a=1 earliest=0",
    "a=1 earliest=-1mon",
    "a=1 earliest!=-24h",
    "a=1 latest=now()",
    "a=1 latest=-1h",
    "a=1 OR earliest=-1h",
    "(a=1 earliest=-1h)",
    "NOT earliest=-1h",
    "| where a=1",
    "a=1 |",
    "a=1 | | where a=1",
    "a=1\tb=2",
]
REFUSED_EXPRESSIONS = [
    "",
    "a",
    '"x"',
    "1",
    "null()=1 OR 1",
    "a==1",
    "a!=1",
    "a=1 and b=2",
    "a=1 XOR b=2",
    "a=1 b=2",
    'a LIKE "x"',
    'a IN ("x")',
    'in(a, "1")',
    "a+1=2",
    'a."x"="1x"',
    "a=1=1",
    "(a=1)=(b=2)",
    'text<"x"',
    "text<1",
    "a.b=1",
    "a-b=1",
    "a=x*",
    "a=$b$",
    'like(a, "x%")',
    'cidrmatch("10.0.0.0/8", dotted)',
    'searchmatch("a=1")',
    "len(a)=1",
    "true()",
    "NOT",
    "AND",
    "(a=1",
    "isnull()",
    "isnull(a, b)",
    "null(a)",
    "match(a)",
    "match(a, b)",
    'match(a, "x", "y")',
    'match(split(a, "x"), "y")',
    "case(a=1)",
    "case()",
    "case(a=1, b, c)=1",
    'case(a, "x")="x"',
    "if(a=1, b)=1",
    "if(a, b, c)=1",
    "coalesce()",
    "mvindex(a, 0)=1",
    'mvindex(split(a, "x"), b)="1"',
    'mvindex(split(a, "x"), 0, 1)="1"',
    'split(a, "x")="1"',
    'split(a, "")="1"',
    'replace(a, "(x)", "\\\\1")="1"',
    'strftime(_time, "%F")="x"',
    'strftime(text, "%Y-%m-%dT%H:%M:%S.%3Q%:z")="x"',
    'lower("É")="x"',
    'match(a, "\\d")',
    'match(a, "\\\\Z")',
    'match(a, "\\\\h")',
    'match(a, "\\\\Qx\\\\E")',
    'match(a, "\\\\1")',
    'match(a, "(?m)^x")',
    'match(a, "(?x) a")',
    'match(a, "x(?i)y")',
    'match(a, "(?<n>x)")',
    'match(a, "(?P<n>x)")',
    'match(a, "(*ANYCRLF)x")',
    'match(a, "[[:alpha:]]")',
    'match(a, "x{,3}")',
    'match(a, "(x")',
    'match(a, "x)")',
    'match(a, "[x")',
    'match(a, "*x")',
    'match(a, "(?i)é")',
]
REFUSED_COMMANDS = [
    "regex a=1",
    'rex "x"',
    "search a=1",
    "stats count",
    "head 1.5",
    "streamstats count",
    "streamstats time_window=5m count",
    "streamstats time_window=5m max(a) as m",
    "streamstats time_window=1mon count as m",
    "fields a",
    "dedup",
    "dedup a,",
    "sort - _time",
    "sort 0 _time, a",
    "sort 0 -_time",
    "sort 10 - _time",
    "sort 0 - _time, a",
    "sort 0 - _time d",
    "sort 0 - text",
    "sort 0 - none",
    "table",
    "table a b",
    "table a*",
    "table a,",
    "eval a",
    "eval a==1",
    "eval a=1,",
    "eval a=b=2",
    "eval a=isnull(b)",
    'eval a=split(b, "x")',
    'eval "a b"=1',
    "where a=1 | where",
    "Where a=1",
    "where(a=1",
    "[search a=1]",
]


@pytest.mark.parametrize(
    "query",
    [
        *REFUSED_SEARCHES,
        *(f"a=1 | where {expression}" for expression in REFUSED_EXPRESSIONS),
        *(f"a=1 | {command}" for command in REFUSED_COMMANDS),
    ],
)
def test_a_form_that_we_do_not_emit_is_refused(query: str) -> None:
    with pytest.raises(RefusedError):
        spl.run(query, [ROW], NOW)


@pytest.mark.parametrize("query", ["a=*", "a=1", "a!=1", "a<1"])
def test_whether_an_empty_field_is_there_is_open(query: str) -> None:
    with pytest.raises(RefusedError):
        spl.run(query, [{"_id": "row", "_time": NOW.timestamp(), "a": ""}], NOW)


# --- The rows --------------------------------------------------------------------------------------------------------


def event(os: str, **fields: str) -> Event:
    return Event("one", {"Image": "/bin/x", "CommandLine": "x", "os": os, **fields}, NOW, recent=True)


def test_a_windows_event_is_a_row_of_the_add_on_for_sysmon() -> None:
    held = event("windows", User="CORP\\jdoe", ParentImage="C:\\p.exe", OriginalFileName="X.EXE", Computer="pc1")
    digest = splunk_rows.sha256(held)
    assert splunk_rows.row(held) == {
        "_id": "one",
        "_time": NOW.timestamp(),
        "source": "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational",
        "sourcetype": "xmlwineventlog",
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "EventCode": "1",
        "Image": "/bin/x",
        "CommandLine": "x",
        "ParentImage": "C:\\p.exe",
        "OriginalFileName": "X.EXE",
        "User": "CORP\\jdoe",
        "Computer": "pc1",
        "Hashes": f"MD5={digest[:32]},SHA256={digest},IMPHASH={digest[32:]}",
        "MD5": digest[:32],
        "SHA256": digest,
        "IMPHASH": digest[32:],
    }


def test_a_linux_event_is_a_row_of_the_add_on_for_sysmon_for_linux_with_its_digests_in_one_field() -> None:
    held = event("linux", User="jdoe", ParentCommandLine="")
    digest = splunk_rows.sha256(held)
    assert splunk_rows.row(held) == {
        "_id": "one",
        "_time": NOW.timestamp(),
        "source": "Syslog:Linux-Sysmon/Operational",
        "sourcetype": "sysmon:linux",
        "Channel": "Linux-Sysmon/Operational",
        "EventCode": "1",
        "Image": "/bin/x",
        "CommandLine": "x",
        "OriginalFileName": "-",
        "User": "jdoe",
        "Computer": "host.example.com",
        "Hashes": f"MD5={digest[:32]},SHA256={digest}",
    }


def test_macos_has_no_row_and_a_field_that_sysmon_lacks_is_refused() -> None:
    assert splunk_rows.row(event("macos")) is None
    with pytest.raises(ValueError, match="Sigma field sha256"):
        splunk_rows.row(event("linux", sha256="x"))
