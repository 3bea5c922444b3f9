"""Value modifiers: what each makes of a value, in the order in which they are written.

Specification, appendix "Sigma Modifiers". Where that leaves a combination open, such as a regular expression that
begins with something, the value is refused.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from converter.oracle import text as texts
from converter.oracle.tree import (
    ANY,
    Boolean,
    Compare,
    Exists,
    Network,
    Null,
    Number,
    Pattern,
    Reference,
    Test,
    Text,
    Wild,
)
from converter.oracle.unmeant import Unmeant

# The modifiers that join values rather than change one.
JOINING = frozenset({"all", "neq"})
TIME = frozenset({"minute", "hour", "day", "week", "month", "year"})
OPERATORS: Mapping[str, Literal["<", "<=", ">", ">="]] = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


@dataclass(frozen=True)
class Encoded:
    """A text as bytes, on its way through encodings; wildcards in place."""

    parts: tuple[bytes | Wild, ...]
    cased: bool = False


Draft = Test | Encoded
Step = Callable[[Draft], Sequence[Draft]]


@dataclass(frozen=True)
class Chain:
    """The modifiers of one field, in their order."""

    names: Sequence[str]
    placeholders: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.names:
            if name in TIME:
                raise Unmeant(f"{name} takes part of a date, and no format of dates is defined")
            if name not in STEPS and name not in JOINING and name not in {"re", "expand"}:
                raise Unmeant(f"there is no modifier {name}")
        if "re" in self.names[1:]:
            raise Unmeant("re takes the value as it is written, so it comes first")

    def tests(self, value: object) -> list[Test]:
        """What the value asks of a field, of which any will do; raises Unmeant where the modifiers do not take it."""
        names = [name for name in self.names if name not in JOINING]
        if names[:1] == ["re"]:
            drafts: list[Draft] = [_pattern(value)]
            del names[0]
        else:
            drafts = [_literal(value)]
        for name in names:
            step = partial(_expanded, placeholders=self.placeholders) if name == "expand" else STEPS[name]
            drafts = [made for draft in drafts for made in step(draft)]
        return [_finished(draft) for draft in drafts]


def _literal(value: object) -> Test:
    match value:
        case None:
            return Null()
        case bool():
            return Boolean(value)
        case int() | float():
            if not math.isfinite(value):
                raise Unmeant(f"{value} is no number that a log holds")
            return Number(value)
        case str():
            return texts.parse(value)
    raise Unmeant(f"a {type(value).__name__} is no value of a field")


def _pattern(value: object) -> Pattern:
    if not isinstance(value, str):
        raise Unmeant("re takes a text")
    return Pattern(value)


def _finished(draft: Draft) -> Test:
    if not isinstance(draft, Encoded):
        return draft
    try:
        parts = [part if isinstance(part, Wild) else part.decode("ascii") for part in draft.parts]
    except UnicodeDecodeError as error:
        raise Unmeant("bytes beyond ASCII are no text until they are in Base64") from error
    return Text(texts.joined(parts), draft.cased)


def _text(draft: Draft, modifier: str) -> Text:
    if isinstance(draft, Encoded):
        draft = _finished(draft)
    if not isinstance(draft, Text):
        raise Unmeant(f"{modifier} takes a text, not a {type(draft).__name__.lower()}")
    return draft


def _placed(draft: Draft, kind: Literal["startswith", "endswith", "contains"]) -> Sequence[Draft]:
    if isinstance(draft, Reference):
        return [replace(draft, kind=kind)]
    # Generic modifiers are for every type; the digits of a whole number are the same everywhere.
    digits = isinstance(draft, Number) and isinstance(draft.number, int)
    text = Text((str(draft.number),)) if isinstance(draft, Number) and digits else _text(draft, kind)
    before = () if kind == "startswith" else (ANY,)
    after = () if kind == "endswith" else (ANY,)
    return [replace(text, parts=texts.joined((*before, *text.parts, *after)))]


def _cased(draft: Draft) -> Sequence[Draft]:
    if isinstance(draft, Text | Reference | Encoded):
        return [replace(draft, cased=True)]
    if isinstance(draft, Number):
        return [draft]
    return [_text(draft, "cased")]


def _flag(draft: Draft, flag: str) -> Sequence[Draft]:
    if not isinstance(draft, Pattern):
        raise Unmeant(f"{flag} is a flag of re")
    return [replace(draft, flags=draft.flags | {flag})]


def _encode(draft: Draft, codec: str, mark: bytes = b"") -> Sequence[Draft]:
    text = _text(draft, "an encoding")
    parts = tuple(part if isinstance(part, Wild) else part.encode(codec, "surrogatepass") for part in text.parts)
    if mark:
        first = parts[0] if parts else b""
        parts = (mark, *parts) if isinstance(first, Wild) else (mark + first, *parts[1:])
    return [Encoded(parts, text.cased)]


def _content(draft: Draft, modifier: str) -> tuple[bytes, bool]:
    if isinstance(draft, Encoded):
        if any(isinstance(part, Wild) for part in draft.parts):
            raise Unmeant(f"{modifier} takes no wildcards")
        return b"".join(part for part in draft.parts if isinstance(part, bytes)), draft.cased
    text = _text(draft, modifier)
    return texts.plain(text, modifier).encode("utf-8", "surrogatepass"), text.cased


def _base64(draft: Draft) -> Sequence[Draft]:
    content, cased = _content(draft, "base64")
    return [Text(texts.joined([texts.base64_whole(content)]), cased)]


def _base64offset(draft: Draft) -> Sequence[Draft]:
    content, cased = _content(draft, "base64offset")
    return [Text((made,), cased) for made in texts.base64_inside(content)]


def _compared(draft: Draft, modifier: str) -> Sequence[Draft]:
    if not isinstance(draft, Number):
        raise Unmeant(f"{modifier} takes a number")
    return [Compare(OPERATORS[modifier], draft.number)]


def _network(draft: Draft) -> Sequence[Draft]:
    block = texts.plain(_text(draft, "cidr"), "cidr")
    try:
        return [Network(str(ipaddress.ip_network(block)))]
    except ValueError as error:
        raise Unmeant(f"{block!r} is no block of addresses: {error}") from error


def _reference(draft: Draft) -> Sequence[Draft]:
    text = _text(draft, "fieldref")
    other = texts.plain(text, "fieldref")
    if not other:
        raise Unmeant("fieldref names no field")
    return [Reference(other, cased=text.cased)]


def _exists(draft: Draft) -> Sequence[Draft]:
    if not isinstance(draft, Boolean):
        raise Unmeant("exists takes true or false")
    return [Exists(draft.truth)]


def _windash(draft: Draft) -> Sequence[Draft]:
    return list(texts.windash(_text(draft, "windash")))


def _expanded(draft: Draft, placeholders: Mapping[str, Sequence[str]]) -> Sequence[Draft]:
    return list(texts.expand(_text(draft, "expand"), placeholders))


_utf16le = partial(_encode, codec="utf-16-le")
STEPS: Mapping[str, Step] = {
    "contains": partial(_placed, kind="contains"),
    "startswith": partial(_placed, kind="startswith"),
    "endswith": partial(_placed, kind="endswith"),
    "cased": _cased,
    "windash": _windash,
    "i": partial(_flag, flag="i"),
    "m": partial(_flag, flag="m"),
    "s": partial(_flag, flag="s"),
    "base64": _base64,
    "base64offset": _base64offset,
    "utf16le": _utf16le,
    "wide": _utf16le,
    "utf16be": partial(_encode, codec="utf-16-be"),
    # The specification's own example of the mark is FF FE, which goes before little endian.
    "utf16": partial(_encode, codec="utf-16-le", mark=b"\xff\xfe"),
    "cidr": _network,
    "exists": _exists,
    "fieldref": _reference,
    **{name: partial(_compared, modifier=name) for name in OPERATORS},
}
