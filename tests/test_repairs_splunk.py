"""Each repair of the Splunk backend: an event that the stock query loses or invents, and that ours does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pcre2  # type: ignore[import-untyped] # it has no stubs
import pytest
from sigma.backends.splunk.splunk import SplunkBackend, SplunkDeferredORRegularExpression
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline

from converter.convert import How, Query, Refusal, converted
from converter.engines.spl import ENGINE
from converter.judge import Given, Judge, Trial
from converter.rule import Rule
from converter.schemas.forms import Cell
from converter.stock import StockOptions
from converter.targets import TARGETS
from converter.targets.splunk.repairs import REPAIRS
from tests import spl
from tests.events import now
from tests.repair_cases import Case, named, ours, stock, uncovered
from tests.splunk_store import layout, store

SYSMON = {"source": "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational", "EventCode": "1"}
SECURITY = {"product": "windows", "service": "security"}
CASES = [
    Case("S1", {"s": {"Image": "x"}, "t": {"CommandLine|re": "a.b"}, "condition": "s or t"}, {"CommandLine": "a-b"}),
    Case("S2", {"s": {"CommandLine|re": ["a.b", "c.d"]}}, {"CommandLine": "a-b"}),
    Case(
        "S3",
        {"s": {"Image": "x"}, "t": {"ParentImage": "y", "CommandLine|re": "a.b"}, "condition": "s and not t"},
        {"Image": "x", "ParentImage": "y", "CommandLine": "c"},
    ),
    Case(
        "S4",
        {"s": {"Image": 'a\\"b'}, "t": {"CommandLine|re": ["a", "b"]}, "condition": "s and t"},
        {"Image": 'a\\"b', "CommandLine": "a"},
    ),
    Case("S5", {"s": {"CommandLine": "a\\*b"}}, {"CommandLine": "a*b"}),
    Case("S6", {"s": {"CommandLine": "a?b"}}, {"CommandLine": "a12b"}, found=False),
    Case("S6", {"s": {"CommandLine": "a?b"}, "condition": "not s"}, {"CommandLine": "ab"}),
    Case("S9", {"s": {"file-name|re": ["x", "y"]}}, {"file-name": "x"}),
    Case("S10", {"s": {"CommandLine|cased": "WhoAmI"}}, {"CommandLine": "WhoAmI"}),
    Case(
        "S15",
        {
            "s": {"Image": "x?"},
            "t": {"CommandLine": "y"},
            "u": {"User": "z"},
            "condition": "s and (t or u)",
        },
        {"Image": "other", "User": "z"},
        found=False,
    ),
    Case("S16", {"s": {"Image": "x"}}, {"Image": "x", "EventCode": "5"}, found=False),
    Case(
        "S17",
        {"s": {"EventID": 1102}},
        {"source": "XmlWinEventLog:Security", "sourcetype": "XmlWinEventLog", "EventCode": "1102"},
        logsource=SECURITY,
    ),
    Case(
        "S18",
        {"s": {"Image": "x"}, "t": {"CommandLine": None}, "condition": "s and not t"},
        {"Image": "x", "CommandLine": "y"},
    ),
]
# Repairs that no hit of a query shows, with the test that does.
ELSEWHERE = {
    "S7": "test_a_data_model_is_asked_for_its_own_fields_alone",
    "S8": "test_no_objects_name_is_dropped",
    "S11": "test_an_error_leaves_nothing_to_the_next_rule",
    "S12": "test_the_stock_format_of_saved_searches_swallows_a_line",
    "S13": "test_a_display_list_is_one_column_a_field",
    "S14": "test_one_query_stands_in_every_format",
    "S19": "test_an_empty_value_is_a_field_that_is_not_there",
    "S20": "test_events_on_two_sides_of_an_edge_are_counted_together",
}
GROUP = re.compile(r"\(\?<[^>]*>[^)]*\)")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
REGEX_COMMAND = re.compile(r'\n\| regex (\w+)="(.*)"')


def invalid(text: str) -> bool:
    """Whether Splunk takes the text for no search at all.

    Search Reference: `rex` is no generating command ("rex"); a search does not begin with an operator, and a term has
    one NOT at most ("search"); quotation marks come in pairs; a regular expression is one of PCRE's.
    """
    commands = [STRING.sub("", command) for command in text.split("\n|")]
    if text.lstrip().startswith("|") or any('"' in command or "NOT NOT" in command for command in commands):
        return True
    if any(command.startswith(" search OR ") for command in commands):
        return True
    try:
        for group in GROUP.findall(text):
            pcre2.compile(group.encode())
    except pcre2.CompileError:
        return True
    return False


def finds(case: Case, text: str) -> bool | None:
    """Whether a search finds the case's event; None where it is no search."""
    if invalid(text):
        return None
    row: Mapping[str, object] = {"_id": "1", "_time": 0.0, **SYSMON, **case.event}
    search, *commands = re.split(r"(?=\n\| regex )", text)
    # Search Reference, "search": terms side by side are joined by AND.
    joined = re.sub(r'(?<=["\)]) (?=\(?NOT |\w+=)', " AND ", search)
    # There is no escape for *: the backslash before it stands for itself.
    joined = re.sub(r"(?<!\\)((?:\\\\)*)\\\*", r"\1\\\\*", joined)
    if not spl.find(joined, [row], now()):
        return False
    filters = [found.groups() for command in commands if (found := REGEX_COMMAND.match(command))]
    return all(re.search(pattern, str(row.get(field, ""))) is not None for field, pattern in filters)


@pytest.mark.parametrize("case", named([case for case in CASES if case.id != "S15"]))
def test_the_stock_query_is_wrong(case: Case) -> None:
    text = stock(replace(case, pipeline="splunk_windows"), "splunk")
    assert text is None or finds(case, text) is not case.found


@pytest.mark.parametrize("case", named([case for case in CASES if case.id == "S15"]))
def test_the_stock_condition_is_wrong_in_where(case: Case) -> None:
    """In `search` OR binds closer, in `where` AND does: the same text means another thing there."""
    text = stock(replace(case, pipeline="splunk_windows"), "splunk")
    assert text == 'Image="x*" CommandLine="y" OR User="z"'
    assert finds(case, 'EventCode=1\n| where Image="x" AND CommandLine="y" OR User="z"') is not case.found


@pytest.mark.parametrize("case", named(CASES))
def test_our_query_is_right_and_names_the_repair(case: Case) -> None:
    query = ours(case, "splunk")
    assert isinstance(query, Query), query
    assert case.id in query.repairs
    assert finds(case, query.text) is case.found


@pytest.mark.parametrize("case", named(CASES))
def test_our_query_is_wrong_again_without_the_repair(case: Case) -> None:
    query = ours(case, "splunk", case.id)
    assert isinstance(query, Refusal) or finds(case, query.text) is not case.found


def of_model(case: Case) -> str:
    options = StockOptions(("splunk_cim",), format="data_model")
    outcome = converted(case.rule, TARGETS["splunk"], How(options, stock=True, referable=(case.rule,)))
    assert isinstance(outcome, Query), outcome
    return outcome.text


def asked(text: str) -> set[str]:
    """The fields that the `where` of tstats names."""
    where = STRING.sub('""', text).split(" where ")[1].split(" by ")[0]
    return set(re.findall(r"([\w.]+)=", where))


def test_a_data_model_is_asked_for_its_own_fields_alone() -> None:
    case = Case("S7", {"s": {"Image": "x"}, "t": {"CommandLine|re": "a.b"}, "condition": "s or t"}, {})
    foreign = {name for name in asked(of_model(case)) if not name.startswith("Processes.")}
    assert foreign == {"processCondition"}
    assert isinstance(ours(case, "splunk_cim"), Refusal)
    query = ours(case, "splunk_cim", "S7")
    assert isinstance(query, Query)
    assert {name for name in asked(query.text) if not name.startswith("Processes.")} == foreign


def test_no_objects_name_is_dropped() -> None:
    case = Case("S8", {"s": {"c-uri": "x"}}, {}, logsource={"category": "proxy"})
    text = of_model(case)
    assert "`drop_dm_object_name(Proxy)`" in text
    assert "Web.url" in text
    query = ours(case, "splunk_cim")
    assert isinstance(query, Query)
    assert "drop_dm_object_name" not in query.text


def test_an_error_leaves_nothing_to_the_next_rule() -> None:
    """The stock backend counts regular expressions by class, and an error on the way leaves its count behind."""
    detection = {"s": {"CommandLine|re": "a", "Image|fieldref": "User"}, "t": {"User": "x"}, "condition": "s or t"}
    broken = Case("S11", detection, {})
    sound = Case("S11", {"s": {"CommandLine|re": ["a.b", "c.d"]}}, {"CommandLine": "a-b"})
    backend = SplunkBackend(ProcessingPipeline())
    clean = backend.convert(SigmaCollection.from_dicts([dict(sound.rule.document)]))
    with pytest.raises(SigmaError):
        backend.convert(SigmaCollection.from_dicts([dict(broken.rule.document)]))
    assert backend.convert(SigmaCollection.from_dicts([dict(sound.rule.document)])) != clean
    SplunkDeferredORRegularExpression.field_counts = {}
    before = ours(sound, "splunk", "S2")
    assert isinstance(before, Query)
    ours(broken, "splunk", "S2")
    after = ours(sound, "splunk", "S2")
    assert isinstance(after, Query)
    assert after.text == before.text


def test_the_stock_format_of_saved_searches_swallows_a_line() -> None:
    """splunk.conf: a line that ends in a backslash goes on in the next."""
    case = Case("S12", {"s": {"Image": "x"}}, {}, more={"description": "In C:\\"}, pipeline="splunk_windows")
    options = StockOptions((case.pipeline,), format="savedsearches")
    outcome = converted(case.rule, TARGETS["splunk"], How(options, stock=True, referable=(case.rule,)))
    assert isinstance(outcome, Query)
    assert 'description = In C:\\\nsearch = Image="x"' in outcome.text


def test_a_display_list_is_one_column_a_field() -> None:
    case = Case("S13", {"s": {"Image": "x"}}, {}, more={"fields": ["Image", "Command Line"]}, pipeline="splunk_windows")

    def columns(text: str) -> list[str]:
        """Search Reference, "table": fields stand apart by commas or spaces, a name with a space in quotes."""
        listed = text.split("| table ")[1]
        return [found[0] or found[1] for found in re.findall(r'"([^"]*)"|([^,\s]+)', listed)]

    text = stock(case, "splunk")
    assert text is not None
    assert columns(text) == ["Image", "Command", "Line"]
    query, without = ours(case, "splunk"), ours(case, "splunk", "S13")
    assert isinstance(query, Query)
    assert isinstance(without, Query)
    assert "S13" in query.repairs
    assert columns(query.text) == ["Image", "Command Line"]
    assert columns(without.text) == columns(text)


def test_one_query_stands_in_every_format() -> None:
    case = Case("S14", {"s": {"Image": "x"}, "t": {"CommandLine|re": "a.b"}, "condition": "s and (s or t)"}, {})
    texts = []
    for form in ("default", "savedsearches"):
        options = StockOptions(("splunk_windows",), format=form)
        outcome = converted(case.rule, TARGETS["splunk"], How(options, stock=True, referable=(case.rule,)))
        assert isinstance(outcome, Query)
        texts.append(outcome.text)
    assert texts[0].startswith('Image="x"')
    assert "search =  \\\n| rex" in texts[1]
    query = ours(case, "splunk")
    assert isinstance(query, Query)
    assert finds(replace(case, event={"Image": "x"}), query.text)


def test_events_on_two_sides_of_an_edge_are_counted_together() -> None:
    """Two events a minute apart, five minutes being asked for, where a window of `bin` begins between them."""
    case = Case("S20", {"s": {"Image": "x"}}, {})
    counted = {"type": "event_count", "rules": ["n"], "group-by": ["User"], "timespan": "5m", "condition": {"gte": 2}}
    one = Rule(Path("r.yml"), PurePosixPath("r"), "", {**case.rule.document, "name": "n"})
    many = Rule(Path("c.yml"), PurePosixPath("c"), "", {"title": "C", "correlation": counted})
    rows: list[dict[str, Cell]] = [{"_time": time, "User": "u", "Image": "x", **SYSMON} for time in (270.0, 330.0)]
    held = store(rows, layout(list(rows[0])))
    for without, wanted in ([], ["u"]), (["S20"], []):
        query = converted(many, TARGETS["splunk"], How(referable=(one,), without=frozenset(without)))
        assert isinstance(query, Query), query
        assert ("S20" in query.repairs) is not bool(without)
        found = ENGINE.correlate(query.text, held.connection, held.layout, held.layout.sources)
        assert [group["User"] for group in found] == wanted


@pytest.mark.parametrize("values", ["", ["", "a"], ["", "a?"]])
def test_an_empty_value_is_a_field_that_is_not_there(values: str | list[str]) -> None:
    """Whether Splunk takes an absent field for an empty value is open: the engine's rows have no empty value."""
    case = Case("S19", {"s": {"Image": "C:\\\\x", "CommandLine": values}}, {})
    given = (
        Given("found", {"Image": "C:\\x", "CommandLine": ""}, wanted=True),
        Given("left", {"Image": "C:\\x", "CommandLine": "b"}, wanted=False),
    )
    kinds = []
    for query in (ours(case, "splunk"), ours(case, "splunk", "S19")):
        assert isinstance(query, Query)
        (judged,) = Judge(generated=False).judge([Trial(case.rule.document, {"splunk": query.text}, given=given)])
        kinds.append(judged.verdicts["splunk"].kind)
        assert ("S19" in query.repairs) is (len(kinds) == 1)
    assert kinds == ["exact", "broken"]


def test_every_repair_has_a_case() -> None:
    assert uncovered(REPAIRS, CASES, ELSEWHERE) == set()
    assert all(name in globals() for name in ELSEWHERE.values())
    assert {name for name, repair in REPAIRS.items() if repair.inseparable} < ELSEWHERE.keys()
