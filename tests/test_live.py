"""The command and the judge on real nodes: what is exact, what is not, and that no index is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

from converter.judge import Judge, Trial
from tests import elastic_node
from tests.command import rule, sigmapack
from tests.elastic_node import Engine
from tests.events import ROOT

pytestmark = pytest.mark.live


@pytest.fixture(params=elastic_node.ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen = elastic_node.ENGINES[request.param]
    if chosen.url is None:
        pytest.skip(f"{chosen.variable} is not set: it names the {chosen.name} to ask")
    return chosen


def indices(engine: Engine) -> set[str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{engine.url}/_aliases", timeout=60) as answer:
        return set(json.load(answer))


def judge(engine: Engine) -> Judge:
    return Judge(engines={engine.name: str(engine.url)})


def test_the_pack_is_exact_on_a_node(engine: Engine) -> None:
    before = indices(engine)
    kept = (ROOT / "outputs" / "manifest.json").read_bytes()
    done = sigmapack("test", "-v", "-q", "-t", "lucene", "--engine", f"{engine.name}={engine.url}", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("t1596_003/")]
    names = {path.stem for path in (ROOT / "sigma_rules" / "t1596_003").glob("*.yml") if ".cases" not in path.name}
    assert {Path(place).stem for place, _ in rows} >= names
    assert {verdict for _, verdict in rows} == {"exact"}
    assert indices(engine) == before
    assert (ROOT / "outputs" / "manifest.json").read_bytes() == kept


@pytest.mark.parametrize(
    ("query", "kind", "missed"),
    [
        pytest.param("event.dataset:endpoint.events.process", "wider", {False}, id="all"),
        pytest.param("process.command_line.caseless:another", "broken", {True}, id="none"),
        pytest.param("process.command_line.caseless:(*something*", "broken", set(), id="no query"),
    ],
)
def test_a_wrong_query_is_told_with_an_event(engine: Engine, query: str, kind: str, missed: set[bool]) -> None:
    before = indices(engine)
    judging = judge(engine)
    (told,) = judging.judge([Trial(yaml.safe_load(rule()), {"lucene": query})])
    judging.close()
    verdict = told.verdicts["lucene"]
    assert verdict.kind == kind
    assert verdict.reason.endswith(f"(by {engine.name})")
    assert {each.wanted for each in verdict.shown} == missed
    for each in verdict.shown:
        assert ("something" in str(each.event.get("CommandLine")).lower()) == each.wanted
    assert indices(engine) == before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_broken_off_leaves_no_index(engine: Engine, how: signal.Signals) -> None:
    before = indices(engine)
    command = [
        sys.executable,
        "-m",
        "converter",
        "test",
        "-q",
        "-t",
        "lucene",
        "--engine",
        f"{engine.name}={engine.url}",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as run:
        deadline = time.monotonic() + 100
        while indices(engine) == before and time.monotonic() < deadline:
            time.sleep(0.02)
        assert indices(engine) != before
        run.send_signal(how)
        _, told = run.communicate(timeout=100)
    assert run.returncode == 128 + how, told
    assert b"Traceback" not in told
    assert indices(engine) == before
