"""The whole of SigmaHQ's rules on the default targets: each decided, none lost, none that reads like Sigma."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.logsource import LogSource
from converter.targets import DEFAULTS, named
from converter.targets.target import Homeless, Route
from tests.command import sigmapack
from tests.events import ROOT

CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared, which only the developers have"),
]
# Sigma's names of process creation, which every default target but Splunk calls otherwise.
RENAMED = ("CommandLine", "ParentCommandLine", "ParentImage", "OriginalFileName", "Image", "TargetFilename", "Hashes")
KEPT: Mapping[str, tuple[str, ...]] = {"kusto": (), "lucene": ()}
STRINGS = re.compile(r"""@?"(?:[^"\\]|\\.)*"|@'[^']*'|/(?:[^/\\]|\\.)*/""")
# Of the folder rules/; the other folders hold rarer ones.
SOURCES, RULES = 112, 2_471


@dataclass(frozen=True)
class Run:
    """One conversion of the whole corpus."""

    folder: Path
    code: int
    stderr: str
    queries: Sequence[Mapping[str, Any]]
    refusals: Sequence[Mapping[str, Any]]

    def text(self, entry: Mapping[str, Any]) -> str:
        """The query that an entry of the manifest names."""
        return self.folder.joinpath(str(entry["output"])).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The one command."""
    cwd = tmp_path_factory.mktemp("corpus")
    done = sigmapack("convert", CORPUS, "-o", "out", cwd=cwd)
    manifest = json.loads((cwd / "out" / "manifest.json").read_text(encoding="utf-8"))
    return Run(cwd / "out", done.returncode, done.stderr, manifest["queries"], manifest["refusals"])


@cache
def rules() -> Mapping[str, Mapping[str, Any]]:
    """Every document of the folders of rules by path; a file of SigmaHQ's holds one rule."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return {
        path.relative_to(CORPUS).as_posix(): yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506 - safe
        for path in sorted(CORPUS.glob("rules*/**/*.yml"))
    }


def test_each_rule_stands_once_for_each_target(run: Run) -> None:
    assert run.code == 1
    assert "Traceback" not in run.stderr
    found = Counter((entry["path"], entry["target"]) for entry in (*run.queries, *run.refusals))
    paths = [path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*.yml")]
    assert len(rules()) == RULES
    assert found == Counter((path, target) for path in paths for target in DEFAULTS)


def test_files_and_manifest_agree_and_hashes_are_true(run: Run) -> None:
    held = {path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*") if path.is_file()}
    assert held - {"manifest.json"} == {entry["output"] for entry in run.queries}
    assert len({entry["output"] for entry in run.queries}) == len(run.queries)
    for entry in run.queries:
        content = (run.folder / entry["output"]).read_bytes()
        assert entry["output_sha256"] == hashlib.sha256(content).hexdigest(), entry
        rule = (CORPUS / entry["path"]).read_bytes()
        assert entry["rule_sha256"] == hashlib.sha256(rule).hexdigest(), entry
        assert entry["rule"] == rules()[entry["path"]]["id"]
        # A few rules are larger than a service takes.
        assert all(mark.startswith("over ") for mark in entry["marks"])


@pytest.mark.parametrize(("target", "wanted"), [("kusto", 1_150), ("splunk", 1_700), ("lucene", 1_500)])
def test_as_many_rules_become_queries_as_were_promised(run: Run, target: str, wanted: int) -> None:
    found = [entry for entry in run.queries if entry["target"] == target and entry["path"].startswith("rules/")]
    assert len(found) > wanted


def test_every_refusal_has_a_reason_that_we_foresaw(run: Run) -> None:
    odd = [entry for entry in run.refusals if "cannot be converted" in entry["reason"] or not entry["reason"]]
    assert odd == []
    errors = [
        entry for entry in run.refusals if re.search(r"\b[A-Z]\w+Error\b|Traceback|object at 0x", entry["reason"])
    ]
    assert errors == []


def test_every_refusal_of_a_field_or_a_log_source_has_its_line(run: Run) -> None:
    of_rules = [entry for entry in run.refusals if entry["path"].startswith("rules")]
    nowhere = [
        entry
        for entry in of_rules
        if entry["line"] is None and entry["reason"].startswith(("no route", "no pipeline maps"))
    ]
    assert nowhere == []
    assert len({entry["reason"] for entry in of_rules}) > 50


def test_each_refusal_is_one_line_of_standard_error(run: Run) -> None:
    lines = run.stderr.splitlines()
    assert (
        len(lines)
        == len({(entry["path"], entry["line"], entry["reason"]) for entry in run.refusals}) + warned(lines) + 1
    )


def warned(lines: Sequence[str]) -> int:
    """How many lines are warnings of queries."""
    return sum("left out of fields" in line for line in lines)


def test_no_query_is_without_a_data_source(run: Run) -> None:
    splunk = re.compile(r"\b(source|sourcetype|index|eventtype)\s*(=|IN\b)|\bdatamodel\s*=?\s*\w", re.IGNORECASE)
    lucene = re.compile(r"\b(event\.(category|dataset|module|provider|code)|data_stream\.dataset|winlog\.channel)\b")
    table = re.compile(r"\A[A-Z]\w+\n|\A(let|union)\b")
    patterns = {"splunk": splunk, "lucene": lucene, "kusto": table}
    without = [entry["output"] for entry in run.queries if not patterns[entry["target"]].search(run.text(entry))]
    assert without == []


@pytest.mark.parametrize("target", KEPT)
def test_no_query_reads_a_raw_sigma_field(run: Run, target: str) -> None:
    raw = re.compile(
        rf"(?<![\w.])({'|'.join(RENAMED)})(?=\s*(:|==|=~|in~?\b|has|contains|startswith|endswith|matches))"
    )
    found = {
        entry["output"]: held
        for entry in run.queries
        if entry["target"] == target and (held := raw.findall(STRINGS.sub('""', run.text(entry))))
    }
    assert {name: held for name, held in found.items() if target != "kusto" or not computed(run.folder / name)} == {}


def computed(path: Path) -> bool:
    """Whether the query makes the column itself, under Sigma's name."""
    text = path.read_text(encoding="utf-8")
    return any(f"| extend {name} =" in text for name in RENAMED)


def logsources() -> set[LogSource]:
    """Every log source of the rules under rules/."""
    return {
        LogSource(*(rule["logsource"].get(key) for key in ("category", "product", "service")))
        for path, rule in rules().items()
        if path.startswith("rules/")
    }


def test_the_corpus_has_the_log_sources_that_were_counted() -> None:
    assert len(logsources()) == SOURCES


@pytest.mark.parametrize("target", DEFAULTS)
def test_every_log_source_is_decided(target: str) -> None:
    (row,) = named([target])
    decided = {source: row.route(source) for source in logsources()}
    assert [str(source) for source, home in decided.items() if home is None] == []
    for source, home in decided.items():
        if isinstance(home, Route):
            assert home.docs.startswith("https://"), str(source)
        else:
            assert isinstance(home, Homeless)
            assert len(home.reason) > 20, str(source)


@pytest.mark.parametrize("target", DEFAULTS)
def test_no_rule_is_refused_for_want_of_a_decision(run: Run, target: str) -> None:
    undecided = [
        entry
        for entry in run.refusals
        if entry["target"] == target and entry["path"].startswith("rules/") and "nothing is decided" in entry["reason"]
    ]
    assert undecided == []


def test_a_second_run_and_two_jobs_make_the_same_bytes(run: Run, tmp_path: Path) -> None:
    assert sigmapack("convert", CORPUS, "-o", "out", "-j", "2", "-q", cwd=tmp_path).returncode == 1
    diff = shutil.which("diff")
    assert diff is not None
    done = subprocess.run([diff, "-rq", run.folder, tmp_path / "out"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
