"""Two thousand random queries: the embedded engine finds the rows that the evaluator written in Python alone finds."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from converter.engines.engine import Unjudged
from converter.engines.spl import ENGINE
from converter.engines.store import Store
from converter.schemas.forms import Cell
from tests import spl
from tests.spl_reader import RefusedError
from tests.splunk_store import layout, store

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
FIELDS = ("a", "b", "c", "n")
# What values and patterns are made of: letters of both cases, what is special in SPL, in regular expressions, in SQL,
# and what has no letter case beyond ASCII.
PIECES = [
    "a",
    "B",
    "ab",
    "AB",
    "\\",
    "\\\\",
    '"',
    "*",
    "?",
    "'",
    "%",
    "_",
    ".",
    "[x]",
    "(",
    "|",
    " ",
    "\n",
    "$",
    "日本",
    "-",
]
SPECIAL = set('\\*?.[]()|$"%_-')
ADDRESSES = ["10.1.2.3", "10.2.0.0", "11.0.0.1", "fe80::1", "::1", "10.1"]
ORDERS, BOUNDS = ["<", ">", "<=", ">="], ["1", "2.5", "-3"]
NUMBERS = ["1", "10", "2.5", "-3", "1.0", "007"]


class Queries:
    """Random conditions, each with the seed's own luck."""

    def __init__(self, seed: int) -> None:
        self.luck = random.Random(seed)  # noqa: S311 - no secret
        self.texts: list[str] = []

    def text(self, least: int = 1) -> str:
        """A value of a row."""
        self.texts.append("".join(self.luck.choices(PIECES, k=self.luck.randint(least, 4))))
        return self.texts[-1]

    def rows(self) -> list[dict[str, Cell]]:
        """Rows with fields absent, single and of several values."""
        return [{"_id": str(number), "_time": NOW.timestamp(), **self.fields()} for number in range(40)]

    def fields(self) -> dict[str, Cell]:
        """The fields of one row."""
        held: dict[str, Cell] = {}
        for name in ("a", "b", "c"):
            match self.luck.randrange(8):
                case 0:
                    continue
                case 1:
                    held[name] = tuple(self.text() for _ in range(self.luck.randint(2, 3)))
                case 2:
                    held[name] = self.luck.choice(ADDRESSES)
                case _:
                    held[name] = self.text()
        if self.luck.random() < 0.8:
            held["n"] = self.luck.choice(NUMBERS)
        return held

    def search(self, depth: int) -> str:
        """A condition of `search`, its parentheses, NOTs and ANDs by chance."""
        if depth == 0:
            return self.term()
        match self.luck.randrange(5):
            case 0:
                return f"NOT ({self.search(depth - 1)})"
            case 1:
                return f"NOT {self.term()}"
            case 2:
                return f"({self.search(depth - 1)})"
        operator = self.luck.choice([" ", " AND ", " OR ", " OR "])
        return operator.join(self.search(depth - 1) for _ in range(self.luck.randint(2, 3)))

    def term(self) -> str:
        """One term of `search`."""
        name = self.luck.choice(FIELDS)
        match self.luck.randrange(8):
            case 0:
                return f"{self.luck.choice('nnd')}{self.luck.choice(ORDERS)}{self.luck.choice(BOUNDS)}"
            case 1:
                return f"{name}=*"
            case 2:
                return f"{name} IN ({', '.join(self.value() for _ in range(self.luck.randint(1, 4)))})"
            case 3:
                return f"n={self.luck.choice(NUMBERS)}"
            case 4:
                return f"n!={self.luck.choice(NUMBERS)}"
            case 5 if self.luck.random() < 0.5:
                return f"{name}={self.luck.choice(['a', 'AB*', '*b'])}"
        return f"{name}={self.value()}"

    def value(self) -> str:
        """A quoted value of `search`, wildcards in it."""
        if self.luck.random() < 0.5:
            # What a row holds, with a part of it left to a wildcard.
            held = self.luck.choice(self.texts[:80]).swapcase()
            start, end = sorted(self.luck.choices(range(len(held) + 1), k=2))
            text = f"{held[:start]}*{held[end:]}"
        else:
            text = self.luck.choice(["", "*"]) + self.text() + self.luck.choice(["", "*"])
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def where(self, depth: int) -> str:
        """An expression of `where`."""
        if depth == 0:
            return self.leaf()
        match self.luck.randrange(5):
            case 0:
                return f"NOT ({self.where(depth - 1)})"
            case 1:
                return f"NOT {self.leaf()}"
            case 2:
                return f"({self.where(depth - 1)})"
        return self.luck.choice([" AND ", " OR "]).join(self.where(depth - 1) for _ in range(self.luck.randint(2, 3)))

    def leaf(self) -> str:
        """One test of an expression."""
        name = self.luck.choice(FIELDS)
        match self.luck.randrange(7):
            case 0:
                return f"isnull({name})"
            case 1:
                return f"isnotnull({self.luck.choice([name, 'd'])})"
            case 2:
                return f"n{self.luck.choice(['=', *ORDERS])}{self.luck.choice(BOUNDS)}"
            case 3:
                return (
                    f"{name}={self.quoted('x' + self.text())}"
                    if self.luck.random() < 0.2
                    else f"{name}={self.quoted(self.text())}"
                )
            case 4:
                return f"(isnotnull({name}) AND match({name}, {self.pattern()}))"
        return f"match({name}, {self.pattern()})"

    def pattern(self) -> str:
        """A quoted regular expression."""
        parts = [
            self.luck.choice(["", "(?i)", "(?s)", "(?is)"]),
            self.luck.choice(["", "^", "a.*", "[ab]", "(?:x|b)", r"\W", "[^a]", "(?=a)", r"\\"]),
            "".join(rf"\{sign}" if sign in SPECIAL else sign for sign in self.text(0)),
            self.luck.choice(["", "$", r"\z", ".*", "a+", r"\b", "[^x]{1,2}"]),
        ]
        text = "".join(parts).replace("\n", "\\x0a")
        return self.quoted(text)

    def quoted(self, text: str) -> str:
        """A quoted text of an expression."""
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize("seed", range(20))
def test_both_find_the_same_rows(seed: int) -> None:
    queries = Queries(seed)
    rows = queries.rows()
    held = store(rows, layout(("_time", *FIELDS)))
    judged = 0
    for _ in range(100):
        depth = queries.luck.randint(0, 2)
        query = queries.search(depth) if queries.luck.random() < 0.6 else f"* | where {queries.where(depth)}"
        wanted, refused = _evaluated(query.removeprefix("* | "), rows)
        found = _found(query, held)
        if found is None:
            assert refused, query
            continue
        judged += 1
        different = sorted((found ^ wanted) - refused)
        assert not different, (query, [json.dumps(rows[number]) for number in different])
    assert judged > 60


def _evaluated(query: str, rows: Sequence[Mapping[str, Cell]]) -> tuple[set[int], set[int]]:
    """The rows that the evaluator finds, and those of which it says nothing."""
    wanted, refused = set(), set()
    text = f"a=* OR NOT a=* | {query}" if query.startswith("where") else query
    for number, row in enumerate(rows):
        try:
            if spl.find(text, [row], NOW):
                wanted.add(number)
        except RefusedError:
            refused.add(number)
    return wanted, refused


def _found(query: str, held: Store) -> set[int] | None:
    """The rows that the engine finds, None where it says that a row leaves it open."""
    source = held.layout.sources[0]
    try:
        return held.find(ENGINE.compile(query, held.layout, source), source, 0)
    except Unjudged:
        return None
