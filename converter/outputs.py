"""What a reading becomes on disk: every query and hunting query as one `{path: text}` tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from converter.convert import AS_ROUTED, How, NamedRoute, Query, Refusal
from converter.errors import Problem
from converter.hunting import NAME, hunting
from converter.jobs import Workers, conversions
from converter.kept import Kept
from converter.packs import Pack, Reading
from converter.rule import Rule
from converter.targets.target import Target


@dataclass(frozen=True)
class Outputs:
    """The files, by path below the output folder, and what did not become one.

    `sources` says of each file what it was made from: a rule's query, or the pack of a hunting query.
    """

    files: dict[PurePosixPath, str]
    sources: dict[PurePosixPath, Query | Pack]
    refusals: list[Refusal]
    problems: list[Problem]

    @property
    def queries(self) -> list[Query]:
        """The rules' queries, in the order of their conversion."""
        return [source for source in self.sources.values() if isinstance(source, Query)]


class Output(NamedTuple):
    """A file below the output folder: its path, its text, and the query or pack that it was made from."""

    path: str
    text: str
    source: Query | Pack


def outputs(
    reading: Reading, targets: Sequence[Target], how: How = AS_ROUTED, workers: Workers | None = None
) -> Outputs:
    """Convert all that was read: to `<target>/<rule's place>.<suffix>`, and `<target>/<pack's place>/_hunting.*`."""
    made = Outputs({}, {}, [], [])
    for path, text, source in each_output(reading, targets, how, made, workers=workers):
        made.files[PurePosixPath(path)] = text
        made.sources[PurePosixPath(path)] = source
    return made


def each_output(  # noqa: PLR0913 - each is one fact of the run
    reading: Reading,
    targets: Sequence[Target],
    how: How,
    made: Outputs,
    *,
    workers: Workers | None = None,
    watched: Callable[[Sequence[Rule]], Iterable[Rule]] = iter,
    kept: Kept | None = None,
) -> Iterator[Output]:
    """The same one by one, so that none has to be held; what did not become one is added to what was `made`.

    `watched` is as in `conversions`.
    """
    reserved = {str(pack.place / NAME).casefold() for pack in reading.packs if pack.hunting}
    rules = []
    for rule in reading.rules:
        if reserved and rule.place_name.casefold() in reserved:
            reason = f"would write the file of the pack's {NAME} query; rename it"
            made.refusals.extend(Refusal(rule, target, reason) for target in targets)
        else:
            rules.append(rule)
    hunted = {id(category.rule) for pack in reading.packs if pack.hunting for category in pack.hunting.categories}
    done: dict[tuple[PurePosixPath, int, str], Query | Refusal] = {}
    for outcome in conversions(rules, targets, how, workers, kept, watched):
        is_whole = isinstance(outcome, Refusal) or not isinstance(outcome.route, NamedRoute)
        if is_whole and id(outcome.rule) in hunted:
            done[outcome.rule.file, outcome.rule.first_line, outcome.target.name] = outcome
        if isinstance(outcome, Refusal):
            made.refusals.append(outcome)
        else:
            yield Output(outcome.output, f"{outcome.text}\n", outcome)
    for pack in reading.packs:
        for target in targets:
            texts = hunting(pack, target, how, done)
            if isinstance(texts, Problem):
                made.problems.append(texts)
            else:
                for path, text in texts.items():
                    yield Output(f"{target.name}/{path}", f"{text}\n", pack)
