"""Regular expressions of KQL on RE2: where the engine does not refuse them, they find what Rust's own library finds."""

from __future__ import annotations

import random
import re

import pytest

from converter.engines.engine import Invalid, Unjudged
from tests.kql_expressions import quoted
from tests.kql_rows import Rows

rure = pytest.importorskip("rure", reason="the referee, PyPI's rure, is not installed")
TEXTS = [
    "",
    "a",
    "ab",
    "aB1",
    "a-b",
    "a\nb",
    "b]",
    "a{2}",
    "aa",
    "a1 b",
    "A",
    "_",
    "^a$",
    "\\d",
    "1",
    "a.b",
    "&&",
    "é",
    "\t",
    "ab\n",
]
PIECES = [
    *(
        "a",
        "b",
        "A",
        "1",
        ".",
        "-",
        "_",
        r"\.",
        r"\d",
        r"\w",
        r"\s",
        r"\b",
        r"\W",
        "^",
        "$",
        "|",
        "(a|b)",
        "(?:ab)",
        "(?i)",
    ),
    *(
        "(?s)",
        "[ab]",
        "[^a]",
        "[a-z]",
        "[]a]",
        "[a^]",
        r"[\d_]",
        "[a-]",
        r"[\]b]",
        "*",
        "+",
        "?",
        "*?",
        "{2}",
        "{1,}",
        "{,2}",
    ),
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        r"\\",
        r"\n",
        r"\x41",
        r"\z",
        r"\A",
        r"\<",
        "(?<n>b)",
        "(?P<m>1)",
        "(?=a)",
        r"\1",
        "&&",
    ),
    *(
        "[a&&b]",
        "[[a]b]",
        r"\pL",
        r"\p{Lu}",
        "(?x)",
        "(?i:A)",
        r"\-",
        r"\/",
        r"\_",
        r"\e",
        "é",
        "[é]",
        r"\Q",
        r"\C",
        r"\Z",
    ),
]


def older(pattern: str) -> str:
    """The pattern as the referee takes it, which is older than what Kusto's page describes.

    It has no escapes of all punctuation, no `(?<name>`, and no alternatives that are empty.
    """
    return re.sub(r"(\\\\)|\\([/_])", r"\1\2", pattern).replace("(?<n>", "(?P<n>")


def test_patterns_find_what_rusts_library_finds() -> None:
    rows, source = Rows({"s": "string"}, [{"s": text} for text in TEXTS]), random.Random(5)  # noqa: S311
    judged = 0
    for _ in range(1_500):
        pattern = "".join(source.choices(PIECES, k=source.randint(1, 4)))
        query = f"T | where s matches regex {quoted(pattern)}"
        try:
            sql = rows.compile(query)
        except Unjudged:
            continue
        except Invalid:
            with pytest.raises(rure.exceptions.RegexError):
                rure.compile(older(pattern))
            continue
        try:
            regex = rure.compile(older(pattern))
        except rure.exceptions.RegexError as error:
            if "empty sub-expressions" not in str(error):
                raise
            continue
        expected = {number for number, text in enumerate(TEXTS) if regex.search(text) is not None}
        found, undecided = rows.store.find(sql, rows.source, 0), rows.undecided(query)
        assert found - undecided == expected - undecided, pattern
        judged += 1
    assert judged > 500
