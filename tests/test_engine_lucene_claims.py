"""The embedded Lucene engine says what real nodes answered to 150 forms of a query string."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from converter.engines.engine import Invalid, Unjudged
from tests.events import ROOT
from tests.lucene_index import Embedded

CLAIMS = ROOT.parent / "shared" / "engines" / "query_string_claims.txt"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CLAIMS.is_file(), reason="needs ../shared, which only the developers have"),
]
LINE = re.compile(
    r"[! ] (?P<name>.*?) \| (?P<query>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\") \| want (?P<want>.*?) \| (?P<said>.*)"
)
# What a line cuts short, by its name: the whole query.
WHOLE: Mapping[str, str] = {
    "regex 1001 chars": f"k:/{'a' * 1001}/",
    "ignore_above: exact": f"k:{'L' * 70}",
    "1025 terms in one group": f"k:({' OR '.join(f'v{number}' for number in range(1024))} OR foo)",
    "1025 wildcards in one group": f"k:({' OR '.join(f'*v{number}*' for number in range(1024))} OR foo)",
    "5000 wildcards": f"k:({' OR '.join(f'*v{number}*' for number in range(4999))} OR foo)",
}
PROPERTIES: Mapping[str, Any] = {
    "k": {"type": "keyword", "ignore_above": 64},
    "c": {"type": "keyword", "ignore_above": 64, "normalizer": "lowercase"},
    "n": {"type": "keyword"},
    "w": {"type": "wildcard"},
    "own": {"type": "wildcard"},
    **{name: {"type": "keyword"} for name in "xyz"},
    "ip": {"type": "ip"},
    "num": {"type": "long"},
}
FIELDS = ("k", "c", "n", "w", "own")
# The value of each of the claims' documents, after its name and what finds it.
VALUES = {
    "FOO": "FOO", "foo": "foo", "sp": "foo bar", "uni": "Àé", "num": "abc123", "path": r"C:\Windows\cmd.exe",
    "qm": "fo?", "star": "fo*", "empty": "", "gt": ">x", "gtsp": ">x y", "lt": "<x", "eq": "=x", "midgt": "a>b",
    "dash": "– –dump", "tab": "a\tb", "a": "a", "b": "b", "nl": "a\nb", "AND": "AND", "OR": "OR", "NOT": "NOT",
    "bs": r"a\b", "trail": "C:\\", "q": 'a"b', "paren": "f(x)[1]{2}^~!+-:|", "amp": "a&&b", "one": "a&b",
    "slash": "a/b", "hash": "a#b@c", "tilde": "a~b", "other": "o",
}  # fmt: skip
LONG = "L" * 1500 + "end"
DOCUMENTS: Mapping[str, Mapping[str, object]] = {
    **{name: dict.fromkeys(FIELDS, value) for name, value in VALUES.items()},
    "long": dict.fromkeys(FIELDS, LONG),
    "X": {"x": "1"},
    "XY": {"x": "1", "y": "2"},
    "YZ": {"y": "2", "z": "3"},
    "ip4": {"ip": "10.1.2.3", "num": 400},
    "ip192": {"ip": "192.168.1.2", "num": 44},
    "ip6": {"ip": "2001:db8::1"},
}


@cache
def index() -> Embedded:
    return Embedded(PROPERTIES, DOCUMENTS)


def claims() -> list[tuple[str, str, str, str]]:
    """Each line's name, its query, what it should give, and what Elasticsearch and OpenSearch said."""
    if not CLAIMS.is_file():
        return [("", "", "", "")]
    lines = CLAIMS.read_text(encoding="utf-8").splitlines()[1:]
    found = [match for line in lines if (match := LINE.fullmatch(line)) is not None]
    assert len(found) == len(lines)
    return [(told["name"], ast.literal_eval(told["query"]), told["want"], told["said"]) for told in found]


@pytest.mark.parametrize(("name", "query", "want", "said"), claims())
def test_a_form_is_answered_as_nodes_answer_it(name: str, query: str, want: str, said: str) -> None:
    # DuckDB's names know no letter case.
    query = re.sub(r"\bW\b", "own", WHOLE.get(name, query)) if "W" in query else WHOLE.get(name, query)
    assert name in WHOLE or "…" not in query
    both = said.removeprefix("both: ") if said.startswith("both: ") else None
    elastic, _, opensearch = (both or said).partition(" || ")
    try:
        found = index().find(query)
    except Unjudged:
        assert both is None, "nodes agree, so it can be said"
        return
    except Invalid:
        assert elastic.startswith("error") and (both or opensearch.startswith("error"))  # noqa: PT018 - one answer
        return
    # Elasticsearch had no type `wildcard` there, and OpenSearch's misses values: what should be found is told.
    told = want if elastic == "n/a" else elastic
    assert (f"<{len(found)} ids>" == told) if told.startswith("<") else (found == ids(told))


def ids(told: str) -> set[str]:
    return set(filter(None, told.strip("{}").split(",")))


def test_the_documents_are_as_many_as_the_claims() -> None:
    assert len(DOCUMENTS) == 39
