"""The emitted KQL, run: what each golden finds among the cases and the labelled events, by identity."""

from __future__ import annotations

import re

import pytest

from tests import events, seed
from tests.defender import Defender
from tests.events import ROOT
from tests.seed import RULE_OF

GOLDENS = ROOT / "outputs" / "kusto" / "t1596_003"
HUNTING = (GOLDENS / "_hunting.kql").read_text(encoding="utf-8")


def golden(rule: str) -> str:
    return (GOLDENS / f"{rule}.kql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def labelled() -> Defender:
    return Defender(events.labelled())


@pytest.mark.parametrize("rule", RULE_OF.values())
def test_a_rule_finds_its_cases_and_leaves_their_near_misses(rule: str) -> None:
    cases = [case for case in events.pack_cases() if case.rule == rule]
    found = Defender([case.event for case in cases]).find(golden(rule))
    assert found == {case.event.id for case in cases if case.must_match}


@pytest.mark.parametrize(("category", "rule"), RULE_OF.items())
def test_each_category_of_the_seed_is_found_whole_by_its_own_rule(labelled: Defender, category: str, rule: str) -> None:
    wanted = {event.id for event in events.labelled() if event.seed == category}
    assert wanted
    assert wanted - labelled.find(golden(rule)) == set()


def test_the_rules_find_nothing_beyond_the_seed_but_the_listed_deviations(labelled: Defender) -> None:
    found = set.union(*(labelled.find(golden(rule)) for rule in RULE_OF.values()))
    by_seed = {event.id for event in events.labelled() if event.seed is not None}
    added = {event for event, deviation in seed.deviations().items() if deviation.seed is None}
    assert found == by_seed | added


def test_the_seed_gives_the_labelled_events_their_labels(labelled: Defender) -> None:
    """The engine and the rows are right where the seed's own query finds what its authors say it finds."""
    found = {row["ProcessCommandLine"]: row["ToolCategory"] for row in labelled.rows(seed.QUERY)}
    wanted = {
        event.fields["CommandLine"]: event.seed
        for event in events.labelled()
        if event.recent and event.seed is not None
    }
    assert found == wanted


def expected() -> list[tuple[str, str]]:
    """The recent events that the hunting query must give, newest first, each with its category."""
    chosen = []
    for event in sorted(events.labelled(), key=lambda event: event.time, reverse=True):
        deviation = seed.deviations().get(event.id)
        category = deviation.ours if deviation else event.seed
        if event.recent and category:
            chosen.append((event.fields["CommandLine"], category))
    return chosen


def hits(labelled: Defender, query: str) -> list[tuple[str, str]]:
    return [(row["ProcessCommandLine"], row["ToolCategory"]) for row in labelled.rows(query)]


def test_the_hunting_query_agrees_with_the_labels(labelled: Defender) -> None:
    assert hits(labelled, HUNTING) == expected()


def test_the_hunting_query_agrees_with_the_seed_row_by_row(labelled: Defender) -> None:
    ours, seeds = labelled.rows(HUNTING), labelled.rows(seed.QUERY)
    assert [list(row) for row in ours[:1]] == [list(row) for row in seeds[:1]]
    deviating = {event.fields["CommandLine"] for event in events.labelled() if event.id in seed.deviations()}
    kept = [list(row.items()) for row in ours if row["ProcessCommandLine"] not in deviating]
    assert kept == [list(row.items()) for row in seeds if row["ProcessCommandLine"] not in deviating]


def test_every_listed_deviation_is_one() -> None:
    seeds = {event.id: event.seed for event in events.labelled()}
    assert {event: deviation.seed for event, deviation in seed.deviations().items()} == {
        event: seeds[event] for event in seed.deviations()
    }
    assert all(deviation.ours != deviation.seed for deviation in seed.deviations().values())


@pytest.mark.parametrize(("event", "deviation"), seed.own(), ids=lambda item: getattr(item, "reason", ""))
def test_each_kind_of_deviation_is_what_the_list_says(event: events.Event, deviation: seed.Deviation) -> None:
    defender = Defender([event])
    given = [[row["ToolCategory"] for row in defender.rows(query)] for query in (seed.QUERY, HUNTING)]
    assert given == [[deviation.seed] if deviation.seed else [], [deviation.ours]]


def test_the_packs_readme_lists_every_deviation_with_its_event() -> None:
    text = (events.PACK / "README.md").read_text(encoding="utf-8")
    by_id = {event.id: event for event in events.labelled()} | {event.id: event for event, _ in seed.own()}
    listed = [*seed.deviations().values(), *(deviation for _, deviation in seed.own())]
    rows = [
        [cell.strip() for cell in row.strip("|\n").split("|")] for row in text.splitlines() if row.startswith("| `")
    ]
    wanted = [
        (by_id[deviation.event].fields["CommandLine"], deviation.seed or "–", deviation.ours, deviation.reason)
        for deviation in listed
    ]
    given = [(row[0].split("`")[1], row[1], row[2], row[3].replace("`", "")) for row in rows]
    assert given == wanted


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(r"\| where Timestamp > ago\(24h\)\n", "", id="window"),
        pytest.param(r"ago\(24h\)", "ago(240h)", id="longer window"),
        pytest.param(r"\n\| sort by Timestamp desc", "", id="order"),
        pytest.param("Timestamp desc", "Timestamp asc", id="other order"),
        pytest.param('"CTLogQuery"', '"OpenSSLProbe"', id="category"),
    ],
)
def test_a_changed_hunting_query_no_longer_agrees(labelled: Defender, before: str, after: str) -> None:
    changed, count = re.subn(before, after, HUNTING)
    assert count
    assert hits(labelled, changed) != expected()


def arm(category: str) -> int:
    """The line of the hunting query that gives this category."""
    (line,) = [number for number, text in enumerate(HUNTING.split("\n")) if text.endswith(f'"{category}",')]
    return line


@pytest.mark.parametrize(
    ("event", "category", "also"), seed.overlaps(), ids=lambda item: item if isinstance(item, str) else ""
)
def test_an_event_of_two_rules_has_the_first_category(event: events.Event, category: str, also: str) -> None:
    defender = Defender([event])
    assert defender.find(golden(RULE_OF[category])) == defender.find(golden(RULE_OF[also])) == {event.id}
    lines = HUNTING.split("\n")
    lines[arm(category)], lines[arm(also)] = lines[arm(also)], lines[arm(category)]
    given = [[row["ToolCategory"] for row in defender.rows(query)] for query in (seed.QUERY, HUNTING, "\n".join(lines))]
    assert given == [[category], [category], [also]]


def test_a_dropped_column_no_longer_agrees(labelled: Defender) -> None:
    columns = list(labelled.rows(seed.QUERY)[0])
    assert list(labelled.rows(HUNTING)[0]) == columns
    for column in columns:
        if column != "Timestamp":
            dropped = HUNTING.replace(f", {column}", "", 1)
            assert list(labelled.rows(dropped)[0]) != columns
