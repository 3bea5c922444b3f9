"""Random documents and query strings over a small mapping: as many forms as an engine and a node are to agree on."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

LOWER = {"type": "keyword", "normalizer": "lowercase"}
CASELESS = {"fields": {"caseless": {"type": "keyword", "ignore_above": 1024, "normalizer": "lowercase"}}}
PROPERTIES: Mapping[str, Any] = {
    "k": {"type": "keyword", "ignore_above": 6, **CASELESS},
    "w": {"type": "wildcard", **CASELESS},
    "l": LOWER,
    "t": {"type": "text"},
    "n": {"type": "long"},
    "ip": {"type": "ip"},
    "b": {"type": "boolean"},
    "d": {"type": "date"},
}
LETTERS = 'aaabbAB-\\ *?>/"é1.\n'
TEXTS = ("k", "w", "l", "k.caseless", "w.caseless")
NUMBERS = ("-2", "0", "1", "2", "10")
ADDRESSES = ("10.0.0.1", "10.0.1.1", "192.168.0.1", "::1", "2001:db8::1")
BLOCKS = ("10.0.0.0/8", "10.0.0.0/24", "192.168.0.1/32", "2001:db8::/32", "0.0.0.0/0", "::/0")
DAYS = ("2026-06-01", "2026-06-02T03:04:05Z", "2026-06-02", "2026-06-03T23:59:59.999Z")
RESERVED = '+-=&|!(){}[]<>^"~*?:\\/ \n\t'
ATOMS = (
    "a",
    "b",
    "A",
    ".",
    "[ab]",
    "[^a]",
    "\\\\",
    r"\w",
    r"\s",
    r"\-",
    "(a|b)",
    "(ab)",
    "[a-c]",
    r"\*",
    "1",
    r"\d",
    "é",
)


def document(random: Random) -> dict[str, object]:
    """A document, in which any field may be missing or have several values."""
    made: dict[str, object] = {}
    for field in PROPERTIES:
        if random.random() < 0.6:
            values = [content(random, field) for _ in range(2)]
            made[field] = values if random.random() < 0.2 else values[0]
    return made


def content(random: Random, field: str) -> object:
    """A value for a field."""
    match field:
        case "n":
            return int(random.choice(NUMBERS))
        case "ip":
            return random.choice(ADDRESSES)
        case "b":
            return random.random() < 0.5
        case "d":
            return random.choice(DAYS)
        case "t":
            return " ".join(word(random) for _ in range(random.randint(0, 3)))
        case _:
            return word(random)


def word(random: Random) -> str:
    return "".join(random.choice(LETTERS) for _ in range(random.choice((0, 1, 1, 2, 2, 3, 4, 7))))


def query(random: Random, depth: int = 3) -> str:
    """A query string, of which a node may say that it is none."""
    items = []
    for number in range(random.choice((1, 1, 2, 2, 3, 4)) if depth else 1):
        operator = random.choice(("AND ", "OR ", "OR ", "AND ", "")) if number else ""
        sign = random.choice(("", "", "", "NOT ", "NOT ", "-", "+", "!"))
        items.append(
            operator + sign + (f"({query(random, depth - 1)})" if depth and random.random() < 0.4 else leaf(random))
        )
    return " ".join(items)


def leaf(random: Random) -> str:
    """One clause on a field; 2,000 with all that they are joined to name each kind many times."""
    kind = random.random()
    if kind < 0.08:
        return f"_exists_:{random.choice((*PROPERTIES, 'k.caseless', 'nope'))}"
    if kind < 0.55:
        field = random.choice((*TEXTS, *TEXTS, "nope"))
        if random.random() < 0.25:
            return f"{field}:({' OR '.join(value(random) for _ in range(random.randint(1, 4)))})"
        return f"{field}:{value(random)}"
    if kind < 0.65:
        return f"t:{text_value(random)}"
    typed: dict[str, tuple[str, ...]] = {
        "n": tuple(f'"{number}"' for number in NUMBERS),
        "ip": tuple(f'"{address}"' for address in (*ADDRESSES, *BLOCKS)),
        "b": ("true", "false"),
        "d": tuple(f'"{day}"' for day in DAYS),
    }
    field = random.choice((*typed,))
    if field != "b" and random.random() < 0.4:
        plain = {"n": NUMBERS, "ip": ADDRESSES, "d": DAYS}[field]
        return f"{field}:{ranged(random, plain)}"
    return f"{field}:{'*' if random.random() < 0.1 else random.choice(typed[field])}"


def value(random: Random) -> str:
    """A word, a quoted text, a wildcard, an expression or a range."""
    kind = random.random()
    if kind < 0.25:
        return '"' + word(random).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if kind < 0.5:
        return escaped(word(random) or "a")
    if kind < 0.75:
        return "".join(
            random.choice(("*", "?", *map(escaped, LETTERS), *map(escaped, LETTERS)))
            for _ in range(random.randint(1, 4))
        )
    if kind < 0.9:
        return f"/{expression(random)}/"
    return ranged(random, ("a", "ab", "b", "A", r"\-"))


def text_value(random: Random) -> str:
    """What is asked of a field of text; nodes differ in the letter case of expressions there."""
    choices = ("a", "ab", "A*", "*b", "?", '"a b"', '"b-a"', r"a\-b", "b1", r"a\ b", "*", "/a.?/", "1.1", r"é\*")
    return random.choice(choices)


def expression(random: Random, depth: int = 2) -> str:
    """A regular expression of Lucene's dialect."""
    parts = []
    for _ in range(random.randint(1, 3)):
        atom = f"({expression(random, depth - 1)})" if depth and random.random() < 0.2 else random.choice(ATOMS)
        parts.append(atom + random.choice(("", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}")))
    return "".join(parts) if random.random() < 0.8 else f"{''.join(parts)}|.*{random.choice(ATOMS)}"


def ranged(random: Random, values: tuple[str, ...]) -> str:
    low, high = random.choice(values), random.choice(values)
    signs = [
        f">{low}",
        f"<{low}",
        f">={low}",
        f"<={low}",
        f"[{low} TO {high}]",
        f"{{{low} TO {high}}}",
        f"[{low} TO *}}",
    ]
    # A colon, as addresses and times have, is a sign of its own outside of brackets.
    return random.choice(signs if ":" not in low else signs[4:])


def escaped(text: str) -> str:
    return "".join(f"\\{sign}" if sign in RESERVED else sign for sign in text)
