"""Testing of rules: what their verdicts depend on, and that the cache gives what judging gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from converter import cache, packs, testing
from converter.convert import How
from converter.judge import Given, Judged
from converter.plan import Plan
from converter.remembered import Keys, Remembered
from converter.rule import Rule
from converter.stock import StockOptions
from converter.targets import TARGETS
from converter.verdicts import Verdict
from tests.command import rule

KUSTO = TARGETS["kusto"]
QUERY = 'DeviceProcessEvents\n| where ProcessCommandLine contains "something"\n'
CASES = """\
must_match:
  - {name: a, event: {CommandLine: something}}
must_not_match:
  - {name: b, event: {CommandLine: other}}
"""


INFO = """\
rule_metadata:
  - id: 00000000-0000-4000-8000-000000000001
regression_tests_info:
  - path: data/e.evtx
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yml").write_text(rule())
    (tmp_path / "rules" / "a.cases.yaml").write_text(CASES)
    (tmp_path / "outputs" / "kusto").mkdir(parents=True)
    (tmp_path / "outputs" / "kusto" / "a.kql").write_text(QUERY)
    return tmp_path


def read(folder: Path) -> Rule:
    return packs.read((str(folder / "rules"),), b"").rules[0]


def plan(folder: Path) -> Plan:
    return Plan((KUSTO,), {"kusto": How()}, folder / "outputs", minimise=False)


def remembered(folder: Path) -> Remembered:
    return Remembered(plan(folder), cache.Cache(folder / "cache", "verdicts"))


def key(folder: Path, changed: Callable[[Plan], Plan] = lambda same: same) -> str:
    return Keys(changed(plan(folder))).rule(read(folder))


def test_the_key_is_the_same_for_the_same(folder: Path) -> None:
    assert key(folder) == key(folder)


@pytest.mark.parametrize(
    ("place", "before", "after"),
    [
        ("rules/a.yml", "something", "anything"),
        ("rules/a.cases.yaml", "other", "another"),
        ("outputs/kusto/a.kql", "something", "anything"),
        ("outputs/kusto/a.kql", '"\n', '" \n'),
    ],
)
def test_the_key_depends_on_the_rule_its_cases_and_its_output(
    folder: Path, place: str, before: str, after: str
) -> None:
    first = key(folder)
    text = (folder / place).read_text()
    assert before in text
    (folder / place).write_text(text.replace(before, after, 1))
    assert key(folder) != first
    (folder / place).unlink(missing_ok=place != "rules/a.yml")
    if place != "rules/a.yml":
        assert key(folder) != first


CHANGES: dict[str, Callable[[Plan], Plan]] = {
    "seed": lambda one: replace(one, seed=1),
    "no generated events": lambda one: replace(one, generated=False),
    "minimise": lambda one: replace(one, minimise=True),
    "afresh": lambda one: replace(one, outputs=None),
    "events": lambda one: replace(one, given={"": (Given("g", {"CommandLine": "x"}),)}),
    "without": lambda one: replace(one, hows={"kusto": How(without=frozenset({"K2"}))}),
    "stock": lambda one: replace(one, hows={"kusto": How(stock=True)}),
    "inexact": lambda one: replace(one, hows={"kusto": How(allow_inexact=True)}),
    "placeholders": lambda one: replace(one, hows={"kusto": How(placeholders={"a": ("b",)})}),
    "another target": lambda one: replace(one, targets=(TARGETS["splunk"],), hows={"splunk": How()}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_key_depends_on_the_plan(folder: Path, change: Callable[[Plan], Plan]) -> None:
    assert key(folder, change) != key(folder)


def test_the_key_depends_on_what_the_file_of_a_pipeline_holds(folder: Path) -> None:
    path = folder / "p.yml"
    keys = set()
    for text in ("name: a\n", "name: b\n"):
        path.write_text(text)
        hows = {"kusto": How(options=StockOptions((str(path),)))}
        keys.add(key(folder, lambda one, hows=hows: replace(one, hows=hows)))  # type: ignore[misc]
    assert len(keys) == 2


def test_what_was_written_while_it_was_judged_is_not_kept(folder: Path) -> None:
    kept = remembered(folder)
    one = read(folder)
    assert kept.rule(one) is None
    (folder / "outputs" / "kusto" / "a.kql").write_text("another")
    kept.keep_rule(one, Judged({"kusto": Verdict("exact")}))
    assert remembered(folder).rule(one) is None
    (folder / "outputs" / "kusto" / "a.kql").write_text(QUERY)
    assert remembered(folder).rule(one) is None


def test_the_key_depends_on_recorded_events_beside_the_rule(folder: Path) -> None:
    path = folder / "rules" / "a.yml"
    path.write_text(path.read_text() + "regression_tests_path: data/info.yml\n")
    (folder / "data").mkdir()
    before = key(folder)
    (folder / "data" / "info.yml").write_text(INFO)
    (folder / "data" / "e.json").write_text('{"CommandLine": "x"}')
    with_events = key(folder)
    (folder / "data" / "e.json").write_text('{"CommandLine": "y"}')
    assert len({before, with_events, key(folder)}) == 3


@pytest.mark.parametrize("query", ["contains", "startswith", "contains_cs", "nonsense"])
def test_a_warm_cache_gives_what_a_cold_one_gives(folder: Path, query: str) -> None:
    output = folder / "outputs" / "kusto" / "a.kql"
    output.write_text(output.read_text().replace("contains", query))
    kept = remembered(folder)
    cold, warm, without = (
        [(one.path, judged) for one, judged in testing.tested([read(folder)], plan(folder), remembered=each)]
        for each in (kept, kept, None)
    )
    assert cold == warm == without


def test_a_foreign_but_whole_entry_is_no_verdict(folder: Path) -> None:
    kept = remembered(folder)
    values: list[dict[str, object]] = [
        {},
        {"verdicts": {}, "contradictions": []},
        {"verdicts": {"kusto": {"kind": "exact"}}, "contradictions": 1},
    ]
    for value in values:
        assert kept.singles.put(key(folder), value)
        ((_, judged),) = testing.tested([read(folder)], plan(folder), remembered=kept)
        assert judged.verdicts["kusto"].events[0] > 0


def test_chunks_have_no_more_rules_nor_text_than_they_may_and_lack_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = read(folder)
    rules = [Rule(one.path, one.place, "x" * size, one.document) for size in (1, 1, 1, 1, 5, 30, 1, 5, 5)]
    monkeypatch.setattr(testing, "HEAVIEST", 10)
    chunks = list(testing._chunks(rules, 3))  # noqa: SLF001 - what is tested
    assert [[len(rule.text) for rule in chunk] for chunk in chunks] == [[1, 1, 1], [1, 5], [30], [1, 5], [5]]
    assert [rule for chunk in chunks for rule in chunk] == rules
    assert not list(testing._chunks([], 3))  # noqa: SLF001 - as above
