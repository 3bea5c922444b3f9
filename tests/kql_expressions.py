"""A second evaluator of KQL, in plain Python: random expressions, each as KQL's text and as what it is for a row.

After Microsoft's pages https://learn.microsoft.com/kusto/query/datatypes-string-operators, and its neighbours
scalar-data-types/null-values and logical-operators. It shares nothing with the engine: it reads no KQL, knows no SQL.
"""

from __future__ import annotations

import ipaddress
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
STRINGS, NUMBERS = ("s", "t"), ("n", "m")
COLUMNS = {"s": "string", "t": "string", "n": "long", "m": "int", "b": "bool", "ip": "string"}
PIECES = ("a", "A", "b", "Z", "1", "_", "-", ".", " ", "\\", '"', "'", "%", "é", "É", "\n", "*", "(", "ab", "aB1")
ADDRESSES = ("10.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "", "010.0.0.1", "x", "10.0.0.256")
NETWORKS = ("10.0.0.0/8", "10.0.0.0/31", "192.168.0.0/16", "0.0.0.0/0")
PATTERNS = ("a.b", "(?i)A", "^a", "b$", "[^a-z]", "(?s)a.*1", r"\.", "(a|b)1", r"^\\", "(?i)^É$")


@dataclass(frozen=True)
class Made:
    """An expression: its text in KQL, and its value for a row."""

    text: str
    value: Callable[[Row], Any]


def quoted(text: str) -> str:
    """A string literal of KQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def word(source: random.Random) -> str:
    """A short text."""
    return "".join(source.choices(PIECES, k=source.randint(0, 4)))


def rows(source: random.Random, count: int) -> list[dict[str, Any]]:
    """Rows of the columns: strings are never null, the others may be."""
    return [
        {
            "s": word(source) + word(source),
            "t": word(source),
            "n": source.choice((None, 0, 1, 2, -1)),
            "m": source.choice((None, 0, 1, 2)),
            "b": source.choice((None, True, False)),
            "ip": source.choice(ADDRESSES),
        }
        for _ in range(count)
    ]


def condition(source: random.Random, depth: int = 3) -> Made:
    """A condition, true, false or null for a row."""
    if depth == 0 or source.random() < 0.3:
        return source.choice((_search, _search, _search, _listed, _number, _empty, _flag, _address, _between))(source)
    kind = source.choice(("and", "or", "not"))
    if kind == "not":
        inner = condition(source, depth - 1)
        return Made(f"not({inner.text})", lambda row: _not(inner.value(row)))
    parts = [condition(source, depth - 1) for _ in range(source.randint(2, 4))]
    joined = _and if kind == "and" else _or
    return Made(
        "(" + f" {kind} ".join(part.text for part in parts) + ")", lambda row: joined([p.value(row) for p in parts])
    )


def _not(value: bool | None) -> bool | None:  # noqa: FBT001 - a value that is a truth
    return None if value is None else not value


def _and(values: Sequence[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def _or(values: Sequence[bool | None]) -> bool | None:
    return True if True in values else None if None in values else False


def _text(source: random.Random, depth: int = 1) -> Made:
    """A string expression."""
    kind = source.choice(("column", "column", "column", "literal", "strcat", "tolower", "iif", "coalesce", "replace"))
    if kind == "literal":
        told = word(source)
        return Made(quoted(told), lambda _: told)
    if kind == "column" or depth == 0:
        name = source.choice(STRINGS)
        return Made(name, lambda row: row[name])
    one, other = _text(source, depth - 1), _text(source, depth - 1)
    if kind == "strcat":
        return Made(f"strcat({one.text}, {other.text})", lambda row: one.value(row) + other.value(row))
    if kind == "tolower":
        return Made(f"tolower({one.text})", lambda row: one.value(row).lower())
    if kind == "coalesce":
        return Made(f"coalesce({one.text}, {other.text})", lambda row: one.value(row) or other.value(row))
    if kind == "replace":
        return Made(f'replace_string({one.text}, "a", "\\\\")', lambda row: one.value(row).replace("a", "\\"))
    asked = condition(source, 0)
    return Made(
        f"iif({asked.text}, {one.text}, {other.text})",
        lambda row: one.value(row) if asked.value(row) is True else other.value(row),
    )


TERMS = r"(?<![^\W_])", r"(?![^\W_])"


def _has(value: str, needle: str, *, before: bool = True, after: bool = True) -> bool:
    """Edges of the needle that are letters or digits are edges of a term of the value."""
    start = TERMS[0] if before and re.match(r"[^\W_]", needle) else ""
    end = TERMS[1] if after and re.search(r"[^\W_]\Z", needle) else ""
    return re.search(start + re.escape(needle) + end, value) is not None


SEARCHES: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda value, needle: needle in value,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "has": _has,
    "hasprefix": lambda value, needle: _has(value, needle, after=False),
    "hassuffix": lambda value, needle: _has(value, needle, before=False),
}


def _search(source: random.Random) -> Made:
    left, right = _text(source), _text(source, 0)
    kind = source.choice(("search", "search", "search", "equal", "folded", "regex"))
    if kind == "regex":
        pattern = source.choice(PATTERNS)
        compiled = re.compile(pattern.replace("$", r"\Z"))
        return Made(
            f"{left.text} matches regex {quoted(pattern)}", lambda row: compiled.search(left.value(row)) is not None
        )
    if kind == "equal":
        negated = source.random() < 0.5
        return Made(
            f"{left.text} {'!=' if negated else '=='} {right.text}",
            lambda row: (left.value(row) == right.value(row)) is not negated,
        )
    if kind == "folded":
        negated = source.random() < 0.5
        return Made(
            f"{left.text} {'!~' if negated else '=~'} {right.text}",
            lambda row: (left.value(row).lower() == right.value(row).lower()) is not negated,
        )
    name, negated, cased = source.choice(tuple(SEARCHES)), source.random() < 0.3, source.random() < 0.3

    def found(row: Row) -> bool:
        value, needle = left.value(row), right.value(row)
        hit = SEARCHES[name](value, needle) if cased else SEARCHES[name](value.lower(), needle.lower())
        return hit is not negated

    return Made(f"{left.text} {'!' if negated else ''}{name}{'_cs' if cased else ''} {right.text}", found)


def _listed(source: random.Random) -> Made:
    left, items = _text(source), [word(source) for _ in range(source.randint(1, 3))]
    told = f"({', '.join(map(quoted, items))})"
    kind = source.choice(("in", "!in", "in~", "!in~", "has_any", "has_all"))
    if kind.startswith("has"):
        every = all if kind == "has_all" else any
        return Made(
            f"{left.text} {kind} {told}",
            lambda row: every(_has(left.value(row).lower(), item.lower()) for item in items),
        )

    def found(row: Row) -> bool:
        value, listed = left.value(row), items
        if kind.endswith("~"):
            value, listed = value.lower(), [item.lower() for item in items]
        return (value in listed) is not kind.startswith("!")

    return Made(f"{left.text} {kind} {told}", found)


def _number(source: random.Random) -> Made:
    name, operator = source.choice(NUMBERS), source.choice(("==", "!=", "<", "<=", ">", ">=", "in", "isnull", "both"))
    wanted = source.randint(-1, 2)
    if operator == "isnull":
        return Made(f"isnull({name})", lambda row: row[name] is None)
    if operator == "in":
        return Made(f"{name} in ({wanted}, 0)", lambda row: row[name] in {wanted, 0})
    if operator == "both":
        return Made("n == m", lambda row: None if row["n"] is None and row["m"] is None else row["n"] == row["m"])

    def compared(row: Row) -> bool | None:
        value: int | None = row[name]
        if operator in {"==", "!="}:
            return (value == wanted) is (operator == "==")
        if value is None:
            return None
        return {"<": value < wanted, "<=": value <= wanted, ">": value > wanted, ">=": value >= wanted}[operator]

    return Made(f"{name} {operator} {wanted}", compared)


def _between(source: random.Random) -> Made:
    low, high = source.randint(-1, 1), source.randint(0, 2)
    return Made(f"n between ({low} .. {high})", lambda row: None if row["n"] is None else low <= row["n"] <= high)


def _empty(source: random.Random) -> Made:
    value, negated = _text(source), source.random() < 0.5
    return Made(
        f"{'isnotempty' if negated else 'isempty'}({value.text})", lambda row: (value.value(row) == "") is not negated
    )


def _flag(source: random.Random) -> Made:
    if source.random() < 0.5:
        return Made("b", lambda row: row["b"])
    return Made("b == true", lambda row: row["b"] is True)


def _address(source: random.Random) -> Made:
    network = source.choice(NETWORKS)

    def inside(row: Row) -> bool | None:
        try:
            return ipaddress.IPv4Address(row["ip"]) in ipaddress.IPv4Network(network)
        except ValueError:
            return None

    return Made(f"ipv4_is_in_range(ip, {quoted(network)})", inside)
