"""Conversions in several processes, as those who ask for them see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from converter.convert import AS_ROUTED
from converter.jobs import WORTH_A_WORKER, Workers, conversions
from converter.packs import read
from converter.rule import Rule
from converter.targets import named
from tests.command import rule


@pytest.mark.parametrize("jobs", [1, 2])
def test_rules_are_watched_as_their_turn_comes(tmp_path: Path, jobs: int) -> None:
    for number in range(WORTH_A_WORKER + 50):
        (tmp_path / f"{number:03}.yml").write_text(rule(number))
    rules = read([str(tmp_path)]).rules
    taken: list[Rule] = []

    def watched(all_of_them: Sequence[Rule]) -> Iterator[Rule]:
        for one in all_of_them:
            taken.append(one)
            yield one

    with Workers(jobs) as workers:
        for number, outcome in enumerate(
            conversions(rules, named(["kusto"]), AS_ROUTED, workers, watched=watched), start=1
        ):
            assert len(taken) == number
            assert outcome.rule is taken[-1]
    assert taken == rules
