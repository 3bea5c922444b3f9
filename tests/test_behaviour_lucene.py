"""The emitted Lucene, run by an evaluator of its own: what each golden finds on every OS, by identity."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests import events, lucene, pack_words, seed
from tests.elastic_documents import documents
from tests.events import ROOT, Event
from tests.seed import RULE_OF

GOLDENS = ROOT / "outputs" / "lucene" / "t1596_003"
RULES = list(RULE_OF.values())
OSES = ["linux", "macos", "windows"]


def golden(name: str) -> str:
    return (GOLDENS / f"{name}.lucene").read_text(encoding="utf-8").removesuffix("\n")


HUNTING = golden("_hunting")
BODY: dict[str, Any] = json.loads((GOLDENS / "_hunting.json").read_text(encoding="utf-8"))


def find(query: str, chosen: Iterable[Event]) -> set[str]:
    return lucene.find(query, documents(chosen), events.now())


def hits(body: dict[str, Any], chosen: Iterable[Event] | None = None) -> list[tuple[str, list[str]]]:
    return lucene.search(body, documents(events.labelled() if chosen is None else chosen), events.now())


def ours(event: Event) -> str | None:
    """The category that the pack gives a labelled event: the seed's, listed deviations aside."""
    deviation = seed.deviations().get(event.id)
    return deviation.ours if deviation else event.seed


def newest_first(chosen: Iterable[Event]) -> list[Event]:
    return sorted(chosen, key=lambda event: event.time, reverse=True)


def expected(labelled: Iterable[Event]) -> list[tuple[str, list[str]]]:
    """The hits that the hunting query must give: recent, newest first, each with one category."""
    found = ((event, ours(event)) for event in newest_first(labelled) if event.recent)
    return [(event.id, [category]) for event, category in found if category]


def case_events(rule: str, *, must_match: bool) -> list[Event]:
    return [case.event for case in events.pack_cases() if case.rule == rule and case.must_match == must_match]


def test_the_tests_name_every_rule_and_category_of_the_pack() -> None:
    (pack,) = events.pack().packs
    assert pack.hunting is not None
    assert {category.name: category.rule.place.name for category in pack.hunting.categories} == RULE_OF
    assert {rule.place.name for rule in pack.rules} == set(RULES)
    assert pack_words.TOGETHER.keys() == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_its_cases_and_leaves_their_near_misses(rule: str) -> None:
    wanted, others = case_events(rule, must_match=True), case_events(rule, must_match=False)
    assert wanted
    assert others
    assert find(golden(rule), [*wanted, *others]) == {event.id for event in wanted}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_every_word_of_its_lists_in_any_letter_case(rule: str) -> None:
    wanted = pack_words.words(rule)
    for variant in (wanted.values(), map(pack_words.mixed, wanted.values()), map(pack_words.padded, wanted.values())):
        assert find(golden(rule), variant) == wanted.keys()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_leaves_words_with_a_spoilt_letter(rule: str) -> None:
    others = pack_words.near_misses(rule)
    assert others
    for variant in (others.values(), map(pack_words.mixed, others.values()), map(pack_words.padded, others.values())):
        assert find(golden(rule), variant) == set()


@pytest.mark.parametrize("os", OSES)
@pytest.mark.parametrize(("category", "rule"), RULE_OF.items())
def test_each_category_of_the_seed_is_found_whole_by_its_own_rule(category: str, rule: str, os: str) -> None:
    wanted = {event.id for event in events.labelled() if event.seed == category and event.fields["os"] == os}
    assert bool(wanted) == (category != "CertutilEnum" or os == "windows")
    assert wanted - find(golden(rule), events.labelled()) == set()


@pytest.mark.parametrize("os", OSES)
def test_the_rules_find_what_the_seed_finds_and_the_listed_deviations(os: str) -> None:
    chosen = [event for event in events.labelled() if event.fields["os"] == os]
    found = set().union(*(find(golden(rule), chosen) for rule in RULES))
    assert found == {event.id for event in chosen if ours(event)}


def test_the_hunting_search_gives_each_recent_event_its_category() -> None:
    assert hits(BODY) == expected(events.labelled())


def test_the_hunting_search_gives_the_older_events_their_category_when_they_are_recent() -> None:
    earlier = events.now() - timedelta(hours=8)
    found = lucene.search(BODY, documents(events.labelled()), earlier)
    assert dict(found) == {event.id: [category] for event in events.labelled() if (category := ours(event))}


def test_the_hunting_search_finds_the_cases_and_no_near_miss_of_all_rules() -> None:
    chosen = [case.event for case in events.pack_cases()]
    by_rules = set().union(*(find(golden(rule), chosen) for rule in RULES))
    found = hits(BODY, chosen)
    assert [name for name, _ in found] == [event.id for event in newest_first(chosen) if event.id in by_rules]
    assert all(len(categories) == 1 for _, categories in found)


def test_an_event_of_two_rules_has_the_category_that_comes_first() -> None:
    listed = seed.overlaps()
    assert dict(hits(BODY, [event for event, _, _ in listed])) == {event.id: [name] for event, name, _ in listed}


def test_each_kind_of_deviation_is_what_the_list_says() -> None:
    listed = seed.own()
    found = dict(hits(BODY, [event for event, _ in listed]))
    assert found == {event.id: [deviation.ours] for event, deviation in listed if deviation.ours}


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(events.labelled, id="labelled"),
        pytest.param(lambda: [case.event for case in events.pack_cases()], id="cases"),
        pytest.param(lambda: [event for event, _, _ in seed.overlaps()], id="overlaps"),
    ],
)
def test_the_hunting_query_string_finds_what_the_search_finds(chosen: Callable[[], list[Event]]) -> None:
    found = {name for name, _ in hits(BODY, chosen())}
    assert found
    assert find(HUNTING, chosen()) == found


@pytest.mark.parametrize("rule", RULES)
def test_command_lines_padded_past_the_limit_of_caseless_are_found(rule: str) -> None:
    wanted = [pack_words.padded(event) for event in case_events(rule, must_match=True)]
    others = [pack_words.padded(event) for event in case_events(rule, must_match=False)]
    assert all(len(event.fields["CommandLine"]) > 1024 for event in [*wanted, *others])
    assert find(golden(rule), [*wanted, *others]) == {event.id for event in wanted}


def test_padded_labelled_events_keep_their_category() -> None:
    assert hits(BODY, map(pack_words.padded, events.labelled())) == expected(events.labelled())


def arms(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The search body's categories, to be changed in place."""
    return [clause["bool"] for clause in body["query"]["bool"]["should"]]


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The golden search body with a change made to it."""
    body = copy.deepcopy(BODY)
    change(body)
    assert body != BODY
    return body


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda body: body["query"]["bool"]["filter"].clear(), id="no window"),
        pytest.param(
            lambda body: body["query"]["bool"]["filter"][0]["range"]["@timestamp"].update(gt="now-240h"),
            id="longer window",
        ),
        pytest.param(lambda body: body["query"]["bool"].pop("minimum_should_match"), id="no category needed"),
        pytest.param(lambda body: body["sort"].clear(), id="no order"),
        pytest.param(lambda body: body["sort"][0]["@timestamp"].update(order="asc"), id="oldest first"),
        pytest.param(lambda body: body.update(size=10), id="ten hits"),
        *(
            pytest.param(lambda body, number=number: body["query"]["bool"]["should"].pop(number), id=f"no {name}")
            for number, name in enumerate(RULE_OF)
        ),
    ],
)
def test_a_changed_hunting_search_no_longer_agrees(change: Callable[[dict[str, Any]], object]) -> None:
    assert hits(changed(change)) != expected(events.labelled())


@pytest.mark.parametrize(("one", "other"), [(one, other) for one in range(4) for other in range(one)])
def test_swapped_categories_no_longer_agree(one: int, other: int) -> None:
    def swap(body: dict[str, Any]) -> None:
        first, second = arms(body)[one], arms(body)[other]
        first["_name"], second["_name"] = second["_name"], first["_name"]

    assert hits(changed(swap)) != expected(events.labelled())


# No event is both OpenSSL's and certutil's: their programs have other names.
@pytest.mark.parametrize(("arm", "earlier"), [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1)])
def test_a_category_that_forgets_one_before_it_no_longer_agrees(arm: int, earlier: int) -> None:
    listed = [event for event, _, _ in seed.overlaps()]
    body = changed(lambda body: arms(body)[arm]["must_not"].pop(earlier))
    assert hits(body, listed) != hits(BODY, listed)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(r"^@timestamp:\{now-24h TO \*\} AND ", "", id="no window"),
        pytest.param("now-24h", "now-240h", id="longer window"),
        pytest.param("now-24h", "now-1h", id="shorter window"),
        pytest.param("host.os.type:windows", "host.os.type:linux", id="other OS"),
        pytest.param("event.type:start", "event.type:end", id="other events"),
    ],
)
def test_a_changed_hunting_query_string_no_longer_agrees(before: str, after: str) -> None:
    mutant, count = re.subn(before, after, HUNTING)
    assert count
    assert find(mutant, events.labelled()) != find(HUNTING, events.labelled())


LIST = re.compile(r":\(([^()]+)\)")


def without_a_word(query: str) -> Iterator[tuple[str, str]]:
    """Each listed value in the words of its rule, and the query without it."""
    for found in LIST.finditer(query):
        values = found[1].split(" OR ")
        for number, value in enumerate(values):
            rest = " OR ".join(values[:number] + values[number + 1 :])
            yield word(value), query[: found.start(1)] + rest + query[found.end(1) :]


def word(value: str) -> str:
    """The value of a query string as the rule has it."""
    if value.startswith("/"):
        value = re.sub(r"\[(\w)\w\]", r"\1", value.strip("/").replace(".*", ""))
    return re.sub(r"\\(\W)", r"\1", value.strip("*")).lower()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_without_one_of_its_words_loses_events(rule: str) -> None:
    chosen = [*pack_words.words(rule).values()]
    chosen += [
        Event(f"padded {event.id}", pack_words.padded(event).fields, event.time, recent=True) for event in chosen
    ]
    whole = find(golden(rule), chosen)
    mutants = list(without_a_word(golden(rule)))
    survivors = {word for word, mutant in mutants if find(mutant, chosen) == whole}
    assert {word for word, _ in mutants} > survivors
    assert survivors == pack_words.COVERED[rule]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_without_its_way_around_the_limit_of_caseless_loses_padded_events(rule: str) -> None:
    mutant, count = re.subn(r" OR \(NOT _exists_:\S+ AND process\.command_line:\([^()]*\)\)", "", golden(rule))
    chosen = [pack_words.padded(event) for event in pack_words.words(rule).values()]
    assert count
    assert find(mutant, chosen) < find(golden(rule), chosen)
