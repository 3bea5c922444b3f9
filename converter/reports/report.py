"""What a report tells of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from converter.convert import Query, Refusal
from converter.errors import Problem

REFUSED = "refused"
UNREADABLE = "unreadable"
PROBLEM = "problem"


@dataclass(frozen=True)
class Report:
    """What a run came to.

    `unread` are the INPUTs and files that could not be read, `problems` all else that was found.
    """

    queries: Sequence[Query] = ()
    refusals: Sequence[Refusal] = ()
    problems: Sequence[Problem] = ()
    unread: Sequence[Problem] = ()

    def found(self) -> Iterator[tuple[str, Problem]]:
        """Every problem with its kind, `unreadable` or `problem`; refusals are not among them."""
        yield from ((UNREADABLE, problem) for problem in self.unread)
        yield from ((PROBLEM, problem) for problem in self.problems)


def one_line(message: str) -> str:
    """The message on one line, whatever a library wrote into it."""
    return " ".join(message.split())
