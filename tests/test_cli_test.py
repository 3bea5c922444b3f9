"""`sigmapack test`, as a process, over a copy of the project and over files of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.command import rule, sigmapack
from tests.events import ROOT
from tests.test_reports import JUNIT, SARIF

RULES = sorted(path.stem for path in (ROOT / "sigma_rules" / "t1596_003").glob("*.yml"))
SUFFIXES = {"kusto": "kql", "splunk": "spl", "lucene": "lucene"}
MANIFEST = json.loads((ROOT / "outputs" / "manifest.json").read_text(encoding="utf-8"))
FAST = ("test", "-q", "-j1", "--no-minimise")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose cache is its own."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("sigma_rules", "outputs"):
        shutil.copytree(ROOT / folder, tmp_path / "project" / folder)
    return tmp_path / "project"


def run(
    cwd: Path, *arguments: str | Path, environment: dict[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """A run with its report."""
    report = cwd / "report.json"
    done = sigmapack(*FAST, *arguments, "--report", f"json={report}", cwd=cwd, environment=environment)
    assert "Traceback" not in done.stderr
    return done, json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What stands on standard error, but for the check that takes a package of the user's cache."""
    return [line for line in done.stderr.splitlines() if not line.startswith("not checked by kusto_analyser")]


def kinds(report: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(Path(each["path"]).stem, each["target"], each["verdict"]) for each in report["verdicts"]}


def mend(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_the_pack_is_exact_and_the_next_run_says_the_same_from_the_cache(project: Path, home: dict[str, str]) -> None:
    done, report = run(project, environment=home)
    assert (done.returncode, said(done)) == (0, [])
    assert done.stdout.endswith("\nkusto: 5 exact\nsplunk: 5 exact\nlucene: 6 exact\n")
    wanted = {(name, target, "exact") for name in RULES for target in SUFFIXES}
    assert kinds(report) == wanted | {("pack", target, "exact") for target in SUFFIXES}
    assert len(report["verdicts"]) == 16
    entries = [path for path in Path(home["XDG_CACHE_HOME"], "sigmapack", "verdicts").rglob("*") if path.is_file()]
    assert len(entries) == len([*RULES, "the pack's hunting queries"])
    assert run(project, environment=home)[1] == report
    entries = [path for path in Path(home["XDG_CACHE_HOME"], "sigmapack").rglob("*") if path.is_file()]
    for path in entries:
        path.write_bytes(b"poison")
    assert run(project, environment=home)[1] == report


def test_a_changed_golden_is_told_with_its_event_and_the_manifest_forgets_its_verdict(
    project: Path, home: dict[str, str]
) -> None:
    for target, suffix in SUFFIXES.items():
        mend(project / "outputs" / target / "t1596_003" / f"proc_creation_openssl_probe.{suffix}", "x509", "x510")
    done, report = run(project, environment=home)
    assert done.returncode == 1
    wrong = [each for each in report["verdicts"] if each["verdict"] != "exact"]
    assert [(Path(each["path"]).stem, each["target"]) for each in wrong] == [
        ("proc_creation_openssl_probe", target) for target in SUFFIXES
    ]
    for each in wrong:
        assert each["verdict"] in {"mixed", "narrower"}
        assert all(shown["event"] and shown["row"] for shown in each["shown"])
        assert any("x509" in str(shown["event"]).lower() for shown in each["shown"])
        assert each["shown"][0]["name"] in done.stdout
    assert "  event  CommandLine: " in done.stdout
    assert "  row    ProcessCommandLine: " in done.stdout
    held = json.loads((project / "outputs" / "manifest.json").read_text(encoding="utf-8"))
    gone = {each["output"] for each in held["queries"] if each["verdict"] is None}
    suffixes = SUFFIXES.items()
    assert gone == {f"{target}/t1596_003/proc_creation_openssl_probe.{suffix}" for target, suffix in suffixes}


def test_every_report_is_of_its_form(project: Path, tmp_path: Path) -> None:
    mend(project / "outputs/kusto/t1596_003/proc_creation_openssl_probe.kql", "x509", "x510")
    reports = [f"--report={kind}={tmp_path / kind}" for kind in ("junit", "sarif")]
    done = sigmapack(*FAST, "--no-cache", "-t", "kusto", *reports, "--report=github", cwd=project)
    assert done.returncode == 1
    junit = ET.fromstring((tmp_path / "junit").read_bytes())  # noqa: S314 - our own
    JUNIT.validate(ET.ElementTree(junit))
    assert len(list(junit.iter("failure"))) == 1
    sarif = json.loads((tmp_path / "sarif").read_text(encoding="utf-8"))
    SARIF.validate(sarif)
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] in (["mixed"], ["narrower"])
    assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("::error file=")]


USED = sorted({(each["target"], id_) for each in MANIFEST["queries"] for id_ in each["repairs"]})


@pytest.mark.parametrize(("target", "repair"), USED)
def test_without_a_repair_that_it_uses_a_rule_is_not_exact(tmp_path: Path, target: str, repair: str) -> None:
    done, report = run(tmp_path, "--no-cache", "-t", target, "--without", repair, ROOT / "sigma_rules")
    used = {
        Path(each["path"]).stem
        for each in MANIFEST["queries"]
        if each["target"] == target and repair in each["repairs"]
    }
    told = {Path(each["path"]).stem: each for each in report["verdicts"] if Path(each["path"]).stem in RULES}
    assert {name for name, each in told.items() if each["verdict"] != "exact"} == used
    assert all(told[name]["shown"] for name in used)
    assert done.returncode == 1


def test_an_unknown_repair_is_wrong_usage(tmp_path: Path) -> None:
    done, _ = run(tmp_path, "--without", "K999", ROOT / "sigma_rules")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


CASES = """\
{more}must_match:
  - name: yes
    event: {{CommandLine: something, Nonsense: something}}
must_not_match:
  - name: no
    event: {{CommandLine: {value}}}
"""


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A rule of a folder without a project."""
    (tmp_path / "a.yml").write_text(rule())
    return tmp_path


@pytest.mark.parametrize(
    ("more", "value", "field", "code", "word"),
    [
        ("", "nothing", "CommandLine|contains", 0, "1 exact"),
        ("", "something else", "CommandLine|contains", 1, "'case: no' says that the rule does not match it"),
        ("todo: {kusto: it is not}\n", "nothing", "CommandLine|contains", 1, "the gap that its cases name is closed"),
        ("todo: {kusto: no column}\n", "nothing", "Nonsense", 0, "known gap: no column"),
        ("todo: {splunk: no column}\n", "nothing", "Nonsense", 1, "refused"),
        ("todo: [1]\n", "nothing", "CommandLine|contains", 1, "todo must map"),
    ],
)
def test_cases_and_known_gaps_hold_both_ways(  # noqa: PLR0913, PLR0917 - a row of the table
    one: Path, more: str, value: str, field: str, code: int, word: str
) -> None:
    (one / "a.yml").write_text(rule(field=field))
    (one / "a.cases.yaml").write_text(
        CASES.format(more=more, value=value).replace("name: yes", "name: 'yes'").replace("name: no\n", "name: 'no'\n")
    )
    done, _ = run(one, "--no-cache", "-t", "kusto", "a.yml")
    assert done.returncode == code, done
    assert word in done.stdout + done.stderr


def test_a_refused_rule_is_a_warning_with_s_and_events_are_needed_without_generated_ones(one: Path) -> None:
    assert "untested" in sigmapack(*FAST, "--no-cache", "--no-generated", "-t", "kusto", "a.yml", cwd=one).stdout
    (one / "a.yml").write_text(rule(field="Nonsense"))
    for arguments, code in (((), 1), (("-s",), 0)):
        done, report = run(one, "--no-cache", "-t", "kusto", *arguments, "a.yml")
        assert (done.returncode, [each["verdict"] for each in report["verdicts"]]) == (code, ["refused"])


INFO = """\
id: 1
rule_metadata:
  - id: 00000000-0000-4000-8000-000000000001
    title: T
regression_tests_info:
  - name: n
    type: evtx
    path: {path}
"""
RECORD = {"Event": {"System": {"EventID": 1, "Channel": "c"}, "EventData": {"CommandLine": "something"}}}


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("e.json", '{"CommandLine": "something"}', 0),
        ("e.json", '[{"CommandLine": "something"}, {"CommandLine": "other"}]', 0),
        ("e.jsonl", '{"CommandLine": "something"}\n{"CommandLine": "other"}\n', 0),
        ("e.json", json.dumps(RECORD), 0),
        ("e.json", "{", 2),
        ("e.json", "[1]", 2),
        ("e.json", "", 2),
        ("e.json", '{"Image": {"a": 1}}', 2),
    ],
)
def test_events_of_a_file(one: Path, name: str, text: str, code: int) -> None:
    (one / name).write_text(text)
    done, report = run(one, "--no-cache", "-t", "kusto", "--events", name, "a.yml")
    assert done.returncode == code
    if code:
        assert len(done.stderr.splitlines()) == 1
        assert name in done.stderr
        return
    bare = run(one, "--no-cache", "-t", "kusto", "a.yml")[1]
    assert report["verdicts"][0]["events"]["wanted"] == bare["verdicts"][0]["events"]["wanted"] + 1


@pytest.mark.parametrize("given", [True, False])
def test_recorded_events_of_a_rule_are_found_beside_it_or_where_the_user_says(one: Path, given: bool) -> None:  # noqa: FBT001
    (one / "data").mkdir()
    (one / "data" / "info.yml").write_text(INFO.format(path="data/r.evtx"))
    (one / "data" / "r.json").write_text(
        json.dumps(RECORD | {"Event": RECORD["Event"] | {"EventData": {"CommandLine": "x"}}})
    )
    arguments = ["--events", "data"] if given else []
    if not given:
        (one / "a.yml").write_text(rule() + "regression_tests_path: data/info.yml\n")
    done, _ = run(one, "--no-cache", "-t", "kusto", *arguments, "a.yml")
    assert done.returncode == 1
    assert "recorded: r.json" in done.stderr
    assert "says that the rule matches it" in done.stderr


def test_the_stock_conversion_of_the_pack_is_not_exact(tmp_path: Path) -> None:
    done, report = run(tmp_path, "--no-cache", "--stock", "-t", "lucene", ROOT / "sigma_rules")
    assert done.returncode == 1
    assert "exact" not in {each["verdict"] for each in report["verdicts"]}


def bad(folder: Path) -> Iterator[tuple[list[str], int, str]]:
    (folder / "empty").mkdir()
    yield ["empty"], 2, "empty"
    yield ["gone.yml"], 2, "gone.yml"
    (folder / "mixed").mkdir()
    (folder / "mixed" / "broken.yml").write_text("title: [\n")
    (folder / "mixed" / "with spaces.yml").write_text(rule(2))
    yield ["mixed"], 1, "broken.yml"
    (folder / "big.yml").write_text(rule(3) + "# " + "x" * 5_000_000 + "\n")
    yield ["big.yml"], 0, ""
    yield ["--events", "gone.json", "mixed"], 2, "gone.json"
    yield ["-t", "nothing", "mixed"], 2, "nothing"
    yield ["--seed", "x", "mixed"], 2, "seed"
    yield [], 2, ""


def test_bad_input_is_told_on_a_line(tmp_path: Path) -> None:
    for arguments, code, word in bad(tmp_path):
        target = [] if "-t" in arguments else ["-t", "kusto"]
        done = sigmapack(*FAST, "--no-cache", *target, *arguments, cwd=tmp_path)
        assert done.returncode == code, (arguments, done)
        assert word in done.stderr
        assert "Traceback" not in done.stderr


def test_outputs_that_cannot_be_judged_are_broken(project: Path) -> None:
    kusto = project / "outputs" / "kusto" / "t1596_003"
    (kusto / "proc_creation_openssl_probe.kql").unlink()
    (kusto / "proc_creation_cert_enum_tool.kql").write_bytes(b"\xff\xfe\x00")
    (kusto / "proc_creation_ct_log_query.kql").write_text("")
    (kusto / "_hunting.kql").write_bytes(b"\xff\xfe\x00")
    done, report = run(project, "--no-cache", "-t", "kusto")
    assert done.returncode == 1
    broken = {Path(each["path"]).stem for each in report["verdicts"] if each["verdict"] == "broken"}
    assert broken == {*RULES, "pack"} - {"proc_creation_win_certutil_enum"}
    shutil.rmtree(project / "outputs")
    done, report = run(project, "--no-cache", "-t", "kusto")
    assert {each["verdict"] for each in report["verdicts"]} == {"broken"}


@pytest.mark.parametrize("environment", [{"XDG_CACHE_HOME": "/proc/nothing"}, {"XDG_CACHE_HOME": "", "HOME": ""}])
def test_a_cache_that_cannot_be_written_is_no_obstacle(one: Path, environment: dict[str, str]) -> None:
    done, _ = run(one, "-t", "kusto", "a.yml", environment=environment)
    assert (done.returncode, said(done)) == (0, [])
    assert {path.name for path in one.iterdir()} == {"a.yml", "report.json"}


def test_two_runs_at_once_say_the_same(one: Path, home: dict[str, str]) -> None:
    command = [sys.executable, "-m", "converter", *FAST, "-t", "kusto", "a.yml"]
    both = [
        subprocess.Popen(command, cwd=one, env=os.environ | home, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    told = [each.communicate(timeout=120) for each in both]
    assert told[0] == told[1]
    assert [each.returncode for each in both] == [0, 0]


def test_a_closed_pipe_is_no_error_of_ours(one: Path) -> None:
    command = [sys.executable, "-m", "converter", *FAST, "--no-cache", "-t", "kusto", "a.yml"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, cwd=one, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=120)
    os.close(writing)
    assert b"Traceback" not in done.stderr


def children(pid: int) -> set[int]:
    """The processes below this one."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found |= {int(child)} | (children(int(child)) if Path(f"/proc/{child}").exists() else set())
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks /proc for the workers")
def test_ctrl_c_ends_it_with_130_and_leaves_no_worker(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for number in range(300):
        (tmp_path / "rules" / f"{number}.yml").write_text(rule(number + 1))
    command = [sys.executable, "-m", "converter", "test", "-q", "-j2", "--no-cache", "rules"]
    started = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    workers: set[int] = set()
    ends = time.monotonic() + 60
    while len(workers) < 3 and time.monotonic() < ends:
        time.sleep(0.1)
        workers = children(started.pid)
    assert len(workers) >= 3
    time.sleep(1)
    os.killpg(started.pid, signal.SIGINT)
    _, error = started.communicate(timeout=60)
    assert started.returncode == 130
    assert b"Traceback" not in error
    ends = time.monotonic() + 10
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < ends:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_nothing_of_a_run_depends_on_the_number_of_workers(tmp_path: Path) -> None:
    rules = [str(path) for path in sorted((ROOT / "sigma_rules").rglob("*.yml"))]
    told = [
        sigmapack("test", "-q", "--no-cache", "--no-minimise", "--stock", "-t", "splunk", jobs, *rules, cwd=tmp_path)
        for jobs in ("-j1", "-j3")
    ]
    assert told[0].stdout == told[1].stdout
    assert re.search(r"splunk: \d", told[0].stdout)
