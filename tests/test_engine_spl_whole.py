"""Whole queries in the embedded engine of SPL: hunting queries at a fixed time, and correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from converter.engines.engine import Hit, Unjudged
from converter.engines.spl import ENGINE
from converter.engines.store import Store, Stored
from converter.schemas.forms import Cell
from converter.schemas.layout import Layout
from tests.events import ROOT
from tests.splunk_store import layout, store

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
SYSMON = "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational"
FIELDS = [
    "_time",
    "source",
    "sourcetype",
    "EventCode",
    "Computer",
    "User",
    "Image",
    "CommandLine",
    "ParentImage",
    "ParentCommandLine",
    "Hashes",
    "SHA256",
]

SHOWN = (
    "Timestamp",
    "DeviceName",
    "AccountName",
    "FileName",
    "ProcessCommandLine",
    "InitiatingProcessFileName",
    "InitiatingProcessCommandLine",
    "FolderPath",
    "SHA256",
    "ToolCategory",
)


def ago(**age: float) -> float:
    """A time before now, as `_time` has it."""
    return (NOW - timedelta(**age)).timestamp()


def hunted(query: str, rows: Sequence[Mapping[str, Cell]], within: Layout | None = None) -> list[Hit]:
    held = store(rows, within)
    return ENGINE.hunt(query, held.connection, held.layout, held.layout.sources, NOW)


def test_the_pack_s_hunting_query() -> None:
    query = (ROOT / "outputs" / "splunk" / "t1596_003" / "_hunting.spl").read_text(encoding="utf-8")
    event = {
        "source": SYSMON.upper(),
        "EventCode": "1",
        "Computer": "host",
        "User": "DOM\\name",
        "Image": "C:\\Windows\\certutil.exe",
        "CommandLine": "certutil -urlcache x",
        "ParentImage": "C:\\Windows\\cmd.exe",
        "Hashes": "MD5=AA,SHA256=BB,IMPHASH=CC",
    }
    linux = {"sourcetype": "sysmon:linux", "EventCode": "1", "Image": "/usr/bin/openssl", "CommandLine": "s_client x"}
    rows: list[Mapping[str, Cell]] = [
        {**event, "_time": ago(hours=2)},
        {**linux, "_time": ago(minutes=1.5)},
        {**linux, "_time": ago(minutes=1.25), "SHA256": "DD", "User": "root"},
        {**event, "_time": ago(hours=24.1)},
        {**event, "_time": ago(hours=-1)},
        {**event, "_time": ago(hours=24), "CommandLine": "tlsx"},
        {**event, "_time": ago(hours=3), "EventCode": "3"},
        {**event, "_time": ago(hours=3), "source": "other"},
    ]
    hits = hunted(query, rows, layout(FIELDS))
    assert [tuple(hit.columns) for hit in hits] == 4 * [SHOWN]
    assert [(hit.columns["Timestamp"], hit.columns["ToolCategory"]) for hit in hits] == [
        ("2026-08-05T11:58:45.000+00:00", "OpenSSLProbe"),
        ("2026-08-05T11:58:30.000+00:00", "OpenSSLProbe"),
        ("2026-08-05T10:00:00.000+00:00", "CertutilEnum"),
        ("2026-08-04T12:00:00.000+00:00", "CertEnumTool"),
    ]
    assert list(hits[2].columns.values())[1:9] == [
        "host",
        "name",
        "certutil.exe",
        "certutil -urlcache x",
        "cmd.exe",
        None,
        "C:\\Windows\\certutil.exe",
        "BB",
    ]
    assert (hits[0].columns["SHA256"], hits[0].columns["AccountName"], hits[1].columns["AccountName"]) == (
        "DD",
        "root",
        None,
    )


def test_a_hunting_query_reads_every_table_that_holds_rows() -> None:
    one, other, empty = (
        layout(fields, name) for fields, name in ((("_time", "A"), "one"), (("_time", "B"), "two"), (("A",), "three"))
    )
    events: Sequence[Mapping[str, Cell]] = [{"A": "x", "_time": ago(hours=1)}, {"B": "y", "_time": ago(hours=2)}]
    both = Layout("both", {}, (*one.sources, *other.sources, *empty.sources))
    held = Store(ENGINE, both)
    for source, row in zip(both.sources[:2], events, strict=True):
        held.load(source, [Stored(0, 0, row)])
    hits = ENGINE.hunt(
        "* earliest=-1d latest=now | sort 0 + _time | table A, B, C", held.connection, both, both.sources, NOW
    )
    assert [dict(hit.columns) for hit in hits] == [{"A": None, "B": "y", "C": None}, {"A": "x", "B": None, "C": None}]


@pytest.mark.parametrize(
    "query",
    [
        "Image=x",
        "Image=x | sort 0 - Image | table Image",
        "Image=x earliest=-24h@h | table Image",
        "Image=x earliest=-1mon | table Image",
        "(Image=x OR earliest=-24h) | table Image",
        "Image=x latest=-1h | table Image",
        "Image=x | stats count by Image | table Image",
    ],
)
def test_other_hunting_queries_are_unjudged(query: str) -> None:
    with pytest.raises(Unjudged):
        hunted(query, [{"Image": "x"}])


def test_several_values_are_shown_as_several() -> None:
    assert hunted("* | table Image", [{"Image": ("a", "b")}]) == [Hit({"Image": ("a", "b")})]


def correlated(query: str, rows: Sequence[Mapping[str, Cell]]) -> list[dict[str, object]]:
    held = store(rows, layout(FIELDS))
    return ENGINE.correlate(query, held.connection, held.layout, held.layout.sources)


EVENTS: Sequence[Mapping[str, Cell]] = [
    {"_time": 900.0, "Computer": "a", "User": "u", "CommandLine": "whoami"},
    {"_time": 1000.0, "Computer": "a", "User": "v", "CommandLine": "x WHOAMI"},
    {"_time": 1799.9, "Computer": "a", "User": "v", "CommandLine": "ipconfig"},
    {"_time": 1800.0, "Computer": "a", "User": "v", "CommandLine": "whoami"},
    {"_time": 1000.0, "Computer": "b", "CommandLine": "whoami"},
    {"_time": 1000.0, "CommandLine": "whoami"},
    {"_time": 1000.0, "Computer": ("c", "d"), "CommandLine": "whoami", "User": ("V", "v")},
]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (
            "| bin _time span=15m\n| stats count as event_count by _time Computer\n| search event_count >= 2",
            [{"_time": 900.0, "Computer": "a", "event_count": "2"}],
        ),
        (
            "| bin _time span=15m | stats dc(User) as value_count by _time Computer | search value_count >= 2",
            [
                {"_time": 900.0, "Computer": "a", "value_count": "2"},
                {"_time": 900.0, "Computer": "c", "value_count": "2"},
                {"_time": 900.0, "Computer": "d", "value_count": "2"},
            ],
        ),
        ("| stats count", [{"count": "6"}]),
        ("| stats count by Computer | where count>=3", [{"Computer": "a", "count": "3"}]),
    ],
)
def test_correlations(query: str, wanted: list[dict[str, object]]) -> None:
    assert correlated(f'CommandLine="*whoami*"\n{query}', EVENTS) == wanted


@pytest.mark.parametrize(
    ("counted", "wanted"),
    [
        (
            "dc(event_type) as types by _time Computer | search types >= 2",
            [{"_time": 900.0, "Computer": "a", "types": "2"}],
        ),
        (
            'values(event_type) as types by _time Computer | search types="one" NOT types="two"',
            [
                {"_time": 900.0, "Computer": "b", "types": "one"},
                {"_time": 900.0, "Computer": "c", "types": "one"},
                {"_time": 900.0, "Computer": "d", "types": "one"},
                {"_time": 1800.0, "Computer": "a", "types": "one"},
            ],
        ),
        (
            "values(event_type) as types by Computer Who | search types=two",
            [{"Computer": "a", "Who": "v", "types": ("one", "two")}],
        ),
    ],
)
def test_correlations_of_several_rules(counted: str, wanted: list[dict[str, object]]) -> None:
    query = (
        '| multisearch\n[ search CommandLine="*whoami*" | eval event_type="one" | rename User as Who ]\n'
        '[ search (CommandLine="*ipconfig*") | eval event_type="two" | rename User as Who ]\n\n'
        f"| bin _time span=15min\n| stats {counted}"
    )
    assert correlated(query, EVENTS) == wanted


@pytest.mark.parametrize(
    "query", ["Image=x", "* | bin _time span=1w | stats count by _time", "* | stats max(User) by Image"]
)
def test_other_correlations_are_unjudged(query: str) -> None:
    with pytest.raises(Unjudged):
        correlated(query, EVENTS)
