"""Sigma's string values taken apart: what every dialect needs to say them in its own words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaString, SpecialChars

Operator = Literal["equals", "startswith", "endswith", "contains", "anything", "wildcards"]
Part = str | Literal[SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE]
ANY, ONE = SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE
KINDS = (str, SpecialChars)


class Shape(NamedTuple):
    """A value as an operator and its plain text; `wildcards` stands for all that no simple operator says."""

    operator: Operator
    text: str = ""


def parts(value: SigmaString) -> Sequence[Part]:
    """The value as plain texts and wildcards, several `*` in a row made one; raises for a placeholder left in it."""
    held: list[Any] = value.s
    before = None
    for part in held:
        kind = type(part)
        if kind is before or not part or kind not in KINDS:
            return _merged(held)
        before = kind
    # Nearly every value is a text with a wildcard at its ends, and so as it should be.
    return held


def _merged(held: Sequence[Any]) -> list[Part]:
    result: list[Part] = []
    for part in held:
        if not isinstance(part, str | SpecialChars):
            raise SigmaFeatureNotSupportedByBackendError(f"the placeholder %{part.name}% has no value")
        if part is ANY and result[-1:] == [ANY]:
            continue
        if isinstance(part, str) and result and isinstance(result[-1], str):
            result[-1] += part
        elif part != "":
            result.append(part)
    return result


def only_text(value: SigmaString) -> str | None:
    """The value where it is one plain text, without a wildcard; None for another."""
    pieces = parts(value)
    if not pieces:
        return ""
    text = pieces[0]
    return text if len(pieces) == 1 and type(text) is str else None


def is_anything(value: SigmaString) -> bool:
    """Whether any text at all fits the value."""
    pieces = parts(value)
    return len(pieces) == 1 and pieces[0] is ANY


def string_like(like: SigmaString, pieces: Sequence[Part]) -> SigmaString:
    """A string of these pieces, which minds letter case if `like` does."""
    made = type(like)()
    made.s = list(pieces)
    return made


def shape(value: SigmaString) -> Shape:
    """The simplest operator that says the value."""
    pieces = parts(value)
    if not pieces:
        return EMPTY
    opened, closed = pieces[0] is ANY, pieces[-1] is ANY
    if opened and len(pieces) == 1:
        return ANYTHING
    text = pieces[opened]
    if type(text) is not str or len(pieces) != 1 + opened + closed:
        return WILDCARDS
    return Shape(OPERATORS[opened, closed], text)


# By whether a wildcard stands before the text, and behind it.
OPERATORS: dict[tuple[bool, bool], Operator] = {
    (False, False): "equals",
    (False, True): "startswith",
    (True, False): "endswith",
    (True, True): "contains",
}
EMPTY, WILDCARDS, ANYTHING = Shape("equals"), Shape("wildcards"), Shape("anything")


def render(value: SigmaString, text: Callable[[str], str], many: str, one: str) -> str:
    """The value with each plain text put through `text`, and `many` and `one` for `*` and `?`."""
    made = [text(part) if type(part) is str else many if part is ANY else one for part in parts(value)]
    return "".join(made)
