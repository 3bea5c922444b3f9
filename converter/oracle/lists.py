"""Long lists of texts, asked of a value as one."""

from __future__ import annotations

from collections.abc import Sequence

from converter.oracle.letters import ascii_folded
from converter.oracle.scalars import Ask, ask
from converter.oracle.tree import ANY, ONE, Scalar, Text


def any_text(texts: Sequence[Text]) -> Ask:
    """Whether a value is any of the texts: plain ones are looked up together where value and text are ASCII."""
    sorted_out = _Sorted(texts)
    slow: list[Ask] = []

    def answer(value: Scalar) -> bool | None:
        if isinstance(value, str) and value.isascii():
            return sorted_out.matches(value)
        if not slow:
            # Few values need them, so they are made for the first one that does.
            slow.extend(ask(text) for text in texts)
        return _any_says(slow, value)

    return answer


def _any_says(asks: Sequence[Ask], value: Scalar) -> bool | None:
    found: bool | None = False
    for one in asks:
        answer = one(value)
        if answer:
            return True
        if answer is None:
            found = None
    return found


class _Sorted:
    """Texts sorted by where their `*` stand, for values of ASCII."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self.whole: set[str] = set()
        starts: list[str] = []
        ends: list[str] = []
        self.inside: list[str] = []
        self.rest: list[Ask] = []
        for text in texts:
            plain = [part for part in text.parts if isinstance(part, str)]
            if text.cased or len(plain) != 1 or ONE in text.parts or not plain[0].isascii():
                self.rest.append(ask(text))
                continue
            before, after = text.parts[0] == ANY, text.parts[-1] == ANY
            place = self.inside if before and after else ends if before else starts if after else None
            if place is None:
                self.whole.add(ascii_folded(plain[0]))
            else:
                place.append(ascii_folded(plain[0]))
        self.starts, self.ends = tuple(starts), tuple(ends)

    def matches(self, value: str) -> bool | None:
        """Whether the value is any of the texts."""
        folded = value.lower()
        if (
            folded in self.whole
            or folded.startswith(self.starts)
            or folded.endswith(self.ends)
            or any(part in folded for part in self.inside)
        ):
            return True
        return _any_says(self.rest, value)
