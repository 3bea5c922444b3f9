"""The emitted SPL, run by an evaluator of its own: what each golden finds where Sysmon is, by identity."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest

from tests import events, pack_words, seed, spl, splunk_rows
from tests.events import ROOT, Event, base_name
from tests.seed import RULE_OF

GOLDENS = ROOT / "outputs" / "splunk" / "t1596_003"
RULES = list(RULE_OF.values())
CERTUTIL = RULE_OF["CertutilEnum"]
COLLECTED = {"linux", "windows"}
Hits = list[tuple[str, object]]


def golden(name: str) -> str:
    return (GOLDENS / f"{name}.spl").read_text(encoding="utf-8")


HUNTING = golden("_hunting")


def find(query: str, chosen: Iterable[Event]) -> set[str]:
    return spl.find(query, splunk_rows.rows(chosen), events.now())


def table(query: str, chosen: Iterable[Event]) -> list[dict[str, object]]:
    return spl.run(query, splunk_rows.rows(chosen), events.now())


def hits(query: str, chosen: Iterable[Event]) -> Hits:
    """Events and categories in the order of the hunting query's rows; the digest tells the event."""
    chosen = list(chosen)
    names = {splunk_rows.sha256(event): event.id for event in chosen}
    assert len(names) == len(chosen)
    return [(names[str(row["SHA256"])], row.get("ToolCategory")) for row in table(query, chosen)]


def collected(chosen: Iterable[Event]) -> list[Event]:
    return [event for event in chosen if event.fields["os"] in COLLECTED]


def ours(event: Event) -> str | None:
    """The category that the pack gives a labelled event: the seed's, listed deviations aside."""
    deviation = seed.deviations().get(event.id)
    return deviation.ours if deviation else event.seed


def newest_first(chosen: Iterable[Event]) -> list[Event]:
    return sorted(chosen, key=lambda event: event.time, reverse=True)


def expected() -> Hits:
    """The labelled events that the hunting query must give: recent, newest first, each with its category."""
    recent = (event for event in newest_first(collected(events.labelled())) if event.recent)
    return [(event.id, category) for event in recent if (category := ours(event))]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_its_cases_and_leaves_their_near_misses(rule: str) -> None:
    cases = [case for case in events.pack_cases() if case.rule == rule]
    wanted = {case.event.id for case in cases if case.must_match and case.event.fields["os"] in COLLECTED}
    assert wanted
    assert find(golden(rule), [case.event for case in cases]) == wanted


def test_the_rule_of_certutil_is_for_windows_and_the_others_find_cases_of_both() -> None:
    read = {
        rule: {case.event.fields["os"] for case in events.pack_cases() if case.rule == rule and case.must_match}
        for rule in RULES
    }
    assert {rule: systems & COLLECTED for rule, systems in read.items()} == dict.fromkeys(RULES, COLLECTED) | {
        CERTUTIL: {"windows"}
    }


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_every_word_of_its_lists_in_any_letter_case(rule: str) -> None:
    wanted = pack_words.words(rule)
    assert find(golden(rule), wanted.values()) == wanted.keys()
    assert find(golden(rule), map(pack_words.mixed, wanted.values())) == wanted.keys()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_leaves_words_with_a_spoilt_letter(rule: str) -> None:
    others = pack_words.near_misses(rule)
    assert others
    assert find(golden(rule), others.values()) == set()
    assert find(golden(rule), map(pack_words.mixed, others.values())) == set()


@pytest.mark.parametrize("os", sorted(COLLECTED))
@pytest.mark.parametrize(("category", "rule"), RULE_OF.items())
def test_each_category_of_the_seed_is_found_whole_by_its_own_rule(category: str, rule: str, os: str) -> None:
    wanted = {event.id for event in events.labelled() if event.seed == category and event.fields["os"] == os}
    assert bool(wanted) == (category != "CertutilEnum" or os == "windows")
    assert wanted - find(golden(rule), events.labelled()) == set()


def test_the_rules_find_what_the_seed_finds_and_the_listed_deviations_but_for_macos() -> None:
    found = set().union(*(find(golden(rule), events.labelled()) for rule in RULES))
    assert found == {event.id for event in collected(events.labelled()) if ours(event)}
    lost = {event.id for event in events.labelled() if event.seed} - found
    assert lost == {event.id for event in events.labelled() if event.seed and event.fields["os"] == "macos"}
    assert lost


def test_the_packs_readme_lists_the_gap() -> None:
    gaps = (events.PACK / "README.md").read_text(encoding="utf-8").partition("\n## Gaps\n")[2]
    assert "- Splunk: macOS has no Sysmon" in gaps


@pytest.mark.parametrize("query", [*RULES, "_hunting"])
@pytest.mark.parametrize(
    "other",
    [
        {"EventCode": "3"},
        {"EventCode": "11"},
        {"source": "XmlWinEventLog:Security", "sourcetype": "xmlwineventlog"},
        {"source": "Syslog:auth", "sourcetype": "syslog"},
    ],
    ids=str,
)
def test_only_sysmons_process_creations_are_read(query: str, other: dict[str, str]) -> None:
    chosen = [event for event in events.labelled() if event.seed and event.recent]
    rows = splunk_rows.rows(chosen)
    assert spl.run(golden(query), rows, events.now())
    assert spl.run(golden(query), [{**row, **other} for row in rows], events.now()) == []


def test_the_rule_of_certutil_reads_windows_only() -> None:
    wanted = pack_words.words(CERTUTIL).values()
    moved = [Event(event.id, {**event.fields, "os": "linux"}, event.time, recent=True) for event in wanted]
    assert find(golden(CERTUTIL), moved) == set()
    assert hits(HUNTING, moved) == []


def test_the_hunting_query_gives_each_recent_event_its_category_newest_first() -> None:
    assert hits(HUNTING, events.labelled()) == expected()


def test_the_hunting_query_gives_the_seeds_columns_in_its_order() -> None:
    columns = seed.QUERY.split("| project ")[1].split("| sort")[0].split(",")
    by_id = {event.id: event for event in events.labelled()}
    wanted = [answer(by_id[name], category) for name, category in expected()]
    given = table(HUNTING, events.labelled())
    assert [list(row.items()) for row in given] == [list(row.items()) for row in wanted]
    assert list(wanted[0]) == [column.strip() for column in columns]


def answer(event: Event, category: object) -> dict[str, object]:
    """The row in which the hunting query gives the event, column by column."""
    return {
        "Timestamp": event.time.isoformat(timespec="milliseconds"),
        "DeviceName": "host.example.com",
        "AccountName": event.fields["User"].split("\\")[-1],
        "FileName": base_name(event.fields["Image"]),
        "ProcessCommandLine": event.fields["CommandLine"],
        "InitiatingProcessFileName": base_name(parent) if (parent := event.fields.get("ParentImage")) else None,
        "InitiatingProcessCommandLine": event.fields.get("ParentCommandLine"),
        "FolderPath": event.fields["Image"],
        "SHA256": splunk_rows.sha256(event),
        "ToolCategory": category,
    }


def test_the_hunting_query_finds_the_cases_and_no_near_miss_of_all_rules() -> None:
    chosen = [case.event for case in events.pack_cases()]
    by_rules = set().union(*(find(golden(rule), chosen) for rule in RULES))
    found = hits(HUNTING, chosen)
    assert {name for name, _ in found} == by_rules
    for category, rule in RULE_OF.items():
        assert {name for name, given in found if given == category} <= find(golden(rule), chosen)


def test_each_kind_of_deviation_is_what_the_list_says() -> None:
    listed = seed.own()
    assert dict(hits(HUNTING, [event for event, _ in listed])) == {event.id: one.ours for event, one in listed}


# --- What the tests above would notice -------------------------------------------------------------------------------


def swapped(text: str, one: str, other: str) -> str:
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(" earliest=-24h latest=now", "", id="no window"),
        pytest.param("-24h", "-240h", id="longer window"),
        pytest.param("-24h", "-2h", id="shorter window"),
        pytest.param("\n| sort 0 - _time", "", id="no order"),
        pytest.param("- _time", "+ _time", id="oldest first"),
        pytest.param('"sysmon:linux"', '"sysmon"', id="no Linux"),
        pytest.param("EventCode=1", "EventCode=3", id="other events"),
        pytest.param("\n| where isnotnull(ToolCategory)", "", id="no category needed"),
        pytest.param(', "CTLogQuery"', ', "OpenSSLProbe"', id="category"),
    ],
)
def test_a_changed_hunting_query_no_longer_agrees(before: str, after: str) -> None:
    mutant = HUNTING.replace(before, after)
    assert mutant != HUNTING
    assert hits(mutant, events.labelled()) != expected()


@pytest.mark.parametrize(("one", "other"), [(one, other) for one in RULE_OF for other in RULE_OF if one < other])
def test_swapped_categories_no_longer_agree(one: str, other: str) -> None:
    assert hits(swapped(HUNTING, f'"{one}"', f'"{other}"'), events.labelled()) != expected()


def arm(category: str) -> str:
    """The lines' part of the hunting query that gives this category, without what separates it from the next."""
    (line,) = [line for line in HUNTING.splitlines() if line.rstrip(",)").endswith(f', "{category}"')]
    return line.removesuffix(",").removesuffix(")")


@pytest.mark.parametrize(
    ("event", "category", "also"), seed.overlaps(), ids=lambda item: item if isinstance(item, str) else ""
)
def test_an_event_of_two_rules_has_the_first_category(event: Event, category: str, also: str) -> None:
    assert find(golden(RULE_OF[category]), [event]) == find(golden(RULE_OF[also]), [event]) == {event.id}
    mutant = swapped(HUNTING, arm(category), arm(also))
    assert [hits(query, [event]) for query in (HUNTING, mutant)] == [[(event.id, category)], [(event.id, also)]]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("AccountName=mvindex(split(User, ", "AccountName=mvindex(split(Image, ", id="other field"),
        pytest.param('split(User, "\\\\"), -1)', 'split(User, "\\\\"), 0)', id="domain"),
        pytest.param('FileName=replace(Image, "^.*[\\\\\\\\/]"', 'FileName=replace(Image, "^.*[/]"', id="Windows path"),
        pytest.param('FileName=replace(Image, "^.*[\\\\\\\\/]"', 'FileName=replace(Image, "^.*[\\\\\\\\]"', id="path"),
        pytest.param("FileName=replace(ParentImage", "FileName=replace(Image", id="parent"),
        pytest.param("ProcessCommandLine=CommandLine", "ProcessCommandLine=ParentCommandLine", id="command line"),
        pytest.param("FolderPath=Image", "FolderPath=ParentImage", id="folder"),
        pytest.param('split(Hashes, "SHA256="), 1)', 'split(Hashes, "SHA256="), 0)', id="Linux digest"),
        pytest.param("coalesce(SHA256, mvindex(", "coalesce(MD5, mvindex(", id="Windows digest"),
        pytest.param("DeviceName, AccountName", "AccountName, DeviceName", id="order of columns"),
    ],
)
def test_a_changed_column_no_longer_agrees(before: str, after: str) -> None:
    head, bar, tail = HUNTING.rpartition("\n| eval")
    assert before in tail
    mutant = head + bar + tail.replace(before, after, 1)
    whole = [list(row.items()) for row in table(HUNTING, events.labelled())]
    assert [list(row.items()) for row in table(mutant, events.labelled())] != whole


def test_a_dropped_column_no_longer_agrees() -> None:
    head, bar, tail = HUNTING.rpartition("\n| table ")
    columns = tail.strip().split(", ")
    assert list(table(HUNTING, events.labelled())[0]) == columns
    for column in columns:
        mutant = head + bar + ", ".join(other for other in columns if other != column)
        assert list(table(mutant, events.labelled())[0]) != columns


def test_a_hunting_query_that_minds_letter_case_no_longer_agrees() -> None:
    chosen = [*map(pack_words.mixed, pack_words.words(CERTUTIL).values())]
    assert dict(hits(HUNTING, chosen)) == {event.id: "CertutilEnum" for event in chosen}
    assert dict(hits(HUNTING.replace("(?is)", "(?s)"), chosen)) != {event.id: "CertutilEnum" for event in chosen}


LIST = re.compile(r' IN \(([^()]+)\)|"\(\?is\)([^"]+)"')


def without_a_word(query: str) -> Iterator[tuple[str, str]]:
    """Each listed value in the words of its rule, and the query without it."""
    for found in LIST.finditer(query):
        group, separator = (1, ", ") if found[1] else (2, "|")
        values = found[group].split(separator)
        for number, value in enumerate(values):
            rest = separator.join(values[:number] + values[number + 1 :])
            yield word(value), query[: found.start(group)] + rest + query[found.end(group) :]


def word(value: str) -> str:
    """The value of a query as the rule has it, in small letters."""
    text = value.strip('"*').removesuffix("\\\\z").replace("\\\\.", ".")
    return re.sub(r"\\+", r"\\", text).lower()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_without_one_of_its_words_loses_events(rule: str) -> None:
    chosen = pack_words.words(rule).values()
    mutants = list(without_a_word(golden(rule)))
    survivors = {word for word, mutant in mutants if find(mutant, chosen) == find(golden(rule), chosen)}
    assert {word for word, _ in mutants} > survivors
    assert survivors == pack_words.COVERED[rule]


def test_a_hunting_query_without_one_of_its_words_loses_events_or_categories() -> None:
    chosen = [event for rule in RULES for event in pack_words.words(rule).values()]
    chosen = [Event(f"{number} {one.id}", one.fields, one.time, recent=True) for number, one in enumerate(chosen)]
    mutants = list(without_a_word(HUNTING))
    survivors = {word for word, mutant in mutants if hits(mutant, chosen) == hits(HUNTING, chosen)}
    assert {word for word, _ in mutants} > survivors
    assert survivors == set().union(*pack_words.COVERED.values())
