"""Every SPL query of SigmaHQ's rules in the embedded engine: ours, and pySigma's own, of which Splunk rejects some."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from converter.engines.engine import Invalid, Unjudged
from converter.engines.spl import ENGINE
from converter.engines.store import Store
from tests import dpl
from tests.command import sigmapack
from tests.events import ROOT
from tests.splunk_store import layout, store

RULES = ROOT.parent / "shared" / "corpus" / "sigmahq" / "rules"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not RULES.is_dir(), reason="needs ../shared, which only the developers have"),
]
FIELDS = ("_time", "_raw", "source", "sourcetype", "EventCode", "Image", "CommandLine", "TargetObject", "User")
# On a machine that does nothing else, one takes 3 ms.
SECONDS = 0.05


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return converted(tmp_path_factory.mktemp("ours"), "-t", "splunk", "-t", "splunk_security", "-t", "splunk_cim")


def converted(folder: Path, *options: str) -> dict[str, str]:
    """The queries by their paths."""
    sigmapack("convert", "-s", *options, "-o", folder / "out", RULES, cwd=folder)
    manifest = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    outputs = [entry["output"] for entry in manifest["queries"]]
    assert len(outputs) > 2_000
    return {output: (folder / "out" / output).read_text(encoding="utf-8") for output in outputs}


@pytest.fixture(scope="module")
def held() -> Store:
    return store([{"EventCode": "1", "Image": f"C:\\{number}.exe"} for number in range(50)], layout(FIELDS))


def test_every_query_compiles_and_runs(queries: dict[str, str], held: Store) -> None:
    source = held.layout.sources[0]
    begun = time.perf_counter()
    for query in queries.values():
        held.find(ENGINE.compile(query, held.layout, source), source, 0)
    spent = (time.perf_counter() - begun) / len(queries)
    print(f"{len(queries)} queries, {spent * 1_000:.1f} ms each")  # noqa: T201 - shown with -s
    assert spent < SECONDS


@pytest.mark.java
@pytest.mark.skipif(None in dpl.TOOLS.values(), reason="needs a JDK and Maven")
def test_every_query_is_of_the_published_grammar(queries: dict[str, str]) -> None:
    """But `tstats`: that grammar knows no parentheses in its `where`."""
    texts = {path: query for path, query in queries.items() if not query.startswith("| tstats")}
    found = dict(zip(texts, dpl.errors(list(texts.values())), strict=True))
    assert {path: error for path, error in found.items() if error} == {}


def test_of_pysigma_s_own_queries_those_are_invalid_that_splunk_rejects(tmp_path: Path, held: Store) -> None:
    source = held.layout.sources[0]
    stock = converted(tmp_path, "--stock", "-t", "splunk", "-p", "splunk_windows")
    invalid = set()
    for path, query in stock.items():
        try:
            held.find(ENGINE.compile(query, held.layout, source), source, 0)
        except Invalid:
            invalid.add(path)
        except Unjudged:
            # No manual shows NOT after NOT.
            assert "NOT NOT" in query, query
    # A query cannot begin with a command that makes no events, nor `search` with OR, nor end with it.
    wrong = {path for path, query in stock.items() if query.lstrip().startswith("| rex") or "\n| search OR" in query}
    assert wrong
    assert invalid == wrong
