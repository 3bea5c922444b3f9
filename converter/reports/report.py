"""What a report tells of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from converter.convert import Query, Refusal
from converter.errors import Problem
from converter.verdicts import Asked, Verdict

REFUSED = "refused"
UNREADABLE = "unreadable"
PROBLEM = "problem"


@dataclass(frozen=True)
class Tested:
    """The verdict on one query: that of a rule, or of a pack's hunting query; `todo` is the reason of a known gap.

    `place` is what it is called, `output` its file below the folder of outputs.
    """

    path: Path
    place: PurePosixPath
    title: str
    id: str
    target: str
    verdict: Verdict
    output: PurePosixPath
    todo: str = ""

    def is_finding(self, *, skip: bool = False) -> bool:
        """Whether it is not what it should be: exact, or any other where a gap is known."""
        if self.todo:
            return self.verdict.kind == "exact"
        return self.verdict.kind != "exact" and not (skip and self.verdict.kind == "refused")

    def headline(self) -> str:
        """The verdict on one line: where, what, and why."""
        kind, reason = self.verdict.kind, one_line(self.verdict.reason)
        if kind == "exact" and self.todo:
            reason = "the gap that its cases name is closed; remove it there"
        elif not reason and self.verdict.shown:
            reason = "; ".join(_shown(shown) for shown in self.verdict.shown)
        return f"{self.path.as_posix()}: {kind} on {self.target}" + (f": {reason}" if reason else "")


def _shown(shown: Asked) -> str:
    what = "misses" if shown.wanted else "also finds"
    return f"{what} {one_line(shown.stranger or shown.name)!r}"


@dataclass(frozen=True)
class Report:
    """What a run came to.

    `tested` are the verdicts of a test, `unread` the INPUTs and files that could not be read, `problems` all else that
    was found.
    """

    queries: Sequence[Query] = ()
    refusals: Sequence[Refusal] = ()
    problems: Sequence[Problem] = ()
    unread: Sequence[Problem] = ()
    tested: Sequence[Tested] = ()

    def found(self) -> Iterator[tuple[str, Problem]]:
        """Every problem with its kind, `unreadable` or `problem`; refusals are not among them."""
        yield from ((UNREADABLE, problem) for problem in self.unread)
        yield from ((PROBLEM, problem) for problem in self.problems)


def one_line(message: str) -> str:
    """The message on one line, whatever a library wrote into it."""
    return " ".join(message.split())
