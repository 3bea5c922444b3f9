"""Rules that need one repair each: what the stock query, ours, and ours without the repair make of one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from converter.convert import How, Query, Refusal, converted
from converter.rule import Rule
from converter.stock import StockOptions
from converter.targets import TARGETS
from converter.targets.repair import Repair

PROCESS = {"category": "process_creation", "product": "windows"}


@dataclass(frozen=True)
class Case:
    """One rule that needs the repair `id`, and one event that shows it.

    The event is in Sigma's names, or a vendor's row, as the tests of the target say. `stock` is the sigma-cli pipeline.
    `found` says whether the rule finds the event. `also` names repairs that the stock query needs first to be judged:
    our query without all of these and the repair itself then stands for it.
    """

    id: str
    detection: Mapping[str, Any]
    event: Mapping[str, Any]
    found: bool = True
    logsource: Mapping[str, str] = field(default_factory=lambda: PROCESS)
    more: Mapping[str, Any] = field(default_factory=dict)
    pipeline: str = ""
    target: str = ""

    @property
    def rule(self) -> Rule:
        """The rule as if it were read from a file."""
        document = {
            "title": "T",
            "logsource": dict(self.logsource),
            "detection": {"condition": "s"} | dict(self.detection),
        }
        return Rule(Path("r.yml"), PurePosixPath("r"), "", document | dict(self.more))


def stock(case: Case, target: str) -> str | None:
    """The stock query; None where the stock backend raises, or converts to nothing."""
    outcome = converted(
        case.rule, TARGETS[target], How(StockOptions((case.pipeline,)), stock=True, referable=(case.rule,))
    )
    return outcome.text if isinstance(outcome, Query) else None


def ours(case: Case, target: str, *without: str) -> Query | Refusal:
    """Our query, less the repairs named."""
    return converted(case.rule, TARGETS[target], How(without=frozenset(without), allow_unmapped=True))


def named(cases: Sequence[Case]) -> list[Any]:
    """The cases as parameters with their ids."""
    return [pytest.param(case, id=f"{case.id}-{number}") for number, case in enumerate(cases)]


def uncovered(repairs: Mapping[str, Repair], cases: Sequence[Case], elsewhere: Mapping[str, str]) -> set[str]:
    """The repairs that no case and no other test shows."""
    return repairs.keys() - {case.id for case in cases} - elsewhere.keys()
