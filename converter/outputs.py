"""What a reading becomes on disk: every query and hunting query as one `{path: text}` tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from converter.convert import AS_ROUTED, How, Query, Refusal
from converter.errors import Problem
from converter.hunting import NAME, hunting
from converter.jobs import conversions
from converter.packs import Reading
from converter.targets.target import Target


@dataclass(frozen=True)
class Outputs:
    """The files, by path below the output folder, and what did not become one."""

    files: dict[PurePosixPath, str]
    queries: list[Query]
    refusals: list[Refusal]
    problems: list[Problem]


def outputs(reading: Reading, targets: Sequence[Target], how: How = AS_ROUTED, jobs: int = 1) -> Outputs:
    """Convert all that was read: to `<target>/<rule's place>.<suffix>`, and `<target>/<pack's place>/_hunting.*`."""
    made = Outputs({}, [], [], [])
    reserved = {pack.place / NAME for pack in reading.packs if pack.hunting}
    rules = []
    for rule in reading.rules:
        if rule.place in reserved:
            made.problems.append(Problem(f"would write the file of the pack's {NAME} query; rename it", rule.path))
        else:
            rules.append(rule)
    for outcome in conversions(rules, targets, how, jobs):
        if isinstance(outcome, Refusal):
            made.refusals.append(outcome)
        else:
            path = PurePosixPath(outcome.target.name, f"{outcome.rule.place}.{outcome.target.suffix}")
            made.queries.append(outcome)
            made.files[path] = outcome.text + "\n"
    for pack in reading.packs:
        for target in targets:
            texts = hunting(pack, target, how)
            if isinstance(texts, Problem):
                made.problems.append(texts)
            else:
                made.files.update({PurePosixPath(target.name) / path: f"{text}\n" for path, text in texts.items()})
    return made
