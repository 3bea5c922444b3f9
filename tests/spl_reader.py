"""SPL read from left to right, form by form: what every part of the evaluator of SPL stands on."""

from __future__ import annotations

import re
from collections.abc import Mapping

Row = Mapping[str, object]

FIELD = r"[A-Za-z_][A-Za-z0-9_]*"
# Search Manual, "Backslashes", and Search Reference, "search": in quotes a backslash stands before itself and before a
# quote. What it means before anything else depends on the command, and we emit nothing of the kind.
QUOTED = re.compile(r'"(?:[^"\\]|\\["\\])*"')
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_.])")


class RefusedError(Exception):
    """The search has a form that we do not emit, or asks what Splunk's manuals leave open: nothing here answers it."""


class Reader:
    """Reads one search; blanks between two forms mean nothing."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0

    def take(self, form: str | re.Pattern[str]) -> re.Match[str] | None:
        """The form, if it stands next."""
        self.position = self._after_blanks()
        found = re.compile(form).match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def need(self, form: str | re.Pattern[str]) -> re.Match[str]:
        """The form, which must stand next; raises RefusedError if it does not."""
        found = self.take(form)
        if found is None:
            raise RefusedError(f"unexpected {self.text[self.position : self.position + 40]!r}")
        return found

    def at(self, characters: str) -> bool:
        """Whether one of the characters stands next, or nothing at all."""
        position = self._after_blanks()
        return position == len(self.text) or self.text[position] in characters

    def _after_blanks(self) -> int:
        blanks = re.compile(r"[ \n]*").match(self.text, self.position)
        return self.position if blanks is None else blanks.end()


def unquoted(literal: str) -> str:
    """The text that a quoted literal stands for."""
    return re.sub(r"\\(.)", r"\1", literal[1:-1])


def refuse_folding(text: str) -> None:
    """Raise RefusedError for letters beyond ASCII that have a case: no manual says how Splunk compares them."""
    for letter in text:
        if not letter.isascii() and letter.upper() != letter.lower():
            raise RefusedError(f"nobody says what {letter} equals when letter case is ignored")


def number(value: object) -> float | None:
    """The value as a number, where it is one or reads as one."""
    return float(str(value)) if not isinstance(value, bool) and NUMBER.fullmatch(str(value)) else None


def time(row: Row) -> float:
    """The row's `_time`, in seconds of UNIX time as Splunk has it."""
    held = row["_time"]
    if not isinstance(held, float):
        raise TypeError("_time is a float")
    return held
