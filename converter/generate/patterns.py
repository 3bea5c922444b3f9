"""Texts that a regular expression finds, made from the expression itself; only here is Python's parser known."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

# Python's parser of regular expressions, which the standard library keeps for itself and types nowhere.
_parser: Any = getattr(re, "_parser")  # noqa: B009 - see above
_codes: Any = getattr(re, "_constants")  # noqa: B009

# How often, beyond its least, something repeats.
MORE = 3
PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
# Characters tried where the expression only says what may not stand there, the plainest first.
TRIED = "aA1_- .\\/:x5" + "".join(PRINTABLE) + "\t\n"
CLASSES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_NOT_DIGIT": "aZ -",
    "CATEGORY_SPACE": "  \t",
    "CATEGORY_NOT_SPACE": "aZ0-",
    "CATEGORY_WORD": "aZ09_",
    "CATEGORY_NOT_WORD": " -.",
}


@dataclass
class _Text:
    random: Random
    signs: list[str] = field(default_factory=list)
    groups: dict[int, str] = field(default_factory=dict)
    begins: bool = False
    ends: bool = False


@dataclass(frozen=True)
class Sample:
    """A text that the expression should find; it must stand at the begin of the value, or at its end."""

    text: str
    begins: bool
    ends: bool


def sample(pattern: str, random: Random) -> Sample | None:
    """A text made from the pattern; None where Python cannot read it. Look-around is not obeyed."""
    parsed = _parsed(pattern)
    if parsed is None:
        return None
    made = _Text(random)
    _sequence(parsed, made)
    return Sample("".join(made.signs), made.begins, made.ends)


@cache
def _parsed(pattern: str) -> Any:  # noqa: ANN401 - the parser has no types
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _sequence(parsed: Any, made: _Text) -> None:  # noqa: ANN401
    for code, told in parsed:
        _item(str(code), told, made)


def _item(code: str, told: Any, made: _Text) -> None:  # noqa: ANN401, C901 - one line for each construct
    random = made.random
    if code == "LITERAL":
        made.signs.append(chr(told))
    elif code == "NOT_LITERAL":
        made.signs.append(next(sign for sign in TRIED if ord(sign) != told))
    elif code == "ANY":
        made.signs.append(random.choice("ax 1-."))
    elif code == "IN":
        made.signs.append(_member(told, random))
    elif code == "BRANCH":
        _sequence(random.choice(told[1]), made)
    elif code in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, inner = told
        for _ in range(least + random.randint(0, min(MORE, int(most) - least))):
            _sequence(inner, made)
    elif code == "SUBPATTERN":
        start = len(made.signs)
        _sequence(told[3], made)
        if told[0] is not None:
            made.groups[told[0]] = "".join(made.signs[start:])
    elif code == "ATOMIC_GROUP":
        _sequence(told, made)
    elif code == "GROUPREF":
        made.signs.append(made.groups.get(told, ""))
    elif code == "AT":
        made.begins |= str(told) in {"AT_BEGINNING", "AT_BEGINNING_STRING"} and not made.signs
        made.ends |= str(told) in {"AT_END", "AT_END_STRING"}


def _member(told: Any, random: Random) -> str:  # noqa: ANN401
    """A character of a class."""
    negated = str(told[0][0]) == "NEGATE"
    if negated:
        return next((sign for sign in TRIED if not any(_holds(item, sign) for item in told[1:])), "a")
    code, inner = random.choice(told)
    if str(code) == "RANGE":
        return chr(random.randint(inner[0], min(inner[1], max(inner[0], 0x7E))))
    return chr(inner) if str(code) == "LITERAL" else random.choice(CLASSES[str(inner)])


def _holds(item: Any, sign: str) -> bool:  # noqa: ANN401
    code, inner = str(item[0]), item[1]
    if code == "RANGE":
        return bool(inner[0] <= ord(sign) <= inner[1])
    if code == "LITERAL":
        return bool(ord(sign) == inner)
    return _IN[str(inner)].match(sign) is not None


_IN = {
    "CATEGORY_DIGIT": re.compile(r"\d"),
    "CATEGORY_NOT_DIGIT": re.compile(r"\D"),
    "CATEGORY_SPACE": re.compile(r"\s"),
    "CATEGORY_NOT_SPACE": re.compile(r"\S"),
    "CATEGORY_WORD": re.compile(r"\w"),
    "CATEGORY_NOT_WORD": re.compile(r"\W"),
}
