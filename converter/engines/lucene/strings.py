"""What one value finds in a field of strings: keyword, wildcard, constant_keyword."""

from __future__ import annotations

import re

from converter.engines.engine import Unjudged
from converter.engines.lucene import effort, regex
from converter.engines.lucene.fields import Field
from converter.engines.lucene.holding import lowered
from converter.engines.lucene.predicates import VALUE, Predicate, Some, literal
from converter.engines.lucene.regex_tree import ANY, Characters, Concat, Regex, plain
from converter.engines.lucene.syntax import Range, unescaped

_PIECE = re.compile(r"\\(?P<escaped>.)|(?P<any>\*)|(?P<one>\?)|(?P<plain>[^\\*?]+)", re.DOTALL)


def term(field: Field, text: str) -> Predicate:
    """The field holds exactly this."""
    return Some(field.values, patterns=(regex.escaped(_cased(field, text)),))


def prefix(field: Field, text: str) -> Predicate:
    """The field holds a value that begins with the word, which ends in a star."""
    return Some(field.values, patterns=(regex.escaped(_cased(field, unescaped(text[:-1]))) + ".*",))


def wildcard(field: Field, text: str) -> Predicate:
    r"""The field holds a value of this form: `*` any run of characters, `?` any one.

    Raises Invalid for a form that a node cannot afford, Unjudged where nodes differ.
    """
    if field.type == "constant_keyword" and ("?" in text or "\\" in text):
        raise Unjudged(f"{text!r} on {field.name}: a constant_keyword knows no wildcard but *, and no escapes")
    found: list[str] = []
    parts: list[Regex] = []
    for piece in _PIECE.finditer(text):
        if piece["any"] or piece["one"]:
            found.append(".*" if piece["any"] else ".")
            parts.append(effort.RUN if piece["any"] else Characters(ANY))
            continue
        if piece["escaped"] and field.lowercase and piece["escaped"] != lowered(piece["escaped"]):
            raise Unjudged(f"{piece[0]!r} on {field.name}: Elasticsearch makes it lower case and OpenSearch does not")
        own = _cased(field, piece["escaped"] or piece["plain"])
        found.append(regex.escaped(own))
        parts += map(plain, own)
    if field.type != "constant_keyword":
        effort.check(Concat(tuple(parts)), text)
    return Some(field.values, patterns=("".join(found),))


def expression(field: Field, text: str) -> Predicate:
    """The field holds a value that the regular expression matches as a whole."""
    own = _cased(field, text[1:-1])
    found = regex.patterns(own)
    if len(found) == 1:
        return Some(field.values, patterns=found)
    tests = " AND ".join(f"regexp_full_match({VALUE}, {literal('(?s)' + pattern)})" for pattern in found)
    return Some(field.values, tests=(f"({tests})",))


def between(field: Field, wanted: Range) -> Predicate:
    """The field holds a value between two others, by the order of their characters' numbers."""
    tests = []
    if wanted.low is not None:
        tests.append(f"{VALUE} >{'=' * wanted.with_low} {literal(_cased(field, wanted.low))}")
    if wanted.high is not None:
        tests.append(f"{VALUE} <{'=' * wanted.with_high} {literal(_cased(field, wanted.high))}")
    return Some(field.values, tests=(" AND ".join(tests) or "true",))


def _cased(field: Field, text: str) -> str:
    return lowered(text) if field.lowercase else text
