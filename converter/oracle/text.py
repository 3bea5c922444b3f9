"""Text values of rules: wildcards and escapes, and the modifiers that turn texts into other texts."""

from __future__ import annotations

import base64
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from converter.oracle.tree import ANY, ONE, Text, Wild
from converter.oracle.unmeant import Unmeant

Part = str | Wild
# A backslash takes its meaning from a wildcard, or from itself; before anything else it is a plain character.
TOKEN = re.compile(r"\\([\\*?])|([*?])|(\\|[^\\*?]+)")
# Specification, String Modifiers: these five stand for one another. It does not say where; as agreed practice has it,
# only where they begin a word, so that the hyphen of `well-known` stays one.
DASHES = "-/\u2013\u2014\u2015"
DASH = re.compile(rf"(?<!\w)[{DASHES}](?=\w)")
PLACEHOLDER = re.compile(r"\\%|%([\w-]+)%")
# More texts than this from one value are no rule that anyone wrote.
MOST_TEXTS = 5_000
BASE64_BITS, BYTE_BITS = 6, 8


def parse(value: str) -> Text:
    """The text that a value stands for: `*` and `?` are wildcards, and a backslash escapes these and itself."""
    parts: list[Part] = []
    for escaped, wildcard, plain in TOKEN.findall(value):
        parts.append({"*": ANY, "?": ONE}[wildcard] if wildcard else escaped or plain)
    return Text(joined(parts))


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts with neighbouring texts made one, empty texts left out, and `**` made `*`."""
    made: list[Part] = []
    for part in parts:
        last = made[-1] if made else None
        if isinstance(part, str) and isinstance(last, str):
            made[-1] = last + part
        elif part != "" and not (part == ANY and last == ANY):
            made.append(part)
    return tuple(made)


def plain(text: Text, purpose: str) -> str:
    """The text itself; raises Unmeant where it holds wildcards, which `purpose` has no use for."""
    if any(isinstance(part, Wild) for part in text.parts):
        raise Unmeant(f"{purpose} takes no wildcards")
    return "".join(part for part in text.parts if isinstance(part, str))


def windash(text: Text) -> Iterator[Text]:
    """The text with each dash that begins a word written in every way that Windows takes, in all combinations."""
    choices: list[Sequence[Part]] = []
    for part in text.parts:
        if isinstance(part, Wild):
            choices.append([part])
            continue
        at = 0
        for dash in DASH.finditer(part):
            choices += [[part[at : dash.start()]], list(DASHES)]
            at = dash.end()
        choices.append([part[at:]])
    return _combined(text, choices)


def expand(text: Text, placeholders: Mapping[str, Sequence[str]]) -> Iterator[Text]:
    r"""The text with each `%name%` replaced by every value of that placeholder; `\%` is a plain percent sign."""
    choices: list[Sequence[Part | Text]] = []
    for part in text.parts:
        if isinstance(part, Wild):
            choices.append([part])
            continue
        at = 0
        for found in PLACEHOLDER.finditer(part):
            choices.append([part[at : found.start()]])
            choices.append(["%"] if found[1] is None else _values(found[1], placeholders))
            at = found.end()
        choices.append([part[at:]])
    return _combined(text, choices)


def _values(name: str, placeholders: Mapping[str, Sequence[str]]) -> Sequence[Text]:
    if not placeholders.get(name):
        raise Unmeant(f"the placeholder %{name}% has no values")
    return [parse(value) for value in placeholders[name]]


def _combined(text: Text, choices: Sequence[Sequence[Part | Text]]) -> Iterator[Text]:
    if math.prod(len(choice) for choice in choices) > MOST_TEXTS:
        raise Unmeant(f"a value stands for more than {MOST_TEXTS} texts")
    for parts in itertools.product(*choices):
        flat = (inner for part in parts for inner in (part.parts if isinstance(part, Text) else (part,)))
        yield replace(text, parts=joined(flat))


def base64_whole(content: bytes) -> str:
    """The content in Base64."""
    return base64.b64encode(content).decode()


def base64_inside(content: bytes) -> Iterator[str]:
    """What stays of the content's Base64 when it stands inside other content, for each of the three places.

    The characters that take bits of a neighbouring byte are left out at both ends.
    """
    for before in range(3):
        first = math.ceil(before * BYTE_BITS / BASE64_BITS)
        last = (before + len(content)) * BYTE_BITS // BASE64_BITS
        if last <= first:
            raise Unmeant("base64offset of a text so short that nothing of it is sure to stay")
        yield base64_whole(b"\0" * before + content)[first:last]
