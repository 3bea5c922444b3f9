"""Each construct of SPL that the embedded engine knows, on rows made for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from converter.engines import engine
from converter.engines.engine import Invalid, Unjudged
from converter.engines.spl import ENGINE
from converter.schemas.forms import Cell
from tests.splunk_store import FIELDS, found, layout

Rows = Sequence[Mapping[str, Cell]]

VALUES: Rows = [
    {"Image": "C:\\Windows\\cmd.exe"},
    {"Image": "c:\\WINDOWS\\CMD.EXE"},
    {"Image": "C:\\Windows\\cmd.exe\n"},
    {"Image": "x C:\\Windows\\cmd.exe"},
    {"Image": ""},
    {},
    {"Image": ("other", "C:\\Windows\\cmd.exe")},
    {"Image": 'say "C*?"'},
]
NUMBERS: Rows = [{"EventCode": "1"}, {"EventCode": "10"}, {"EventCode": "1.0"}, {"EventCode": "abc"}, {}]
ADDRESSES: Rows = [{"ip": "10.1.2.3"}, {"ip": "11.0.0.0"}, {"ip": "10.0.0.0/8"}, {"ip": "fe80::1"}, {"ip": "-"}, {}]
TRUTHS: Rows = [{"Image": a, "CommandLine": b, "User": c} for a in ("y", "n") for b in ("y", "n") for c in ("y", "n")]
A, B, C = {0, 1, 2, 3}, {0, 1, 4, 5}, {0, 2, 4, 6}
ALL = set(range(8))


@pytest.mark.parametrize(
    ("query", "rows", "wanted"),
    [
        # Letter case is ignored, the whole value counts; any value of several does.
        (r'Image="C:\\Windows\\cmd.exe"', VALUES, {0, 1, 6}),
        (r'Image="C:\Windows\cmd.exe"', VALUES, {0, 1, 6}),
        (r'search Image="C:\\Windows\\cmd.exe"', VALUES, {0, 1, 6}),
        (r'NOT Image="C:\\Windows\\cmd.exe"', VALUES, ALL - {0, 1, 6}),
        # Wildcards: they cross lines, and nothing escapes them.
        (r'Image="C:\\Windows\\*"', VALUES, {0, 1, 2, 6}),
        (r'Image="*\\cmd.exe"', VALUES, {0, 1, 3, 6}),
        (r'Image="*windows*"', VALUES, {0, 1, 2, 3, 6}),
        (r'Image="c*WIN*.exe*"', VALUES, {0, 1, 2, 6}),
        (r'Image="say \"C*?\""', VALUES, {7}),
        (r'Image="say \"C\*?\""', VALUES, set()),
        (r'Image="*cmd**"', VALUES, {0, 1, 2, 3, 6}),
        (r'Image IN ("other", "*C*?*")', VALUES, {6, 7}),
        (r'Image IN ("other")', VALUES, {6}),
        # Presence; an open point: the empty text is a value, which `*` finds and "" finds, and absence is none.
        ("Image=*", VALUES, ALL - {5}),
        ('Image="*"', VALUES, ALL - {5}),
        ("NOT Image=*", VALUES, {5}),
        ('Image=""', VALUES, {4}),
        ('NOT Image=""', VALUES, ALL - {4}),
        ("Image!=*", VALUES[:6], set()),
        ('Image!="other"', VALUES[:6], {0, 1, 2, 3, 4}),
        ("*", VALUES, ALL),
        # Field names mind letter case; a field that the table lacks is absent.
        ("image=*", VALUES, set()),
        ("NOT nothing=x", VALUES, ALL),
        ('ID="1"', [{"ID": "1"}, {"Id": "1"}], {0}),
        ('Id="1"', [{"ID": "1"}, {"Id": "1"}], {1}),
        ('a.b="x"', [{"a.b": "X"}], {0}),
        ('"a.b"="x"', [{"a.b": "X"}], {0}),
        # `=` compares texts, orders compare numbers, else texts by UTF-8.
        ("EventCode=1", NUMBERS, {0}),
        ('EventCode="1"', NUMBERS, {0}),
        ("EventCode=1*", NUMBERS, {0, 1, 2}),
        ("EventCode IN (1, 10)", NUMBERS, {0, 1}),
        ("EventCode>1", NUMBERS, {1, 3}),
        ("EventCode<=1", NUMBERS, {0, 2}),
        ("EventCode >= 1.0", NUMBERS, {0, 1, 2, 3}),
        # Subnets of both versions.
        ('ip="10.0.0.0/8"', ADDRESSES, {0}),
        ('ip IN ("10.0.0.0/8", "fe80::/10")', ADDRESSES, {0, 3}),
        ('NOT ip="10.0.0.0/8"', ADDRESSES, {1, 2, 3, 4, 5}),
        ('ip="10.0.0/8"', [{"ip": "10.0.0/8"}], {0}),
        # NOT, then OR, then AND; AND is implied.
        ("Image=y CommandLine=y OR User=y", TRUTHS, A & (B | C)),
        ("Image=y AND CommandLine=y OR User=y", TRUTHS, A & (B | C)),
        ("Image=y OR CommandLine=y AND User=y", TRUTHS, (A | B) & C),
        ("(Image=y AND CommandLine=y) OR User=y", TRUTHS, (A & B) | C),
        ("NOT Image=y OR CommandLine=y", TRUTHS, (ALL - A) | B),
        ("NOT (Image=y OR CommandLine=y)", TRUTHS, ALL - (A | B)),
        ("NOT(Image=y)", TRUTHS, ALL - A),
        # A bare phrase: whole terms of the raw text.
        ('"net user"', [{"_raw": "x NET user y"}, {"_raw": "internet user"}, {"_raw": "net  user"}], {0}),
        ('"*net user"', [{"_raw": "x net user"}, {"_raw": "internet user"}], {0, 1}),
        ('"(){:;};"', [{"_raw": "ua=(){:;}; x"}, {"_raw": "(){:;}"}], {0}),
        # Letter case beyond ASCII folds as Unicode does: documented nowhere.
        ('Image="Ä*"', [{"Image": "äx"}, {"Image": "ax"}], {0}),
        ('Image="Ä*é"', [{"Image": "äx É"}, {"Image": "äx e"}], {0}),
        (r'Image="*_%*[x]\\d*"', [{"Image": "a_%b[X]\\D"}, {"Image": "ab%b[X]\\D"}], {0}),
    ],
)
def test_search(query: str, rows: Rows, wanted: set[int]) -> None:
    assert found(query, rows) == wanted


@pytest.mark.parametrize(
    ("expression", "rows", "wanted"),
    [
        # AND before OR, and NULL is neither true nor false.
        ('Image="y" OR CommandLine="y" AND User="y"', TRUTHS, A | (B & C)),
        ('NOT Image="y" AND User="y"', TRUTHS, (ALL - A) & C),
        ('Image="y"', [{"Image": "Y"}, {"Image": "y"}, {}, {"Image": ("z", "y")}], {1, 3}),
        ('NOT Image="y"', [{"Image": "Y"}, {"Image": "y"}, {}], {0}),
        ('NOT (isnotnull(Image) AND Image="y")', [{"Image": "Y"}, {"Image": "y"}, {}], {0, 2}),
        ("isnull(Image)", [{"Image": ""}, {}], {1}),
        ("isnotnull(Image)", [{"Image": ""}, {}], {0}),
        ("isnull(nothing)", [{"Image": ""}, {}], {0, 1}),
        ('lower(Image)="y"', [{"Image": "Y"}, {"Image": "x"}, {}], {0}),
        ("lower(Image)=lower(User)", [{"Image": "Y", "User": "y"}, {"Image": "Y"}, {}], {0}),
        # A field that reads as a number compares as one.
        ("EventCode=1", NUMBERS, {0, 2}),
        ("EventCode==1", NUMBERS, {0, 2}),
        ("NOT EventCode=1", NUMBERS, {1, 3}),
        ("EventCode>1", NUMBERS[:3], {1}),
        ("EventCode<=1.0", NUMBERS[:3], {0, 2}),
        # PCRE, found anywhere, with letter case unless told otherwise; quoted for SPL, then for PCRE.
        (r'match(Image, "cmd\\.exe")', VALUES, {0, 2, 3, 6}),
        (r'match(Image, "(?is)^C:\\\\windows\\\\cmd\\.exe\\z")', VALUES, {0, 1, 6}),
        (r'match(Image, "(?i)cmd.exe$")', VALUES, {0, 1, 2, 3, 6}),
        (r'NOT match(Image, "(?i)cmd")', VALUES, {4, 7}),
        (r'match(Image, "^.$")', [{"Image": "é"}, {"Image": "ab"}], {0}),
        (r'match(Image, "(?i)^É\\W$")', [{"Image": "éü"}, {"Image": "éu"}], {0}),
        (r'match(Image, "a(?!b)")', [{"Image": "ab"}, {"Image": "ac"}], {1}),
        ('cidrmatch("10.0.0.0/8", ip)', ADDRESSES, {0}),
        ('NOT cidrmatch("fe80::/10", ip)', ADDRESSES, {0, 1, 2, 4}),
        ("isnotnull('a.b')", [{"a.b": "x"}, {}], {0}),
        ('case(Image="y", "1", isnull(User), "2")="2"', [{"Image": "y"}, {}, {"User": "z"}], {1}),
        ('if(Image="y", "1", "2")="2"', [{"Image": "y"}, {}, {"Image": "z"}], {1, 2}),
        ('coalesce(Image, User)="y"', [{"Image": "z", "User": "y"}, {"User": "y"}, {}], {1}),
        ('mvindex(split(Image, "\\\\"), -1)="c"', [{"Image": "a\\b\\c"}, {"Image": "c\\b"}], {0}),
        ('isnull(mvindex(split(Image, ","), 1))', [{"Image": "a"}, {"Image": "a,b"}], {0}),
        (r'replace(Image, "^.*[\\\\/]", "")="c"', [{"Image": "a\\b/c"}, {"Image": "c\\b"}], {0}),
    ],
)
def test_where(expression: str, rows: Rows, wanted: set[int]) -> None:
    assert found(f"* | where {expression}", rows) == wanted


@pytest.mark.parametrize(
    ("query", "rows", "wanted"),
    [
        (r'Image=* | regex Image="(?i)^c.*EXE$"', VALUES, {0, 1, 2, 6}),
        ('* | regex Image!="y"', [{"Image": "x"}, {"Image": "y"}], {0}),
        (
            r'* | rex field=Image "(?<M>\d+)" | eval Hit=if(isnotnull(M), "true", "false") | search Hit=true OR User=x',
            [{"Image": "a1"}, {"Image": "b"}, {"User": "x"}],
            {0, 2},
        ),
        ('* | eval Image="z", User=Image | where User="z" | table Image, User', [{"Image": "y"}], {0}),
        ("Image=y | rename Image as Program | search Program=y NOT Image=*", [{"Image": "y"}, {"Image": "x"}], {0}),
    ],
)
def test_pipelines(query: str, rows: Rows, wanted: set[int]) -> None:
    assert found(query, rows) == wanted


MODEL = layout(("P.name", "P.line", "P.user"), "Endpoint.Processes")
COUNT = "| tstats summariesonly=false allow_old_summaries=true {} count min(_time) as firstTime max(_time) as lastTime"


@pytest.mark.parametrize(
    ("options", "rest", "wanted"),
    [
        ('fillnull_value="unknown"', '(P.name="*x*") by P.name P.user', {0, 2}),
        ("", '(P.name="*x*") by P.name P.user', {0}),
        # Only texts there: CIDR is none, so this is a name.
        ('fillnull_value="unknown"', '(P.line="10.0.0.0/8") by P.name', {3}),
        ('fillnull_value="unknown"', '(P.name=a) OR (P.name IN ("x*", "b")) by P.name', {0, 1}),
        ('fillnull_value="unknown"', '(NOT (P.line=*)) by P.user | search P.user="unknown"', {2}),
        # Fields that the model does not count by are gone after it.
        ('fillnull_value="unknown"', "(P.name=*) by P.user | search P.name=a OR P.user=u2", {1}),
    ],
)
def test_tstats(options: str, rest: str, wanted: set[int]) -> None:
    rows: Rows = [
        {"P.name": "xa", "P.user": "u"},
        {"P.name": "a", "P.user": "u2"},
        {"P.name": "bxb"},
        {"P.name": "c", "P.line": "10.0.0.0/8", "P.user": "u"},
        {"P.name": "c", "P.line": "10.1.0.0", "P.user": "u"},
    ]
    query = f"{COUNT.format(options)} from datamodel=Endpoint.Processes where {rest}"
    assert found(query, rows, MODEL) == wanted


@pytest.mark.parametrize(
    "query",
    [
        "",
        " | ",
        '| rex field=Image "(?<x>y)" | search x=y',
        "| where isnull(Image)",
        'Image=x | rex field=Image "(?<a-b>y)"',
        'Image=x | search OR Image="y"',
        "Image=x OR",
        "AND Image=x",
        "NOT",
        "(Image=x",
        "Image=x)",
        "()",
        'Image="x',
        'Image="C:\\"',
        'Image=x | where match(Image, "[")',
        'Image=x | where match(Image, "(?<a")',
        r'Image=x | where match(Image, "\\u0041")',
        'Image=x | regex Image=")"',
        "Image=x | where isnull(Image",
        "Image=x | where isnull()",
        'Image=x | where case(isnull(Image))="x"',
        "Image=x |",
        "Image=x | where isnull(Image) OR",
    ],
)
def test_what_splunk_rejects_is_invalid(query: str) -> None:
    within = layout()
    with pytest.raises(Invalid):
        ENGINE.compile(query, within, within.sources[0])


@pytest.mark.parametrize(
    "query",
    [
        "Image=CASE(x)",
        "TERM(x)",
        "Image=C:\\x",
        "Image=x | head 10",
        "Image=x | bin _time span=5m | stats count by Image | search count > 5",
        "Image=x | table Image | search Image=y",
        "Image=x | dedup User",
        "Image=x | streamstats time_window=5m count as n",
        'Image=x | where Image LIKE "x%"',
        "Image=x | where Image=1+1",
        'Image=x | where searchmatch("x")',
        "Image=x | where Image",
        "Image=x | where true",
        r'Image=x | where match(Image, "\d")',
        r'Image=x | where match(Image, "\\x{41}")',
        "Image=x | where match(Image, User)",
        'Image=x | where cidrmatch("x", Image)',
        "Image=x earliest=-24h",
        "index=main",
        "NOT NOT Image=x",
        "Image=x | where NOT NOT isnull(Image)",
        "Image>abc",
        "[search Image=x]",
        "`macro`",
        "| multisearch [search Image=x] [search Image=y]",
        f"{COUNT.format('')} from datamodel=M where Image=a AND User=b OR User=c",
        f"{COUNT.format('')} from datamodel=M where (Image>5)",
    ],
)
def test_what_the_subset_lacks_is_unjudged(query: str) -> None:
    within = layout()
    with pytest.raises(Unjudged):
        ENGINE.compile(query, within, within.sources[0])


def test_a_keyword_needs_the_raw_text() -> None:
    within = layout(("Image",))
    with pytest.raises(Unjudged, match="raw text"):
        ENGINE.compile('"x"', within, within.sources[0])


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ('* | where match(Image, "(a+)+$")', {"Image": "a" * 60 + "b"}),
        ("* | where EventCode>1", {"EventCode": "abc"}),
        ("* | where Image=User", {"Image": "1", "User": "1.0"}),
        ('* | regex Image!="x"', {}),
        ('Image!="x"', {"Image": ("x", "y")}),
        ('* | rex field=Image "(?<Found>x*)"  | search Found=*', {"Image": "y"}),
    ],
)
def test_what_a_row_leaves_open_is_unjudged(query: str, row: Mapping[str, Cell]) -> None:
    with pytest.raises(Unjudged):
        found(query, [row])


def test_thousands_of_values() -> None:
    listed = ", ".join(f'"value{number}"' for number in range(5_000))
    wild = ", ".join(f'"*x{number}y*"' for number in range(3_000))
    rows: Rows = [{"Image": "VALUE4999"}, {"Image": "value5000"}, {"User": "a X2999Y"}]
    assert found(f"Image IN ({listed}) OR User IN ({wild})", rows) == {0, 2}
    joined = " OR ".join(f"Image=value{number}" for number in range(5_000))
    assert found(joined, rows) == {0}


def test_the_table_of_engines_names_it() -> None:
    assert engine("spl") is ENGINE


def test_cells() -> None:
    columns = layout().tables["events"].columns
    image, moment = columns["Image"], columns["_time"]
    assert [ENGINE.cell(image, value) for value in (None, (), "", 5, True, ("a", 1))] == [
        None,
        None,
        [""],
        ["5"],
        ["true"],
        ["a", "1"],
    ]
    assert (
        ENGINE.cell(moment, "1970-01-01T00:01:00Z")
        == ENGINE.cell(moment, 60)
        == ENGINE.cell(moment, "1970-01-01T00:01:00")
    )
    assert set(columns) == set(FIELDS)
