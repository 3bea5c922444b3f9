"""Emitted queries in a grammar that others wrote: it takes more than Splunk does, and knows all that we emit."""

from __future__ import annotations

import pytest

from tests import dpl
from tests.events import ROOT

MISSING = [name for name, path in dpl.TOOLS.items() if path is None]
pytestmark = [
    pytest.mark.java,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


def test_the_pack_s_queries_are_of_the_published_grammar() -> None:
    paths = sorted(ROOT.glob("outputs/splunk/**/*.spl"))
    assert paths
    found = dpl.errors([path.read_text(encoding="utf-8") for path in paths])
    assert {path.name: error for path, error in zip(paths, found, strict=True) if error} == {}


def test_the_published_grammar_rejects_what_the_engine_calls_invalid() -> None:
    queries = [
        'Image=x | search OR Image="y"',
        "Image=x OR",
        "(Image=x",
        "Image=x)",
        "()",
        "Image=x | where isnull(Image",
        "Image=x | where isnull(Image) OR",
    ]
    assert [query for query, error in zip(queries, dpl.errors(queries), strict=True) if error is None] == []
