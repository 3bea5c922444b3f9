"""Regular expressions of Lucene's dialect as patterns of RE2, which DuckDB matches with."""

from __future__ import annotations

from functools import cache

from converter.engines.engine import Invalid, Unjudged
from converter.engines.lucene import effort, regex_tree
from converter.engines.lucene.regex_tree import (
    MAX_CODE,
    Characters,
    Concat,
    Intersection,
    Interval,
    Nothing,
    Ranges,
    Regex,
    Repeat,
    Union,
)

# https://www.elastic.co/docs/reference/elasticsearch/index-settings/index-modules#index-max-regex-length
MAX_LENGTH = 1000
# RE2 counts no further, nested counts multiplied.
_MAX_COUNT = 1000
_MAX_INTERVAL = 1000
_NO_TEXT = r"[^\x{0}-\x{10FFFF}]"


@cache
def patterns(text: str) -> tuple[str, ...]:
    """Patterns that a whole value must all match; raises Invalid and Unjudged, as `regex_tree.read` does too."""
    length = len(text.encode("utf-16-le", "surrogatepass")) // 2
    if length > MAX_LENGTH:
        raise Invalid(f"a regular expression of {length} characters: a node takes {MAX_LENGTH}")
    tree = regex_tree.read(text)
    if _count(tree) > _MAX_COUNT:
        raise Unjudged(f"the regular expression /{text}/ counts further than {_MAX_COUNT}")
    parts = tree.parts if isinstance(tree, Intersection) else [tree]
    found = tuple(_pattern(part) for part in parts)
    effort.check(tree, text)
    return found


def escaped(text: str) -> str:
    """The text as a pattern that matches only it."""
    return "".join(map(_character, text))


def _character(character: str) -> str:
    code = ord(character)
    if character.isascii() and not character.isalnum() and character != "_":
        return f"\\{character}" if character.isprintable() else f"\\x{{{code:x}}}"
    return character


def _pattern(tree: Regex) -> str:
    match tree:
        case Characters(ranges):
            return _class(ranges)
        case Concat(parts):
            return "".join(f"(?:{_pattern(part)})" if isinstance(part, Union) else _pattern(part) for part in parts)
        case Union(parts):
            return "|".join(f"(?:{_pattern(part)})" for part in parts)
        case Repeat(part, least, most):
            return f"(?:{_pattern(part)}){_times(least, most)}"
        case Nothing():
            return _NO_TEXT
        case Interval():
            return _interval(tree)
        case Intersection():
            raise Unjudged("an intersection (&) within a regular expression")


def _class(ranges: Ranges) -> str:
    if ranges == regex_tree.ANY:
        return "."
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _character(chr(ranges[0][0]))
    if not ranges:
        return _NO_TEXT
    return "[" + "".join(f"\\x{{{low:x}}}-\\x{{{min(high, MAX_CODE):x}}}" for low, high in ranges) + "]"


def _times(least: int, most: int | None) -> str:
    signs: dict[tuple[int, int | None], str] = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    if (least, most) in signs:
        return signs[least, most]
    return f"{{{least},{'' if most is None else most}}}"


def _interval(tree: Interval) -> str:
    if tree.high - tree.low > _MAX_INTERVAL:
        raise Unjudged(f"an interval of over {_MAX_INTERVAL} numbers in a regular expression")
    numbers = "|".join(str(number).zfill(tree.digits) for number in range(tree.low, tree.high + 1))
    return f"{'' if tree.digits else '0*'}(?:{numbers})"


def _count(tree: Regex) -> int:
    """How far RE2 has to count: the product of nested repetitions."""
    match tree:
        case Repeat(part, least, most):
            return max(1, least, most or 0) * _count(part)
        case Concat(parts) | Union(parts) | Intersection(parts):
            return max(map(_count, parts), default=1)
        case _:
            return 1
