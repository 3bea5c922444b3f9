"""What stands where a rule's value has a wildcard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from converter.generate.worlds import Kind

# Keys that stand right under a hive, and control sets under one of these.
ABOVE = re.compile(
    r"(?i)\\?(?:(?P<set>CurrentControlSet|ControlSet)|(?P<classes>SOFTWARE\\Classes(?=\\|$))|SOFTWARE\\|SYSTEM\\)"
)
# Those of the machine Sysmon calls HKCR: https://learn.microsoft.com/sysinternals/downloads/sysmon, event ID 12.
OF_A_USER = r"HKU\S-1-5-21-1004336348-1177238915-682003330-1001"

Style = Literal["plain", "empty", "rich", "special", "lines"]


@dataclass(frozen=True)
class Fill:
    """How wildcards are filled, and a number that tells one filling from another."""

    style: Style = "plain"
    variant: int = 0

    def begin(self, kind: Kind, right: str) -> str:
        """A filling before everything; `right` is what follows."""
        if kind.begun is not None and kind.begun.match(right):
            return ""
        if kind.separator == "\\" and right.startswith(":\\"):
            return "C"
        if self.style == "empty" and kind.begun is None:
            return ""
        word = _of(kind.start, self.variant)
        if kind.name == "key" and (above := ABOVE.match(right)) is not None:
            word = r"HKLM\SYSTEM" if above["set"] else OF_A_USER if above["classes"] else "HKLM"
        if not kind.separator:
            return word + self._more(kind)
        if more := self._more(kind):
            word += kind.separator + more
        if right.startswith(kind.separator):
            return word
        return word + kind.separator + ("" if right[:1].isalnum() else "a")

    def within(self, kind: Kind, left: str, right: str) -> str:
        """A filling between two texts."""
        if self.style == "empty":
            return ""
        word = self._more(kind) or _of(kind.inner, self.variant)
        sign = kind.separator
        if not sign or left.endswith(sign):
            return word
        if right.startswith(sign):
            return sign + word if self.variant % 2 else ""
        return sign + word + sign if self.variant % 2 else word

    def finish(self, kind: Kind, left: str) -> str:
        """A filling after everything."""
        if self.style == "empty":
            return ""
        word = self._more(kind) or _of(kind.end, self.variant)
        if kind.name == "key" and kind.kept is not None and kind.kept.fullmatch(left):
            return f"Vendor{kind.separator}{word}"
        if not kind.separator or left.endswith(kind.separator):
            return word
        return kind.separator + word if self.variant % 2 else ""

    def one(self, kind: Kind) -> str:
        """One character."""
        if kind.number or kind.name == "hex":
            return "135"[self.variant % 3]
        return "a7_"[self.variant % 3]

    def _more(self, kind: Kind) -> str:
        if self.style == "lines":
            return _of(("\n", " \r\n ", "\t"), self.variant) if kind.lines else ""
        signs = kind.rich if self.style == "rich" else kind.special if self.style == "special" else ()
        return _of(signs, self.variant) if signs else ""


def _of(words: tuple[str, ...], number: int) -> str:
    return words[number % len(words)]
