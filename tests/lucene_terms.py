"""What one field and one value of a query string find: the fields of the index, and the values that we emit.

After https://www.elastic.co/docs/reference/query-languages/query-dsl/query-dsl-query-string-query and the page on
regular expressions beside it, as real nodes answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from tests.elastic_index import PROPERTIES
from tests.lucene_cost import ANY, ONE, affordable

QUOTED = re.compile(r'"(?:[^"\\]|\\["\\])*"', re.DOTALL)
# As Lucene's own scanner: the longest text in which every inner slash has a backslash right before it, escaped or not.
REGEX = re.compile(r"/(?:\\/|[^/])*/", re.DOTALL)
BARE = re.compile(r'(?:[^\s"\\+\-=&|!(){}\[\]<>^~:/]|\\\W)+', re.DOTALL)
WORDS = {"AND", "OR", "NOT", "TO"}
# A backslash stands in a class or is repeated once: so it is never right before the slash that ends the expression.
REGEX_PART = re.compile(
    r"""(?P<many>\.\*)
    |(?P<one>\.)
    |\\(?P<escaped>[.?+*|{}\[\]()"\#@&<>~^$\-/])
    |(?P<backslash>\[\\\\\]|\\\\\{1\})
    |\[(?P<letters>[^\W\d_]{2,3})\]
    |(?P<plain>[^.?+*|{}\[\]()"\#@&<>~^$\-/\\])""",
    re.DOTALL | re.VERBOSE,
)
MAX_REGEX = 1000


class RefusedError(Exception):
    """The query holds a form that we do not emit, so nothing here says what it finds."""


def properties(field: str) -> tuple[str, Mapping[str, Any]]:
    """The document's field that fills this one, and this one's type; raises RefusedError where the index has none."""
    if field in PROPERTIES:
        return field, PROPERTIES[field]
    parent, _, sub = field.rpartition(".")
    held: Mapping[str, Any] = PROPERTIES.get(parent, {}).get("fields", {})
    if sub not in held:
        raise RefusedError(f"the index has no field {field}")
    return parent, held[sub]


def indexed(document: Mapping[str, object], field: str) -> Sequence[str]:
    """The values of the field that a text clause can find, in the letter case in which the index holds them."""
    name, held = properties(field)
    if held["type"] not in {"keyword", "wildcard"}:
        raise RefusedError(f"{field} is of type {held['type']}, for which we emit no such clause")
    given = document.get(name, [])
    values = [value for value in (given if isinstance(given, list) else [given]) if isinstance(value, str)]
    limit = held.get("ignore_above")
    kept = [value for value in values if limit is None or java_length(value) <= limit]
    return [lowered(value) for value in kept] if "normalizer" in held else kept


@cache
def java_length(text: str) -> int:
    """The length as `ignore_above` counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


@cache
def lowered(text: str) -> str:
    """The text as Lucene's lowercase filter leaves it: each character by itself, and always as one."""
    # Python makes two characters of İ, and of a Σ at the end of a word another one than of a Σ before it.
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)


@cache
def pattern(value: str, field: str) -> re.Pattern[str]:
    """What a value of the query finds in `indexed` values of the field, to be matched in full."""
    normal = "normalizer" in properties(field)[1]
    parts: Sequence[str]
    if value.startswith('"'):
        parts = re.findall(r"\\?(.)", value[1:-1], re.DOTALL)
    elif value.startswith("/"):
        # The normalizer takes the whole text of a regular expression, operators and all.
        parts = _regex(lowered(value[1:-1]) if normal else value[1:-1])
    else:
        parts = _wildcards(value)
    if normal:
        parts = [part if part in {ANY, ONE} else lowered(part) for part in parts]
    if not affordable(tuple(parts)):
        raise RefusedError(f"{value} is too costly for a node")
    return re.compile("".join(_python(part) for part in parts), re.DOTALL)


def _wildcards(value: str) -> Sequence[str]:
    """The parts of a value: characters, ANY and ONE."""
    if value in WORDS or not value.strip("*") or value.startswith(("\\<", "\\>")):
        raise RefusedError(f"{value} is no value in a query string, but an operator, an existence or a range")
    return [{"*": ANY, "?": ONE}.get(part, part[-1]) for part in re.findall(r"\\.|.", value, re.DOTALL)]


def _regex(text: str) -> Sequence[str]:
    """The parts of a regular expression: characters, classes of letters, ANY and ONE."""
    if java_length(text) > MAX_REGEX:
        raise RefusedError(f"a regular expression of {java_length(text)} characters fails the query")
    parts, position = [], 0
    while position < len(text):
        found = REGEX_PART.match(text, position)
        if found is None:
            raise RefusedError(f"the regular expression {text} has a form that we do not emit at {text[position:]}")
        parts.append(_part(found))
        position = found.end()
    return parts


def _part(found: re.Match[str]) -> str:
    if found["many"] or found["one"]:
        return ANY if found["many"] else ONE
    return found["letters"] or found["escaped"] or found["plain"] or "\\"


def _python(part: str) -> str:
    if part in {ANY, ONE}:
        return ".*" if part == ANY else "."
    return re.escape(part) if len(part) == 1 else f"[{part}]"
