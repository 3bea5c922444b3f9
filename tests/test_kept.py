"""What is kept between runs: it saves work, and never changes what comes out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from converter.cli.commands import COMMANDS, loaded
from tests.command import rule, sigmapack

RULES = 12


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of some rules, one of them refused."""
    folder = tmp_path / "project" / "sigma_rules"
    folder.mkdir(parents=True)
    for number in range(RULES):
        (folder / f"r{number}.yml").write_text(rule(number, value=f"value {number}"), encoding="utf-8")
    (folder / "odd.yml").write_text(rule(99, field="NoSuchField"), encoding="utf-8")
    return tmp_path / "project"


def run(project: Path, *arguments: str, cache: str = "cache") -> subprocess.CompletedProcess[str]:
    environment = {"XDG_CACHE_HOME": str(project.parent / cache)}
    return sigmapack(*arguments, cwd=project, environment=environment)


def entries(project: Path, cache: str = "cache") -> list[Path]:
    found = [path for path in (project.parent / cache).rglob("*") if path.is_file()]
    return sorted(path for path in found if "stamps" not in path.parts)


def outputs(project: Path) -> dict[str, bytes]:
    folder = project / "outputs"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


def written(project: Path) -> dict[Path, tuple[int, int, int]]:
    """When and as what each output was written."""
    found = {path: path.stat() for path in (project / "outputs").rglob("*")}
    return {path: (facts.st_ino, facts.st_size, facts.st_mtime_ns) for path, facts in found.items()}


def test_a_second_run_says_the_same_and_writes_nothing(project: Path) -> None:
    first = run(project, "convert")
    before = written(project)
    assert told(run(project, "convert")) == told(first)
    assert written(project) == before
    assert told(run(project, "convert", "--no-cache")) == told(first)
    printed = run(project, "convert", "sigma_rules")
    assert printed.stdout
    assert told(run(project, "convert", "sigma_rules")) == told(printed)


@pytest.mark.parametrize("change", ["rule", "output", "manifest", "gone", "new", "project", "renamed"])
def test_whatever_changes_is_made_again(project: Path, change: str) -> None:
    run(project, "convert")
    folder = project / "sigma_rules"
    if change == "rule":
        (folder / "r1.yml").write_text(rule(1, value="another"), encoding="utf-8")
    elif change == "output":
        (project / "outputs" / "kusto" / "r1.kql").write_text("mine", encoding="utf-8")
    elif change == "manifest":
        (project / "outputs" / "manifest.json").unlink()
    elif change == "gone":
        (folder / "r1.yml").unlink()
    elif change == "new":
        (folder / "r77.yml").write_text(rule(77), encoding="utf-8")
    elif change == "project":
        (project / "sigmapack.toml").write_text('targets = ["splunk"]\n', encoding="utf-8")
    else:
        (folder / "r1.yml").rename(folder / "r1x.yml")
    kept = run(project, "convert", "--prune")
    found = outputs(project)
    shutil.rmtree(project / "outputs")
    assert told(run(project, "convert", "--no-cache", "--prune")) == told(kept)
    fresh = outputs(project)
    if change == "project":
        # What the manifest says of the other targets' files, which stand there, stays in it.
        del fresh["manifest.json"]
    assert {name: found[name] for name in fresh} == fresh


def test_a_rule_of_the_same_size_and_time_but_another_content_is_converted(project: Path) -> None:
    run(project, "convert")
    path = project / "sigma_rules" / "r1.yml"
    facts = path.stat()
    path.write_text(rule(1, value="VALUE 1"), encoding="utf-8")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    run(project, "convert")
    assert b"VALUE 1" in (project / "outputs" / "kusto" / "r1.kql").read_bytes()


def poisoned(project: Path, poison: str) -> None:
    """Every entry spoilt: a byte turned over, cut off, emptied, or the content of another one."""
    found = entries(project)
    assert len(found) >= 3
    contents = [path.read_bytes() for path in found]
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


@pytest.mark.parametrize("poison", ["flipped", "cut", "emptied", "swapped", "foreign"])
def test_a_poisoned_cache_never_changes_an_output(project: Path, poison: str) -> None:
    wanted = told(run(project, "convert"))
    texts = outputs(project)
    checked = told(run(project, "check"))
    poisoned(project, poison)
    shutil.rmtree(project / "outputs")
    assert told(run(project, "convert")) == wanted
    assert outputs(project) == texts
    poisoned(project, poison)
    assert told(run(project, "check")) == checked
    path = project / "sigma_rules" / "r1.yml"
    path.write_text(rule(1, value="another"), encoding="utf-8")
    poisoned(project, poison)
    kept = told(run(project, "convert"))
    found = outputs(project)
    shutil.rmtree(project / "outputs")
    assert told(run(project, "convert", "--no-cache")) == kept
    assert outputs(project) == found


def test_every_byte_of_a_run_counts(project: Path) -> None:
    wanted = told(run(project, "convert", "sigma_rules/r1.yml"))
    for path in entries(project):
        content = path.read_bytes()
        for at in range(0, len(content), max(1, len(content) // 7)):
            held = bytearray(content)
            held[at] ^= 1
            path.write_bytes(bytes(held))
            assert told(run(project, "convert", "sigma_rules/r1.yml")) == wanted
            path.write_bytes(content)


def test_a_cache_that_cannot_be_written_is_none(project: Path) -> None:
    (project.parent / "file").write_text("in the way", encoding="utf-8")
    wanted = told(run(project, "convert", "sigma_rules", "--no-cache"))
    assert told(run(project, "convert", "sigma_rules", cache="file")) == wanted


def test_filters_and_pipelines_belong_to_what_is_kept(project: Path) -> None:
    pipeline = project / "more.yml"
    text = "name: more\npriority: 10\ntransformations:\n  - type: field_name_mapping\n"
    text += "    mapping: {ProcessCommandLine: X}\n"
    pipeline.write_text(text, encoding="utf-8")
    asked = ("convert", "-t", "kusto", "--allow-unmapped", "-p", "more.yml", "sigma_rules/r1.yml")
    first = run(project, *asked).stdout
    pipeline.write_text(text.replace("X", "Y"), encoding="utf-8")
    second = run(project, *asked).stdout
    assert first != second
    assert second == run(project, *asked, "--no-cache").stdout


def test_a_correlation_follows_the_rules_that_it_names(tmp_path: Path) -> None:
    one = rule(1).replace("title:", "name: one\ntitle:")
    correlation = "title: Many\nid: 00000000-0000-4000-8000-00000000aaaa\ncorrelation:\n  type: event_count\n"
    correlation += "  rules: [one]\n  group-by: [User]\n  timespan: 5m\n  condition: {gte: 3}\n"
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "one.yml").write_text(one, encoding="utf-8")
    (tmp_path / "rules" / "many.yml").write_text(correlation, encoding="utf-8")
    asked = ("convert", "-t", "splunk", "rules")
    first = run(tmp_path, *asked).stdout
    (tmp_path / "rules" / "one.yml").write_text(one.replace("something'", "else'"), encoding="utf-8")
    second = run(tmp_path, *asked).stdout
    assert first.count("else") == 0
    assert second.count("else") == 2
    assert second == run(tmp_path, *asked, "--no-cache").stdout


def test_runs_side_by_side_and_killed_ones_leave_a_sound_cache(project: Path) -> None:
    wanted = told(run(project, "convert", "sigma_rules", "--no-cache"))
    environment = os.environ | {"XDG_CACHE_HOME": str(project.parent / "cache")}
    command = [sys.executable, "-m", "converter", "convert", "sigma_rules"]
    running = [
        subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(4)
    ]
    time.sleep(0.4)
    running[0].kill()
    for process in running:
        process.wait(60)
    assert told(run(project, "convert", "sigma_rules")) == wanted
    assert told(run(project, "convert", "sigma_rules")) == wanted


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
def test_no_process_outlives_its_command(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for number in range(400):
        (tmp_path / "rules" / f"r{number}.yml").write_text(rule(number), encoding="utf-8")
    mark = f"outlives-{os.getpid()}"
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "SIGMAPACK_MARK": mark}
    done = sigmapack("convert", "rules", "-j", "2", cwd=tmp_path, environment=environment)
    assert done.returncode == 0
    assert done.stdout == sigmapack("convert", "rules", "--no-cache", cwd=tmp_path, environment=environment).stdout
    left = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            left += [entry] if mark.encode() in entry.read_bytes() else []
        except OSError:
            continue
    assert left == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_of_commands_says_what_each_command_says(name: str) -> None:
    said = loaded(name).help or ""
    assert " ".join(said.split("\n\n")[0].split()) == COMMANDS[name][1]
