"""What can go wrong, in the user's words: where, what, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """One thing that a user can mend, as a value: it never stops the others.

    `line` counts from 1; `path` and `line` are None where no file, or no single line of it, is to blame.
    """

    message: str
    path: Path | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = "" if self.path is None else self.path.as_posix()
        if where and self.line is not None:
            where = f"{where}:{self.line}"
        # One line each, whatever a library wrote into the message.
        message = " ".join(self.message.split())
        return f"{where}: {message}" if where else message


class SigmapackError(Exception):
    """The base of every error of ours; carries the problem that the command line prints."""

    def __init__(self, message: str, path: Path | None = None, line: int | None = None) -> None:
        self.problem = Problem(message, path, line)
        super().__init__(str(self.problem))


class UsageError(SigmapackError):
    """The command, or the project's configuration, asks for something that is not there: exit code 2."""
