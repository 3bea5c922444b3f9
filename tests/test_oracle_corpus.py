"""The oracle on SigmaHQ's rules: each is read, or refused for a good reason, and true of what was recorded for it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest
import yaml

from converter import oracle, records
from converter.oracle import Meaning, Unmeant
from tests.events import ROOT

CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared, which only the developers have"),
]
RECORDINGS = 143
# Judging 150,000 events takes some 3 s; ten times as much is another way of doing it, not a slow machine.
MOST_SECONDS = 30


@cache
def _documents() -> Mapping[str, Mapping[str, Any]]:
    """Every rule of the corpus by its id."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    paths = sorted(CORPUS.glob("rules*/**/*.yml"))
    return {
        document["id"]: document
        for path in paths
        for document in yaml.load_all(path.read_text(encoding="utf-8"), loader)
    }


@cache
def _read() -> tuple[Mapping[str, Meaning], Mapping[str, str]]:
    """The meanings of the corpus' rules, and the reasons for which others have none."""
    meanings, reasons = {}, {}
    for name, document in _documents().items():
        try:
            meanings[name] = oracle.read(document)
        except Unmeant as error:
            reasons[name] = error.reason
    return meanings, reasons


@cache
def _recorded() -> Sequence[records.Recorded]:
    return list(records.read(CORPUS / "regression_data"))


def test_every_rule_is_read_but_those_with_placeholders_of_no_values() -> None:
    _, reasons = _read()
    with_placeholders = {name for name, document in _documents().items() if "|expand" in str(document["detection"])}
    assert set(reasons) == with_placeholders
    assert [reason for reason in reasons.values() if "has no values" not in reason] == []


def test_every_rule_with_placeholders_is_read_given_their_values() -> None:
    _, reasons = _read()
    for name in reasons:
        document = _documents()[name]
        values = {placeholder: ["x*"] for placeholder in re.findall(r"%([\w-]+)%", str(document["detection"]))}
        assert oracle.read(document, placeholders=values).fields


def test_every_recording_is_of_a_rule_and_none_is_left_out() -> None:
    assert {rule for one in _recorded() for rule in one.rules} <= set(_documents())
    assert len({one.rules for one in _recorded()}) == RECORDINGS


def test_every_rule_is_true_of_the_events_that_were_recorded_for_it() -> None:
    meanings, _ = _read()
    said = [
        (one.name, rule, meanings[rule].truth(one.event))
        for one in _recorded()
        if one.expected is not None
        for rule in one.rules
    ]
    assert [(name, rule, truth) for name, rule, truth in said if truth is not True] == []


def test_every_rule_finds_as_many_events_of_a_longer_recording_as_it_says() -> None:
    meanings, _ = _read()
    found: dict[tuple[str, int], int] = {}
    for one in _recorded():
        for rule in one.rules:
            key = rule, 1 if one.matches is None else one.matches
            found[key] = found.get(key, 0) + (meanings[rule].truth(one.event) is True)
    assert {key: number for key, number in found.items() if number < key[1]} == {}


def test_the_recorded_events_are_few_rules_each() -> None:
    # An oracle that found everything would pass the tests above.
    meanings, _ = _read()
    windows = [meanings[name] for name, document in _documents().items() if name in meanings and _is_windows(document)]
    for one in _recorded()[::10]:
        assert sum(meaning.truth(one.event) is True for meaning in windows) < len(windows) / 20


def _is_windows(document: Mapping[str, Any]) -> bool:
    return "windows" in document["logsource"].values()


def test_every_rule_judges_sixty_events_in_time() -> None:
    meanings, _ = _read()
    events = [one.event for one in _recorded()[:60]]
    start = time.monotonic()
    for meaning in meanings.values():
        for event in events:
            meaning.truth(event)
    assert time.monotonic() - start < MOST_SECONDS
