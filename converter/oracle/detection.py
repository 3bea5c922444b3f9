"""Search identifiers: the lists and maps of a detection as a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from converter.oracle import text as texts
from converter.oracle.modifiers import Chain
from converter.oracle.patterns import readings
from converter.oracle.tree import (
    ANY,
    And,
    Compare,
    Exists,
    Leaf,
    Node,
    Not,
    Null,
    Number,
    Or,
    Pattern,
    Reference,
    Test,
    Text,
)
from converter.oracle.unmeant import Unmeant

Placeholders = Mapping[str, Sequence[str]]


def search(name: str, definition: object, placeholders: Placeholders) -> Node:
    """What the search identifier asks of an event; raises Unmeant, naming it, where that is not defined."""
    try:
        return _search(definition, placeholders)
    except Unmeant as error:
        raise Unmeant(f"{name}: {error.reason}") from error


def _search(definition: object, placeholders: Placeholders) -> Node:
    """Maps are AND, lists OR; a text in a list is a keyword."""
    if isinstance(definition, Mapping):
        if not definition:
            raise Unmeant("an empty map asks nothing")
        return every([_item(key, value, placeholders) for key, value in definition.items()])
    if isinstance(definition, list):
        if not definition:
            raise Unmeant("an empty list asks nothing")
        return some(
            [
                _search(part, placeholders) if isinstance(part, Mapping) else _item("", part, placeholders)
                for part in definition
            ]
        )
    raise Unmeant("a search identifier is a list or a map")


def _item(key: object, value: object, placeholders: Placeholders) -> Node:
    """What one field of a map, or one keyword, asks."""
    if not isinstance(key, str):
        raise Unmeant(f"the name of a field is a text, not {key!r}")
    field, *names = key.split("|")
    chain = Chain(names, placeholders)
    values = value if isinstance(value, list) else [value]
    if not values:
        raise Unmeant(f"{key}: an empty list asks nothing")
    if None in values and len(values) > 1:
        # Specification, Special Field Values: "null cannot be part of a list of field values".
        raise Unmeant(f"{key}: null in a list of values")
    if "all" in names and len(values) == 1:
        raise Unmeant(f"{key}: all takes a list of several values")
    if "exists" in names and (len(values) > 1 or len(names) > 1):
        raise Unmeant(f"{key}: exists takes one truth value and no other modifier")
    try:
        asked = [some([_leaf(field, test) for test in chain.tests(one)]) for one in values]
    except Unmeant as error:
        raise Unmeant(f"{key}: {error.reason}") from error
    if "neq" in names:
        if "all" in names:
            raise Unmeant(f"{key}: neq of all values may mean two things")
        return every([_different(part) for part in asked])
    return every(asked) if "all" in names else some(asked)


def _leaf(field: str, test: Test) -> Leaf:
    if isinstance(test, Pattern):
        readings(test)
    if field:
        return Leaf(field, test)
    # Specification, Lists: keywords are "applied to the full log message", so they stand somewhere in it.
    if isinstance(test, Number) and isinstance(test.number, int):
        test = Text((str(test.number),))
    if isinstance(test, Text) and test.parts:
        return Leaf(None, Text(texts.joined((ANY, *test.parts, ANY)), test.cased))
    if isinstance(test, Pattern):
        return Leaf(None, test)
    raise Unmeant(f"a {type(test).__name__.lower()} is no keyword")


def _different(asked: Node) -> Node:
    """`neq`: whether an absent field is different from a value the specification leaves open."""
    if isinstance(asked, Leaf) and isinstance(asked.test, Null):
        return Not(asked)
    leaves = asked.parts if isinstance(asked, Or) else (asked,)
    named: dict[str, None] = {}
    for leaf in leaves:
        if not isinstance(leaf, Leaf) or leaf.field is None:
            raise Unmeant("neq takes a field")
        if isinstance(leaf.test, Compare | Exists):
            raise Unmeant("neq of a comparison")
        named[leaf.field] = None
        if isinstance(leaf.test, Reference):
            named[leaf.test.other] = None
    if isinstance(asked, Leaf) and isinstance(asked.test, Number):
        return Leaf(asked.field, Compare("!=", asked.test.number))
    return every([Not(asked), *map(_silent_on_absent, named)])


def _silent_on_absent(field: str) -> Node:
    """True of every field that is there; an absent one may be empty or not, which proves nothing either way."""
    empty = Leaf(field, Text(()))
    return Or((empty, Not(empty)))


def every(parts: Sequence[Node]) -> Node:
    """All of the parts."""
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def some(parts: Sequence[Node]) -> Node:
    """Any of the parts; alternatives of alternatives are made one list."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))
