"""The one signal that a rule is refused, raised wherever the reason is known."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - no error of the program: an answer
    """Carries the reason of a refusal, and the line to blame, up to the one place that makes it a value."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason, self.line = reason, line
        super().__init__(reason)
