"""What correlations find among events and their times, and what they leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from converter import oracle
from converter.oracle import Correlated, Meaning, Unmeant

FAILED = oracle.read({"detection": {"a": {"EventID": 4625}, "condition": "a"}})
LOGIN = oracle.read({"detection": {"a": {"EventID": 4624}, "condition": "a"}})
OPEN = oracle.read({"detection": {"a": {"Note": ""}, "condition": "a"}})
RULES: Mapping[str, Meaning] = {"failed": FAILED, "login": LOGIN, "open": OPEN}


def _made(text: str, rules: Mapping[str, Meaning | Correlated] = RULES) -> Correlated:
    return oracle.correlation({"correlation": yaml.safe_load(text)}, rules)


def _found(made: Correlated, *events: tuple[float, Mapping[str, Any] | str]) -> Sequence[tuple[Any, ...]]:
    return [(*found.group.values(), found.start, found.end, found.sure) for found in made.found(events)]


def _failed(user: object = "u", **more: object) -> Mapping[str, Any]:
    return {"EventID": 4625, "User": user, **more}


def _login(user: object = "u", **more: object) -> Mapping[str, Any]:
    return {"EventID": 4624, "User": user, **more}


MANY = "{type: event_count, rules: [failed], group-by: [User], timespan: 1m, condition: {gte: 3}}"
VALUES = "{type: value_count, rules: [failed], group-by: [Host], timespan: 1h, condition: {field: User, gt: 1}}"
BOTH = "{type: temporal, rules: [failed, login], group-by: [User], timespan: 5m}"
AFTER = "{type: temporal_ordered, rules: [failed, login], group-by: [User], timespan: 5m}"


def test_an_event_count_counts_each_group_for_itself_in_sliding_windows() -> None:
    made = _made(MANY)
    # Over the boundary of a minute, in any order of arrival, with others' events between.
    assert _found(made, (70, _failed()), (50, _failed()), (60, _failed("v")), (65, _failed())) == [("u", 50, 70, True)]
    assert _found(made, (0, _failed()), (1, _failed("v")), (2, _failed())) == []
    assert _found(made, (0, _failed()), (40, _failed()), (80, _failed())) == []
    assert _found(made, (0, _failed()), (1, _login()), (2, _failed())) == []


def test_what_happens_exactly_a_timespan_apart_is_open() -> None:
    made = _made(MANY)
    assert _found(made, (0, _failed()), (30, _failed()), (60, _failed())) == [("u", 0, 60, False)]
    assert _found(made, (0, _failed()), (30, _failed()), (59, _failed())) == [("u", 0, 59, True)]
    assert _found(made, (0, _failed()), (30, _failed()), (61, _failed())) == []


def test_letter_case_of_a_group_is_open() -> None:
    made = _made(MANY)
    assert _found(made, (0, _failed("u")), (1, _failed("U")), (2, _failed("u"))) == [("u", 0, 2, False)]
    assert _found(made, (0, _failed("u")), (1, _failed("U")), (2, _failed("u")), (3, _failed("u"))) == [
        ("u", 0, 3, True)
    ]


@pytest.mark.parametrize("user", [None, "", []])
def test_a_group_without_its_field_is_open(user: object) -> None:
    found = _made(MANY).found([(time, _failed(user)) for time in range(3)])
    assert [one.sure for one in found] == [False]


def test_a_list_in_a_group_is_open_but_where_every_reading_finds_it() -> None:
    found = _made(MANY).found([(time, _failed(["u", "v"])) for time in range(3)])
    assert {(one.group["User"], one.sure) for one in found} == {("u, v", False), ("u", False), ("v", False)}


def test_an_event_of_open_truth_leaves_the_count_open() -> None:
    made = _made("{type: event_count, rules: [open], timespan: 1m, condition: {gte: 2}}")
    assert _found(made, (0, {"Note": ""}), (1, {})) == [(0, 1, False)]
    assert _found(made, (0, {"Note": ""}), (1, {}), (2, {"Note": ""})) == [(0, 2, True)]


@pytest.mark.parametrize("condition", ["{eq: 2}", "{neq: 2}"])
def test_numbers_between_none_and_all_of_the_open_events_are_open(condition: str) -> None:
    made = _made(f"{{type: event_count, rules: [open], timespan: 1m, condition: {condition}}}")
    # One is sure, and three are possible: neither are two, but two are possible as well.
    assert _found(made, (0, {"Note": ""}), (0, {}), (0, {})) == [(0, 0, False)]


def test_an_event_of_two_rules_counts_once_or_twice() -> None:
    text = "{type: event_count, rules: [failed, both], timespan: 1m, condition: {gte: 2}}"
    made = _made(text, {"failed": FAILED, "both": FAILED})
    assert _found(made, (0, _failed())) == [(0, 0, False)]
    assert _found(made, (0, _failed()), (1, _failed())) == [(0, 1, True)]


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ("{gt: 2}", {3, 4, 5}),
        ("{gte: 2}", {2, 3, 4, 5}),
        ("{lt: 2}", {1}),
        ("{lte: 2}", {1, 2}),
        ("{eq: 2}", {2}),
        ("{neq: 2}", {1, 3, 4, 5}),
        ("{gt: 1, lte: 3}", {2, 3}),
    ],
)
def test_a_condition_compares_the_count(condition: str, numbers: set[int]) -> None:
    made = _made(f"{{type: event_count, rules: [failed], timespan: 1m, condition: {condition}}}")
    # All at one moment, so that there is one window only.
    assert {number for number in range(1, 6) if _found(made, *[(0, _failed())] * number)} == numbers


def test_fewer_events_than_a_limit_are_open_where_windows_may_begin_or_end_with_one() -> None:
    made = _made("{type: event_count, rules: [failed], timespan: 1m, condition: {eq: 2}}")
    # Three follow the first moment and two lead up to it.
    assert _found(made, (0, _failed()), (0, _failed()), (10, _failed())) == [(0, 0, False)]
    assert _found(made, (0, _failed()), (1, _failed())) == [(0, 1, True)]


def test_a_value_count_counts_different_values() -> None:
    made = _made(VALUES)
    assert _found(made, (0, _failed("a", Host="h")), (9, _failed("b", Host="h"))) == [("h", 0, 9, True)]
    assert _found(made, (0, _failed("a", Host="h")), (9, _failed("a", Host="h"))) == []
    assert _found(made, (0, _failed("a", Host="h")), (9, _failed("b", Host="i"))) == []
    assert _found(made, (0, _failed("a", Host="h")), (9, _failed(None, Host="h"))) == []
    assert _found(made, (0, _failed("a", Host="h")), (9, _failed("A", Host="h"))) == [("h", 0, 9, False)]
    assert _found(made, (0, _failed("a", Host="h")), (9, _failed("", Host="h"))) == [("h", 0, 9, False)]


def test_several_counted_fields_make_pairs() -> None:
    text = "{type: value_count, rules: [failed], timespan: 1h, condition: {field: [User, Host], eq: 3}}"
    events = [(0, _failed(user, Host=host)) for user, host in ("ax", "ay", "bx", "ax")]
    assert _found(_made(text), *events) == [(0, 0, True)]


def test_temporal_needs_every_rule_in_any_order() -> None:
    made = _made(BOTH)
    assert _found(made, (9, _failed()), (0, _login())) == [("u", 0, 9, True)]
    assert _found(made, (0, _failed()), (9, _failed())) == []
    assert _found(made, (0, _failed()), (9, _login("v"))) == []
    assert _found(made, (0, _failed()), (301, _login())) == []


def test_temporal_with_a_condition_needs_as_many_rules_as_it_says() -> None:
    text = "{type: temporal, rules: [failed, login, open], timespan: 5m, condition: {gte: 2}}"
    assert _found(_made(text), (0, _failed(Note="x")), (9, _login(Note="x"))) == [(0, 9, True)]
    assert _found(_made(text), (0, _failed(Note="x"))) == []


def test_temporal_ordered_needs_the_order() -> None:
    made = _made(AFTER)
    assert _found(made, (0, _failed()), (9, _login())) == [("u", 0, 9, True)]
    assert _found(made, (9, _failed()), (0, _login())) == []
    assert _found(made, (0, _login()), (5, _failed()), (9, _login())) == [("u", 0, 9, True)]
    assert _found(made, (5, _failed()), (5, _login())) == [("u", 5, 5, False)]


def test_aliases_group_by_other_fields_in_each_rule() -> None:
    made = _made("""
        type: temporal
        rules: [failed, login]
        group-by: [ip]
        timespan: 10s
        aliases: {ip: {failed: Source, login: Destination}}
    """)
    assert _found(made, (0, _failed(Source="1")), (1, _login(Destination="1"))) == [("1", 0, 1, True)]
    assert _found(made, (0, _failed(Source="1")), (1, _login(Source="1", Destination="2"))) == []


def test_a_correlation_may_refer_to_a_correlation() -> None:
    rules: Mapping[str, Meaning | Correlated] = {**RULES, "many": _made(MANY)}
    made = _made("{type: temporal_ordered, rules: [many, login], group-by: [User], timespan: 10m}", rules)
    failures = [(time, _failed()) for time in (0, 5, 9)]
    assert [one.sure for one in made.found([*failures, (60, _login())])] == [True]
    assert made.found([*failures[:2], (60, _login())]) == []
    assert made.found([*failures, (60, _login("v"))]) == []
    # Before the failures began; while they went on, which is after their beginning and before their end.
    assert made.found([(-1, _login()), *failures]) == []
    assert [one.sure for one in made.found([*failures, (7, _login())])] == [False]


def test_the_name_of_a_rule_stands_for_an_event_that_it_finds() -> None:
    made = _made("{type: temporal_ordered, rules: [failed, login], timespan: 1m}")
    assert _found(made, (0, "failed"), (9, "login")) == [(0, 9, True)]
    assert _found(made, (0, "login"), (9, "failed")) == []


@pytest.mark.parametrize(("timespan", "seconds"), [("1s", 1), ("90m", 5_400), ("2h", 7_200), ("1d", 86_400)])
def test_a_timespan_is_a_number_and_a_letter(timespan: str, seconds: int) -> None:
    text = f"{{type: event_count, rules: [failed], timespan: {timespan}, condition: {{gte: 2}}}}"
    made = _made(text)
    assert made.correlation.timespan == seconds
    assert [one.sure for one in made.found([(0, "failed"), (seconds - 0.5, "failed")])] == [True]
    assert made.found([(0, "failed"), (seconds + 0.5, "failed")]) == []


def test_generate_is_read() -> None:
    assert not _made(MANY).correlation.generate
    assert _made(MANY.replace("timespan", "generate: true, timespan")).correlation.generate


COUNT = "{type: event_count, rules: [failed], timespan: 1m, condition: {gte: 3}}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (COUNT.replace("event_count", "value_percentile"), "none that is judged"),
        (COUNT.replace("event_count", "value_sum"), "none that is judged"),
        (COUNT.replace("[failed]", "[nowhere]"), "no rule 'nowhere'"),
        (COUNT.replace("[failed]", "[]"), "has no rules"),
        (COUNT.replace("[failed]", "[failed, failed]"), "twice"),
        (COUNT.replace("1m", "1w"), "timespan"),
        (COUNT.replace("1m", "0m"), "timespan"),
        (COUNT.replace("gte: 3", "above: 3"), "no whole number"),
        (COUNT.replace("gte: 3", "gte: true"), "no whole number"),
        (COUNT.replace("gte: 3", ""), "compares with nothing"),
        (COUNT.replace(", condition: {gte: 3}", ""), "no condition"),
        (COUNT.replace("gte: 3", "gte: 3, field: User"), "value_count"),
        (COUNT.replace("event_count", "value_count"), "value_count"),
        (COUNT.replace("timespan", "within: 1, timespan"), "no within"),
        (COUNT.replace("timespan", "generate: 1, timespan"), "no truth value"),
        (COUNT.replace("timespan", "aliases: {a: {login: x}}, timespan"), "each rule"),
        (AFTER.replace("5m", "5m, condition: {gte: 1}"), "order of some"),
        (COUNT.replace("[failed]", "[many]"), "how many events"),
        (BOTH.replace("[failed, login]", "[many, login]").replace("[User]", "[Host]"), "not grouped by Host"),
    ],
)
def test_what_is_not_defined_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(Unmeant, match=reason):
        _made(text, {**RULES, "many": _made(MANY)})


def test_a_rule_is_no_correlation() -> None:
    with pytest.raises(Unmeant, match="no correlation"):
        oracle.correlation({"detection": {}}, RULES)


@given(st.lists(st.integers(0, 200), max_size=12), st.integers(1, 4))
def test_a_count_is_found_where_some_window_holds_as_many(times: list[int], least: int) -> None:
    made = _made(f"{{type: event_count, rules: [failed], timespan: 1m, condition: {{gte: {least}}}}}")
    found = made.found([(time, "failed") for time in times])
    # Halves are no one's time, so nothing lies on the edge of these windows.
    most = max((sum(1 for time in times if start <= time < start + 60) for start in range(-60, 201)), default=0)
    edge = max((sum(1 for time in times if start <= time <= start + 60) for start in range(-60, 201)), default=0)
    assert [one.sure for one in found] == ([True] if most >= least else [False] if edge >= least else [])
