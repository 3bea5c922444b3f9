"""Values of kinds that are not composed of words: lists of hashes, addresses, and fields with few values."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from random import Random

from converter.generate.pieces import Filled, Piece, upper
from converter.generate.texts import Shape
from converter.generate.worlds import Kind
from converter.oracle.tree import Wild

# Sysmon's digests, in hexadecimal digits, in the order of its list.
DIGESTS = {"SHA1": 40, "MD5": 32, "SHA256": 64, "IMPHASH": 32}
NAMED = re.compile(r"(?i)(SHA1|MD5|SHA256|IMPHASH)=([0-9a-f]*)")
BARE = re.compile(r"(?i)[0-9a-f]{32,64}")
# What makes an address of the first part of one.
RESTS = ("", "7", "7.7", "7.7.7", ".7", ".7.7", ".7.7.7", ":7", "::7", "7::7", ":", "20", "0.20.1")


def hashes(shapes: Sequence[Shape], random: Random) -> Filled:
    """A list of whole digests that holds those which the shapes name."""
    asked: dict[str, tuple[str, int]] = {}
    for shape in shapes:
        text = "*".join(part for part in shape.parts if not isinstance(part, Wild))
        for name, digits in _digests(text):
            asked.setdefault(name, (digits, shape.leaf))
    pieces: list[Piece] = []
    for name, length in DIGESTS.items():
        digits, leaf = asked.get(name, ("", None))
        rest = "".join(random.choice("0123456789ABCDEF") for _ in range(length - len(digits)))
        pieces += [Piece("," if pieces else "")]
        pieces += [Piece(f"{name}={upper(digits)}", leaf), Piece(rest)]
    return Filled(tuple(piece for piece in pieces if piece.text))


def _digests(text: str) -> Iterator[tuple[str, str]]:
    for found in NAMED.finditer(text):
        yield upper(found[1]), found[2]
    for found in BARE.finditer(NAMED.sub("", text)):
        yield next((name for name, length in DIGESTS.items() if length == len(found[0])), "SHA256"), found[0]


def address(shapes: Sequence[Shape], variant: int) -> Filled | None:
    """An address that fits the shapes; None where none is found."""
    starts = [shape.parts[0] for shape in shapes if isinstance(shape.parts[0], str)] or ["", "10.7.7.", "192.0.2."]
    ends = [shape.parts[-1] for shape in shapes if isinstance(shape.parts[-1], str)]
    middles = [part for shape in shapes for part in shape.parts if isinstance(part, str)]
    tries = [f"{start}{rest}" for start in starts for rest in (*RESTS, *ends)]
    tries += [f"{start}{middle}{rest}" for start in ("", "10", "10.7") for middle in middles for rest in RESTS]
    found = [text for text in dict.fromkeys(tries) if is_address(text) and all(shape.fits(text) for shape in shapes)]
    return Filled((Piece(found[variant % len(found)], shapes[0].leaf),)) if found else None


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def listed(shapes: Sequence[Shape], values: Sequence[str], variant: int) -> Filled | None:
    """One of the values that fits all the shapes; None where none does."""
    found = [value for value in values if all(shape.fits(value) for shape in shapes)]
    return Filled((Piece(found[variant % len(found)], shapes[0].leaf),)) if found else None


def real(kind: Kind, text: str) -> bool:
    """Whether a log would hold this text in a field of the kind."""
    if kind.members:
        return text in kind.members or not text
    if kind.name == "address":
        return not text or text == "-" or is_address(text)
    if "\n" in text and not kind.lines:
        return False
    return kind.real is None or kind.real.fullmatch(text) is not None
