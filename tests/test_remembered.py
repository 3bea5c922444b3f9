"""Verdicts that are kept save work, and never change what a run says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from converter.testing import WORTH_A_WORKER
from tests.command import rule, sigmapack

TEST = ("test", "-q", "-t", "kusto", "--no-minimise")
QUERY = 'DeviceProcessEvents\n| where ProcessCommandLine contains "{}"\n'
CASES = """\
must_match:
  - {name: a, event: {CommandLine: value 1}}
must_not_match:
  - {name: b, event: {CommandLine: other}}
"""
INFO = """\
rule_metadata:
  - id: 00000000-0000-4000-8000-000000000002
regression_tests_info:
  - path: e.evtx
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Rules with an exact query, a wrong one with recorded events, a missing one, and none."""
    folder = tmp_path / "project"
    for name in ("sigma_rules", "outputs/kusto", "recorded/r2"):
        (folder / name).mkdir(parents=True)
    for number in (1, 2, 3):
        text = rule(number, value=f"value {number}")
        (folder / "sigma_rules" / f"r{number}.yml").write_text(
            text + f"regression_tests_path: recorded/r{number}/info.yml\n"
        )
    (folder / "sigma_rules" / "odd.yml").write_text(rule(99, field="NoSuchField"))
    (folder / "sigma_rules" / "r1.cases.yaml").write_text(CASES)
    (folder / "recorded" / "r2" / "info.yml").write_text(INFO)
    (folder / "recorded" / "r2" / "e.json").write_text('{"CommandLine": "a value 2"}')
    (folder / "outputs" / "kusto" / "r1.kql").write_text(QUERY.format("value 1"))
    (folder / "outputs" / "kusto" / "r2.kql").write_text(QUERY.format("value 22"))
    (folder / "outputs" / "manifest.json").write_text('{"queries": [], "refusals": [], "hunting": [], "versions": {}}')
    return folder


def run(project: Path, *arguments: str, cache: str = "cache") -> subprocess.CompletedProcess[str]:
    return sigmapack(*TEST, *arguments, cwd=project, environment={"XDG_CACHE_HOME": str(project.parent / cache)})


def told(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def entries(project: Path, kind: str = "") -> list[Path]:
    return sorted(path for path in (project.parent / "cache" / "sigmapack" / kind).rglob("*") if path.is_file())


def imported(project: Path, *arguments: str) -> str:
    """What a run says on standard error, with every module that it imports."""
    command = [sys.executable, "-X", "importtime", "-m", "converter", *TEST, *arguments]
    environment = os.environ | {"XDG_CACHE_HOME": str(project.parent / "cache")}
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, check=False, timeout=120, text=True
    ).stderr


def test_a_second_run_says_the_same_without_a_look_at_any_engine(project: Path) -> None:
    first = run(project)
    assert first.stdout.endswith("\nkusto: 1 exact, 1 narrower, 1 broken, 1 refused\n")
    assert told(run(project)) == told(first)
    assert "converter.judge" not in imported(project)
    assert told(run(project, "--no-cache")) == told(first)


def test_without_the_cache_nothing_is_read_from_it_and_nothing_written(project: Path) -> None:
    run(project)
    before = {path: path.read_bytes() for path in entries(project)}
    (project / "outputs" / "kusto" / "r1.kql").write_text(QUERY.format("value"))
    assert "wider" in run(project, "--no-cache").stdout
    # The stamp of our own files is no part of it.
    assert {path: path.read_bytes() for path in entries(project) if path in before} == before
    assert {path for path in entries(project) if "stamps" not in path.parts} <= before.keys()
    assert "converter.judge" in imported(project, "--no-cache")


def record(folder: Path, number: int) -> None:
    """Record an event for the rule of this number that it does not match."""
    folder.mkdir(parents=True)
    (folder / "info.yml").write_text(INFO.replace("000002", f"00000{number}"))
    (folder / "e.json").write_text('{"CommandLine": "none"}')


CHANGES: dict[str, Callable[[Path], object]] = {
    "a rule": lambda place: (place / "sigma_rules" / "r1.yml").write_text(rule(1, value="another")),
    "a new rule": lambda place: (place / "sigma_rules" / "r4.yml").write_text(rule(4)),
    "a rule that is gone": lambda place: (place / "sigma_rules" / "r1.yml").unlink(),
    "cases": lambda place: (place / "sigma_rules" / "r1.cases.yaml").write_text(
        CASES.replace("other", "the value 1, in truth")
    ),
    "a known gap": lambda place: (place / "sigma_rules" / "r1.cases.yaml").write_text(CASES + "todo: {kusto: x}\n"),
    "cases that are new": lambda place: (place / "sigma_rules" / "r2.cases.yaml").write_text(
        CASES.replace("other", "value 2")
    ),
    "a recorded event": lambda place: (place / "recorded" / "r2" / "e.json").write_text('{"CommandLine": "none"}'),
    "recorded events that are new": lambda place: record(place / "recorded" / "r1", 1),
    "recorded events that are nearer": lambda place: record(place / "sigma_rules" / "recorded" / "r2", 2),
    "an output": lambda place: (place / "outputs" / "kusto" / "r1.kql").write_text(QUERY.format("value")),
    "an output that is no text": lambda place: (place / "outputs" / "kusto" / "r1.kql").write_bytes(b"\xff"),
    "an output that is gone": lambda place: (place / "outputs" / "kusto" / "r1.kql").unlink(),
    "an output that is new": lambda place: (place / "outputs" / "kusto" / "r3.kql").write_text(QUERY.format("value 3")),
    "the project": lambda place: (place / "sigmapack.toml").write_text('outputs = "elsewhere"\n'),
    "events": lambda place: (place / "events.json").write_text('{"CommandLine": "no"}'),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_judged_again(project: Path, change: Callable[[Path], object]) -> None:
    (project / "events.json").write_text('{"CommandLine": "value 1 value 2"}')
    before = told(run(project, "--events", "events.json"))
    change(project)
    after = told(run(project, "--events", "events.json"))
    assert after == told(run(project, "--events", "events.json", "--no-cache"))
    if change is not CHANGES["events"]:
        assert after != before


def test_cases_beside_a_rule_that_is_named_alone_are_watched(project: Path) -> None:
    before = run(project, "sigma_rules/r1.yml")
    CHANGES["cases"](project)
    after = run(project, "sigma_rules/r1.yml")
    assert (before.returncode, after.returncode) == (0, 1)
    assert "says that the rule does not match it" in after.stderr


def test_of_a_set_of_rules_only_the_changed_one_is_judged(project: Path) -> None:
    run(project)
    before = entries(project, "verdicts")
    assert len(before) == 4
    (project / "outputs" / "kusto" / "r1.kql").write_text(QUERY.format("value"))
    run(project)
    assert len(entries(project, "verdicts")) == len(before) + 1


def test_rules_that_were_read_before_are_judged_by_worker_processes_too(tmp_path: Path) -> None:
    place = tmp_path / "project"
    (place / "sigma_rules").mkdir(parents=True)
    (place / "outputs" / "kusto").mkdir(parents=True)
    for number in range(WORTH_A_WORKER):
        (place / "sigma_rules" / f"r{number}.yml").write_text(rule(number, value=f"value {number}"))
    (place / "outputs" / "manifest.json").write_text("{}")
    first = run(place, "-j2")
    assert f"{WORTH_A_WORKER} broken" in first.stdout
    for number in range(WORTH_A_WORKER):
        (place / "outputs" / "kusto" / f"r{number}.kql").write_text(QUERY.format(f"value {number}"))
    second = run(place, "-j2")
    assert f"{WORTH_A_WORKER} exact" in second.stdout
    assert told(run(place, "-j2", "--no-cache")) == told(second)


@pytest.mark.parametrize("poison", ["flipped", "cut", "emptied", "swapped", "foreign"])
@pytest.mark.parametrize("left", ["all", "sets", "verdicts"])
def test_a_poisoned_entry_is_none(project: Path, poison: str, left: str) -> None:
    first = run(project)
    for kind in {"sets", "verdicts", "runs"} - {left} if left != "all" else ():
        for path in entries(project, kind):
            path.unlink()
    found = entries(project)
    contents = [path.read_bytes() for path in found]
    assert len(found) > 1
    for number, path in enumerate(found):
        held = bytearray(contents[number])
        if poison == "flipped":
            held[len(held) * 2 // 3] ^= 1
        elif poison == "cut":
            held = held[: len(held) // 2]
        elif poison == "emptied":
            held = bytearray()
        elif poison == "swapped":
            held = bytearray(contents[(number + 1) % len(found)])
        else:
            held = bytearray(b"\xff\xfe foreign\n{}\n")
        path.write_bytes(bytes(held))
    assert told(run(project)) == told(first)


def test_two_runs_at_once_leave_whole_entries(project: Path) -> None:
    command = [sys.executable, "-m", "converter", *TEST]
    environment = os.environ | {"XDG_CACHE_HOME": str(project.parent / "cache")}
    both = [
        subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [each.communicate(timeout=120)[0].decode() for each in both]
    assert said[0] == said[1] == run(project).stdout
    assert "converter.judge" not in imported(project)
