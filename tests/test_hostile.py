"""Input that means harm, or meets a bad day: one clear line, exit 1, and the other rules are converted."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from converter import cli, documents, tree
from tests.command import rule, sigmapack

KQL = 'DeviceProcessEvents\n| where ProcessCommandLine contains "something"\n'
# Generous: what is held is that a command ends, not how fast the machine is.
BOUND = 60
WITHOUT_VALUE = rule(1).replace("        CommandLine|contains: 'something'\n", "{}")


def files(root: Path) -> set[str]:
    """Every file below the folder but the manifest."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {"manifest.json"}


def nested(opening: str, closing: str, times: int = 500) -> str:
    return rule(1).replace("condition: selection", "condition: " + opening * times + "selection" + closing * times)


def windash() -> str:
    """A rule of one value that would become 5^30."""
    return rule(1, field="CommandLine|windash|contains", value=" ".join(f"-{letter}" for letter in "abcdefghij" * 3))


def alias_bomb() -> str:
    """A rule whose nine lines of aliases come to ten to the ninth values."""
    lists = ["        a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lists += [f"        a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    return WITHOUT_VALUE.format("\n".join(lists) + "\n")


def nested_lists() -> str:
    return WITHOUT_VALUE.format("        CommandLine: " + "[" * 500 + "x" + "]" * 500 + "\n")


def nested_maps() -> str:
    return WITHOUT_VALUE.format("        " + "{a: " * 500 + "x" + "}" * 500 + "\n")


HOSTILE = {
    "a windash bomb": (windash().encode(), ["rules/bad.yml:16", "windash", "5^30"]),
    "windash bombs in many values": (
        WITHOUT_VALUE.format(
            "        CommandLine|windash|contains:\n"
            + "".join(f"            - '{n} -a -b -c -d -e -f -g'\n" for n in range(2000))
        ).encode(),
        ["rules/bad.yml:16", "windash"],
    ),
    "an alias bomb": (alias_bomb().encode(), ["rules/bad.yml", "aliases"]),
    "an alias within itself": (
        WITHOUT_VALUE.format("        CommandLine: &a [x, *a]\n").encode(),
        ["rules/bad.yml"],
    ),
    "500 nested lists": (nested_lists().encode(), ["rules/bad.yml"]),
    "500 nested maps": (nested_maps().encode(), ["rules/bad.yml"]),
    "100,000 nested maps": (
        ("title: x\ndetection: " + "{a: " * 100_000 + "x" + "}" * 100_000).encode(),
        ["rules/bad.yml"],
    ),
    "100,000 nested lists": (
        ("title: x\ndetection: " + "[" * 100_000 + "x" + "]" * 100_000).encode(),
        ["rules/bad.yml"],
    ),
    "500 nots": (nested("not ", "").encode(), ["rules/bad.yml:17", "nested too deeply"]),
    "a NUL byte in a value": (rule(1, value="some\0thing").encode(), ["rules/bad.yml:16", "not valid YAML"]),
    "a file of NUL bytes": (b"\0" * 4096, ["rules/bad.yml:1", "not valid YAML"]),
    "UTF-16": (rule(1).encode("utf-16"), ["rules/bad.yml:1", "UTF-8"]),
    "a number without end": (rule(1).replace("'something'", "1" * 10_000).encode(), ["rules/bad.yml"]),
    "a date that is none": (rule(1).replace("2026-01-01", "2026-13-45").encode(), ["rules/bad.yml"]),
    "a tag of YAML's that runs code": (
        rule(1).replace("'something'", "!!python/object/apply:os.system [touch owned]").encode(),
        ["rules/bad.yml", "not valid YAML"],
    ),
    "an expression that never ends": (
        rule(1, field="CommandLine|re", value="(" * 5000 + "a" + ")" * 5000).encode(),
        ["rules/bad.yml"],
    ),
}


@pytest.mark.parametrize(("content", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_rule_is_one_line_and_the_others_convert(tmp_path: Path, content: bytes, words: list[str]) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "bad.yml").write_bytes(content)
    (tmp_path / "rules" / "good.yml").write_text(rule(2))
    done = sigmapack("convert", "rules", "-o", "out", "-t", "kusto", "-q", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr[:2000]
    assert all(word in done.stderr for word in words), done.stderr[:2000]
    assert "cannot be converted: " not in done.stderr
    assert len(done.stderr) < 1000
    assert files(tmp_path / "out") == {"kusto/good.kql"}
    assert (tmp_path / "out" / "kusto" / "good.kql").read_text() == KQL
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("target", ["splunk", "lucene", "sentinel", "splunk_cim"])
@pytest.mark.parametrize(
    "name",
    [
        "a windash bomb",
        "500 nested lists",
        "500 nested maps",
        "500 nots",
    ],
)
def test_a_hostile_rule_is_one_line_on_every_target(tmp_path: Path, target: str, name: str) -> None:
    (tmp_path / "bad.yml").write_bytes(HOSTILE[name][0])
    (tmp_path / "good.yml").write_text(rule(2))
    done = sigmapack("convert", ".", "-o", "out", "-t", target, "-q", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr[:2000]
    assert "bad.yml" in done.stderr
    assert len(files(tmp_path / "out")) == 1


@pytest.mark.parametrize("depth", [500, 5000, 50_000])
def test_parentheses_change_nothing_or_are_one_line(tmp_path: Path, depth: int) -> None:
    (tmp_path / "deep.yml").write_text(nested("(", ")", depth))
    (tmp_path / "good.yml").write_text(rule(2))
    done = sigmapack("convert", ".", "-o", "out", "-t", "kusto", "-q", cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) in {(0, 0), (1, 1)}
    found = {(tmp_path / "out" / name).read_text() for name in files(tmp_path / "out")}
    assert found == {KQL}


@pytest.mark.parametrize("target", ["kusto", "splunk", "lucene"])
def test_a_hostile_rule_with_stock_is_one_line(tmp_path: Path, target: str) -> None:
    pipeline = {"kusto": "microsoft_xdr", "splunk": "splunk_windows", "lucene": "ecs_windows"}[target]
    (tmp_path / "bad.yml").write_text(nested("not ", ""))
    (tmp_path / "good.yml").write_text(rule(2))
    done = sigmapack("convert", "--stock", ".", "-o", "out", "-t", target, "-p", pipeline, "-q", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr[:2000]
    assert len(files(tmp_path / "out")) == 1


def test_a_value_of_5_megabytes_converts_or_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "big.yml").write_text(rule(1, value="x" * 5_000_000))
    (tmp_path / "good.yml").write_text(rule(2))
    started = time.monotonic()
    done = sigmapack("convert", ".", "-o", "out", "-q", cwd=tmp_path)
    assert time.monotonic() - started < BOUND
    assert len(done.stderr.splitlines()) == (0 if done.returncode == 0 else 1), done.stderr[:2000]
    assert done.returncode in {0, 1}
    assert len(done.stderr) < 1000
    assert (tmp_path / "out" / "kusto" / "good.kql").read_text() == KQL
    if done.returncode == 0:
        assert (tmp_path / "out" / "kusto" / "big.kql").read_text() == KQL.replace("something", "x" * 5_000_000)


def test_a_rule_of_5_megabytes_converts_or_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "big.yml").write_text(rule(1) + "falsepositives:\n" + "    - nothing that anybody knows\n" * 160_000)
    (tmp_path / "good.yml").write_text(rule(2))
    started = time.monotonic()
    done = sigmapack("convert", ".", "-o", "out", "-q", cwd=tmp_path)
    assert time.monotonic() - started < BOUND
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "kusto" / "big.kql").read_text() == KQL


@pytest.mark.parametrize("target", ["kusto", "splunk", "lucene"])
def test_a_rule_of_100_000_values_converts(tmp_path: Path, target: str) -> None:
    values = "".join(f"            - 'value {number:06}'\n" for number in range(100_000))
    text = rule(1).replace("CommandLine|contains: 'something'\n", f"CommandLine|contains:\n{values}")
    (tmp_path / "big.yml").write_text(text)
    (tmp_path / "good.yml").write_text(rule(2))
    started = time.monotonic()
    done = sigmapack("convert", ".", "-o", "out", "-t", target, "-q", cwd=tmp_path)
    assert time.monotonic() - started < BOUND
    assert (done.returncode, done.stderr[:2000]) == (0, "")
    (big,) = (tmp_path / "out" / target).glob("big.*")
    query = big.read_text()
    if target == "lucene":
        assert query.count("000000") >= 1
        assert query.count("099999") >= 1
    else:
        assert query.count("value 0") == 100_000


# What stands in a folder


def test_a_loop_of_links_is_walked_once(tmp_path: Path) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    (tmp_path / "rules" / "good.yml").write_text(rule(2))
    (tmp_path / "rules" / "deep" / "back").symlink_to("..")
    (tmp_path / "rules" / "deep" / "self.yml").symlink_to("self.yml")
    done = sigmapack("convert", "rules", "-o", "out", "-t", "kusto", "-q", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "rules/deep/self.yml" in done.stderr
    assert "Traceback" not in done.stderr
    assert files(tmp_path / "out") == {"kusto/good.kql"}


def test_a_loop_of_folders_alone_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    (tmp_path / "rules" / "good.yml").write_text(rule(2))
    (tmp_path / "rules" / "deep" / "back").symlink_to("..")
    (tmp_path / "rules" / "deep" / "self").symlink_to("self")
    done = sigmapack("convert", "rules", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, KQL, "")


@pytest.mark.parametrize("place", ["rules/pipe.yml", "rules/deep/pipe.yaml"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, place: str) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    (tmp_path / "rules" / "good.yml").write_text(rule(2))
    os.mkfifo(tmp_path / place)
    done = sigmapack("convert", "rules", "-o", "out", "-t", "kusto", "-q", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert place in done.stderr
    assert files(tmp_path / "out") == {"kusto/good.kql"}


@pytest.mark.parametrize("place", ["rules/pack.toml", "rules/good.cases.yaml", "sigmapack.toml"])
def test_a_pipe_in_the_place_of_another_file_of_ours_is_not_waited_for(tmp_path: Path, place: str) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "good.yml").write_text(rule(2))
    os.mkfifo(tmp_path / place)
    done = sigmapack("convert", "rules", "-t", "kusto", cwd=tmp_path)
    assert done.returncode in {0, 1, 2}
    assert done.stdout in {KQL, ""}
    assert len(done.stderr.splitlines()) <= 1


def test_a_folder_named_like_a_rule_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "rules" / "deep.yml").mkdir(parents=True)
    (tmp_path / "rules" / "deep.yml" / "good.yml").write_text(rule(2))
    done = sigmapack("convert", "rules", "-o", "out", "-t", "kusto", "-q", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path / "out") == {"kusto/deep.yml/good.kql"}


def test_a_name_that_is_not_utf8_converts(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "rules") + b"/caf\xe9.yml")).write_text(rule(2))
    done = sigmapack("convert", "rules", "-o", "out", "-t", "kusto", "-q", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    entries = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["queries"]
    assert [entry["path"] for entry in entries] == [r"caf\xe9.yml"]
    done = sigmapack("convert", "rules", "-t", "kusto", "-f", "ndjson", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["text"] == KQL.removesuffix("\n")


# What happens while it runs


def test_a_file_that_vanishes_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(("a", "b", "c")):
        (tmp_path / f"{name}.yml").write_text(rule(number))
    read_text = documents.read_text

    def vanishing(path: Path) -> str:
        if path.name == "b.yml":
            path.unlink(missing_ok=True)
        return read_text(path)

    monkeypatch.setattr(documents, "read_text", vanishing)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["convert", ".", "-t", "kusto", "-o", "out", "-q"]) == 1
    stderr = capsys.readouterr().err
    assert len(stderr.splitlines()) == 1
    assert "b.yml: cannot be read: No such file" in stderr
    assert files(tmp_path / "out") == {"kusto/a.kql", "kusto/c.kql"}


def test_a_file_that_turns_into_a_folder_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(("a", "b")):
        (tmp_path / f"{name}.yml").write_text(rule(number))
    read_text = documents.read_text

    def turning(path: Path) -> str:
        if path.name == "b.yml" and path.is_file():
            path.unlink()
            path.mkdir()
        return read_text(path)

    monkeypatch.setattr(documents, "read_text", turning)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["convert", ".", "-t", "kusto", "-o", "out", "-q"]) == 1
    stderr = capsys.readouterr().err
    assert len(stderr.splitlines()) == 1
    assert "b.yml" in stderr


def full(*_arguments: Any, **_more: Any) -> Any:  # noqa: ANN401 - stands for any function of os
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["to fill it", "to rename it"])
def test_a_full_disk_leaves_the_old_file_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    old, new = tmp_path / "old.kql", tmp_path / "new.kql"
    old.write_text("old\n")
    if where == "to fill it":
        monkeypatch.setattr("os.write", full)
    else:
        monkeypatch.setattr("os.replace", full)
    for path in (old, new):
        problem = tree.write_file(path, b"a new query\n")
        assert problem is not None
        assert "No space left on device" in problem.message
        assert problem.path == path
    assert files(tmp_path) == {"old.kql"}
    assert old.read_text() == "old\n"


@pytest.mark.parametrize("call", ["replace", "open"])
def test_a_full_disk_is_a_finding_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    for number, name in enumerate(("a", "b")):
        (tmp_path / f"{name}.yml").write_text(rule(number, value=name * 5))
    if call == "replace":
        # Files of a folder that is there are renamed one by one.
        (tmp_path / "out" / "kusto").mkdir(parents=True)
    whole = getattr(os, call)

    def fails(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever the call takes
        if any(str(argument).endswith("/b.kql") for argument in arguments) and arguments[-1] != tree.FLAGS:
            full()
        return whole(*arguments, **more)

    monkeypatch.setattr(os, call, fails)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["convert", ".", "-t", "kusto", "-o", "out", "-q"]) == 1
    stderr = capsys.readouterr().err
    assert len(stderr.splitlines()) == 1
    assert "out/kusto/b.kql: cannot be written: No space left on device" in stderr
    assert files(tmp_path / "out") == {"kusto/a.kql"}
    named = [entry["output"] for entry in json.loads((tmp_path / "out" / "manifest.json").read_text())["queries"]]
    assert named == ["kusto/a.kql"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1))
    command = [sys.executable, "-m", "converter", "convert", "a.yml", "-t", "kusto"]
    with Path("/dev/full").open("wb") as device:
        done = subprocess.run(command, cwd=tmp_path, stdout=device, stderr=subprocess.PIPE, check=False, timeout=BOUND)
    assert done.returncode in {1, 2}
    stderr = done.stderr.decode()
    assert len(stderr.splitlines()) == 1, stderr
    assert "No space left on device" in stderr


def many(folder: Path, number: int, value: str) -> None:
    folder.mkdir(exist_ok=True)
    for each in range(number):
        (folder / f"{each:04}.yml").write_text(rule(each, value=f"{value} {each}"))


def query(value: str, number: int) -> str:
    return KQL.replace("something", f"{value} {number}")


@pytest.mark.parametrize("after", [0.3, 0.6, 0.9, 1.2])
def test_a_killed_run_leaves_whole_files_and_the_next_run_is_right(tmp_path: Path, after: float) -> None:
    many(tmp_path / "rules", 600, "old")
    command = ["convert", "rules", "-o", "out", "-t", "kusto", "-q"]
    assert sigmapack(*command, cwd=tmp_path).returncode == 0
    many(tmp_path / "rules", 600, "new")
    process = subprocess.Popen([sys.executable, "-m", "converter", *command], cwd=tmp_path)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=BOUND)
    found = {path.name: path.read_text() for path in (tmp_path / "out" / "kusto").glob("*.kql")}
    assert len(found) == 600
    for name, text in found.items():
        assert text in {query("old", int(name[:4])), query("new", int(name[:4]))}
    json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert sigmapack(*command, cwd=tmp_path).returncode == 0
    for number in range(600):
        assert (tmp_path / "out" / "kusto" / f"{number:04}.kql").read_text() == query("new", number)
    assert_true(tmp_path / "out")


def assert_true(folder: Path) -> None:
    """The manifest names every query on disk, with its hash; what a killed run left behind may lie beside them."""
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["queries"]
    named = {entry["output"]: entry["output_sha256"] for entry in entries}
    held = {name for name in files(folder) if not Path(name).name.startswith(tree.TEMPORARY)}
    assert held == named.keys()
    for name, digest in named.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_what_a_killed_run_left_behind_is_no_drift(tmp_path: Path) -> None:
    many(tmp_path / "sigma_rules", 1, "x")
    assert sigmapack("convert", cwd=tmp_path).returncode == 0
    (tmp_path / "outputs" / "kusto" / f"{tree.TEMPORARY}abc").write_text("half a que")
    assert "as converted" in sigmapack("check", cwd=tmp_path).stderr


def test_two_runs_at_once_into_one_folder_leave_whole_files(tmp_path: Path) -> None:
    many(tmp_path / "rules", 300, "value")
    command = [sys.executable, "-m", "converter", "convert", "rules", "-o", "out", "-q"]
    processes = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [process.communicate(timeout=BOUND) for process in processes]
    assert [(process.returncode, stderr) for process, (_, stderr) in zip(processes, ended, strict=True)] == [
        (0, b""),
        (0, b""),
    ]
    assert len(files(tmp_path / "out")) == 900
    for number in range(300):
        assert (tmp_path / "out" / "kusto" / f"{number:04}.kql").read_text() == query("value", number)
    assert_true(tmp_path / "out")
