"""`sigmapack list`, as a process: each kind, and what it says of rules that it converts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from converter.targets import DEFAULTS, TARGETS
from tests.command import rule, sigmapack
from tests.events import ROOT

HERE = ["process_creation", "windows", "-"]


def rows(stdout: str) -> list[list[str]]:
    """The words of every line of the tables."""
    return [line.split() for line in stdout.splitlines() if line.strip()]


def with_logsource(text: str, logsource: str) -> str:
    """The rule with another log source."""
    return text.replace("    category: process_creation\n    product: windows\n", logsource)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rules outside a project: one that converts, one of a log source kusto refuses, one of which nobody knows."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yml").write_text(rule(1))
    (rules / "b.yml").write_text(rule(2, field="Nonsense"))
    (rules / "c.yml").write_text(with_logsource(rule(3), "    product: windows\n    service: security\n"))
    (rules / "d.yml").write_text(with_logsource(rule(4), "    product: toaster\n"))
    return tmp_path


def test_without_a_project_routes_are_what_the_targets_have(tmp_path: Path) -> None:
    done = sigmapack("list", "routes", cwd=tmp_path)
    listed = {(row[0], *row[1:5]) for row in rows(done.stdout)}
    assert done.returncode == 0
    assert ("kusto", *HERE, "process_creation") in listed
    assert listed == {
        (name, source.category or "-", source.product or "-", source.service or "-", route.name)
        for name in DEFAULTS
        for route in TARGETS[name].routes
        for source in route.logsources
    } | {row for row in listed if row[0] == "target" or row[0].startswith("─")}


def test_routes_of_one_target_in_a_project(tmp_path: Path) -> None:
    (tmp_path / "sigma_rules").mkdir()
    done = sigmapack("list", "routes", "--all", "-t", "splunk_cim", cwd=tmp_path)
    assert {row[0] for row in rows(done.stdout)[2:]} == {"splunk_cim"}
    assert "datamodel=Endpoint.Processes" in done.stdout


def test_routes_of_rules_say_what_became_of_each_log_source_and_why(folder: Path) -> None:
    done = sigmapack("list", "routes", "-t", "kusto", "rules", cwd=folder)
    lines = rows(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert [*HERE, "kusto", "1", "1", "routed", "process_creation"] in lines
    assert ["-", "windows", "security", "kusto", "0", "1", "refused"] in [line[:7] for line in lines]
    assert ["-", "toaster", "-", "kusto", "0", "1", "not", "mapped", "yet"] in [line[:9] for line in lines]
    assert ["kusto", "4", "1", "1", "1", "1"] in lines
    assert ["kusto", "1", "rule", "itself", "no", "pipeline", "maps", "the", "field", "Nonsense"] in lines


def test_routes_count_what_convert_does(folder: Path) -> None:
    sigmapack("convert", "rules", "-o", "out", cwd=folder)
    held = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    done = sigmapack("list", "routes", "rules", cwd=folder)
    counted = {row[0]: row[1:3] for row in rows(done.stdout) if row[0] in DEFAULTS and len(row) == 6}
    assert counted == {name: ["4", str(sum(entry["target"] == name for entry in held["queries"]))] for name in DEFAULTS}


def test_routes_of_a_file_that_is_not_there(folder: Path) -> None:
    (folder / "rules" / "bad.yml").write_text("title: [\n")
    assert sigmapack("list", "routes", "rules", cwd=folder).returncode == 1
    done = sigmapack("list", "routes", "nowhere", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere: does not exist" in done.stderr


def test_routes_of_a_rule_on_standard_input(tmp_path: Path) -> None:
    done = sigmapack("list", "routes", "-t", "splunk", "-", cwd=tmp_path, stdin=rule().encode())
    assert [*HERE, "splunk", "1", "0", "routed", "process_creation_windows"] in rows(done.stdout)


def test_a_correlation_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    correlation = (
        "title: Often\nid: 00000000-0000-4000-8000-000000000009\ncorrelation:\n    type: event_count\n"
        "    rules: [00000000-0000-4000-8000-000000000001]\n    group-by: [User]\n    timespan: 1h\n"
        "    condition: {gte: 3}\n"
    )
    (tmp_path / "a.yml").write_text(rule())
    (tmp_path / "b.yml").write_text(correlation)
    done = sigmapack("list", "routes", "-t", "splunk", "-t", "kusto", ".", cwd=tmp_path)
    found = [row[:6] for row in rows(done.stdout) if row[0] == "(correlation)"]
    assert found == [
        ["(correlation)", "-", "-", "kusto", "0", "1"],
        ["(correlation)", "-", "-", "splunk", "1", "0"],
    ]


def test_a_title_in_brackets_is_no_markup(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule().replace("Something Was Started", "'[bold]Started[/bold] [/]'"))
    done = sigmapack("list", "rules", ".", cwd=tmp_path)
    assert "[bold]Started[/bold] [/]" in done.stdout


def test_pipelines_are_those_that_convert_takes(tmp_path: Path) -> None:
    done = sigmapack("list", "pipelines", cwd=tmp_path)
    names = {row[0] for row in rows(done.stdout)[2:]}
    assert {"microsoft_xdr", "splunk_windows", "ecs_windows"} <= names
    only = {row[0] for row in rows(sigmapack("list", "pipelines", "-t", "sentinel", cwd=tmp_path).stdout)[2:]}
    assert "microsoft_xdr" in only
    assert "splunk_windows" not in only


@pytest.mark.parametrize("target", TARGETS)
def test_every_format_that_is_always_taken_converts(tmp_path: Path, target: str) -> None:
    (tmp_path / "a.yml").write_text(rule(value="4711"))
    done = sigmapack("list", "formats", "-t", target, cwd=tmp_path)
    formats = {row[1] for row in rows(done.stdout)[2:] if row[2] == "always"}
    assert {"default", "ndjson"} <= formats
    for form in formats:
        converted = sigmapack("convert", "-t", target, "-f", form, "a.yml", cwd=tmp_path)
        assert (converted.returncode, converted.stderr) == (0, "")
        assert "4711" in converted.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["formats", "a.yml"],
        ["packs", "-t", "kusto"],
        ["rules", "--all"],
        ["routes", "--all", "a.yml"],
        ["routes", "-t", "nowhere"],
        ["-t", "kusto"],
    ],
)
def test_what_a_kind_does_not_take_is_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    done = sigmapack("list", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_no_table_is_paid_for_by_those_who_ask_for_none() -> None:
    program = "import sys, converter.cli; print([name for name in sys.modules if name.split('.')[0] == 'rich'])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
