"""Any value, with any wildcards, finds on each target what Sigma says it should: what no quoting may change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from converter.convert import Query, converted
from converter.rule import Rule
from converter.targets import TARGETS
from tests import elastic_documents, lucene, spl, splunk_rows
from tests.defender import Defender
from tests.events import Event, now
from tests.sigma_text import ANY, MODIFIERS, ONE, PARTS, Part, matches, texts, written

RULE: dict[str, Any] = {
    "title": "Any Value",
    "logsource": {"category": "process_creation", "product": "windows"},
}


def query(target: str, field: str, value: str) -> str:
    detection = {"selection": {field: value}, "condition": "selection"}
    rule = Rule(Path("rule.yml"), PurePosixPath("rule"), "", RULE | {"detection": detection})
    outcome = converted(rule, TARGETS[target])
    assert isinstance(outcome, Query), outcome
    return outcome.text


def events(held: Sequence[str]) -> list[Event]:
    return [
        Event(str(number), {"Image": "C:\\a.exe", "CommandLine": text, "os": "windows"}, now(), recent=True)
        for number, text in enumerate(held)
    ]


def find_kql(text: str, held: Sequence[Event]) -> set[str]:
    return Defender(held).find(text)


def find_spl(text: str, held: Sequence[Event]) -> set[str]:
    rows = [row for row in map(splunk_rows.row, held) if row is not None]
    return spl.find(text, rows, now())


def find_lucene(text: str, held: Sequence[Event]) -> set[str]:
    return lucene.find(text, elastic_documents.documents(held), now())


ENGINES: dict[str, Callable[[str, Sequence[Event]], set[str]]] = {
    "kusto": find_kql,
    "splunk": find_spl,
    "lucene": find_lucene,
}


@pytest.mark.parametrize("target", ENGINES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(parts=PARTS, modifier=MODIFIERS, data=st.data())
def test_a_value_finds_what_sigma_says(target: str, parts: Sequence[Part], modifier: str, data: st.DataObject) -> None:
    held = data.draw(st.lists(texts(parts), min_size=1, max_size=8))
    # An absent command line is another question than an empty one.
    assume(all(held))
    wanted = {str(number) for number, text in enumerate(held) if matches(parts, modifier, text)}
    found = ENGINES[target](query(target, f"CommandLine{modifier}", written(parts)), events(held))
    assert found == wanted


TRICKY: list[list[Part]] = [
    ["C:\\Windows\\", ANY],
    [ANY, "\\Run\\", ANY, "\\x"],
    ["a", ONE, "b"],
    ["100%_sure"],
    ["a\tb"],
    ["line one\nline two"],
    ["<x", ANY],
    [ANY, "*", ANY],
    ["AND"],
    ["\\\\server\\share\\"],
    ['say "hi"'],
    ["//", ANY, "/"],
    ["a" * 240],
]


@pytest.mark.parametrize("target", ENGINES)
@pytest.mark.parametrize("parts", TRICKY, ids=lambda parts: written(parts)[:20])
def test_a_tricky_value_finds_itself_and_not_its_neighbours(target: str, parts: list[Part]) -> None:
    filled = "".join(part if isinstance(part, str) else "xy" if part is ANY else "z" for part in parts)
    held = [filled, filled.swapcase(), f"{filled}q", f"q{filled}", filled[1:], filled[:-1], filled.replace("\\", "/")]
    held = [text for text in held if text]
    for modifier in ("", "|contains", "|startswith", "|endswith"):
        wanted = {str(number) for number, text in enumerate(held) if matches(parts, modifier, text)}
        found = ENGINES[target](query(target, f"CommandLine{modifier}", written(parts)), events(held))
        assert found == wanted, modifier
