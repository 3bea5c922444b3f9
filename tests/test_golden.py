"""The committed outputs, text by text: what a change of a rule, of our code or of a backend does to them shows here."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.outputs import outputs
from converter.targets import DEFAULTS, TARGETS, named
from converter.tree import differences
from tests import events
from tests.events import ROOT

MADE = outputs(events.pack(), named(DEFAULTS))
HELD = sorted(
    path.relative_to(ROOT / "outputs").as_posix()
    for target in TARGETS
    for path in (ROOT / "outputs" / target).rglob("*")
    if path.is_file()
)


def test_every_rule_converts_on_every_target() -> None:
    assert (MADE.refusals, MADE.problems) == ([], [])


@pytest.mark.parametrize("path", HELD)
def test_a_golden_is_what_its_rule_converts_to(path: str) -> None:
    made = {str(place): text for place, text in MADE.files.items()}
    assert (ROOT / "outputs" / path).read_bytes().decode() == made.get(path)


def test_no_golden_is_missing_or_left_over() -> None:
    assert [str(difference.path) for difference in differences(MADE.files, ROOT / "outputs", ["manifest.json"])] == []


def test_outputs_hold_one_file_a_rule_and_target_and_the_hunting_queries() -> None:
    rules = [rule.place.name for rule in events.pack().rules]
    wanted = {f"{target.name}/t1596_003/{rule}.{target.suffix}" for target in named(DEFAULTS) for rule in rules}
    hunting = {"kusto/t1596_003/_hunting.kql", "splunk/t1596_003/_hunting.spl"}
    hunting |= {"lucene/t1596_003/_hunting.json", "lucene/t1596_003/_hunting.lucene"}
    assert set(HELD) == wanted | hunting


@pytest.mark.parametrize("path", HELD)
def test_a_golden_is_utf8_with_plain_newlines_and_ends_with_one(path: str) -> None:
    content = Path(ROOT / "outputs" / path).read_bytes()
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert not content.endswith(b"\n\n")
