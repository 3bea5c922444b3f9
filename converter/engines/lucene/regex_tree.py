"""Regular expressions of Lucene's dialect as a tree.

After https://www.elastic.co/docs/reference/query-languages/query-dsl/regexp-syntax and the rules that Lucene's
`RegExp` (version 10, all optional operators on) states before its constructor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from converter.engines.engine import Invalid, Unjudged

MAX_CODE = 0x10FFFF
_MOST = 2**31 - 1
DIGITS = "0123456789"
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Characters:
    """One character of some ranges of code points."""

    ranges: Ranges


@dataclass(frozen=True)
class Concat:
    """Parts one after the other; none at all is the empty text."""

    parts: Sequence[Regex]


@dataclass(frozen=True)
class Union:
    """One of the parts."""

    parts: Sequence[Regex]


@dataclass(frozen=True)
class Intersection:
    """What both parts match."""

    parts: Sequence[Regex]


@dataclass(frozen=True)
class Repeat:
    """The part again and again, from `least` to `most` times (None: without end)."""

    part: Regex
    least: int
    most: int | None


@dataclass(frozen=True)
class Nothing:
    """Matches no text at all, not even the empty one."""


@dataclass(frozen=True)
class Interval:
    """A decimal number from `low` to `high`; `digits` is its length, 0 for any number of leading zeros."""

    low: int
    high: int
    digits: int


Regex = Characters | Concat | Union | Intersection | Repeat | Nothing | Interval

ANY: Ranges = ((0, MAX_CODE),)
_SPACES: Ranges = ((9, 10), (13, 13), (32, 32))
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_NUMERIC: Ranges = ((48, 57),)
_SIGNS: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}


def outside(ranges: Ranges) -> Ranges:
    """The code points outside of the ranges."""
    found: list[tuple[int, int]] = []
    at = 0
    for low, high in sorted(ranges):
        if low > at:
            found.append((at, low - 1))
        at = max(at, high + 1)
    if at <= MAX_CODE:
        found.append((at, MAX_CODE))
    return tuple(found)


_CLASSES: dict[str, Ranges] = {"d": _NUMERIC, "w": _WORD, "s": _SPACES}
_CLASSES |= {name.upper(): outside(ranges) for name, ranges in _CLASSES.items()}


def read(text: str) -> Regex:
    """The expression as a tree; raises Invalid where a node refuses it, Unjudged where nodes differ."""
    if not text:
        return Concat(())
    reader = _Reader(text)
    tree = reader.union()
    if reader.at < len(text):
        raise reader.wrong("the expression ends before its text does")
    return tree


class _Reader:
    """Reads an expression from left to right, a method a rule."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def wrong(self, why: str) -> Invalid:
        return Invalid(f"the regular expression /{self.text}/ is none: {why}, at {self.at}")

    def peek(self, signs: str) -> bool:
        return self.at < len(self.text) and self.text[self.at] in signs

    def take(self, sign: str) -> bool:
        found = self.peek(sign)
        self.at += found
        return found

    def next(self) -> str:
        if self.at >= len(self.text):
            raise self.wrong("it ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def union(self) -> Regex:
        parts = [self.intersection()]
        while self.take("|"):
            parts.append(self.intersection())
        return parts[0] if len(parts) == 1 else Union(tuple(parts))

    def intersection(self) -> Regex:
        parts = [self.sequence()]
        while self.take("&"):
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else Intersection(tuple(parts))

    def sequence(self) -> Regex:
        # The first part stands whatever it begins with: `*a` and `|a` begin with a sign that means itself.
        parts = [self.repeated()]
        while self.at < len(self.text) and not self.peek(")|&"):
            parts.append(self.repeated())
        return parts[0] if len(parts) == 1 else Concat(tuple(parts))

    def repeated(self) -> Regex:
        part = self.charclass() if self.take("[") else self.simple()
        while self.peek("?*+{"):
            sign = self.next()
            part = self.counted(part) if sign == "{" else Repeat(part, *_SIGNS[sign])
        return part

    def counted(self, part: Regex) -> Regex:
        least = self.number()
        if least is None:
            raise self.wrong("a number is missing")
        most = self.number() if self.take(",") else least
        if not self.take("}"):
            raise self.wrong("a } is missing")
        if most is not None and least > most:
            raise self.wrong("a count ends before it starts")
        return Repeat(part, least, most)

    def number(self) -> int | None:
        start = self.at
        while self.peek(DIGITS):
            self.at += 1
        if self.at == start:
            return None
        number = int(self.text[start : self.at])
        if number > _MOST:
            raise self.wrong("a number is over 32 bits")
        return number

    def charclass(self) -> Regex:
        negated = self.take("^")
        ranges = [*self.members()]
        while self.at < len(self.text) and not self.peek("]"):
            ranges += self.members()
        if not self.take("]"):
            raise self.wrong("a ] is missing")
        return Characters(outside(tuple(ranges)) if negated else tuple(ranges))

    def members(self) -> Ranges:
        named = self.named()
        if named is not None:
            return named
        low = ord(self.character())
        high = ord(self.character()) if self.take("-") else low
        if low > high:
            raise self.wrong("a range ends before it starts")
        return ((low, high),)

    def named(self) -> Ranges | None:
        r"""The characters of `\d` and its like."""
        if not self.peek("\\") or not (sign := self.text[self.at + 1 : self.at + 2]).isascii() or not sign.isalpha():
            return None
        if sign not in _CLASSES:
            raise self.wrong(f"there is no class \\{sign}")
        self.at += 2
        return _CLASSES[sign]

    def character(self) -> str:
        self.take("\\")
        return self.next()

    def simple(self) -> Regex:
        if self.peek("~"):
            raise Unjudged("~ in a regular expression: Elasticsearch and OpenSearch read it in two ways")
        if self.take("."):
            return Characters(ANY)
        if self.take("#"):
            return Nothing()
        if self.take("@"):
            return Repeat(Characters(ANY), 0, None)
        if self.take('"'):
            return self.string()
        if self.take("("):
            return self.group()
        if self.take("<"):
            return self.interval()
        named = self.named()
        return Characters(named) if named is not None else plain(self.character())

    def string(self) -> Regex:
        end = self.text.find('"', self.at)
        if end < 0:
            raise self.wrong('a " is missing')
        held = self.text[self.at : end]
        self.at = end + 1
        return Concat(tuple(map(plain, held)))

    def group(self) -> Regex:
        if self.take(")"):
            return Concat(())
        inner = self.union()
        if not self.take(")"):
            raise self.wrong("a ) is missing")
        return inner

    def interval(self) -> Regex:
        end = self.text.find(">", self.at)
        if end < 0:
            raise self.wrong("a > is missing")
        low, dash, high = self.text[self.at : end].partition("-")
        self.at = end + 1
        if not dash or not (low + high).isdecimal() or not low or not high or not (low + high).isascii():
            raise self.wrong("an interval is two numbers")
        first, last = sorted((int(low), int(high)))
        return Interval(first, last, len(low) if len(low) == len(high) else 0)


def plain(character: str) -> Characters:
    """The expression of one character that means itself."""
    return Characters(((ord(character), ord(character)),))
