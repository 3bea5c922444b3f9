"""The embedded Lucene engine takes every query that is emitted for SigmaHQ's rules, ours and stock's, fast enough."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from converter.engines.engine import Invalid, Unjudged
from converter.engines.store import Stored
from tests.command import sigmapack
from tests.events import ROOT
from tests.lucene_index import Embedded

CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq" / "rules"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared, which only the developers have"),
]
NAME = re.compile(r"(?:^|[ (])(?:_exists_:)?(?P<name>[@A-Za-z][\w.@-]*)(?=:)|_exists_:(?P<other>[@A-Za-z][\w.@]*)")
TARGETS = ("lucene", "lucene_windows", "lucene_winlogbeat")
# Rows for each query, and how long a query may take on average, loading apart.
ROWS, SECONDS = 20, 0.015


def queries(folder: Path, *arguments: str) -> dict[str, str]:
    """The queries of a conversion of the corpus, by their files' names."""
    done = sigmapack("convert", CORPUS, "-s", "-o", folder, *arguments, cwd=ROOT)
    assert done.returncode in {0, 1}, done.stderr
    return {path.name: path.read_text(encoding="utf-8").strip() for path in sorted(folder.rglob("*.lucene"))}


def properties(asked: Mapping[str, str], target: str) -> dict[str, Any]:
    """A mapping of the fields that the queries name, each of the type that the target's routes say."""
    folder = ROOT / "converter" / "targets" / "lucene"
    routes = tomllib.loads((folder / f"{target}.toml").read_text(encoding="utf-8"))["routes"]
    kinds = {"numeric": "long", "ip": "ip", "text": "text", "boolean": "boolean", "unlimited": "wildcard"}
    told = {name: kind for option, kind in kinds.items() for route in routes for name in route.get(option, ())}
    named = {match["name"] or match["other"] for text in asked.values() for match in NAME.finditer(text)}
    made: dict[str, Any] = {}
    for name in sorted(named):
        own = name.removesuffix(".caseless")
        held = made.setdefault(own, {"type": "date" if own == "@timestamp" else told.get(own, "keyword")})
        if own != name:
            held["fields"] = {"caseless": {}}
    return made


@pytest.mark.parametrize("target", TARGETS)
def test_every_emitted_query_compiles_and_runs_in_time(
    target: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    asked = queries(tmp_path / "out", "-t", target)
    held = Embedded(properties(asked, target), {})
    texts = [name for name, told in properties(asked, target).items() if told["type"] in {"keyword", "wildcard"}][:12]
    row = dict.fromkeys(texts, "C:\\Windows\\System32\\cmd.exe /c whoami")
    rows = [Stored(number, number // ROWS, row) for number in range(len(asked) * ROWS)]
    held.store.load(held.source, rows)
    started = time.perf_counter()
    for owner, text in enumerate(asked.values()):
        held.store.find(held.engine.compile(text, held.layout, held.source), held.source, owner)
    each = (time.perf_counter() - started) / len(asked)
    record_property("seconds per query", each)
    assert len(asked) > 1_300
    assert each < SECONDS


# What is not said of a stock query: Elasticsearch and OpenSearch read expressions on text in two ways.
UNJUDGED = {
    "posh_pm_invoke_obfuscation_obfuscated_iex.lucene",
    "posh_pm_invoke_obfuscation_via_use_clip.lucene",
    "posh_pm_invoke_obfuscation_var.lucene",
    "posh_ps_invoke_obfuscation_obfuscated_iex.lucene",
    "posh_ps_invoke_obfuscation_var.lucene",
}


def test_stock_queries_are_judged(tmp_path: Path) -> None:
    asked = queries(tmp_path / "out", "--stock", "-t", "lucene", "-p", "ecs_windows")
    known = {name: held for name, held in properties(asked, "lucene").items() if "." in name}
    held = Embedded(known, {"empty": {}})
    refused, unjudged = set(), set()
    for name, text in asked.items():
        try:
            held.find(text)
        except Invalid:
            refused.add(name)
        except Unjudged:
            unjudged.add(name)
    assert unjudged == UNJUDGED
    # Wildcards and words on addresses, and expressions that no node takes.
    assert "win_security_susp_failed_logon_source.lucene" in refused
    assert len(refused) < 20
    assert len(asked) > 2_000
