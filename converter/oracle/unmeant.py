"""What the oracle says of a document that has no settled meaning."""

from __future__ import annotations


class Unmeant(Exception):  # noqa: N818 - it is a finding, not a fault
    """The document is malformed, or says what the specification does not define; `reason` tells which."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
