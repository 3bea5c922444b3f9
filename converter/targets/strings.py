"""Sigma's string values taken apart: what every dialect needs to say them in its own words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaString, SpecialChars

Part = str | Literal[SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE]
ANY, ONE = SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE


@dataclass(frozen=True)
class Shape:
    """A value as an operator and its plain text; `wildcards` stands for all that no simple operator says."""

    operator: Literal["equals", "startswith", "endswith", "contains", "anything", "wildcards"]
    text: str = ""


def parts(value: SigmaString) -> list[Part]:
    """The value as plain texts and wildcards, several `*` in a row made one; raises for a placeholder left in it."""
    held = value.s
    if len(held) == 1 and type(held[0]) is str:
        return [held[0]] if held[0] else []
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


def string_like(like: SigmaString, pieces: Sequence[Part]) -> SigmaString:
    """A string of these pieces, which minds letter case if `like` does."""
    made = type(like)()
    made.s = list(pieces)
    return made


def shape(value: SigmaString) -> Shape:
    """The simplest operator that says the value."""
    match parts(value):
        case []:
            return Shape("equals")
        case [str(text)]:
            return Shape("equals", text)
        case [SpecialChars.WILDCARD_MULTI]:
            return Shape("anything")
        case [str(text), SpecialChars.WILDCARD_MULTI]:
            return Shape("startswith", text)
        case [SpecialChars.WILDCARD_MULTI, str(text)]:
            return Shape("endswith", text)
        case [SpecialChars.WILDCARD_MULTI, str(text), SpecialChars.WILDCARD_MULTI]:
            return Shape("contains", text)
    return Shape("wildcards")


def render(value: SigmaString, text: Callable[[str], str], many: str, one: str) -> str:
    """The value with each plain text put through `text`, and `many` and `one` for `*` and `?`."""
    return "".join(text(part) if isinstance(part, str) else many if part is ANY else one for part in parts(value))
