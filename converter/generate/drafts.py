"""A plan worked out: an event whose texts still know which leaf asked for what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from random import Random

from converter.generate import scalars, special
from converter.generate.fills import Fill
from converter.generate.goals import Want
from converter.generate.patterns import sample
from converter.generate.pieces import Filled, Piece, as_written
from converter.generate.texts import Shape, compose
from converter.generate.worlds import Kind, World
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
    Scalar,
    Text,
    Value,
)

# Where the values of keywords stand.
KEYWORDS = "Message"

Made = Filled | Scalar | None


class Impossible(Exception):  # noqa: N818 - no error: a plan that contradicts itself
    """No value that a log would hold does what is wanted."""


@dataclass(frozen=True)
class Style:
    """How values are made: their letter case, what fills wildcards, and whether fields to keep clear of are there."""

    words: str = "as written"
    case: Callable[[str], str] = as_written
    fill: Fill = default(default_factory=Fill)
    present: bool = False


@dataclass(frozen=True)
class Draft:
    """An event in the making."""

    fields: Mapping[str, Made]
    unix: bool

    def event(self, world: World) -> dict[str, Value]:
        """The event; raises Impossible for a value that no log of this world holds."""
        event: dict[str, Value] = {}
        for name, made in self.fields.items():
            value = made.text if isinstance(made, Filled) else made
            odd = isinstance(made, Filled) and made.odd
            if isinstance(value, str) and not odd and not special.real(world.kind(name, unix=self.unix), value):
                raise Impossible(f"{name} is never {value!r}")
            event[name] = value
        return event

    def put(self, field: str, made: Made) -> Draft:
        """It with another value in this field."""
        return Draft({**self.fields, field: made}, self.unix)

    def without(self, field: str) -> Draft:
        """It without this field."""
        return Draft({name: made for name, made in self.fields.items() if name != field}, self.unix)


def draft(wants: Sequence[Want], style: Style, world: World, random: Random) -> Draft:
    """An event that is to do what is wanted; raises Impossible where it cannot."""
    unix = world.system if world.system is not None else _unix(wants, world)
    asked: dict[str, list[tuple[int, Want]]] = {}
    for number, want in enumerate(wants):
        asked.setdefault(want.leaf.field or KEYWORDS, []).append((number, want))
    fields: dict[str, Made] = {}
    late: list[tuple[str, list[tuple[int, Want]]]] = []
    for field, told in asked.items():
        if any(isinstance(want.leaf.test, Reference) for _, want in told):
            late.append((field, told))
            continue
        _put(fields, field, _value(told, world.kind(field, unix=unix), style, random))
    for field, told in late:
        _refer(fields, field, told, world.kind(field, unix=unix), style)
    return Draft(fields, unix)


class _Absent:
    """No value."""


def _put(fields: dict[str, Made], field: str, made: Made | _Absent) -> None:
    if not isinstance(made, _Absent):
        fields[field] = made


def _unix(wants: Sequence[Want], world: World) -> bool:
    """Whether the paths that are wanted are those of Unix."""
    paths = [
        part
        for want in wants
        if want.holds and isinstance(want.leaf.test, Text) and world.path(want.leaf.field)
        for part in want.leaf.test.parts
        if isinstance(part, str)
    ]
    return any("/" in part for part in paths) and not any("\\" in part for part in paths)


def _value(told: Sequence[tuple[int, Want]], kind: Kind, style: Style, random: Random) -> Made | _Absent:
    held = [(number, want.leaf.test) for number, want in told if want.holds]
    tests = [test for _, test in held]
    missed = [want.leaf.test for _, want in told if not want.holds]
    if any(isinstance(test, Null) or test == Exists(there=False) for test in tests) or Exists(there=True) in missed:
        return _Absent()
    if Text(()) in tests:
        return ""
    shapes = _shapes(held, random)
    if shapes:
        return _text(shapes, tests, kind, style, random)
    both = [(want.leaf.test, want.holds) for _, want in told]
    if blocks := [(test, holds) for test, holds in both if isinstance(test, Network)]:
        if any(holds for _, holds in blocks):
            return _found(scalars.addresses(blocks, style.fill.variant))
    elif any(isinstance(test, Number | Compare) for test in tests):
        return _found(
            scalars.numbers([pair for pair in both if isinstance(pair[0], Number | Compare)], style.fill.variant)
        )
    if truths := [test.truth for test in tests if isinstance(test, Boolean)]:
        return str(truths[0]).lower() if kind.members or style.fill.variant % 2 else truths[0]
    needed = bool(tests) or any(isinstance(test, Null) or test == Exists(there=False) for test in missed)
    return _plain(kind, style.fill.variant, random) if needed or style.present else _Absent()


def _found(value: Scalar | None) -> Scalar:
    if value is None:
        raise Impossible("no number or address does all that is wanted")
    return value


def _plain(kind: Kind, variant: int, random: Random) -> Made:
    """A value that has nothing to do with the rule."""
    if kind.name == "hashes":
        return special.hashes((), random).text
    values = kind.members or kind.plain
    value = values[variant % len(values)]
    return int(value) if kind.number and variant % 3 else value


def _shapes(held: Sequence[tuple[int, object]], random: Random) -> list[Shape]:
    shapes = []
    for number, test in held:
        if isinstance(test, Text):
            shapes.append(Shape(number, test.parts))
        elif isinstance(test, Pattern):
            made = sample(test.pattern, random)
            if made is None:
                raise Impossible(f"no text is made from /{test.pattern}/")
            parts = (made.text,) if made.text else ()
            shapes.append(Shape(number, (*(() if made.begins else (ANY,)), *parts, *(() if made.ends else (ANY,)))))
    return [shape for shape in shapes if shape.parts]


def _text(shapes: Sequence[Shape], tests: Sequence[object], kind: Kind, style: Style, random: Random) -> Made:
    variant = style.fill.variant
    cased = any(map(_cased, tests))
    if kind.members or kind.name == "address":
        made = special.listed(shapes, kind.members, variant) if kind.members else special.address(shapes, variant)
        if made is None:
            raise Impossible("no such value")
        return made
    if kind.name == "hashes":
        made = special.hashes(shapes, random)
    else:
        made = special.listed(shapes, kind.usual, variant) or compose(shapes, kind, style.fill)
        if made.text in kind.usual:
            return made
    text = made.text
    if kind.number and text.isdigit() and variant % 3 != 1:
        return int(text)
    if cased:
        return made
    if kind.name == "hashes":
        return Filled(tuple(_digits(piece, style.case) for piece in made.pieces))
    kept = kind.kept.match(text) if kind.kept is not None else None
    return made.cased(style.case, kept.end() if kept is not None else 0)


def _cased(test: object) -> bool:
    """Whether the test tells letter cases apart."""
    if isinstance(test, Pattern):
        return "i" not in test.flags and not test.pattern.startswith("(?i)")
    return isinstance(test, Text) and test.cased


def _digits(piece: Piece, case: Callable[[str], str]) -> Piece:
    """The piece with its digits' letters in that case, and the algorithm's name as it is."""
    name, sign, digits = piece.text.partition("=")
    return Piece(f"{name}{sign}{case(digits)}" if sign else case(name), piece.leaf)


def _refer(fields: dict[str, Made], field: str, told: Sequence[tuple[int, Want]], kind: Kind, style: Style) -> None:
    """A value that has to do with that of another field, which is made where it is not there."""
    number, want = next((number, want) for number, want in told if isinstance(want.leaf.test, Reference))
    test = want.leaf.test
    assert isinstance(test, Reference)  # noqa: S101 - as just asked for
    variant = style.fill.variant
    if not want.holds and not style.present:
        return
    other = fields.get(test.other)
    if other is None:
        other = fields[test.other] = kind.plain[variant % len(kind.plain)]
    text = other.text if isinstance(other, Filled) else other
    if not want.holds:
        fields[field] = next(value for value in kind.plain if value != text)
        return
    if not isinstance(text, str):
        fields[field] = text
        return
    before = style.fill.begin(kind, text) if test.kind in {"endswith", "contains"} else ""
    after = style.fill.finish(kind, text) if test.kind in {"startswith", "contains"} else ""
    fields[field] = Filled((Piece(before), Piece(text if test.cased else style.case(text), number), Piece(after)))
