"""`sigmapack convert`, as a process: what it writes where, and what bad input costs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from converter.targets import TARGETS
from tests.command import rule, sigmapack
from tests.events import PACK, ROOT

KQL = 'DeviceProcessEvents\n| where ProcessCommandLine contains "something"\n'


def files(root: Path) -> set[str]:
    """Every file below the folder but the manifest, which has tests of its own."""
    names = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return names - {"manifest.json"}


def assert_one_line(stderr: str, *words: str) -> None:
    """Exactly one line of the error output holds the words, and nothing is a traceback."""
    assert "Traceback" not in stderr
    assert len([line for line in stderr.splitlines() if all(word in line for word in words)]) == 1, stderr


def test_a_rule_goes_to_standard_output_and_nothing_else_does(tmp_path: Path) -> None:
    (tmp_path / "a rule.yml").write_text(rule())
    done = sigmapack("convert", "-t", "kusto", "a rule.yml", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, KQL, "")


def test_queries_stand_a_blank_line_apart_in_order_of_path_and_target(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(rule(2, value="second"))
    (tmp_path / "a.yml").write_text(rule(1, value="first"))
    done = sigmapack("convert", "-t", "splunk", "-t", "kusto", ".", cwd=tmp_path)
    queries = done.stdout.rstrip("\n").split("\n\n")
    assert [("first" in query, query.startswith("Device")) for query in queries] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]


def test_a_rule_on_standard_input(tmp_path: Path) -> None:
    done = sigmapack("convert", "-t", "kusto", "-", cwd=tmp_path, stdin=rule().encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, KQL, "")
    done = sigmapack("convert", "-t", "kusto", "-o", "out", "-", cwd=tmp_path, stdin=rule().encode())
    assert files(tmp_path / "out") == {"kusto/stdin.kql"}


def test_an_output_folder_keeps_the_paths_below_each_input(tmp_path: Path) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    (tmp_path / "rules" / "deep" / "a.yml").write_text(rule(1))
    (tmp_path / "rules" / "b.yaml").write_text(rule(2))
    (tmp_path / "single.yml").write_text(rule(3))
    done = sigmapack("convert", "rules", "single.yml", "-o", "out dir", cwd=tmp_path)
    assert done.returncode == 0
    suffixes = {"kusto": "kql", "splunk": "spl", "lucene": "lucene"}
    places = ("deep/a", "b", "single")
    assert files(tmp_path / "out dir") == {f"{name}/{place}.{suffixes[name]}" for name in suffixes for place in places}
    assert (tmp_path / "out dir" / "kusto" / "single.kql").read_text() == KQL


def test_the_folder_here_is_an_output_folder_and_an_empty_name_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule())
    assert sigmapack("convert", "a.yml", "-t", "kusto", "-o", ".", cwd=tmp_path).returncode == 0
    assert files(tmp_path) == {"a.yml", "kusto/a.kql"}
    done = sigmapack("convert", "a.yml", "-t", "kusto", "-o", "", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_pack_keeps_its_name_and_brings_its_hunting_query(tmp_path: Path) -> None:
    done = sigmapack("convert", PACK, "-t", "kusto", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0
    held = {
        path.relative_to(ROOT / "outputs").as_posix(): path.read_text()
        for path in (ROOT / "outputs" / "kusto").rglob("*.kql")
    }
    assert {name: (tmp_path / "out" / name).read_text() for name in files(tmp_path / "out")} == held


def test_a_pack_in_stock_mode_brings_no_hunting_query(tmp_path: Path) -> None:
    done = sigmapack("convert", PACK, "--stock", "-t", "kusto", "-p", "microsoft_xdr", "-o", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "4 files in out\n")
    names = {f"kusto/t1596_003/{path.stem}.kql" for path in PACK.glob("*.yml")}
    assert files(tmp_path / "out") == names


def test_without_input_the_whole_project_goes_into_its_outputs_from_any_folder_of_it(tmp_path: Path) -> None:
    project = tmp_path / "a project"
    shutil.copytree(PACK, project / "sigma_rules" / "t1596_003")
    done = sigmapack("convert", cwd=project / "sigma_rules" / "t1596_003")
    assert done.returncode == 0
    assert {name: (project / "outputs" / name).read_text() for name in files(project / "outputs")} == {
        name: (ROOT / "outputs" / name).read_text() for name in files(ROOT / "outputs")
    }


def test_without_a_project_the_whole_project_cannot_be_converted(tmp_path: Path) -> None:
    done = sigmapack("convert", cwd=tmp_path)
    assert done.returncode == 2
    assert_one_line(done.stderr, "sigma_rules", "name an INPUT")


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_outputs_are_the_same_bytes_whatever_the_hash_seed_and_locale(tmp_path: Path, seed: str) -> None:
    environment = {"PYTHONHASHSEED": seed, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    done = sigmapack("convert", PACK, "-o", "out", cwd=tmp_path, environment=environment)
    assert done.returncode == 0
    for name in files(ROOT / "outputs"):
        assert (tmp_path / "out" / name).read_bytes() == (ROOT / "outputs" / name).read_bytes()
    printed = sigmapack("convert", PACK, "-t", "kusto", cwd=tmp_path, environment=environment).stdout
    goldens = sorted(path for path in (ROOT / "outputs" / "kusto" / "t1596_003").glob("proc*.kql"))
    assert printed == "\n".join(path.read_text() for path in goldens)


BAD = {
    "empty": (b"", ["bad.yml", "empty"]),
    "only a comment": (b"# nothing\n", ["bad.yml", "empty"]),
    "not UTF-8": (rule().encode() + b"# caf\xe9\n", ["bad.yml:19", "UTF-8"]),
    "a list": (b"- a\n- b\n", ["bad.yml:1", "list", "mapping"]),
    "a word": (b"hello\n", ["bad.yml:1", "mapping"]),
    "broken YAML": (b"title: x\ndetection:\n  - [a\n", ["bad.yml:4", "not valid YAML"]),
    "a tab": (b"title: x\ndetection:\n\tselection: 1\n", ["bad.yml:3", "not valid YAML"]),
    "a NUL byte": (b"title: x\nid: \x00\n", ["bad.yml:2", "not valid YAML"]),
    "a key twice": (rule().encode() + b"level: high\n", ["bad.yml:19", "level", "second time"]),
    "no detection": (b"title: x\nlogsource: {category: process_creation}\n", ["bad.yml", "detection"]),
    "no log source": (b"title: x\ndetection: {s: {Image: a}, condition: s}\n", ["bad.yml", "log source"]),
    "a condition that names nothing": (
        rule().replace("condition: selection", "condition: other").encode(),
        ["bad.yml:17", "other"],
    ),
    "an unknown modifier": (rule(field="CommandLine|endwith").encode(), ["bad.yml", "endwith"]),
    "an unmapped field": (rule(field="Comandline|contains").encode(), ["bad.yml:16", "Comandline", "CommandLine"]),
    "a log source without a home": (rule().replace("process_creation", "dns").encode(), ["bad.yml:11", "category dns"]),
    "a bad id": (rule().replace("id: 00000000", "id: x0000000").encode(), ["bad.yml", "UUID"]),
    "nested without end": (
        rule().replace(": selection", ": " + "not " * 500 + "selection").encode(),
        ["bad.yml:17", "nested too deeply"],
    ),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD)
def test_a_bad_rule_is_one_line_and_the_others_convert(tmp_path: Path, content: bytes, words: list[str]) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "bad.yml").write_bytes(content)
    (tmp_path / "rules" / "good.yml").write_text(rule(2))
    done = sigmapack("convert", "rules", "-o", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert_one_line(done.stderr, *words)
    assert len(done.stderr.splitlines()) == 2, done.stderr
    assert files(tmp_path / "out") == {"kusto/good.kql", "splunk/good.spl", "lucene/good.lucene"}
    assert (tmp_path / "out" / "kusto" / "good.kql").read_text() == KQL


def test_the_same_id_twice_is_one_line_that_names_both(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1))
    (tmp_path / "b.yml").write_text(rule(1))
    done = sigmapack("convert", ".", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, KQL)
    assert_one_line(done.stderr, "b.yml:2", "a.yml", "id")


def test_a_bad_rule_does_not_stand_in_the_way_of_a_good_one_with_its_id(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1).replace("condition: selection", "condition: nowhere"))
    (tmp_path / "b.yml").write_text(rule(1))
    done = sigmapack("convert", ".", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, KQL)
    assert_one_line(done.stderr, "a.yml:2", "b.yml", "id")


def test_two_rules_that_would_write_one_file_are_one_line_that_names_both(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(rule(1, value="first"))
    (tmp_path / "a.yml").write_text(rule(2, value="second"))
    done = sigmapack("convert", ".", "-o", "out", "-t", "kusto", cwd=tmp_path)
    assert done.returncode == 1
    assert_one_line(done.stderr, "a.yml", "a.yaml", "same file")
    assert "first" in (tmp_path / "out" / "kusto" / "a.kql").read_text()


def test_a_rule_named_like_the_hunting_query_is_refused(tmp_path: Path) -> None:
    shutil.copytree(PACK, tmp_path / "pack")
    (tmp_path / "pack" / "_hunting.yml").write_text(rule(7))
    done = sigmapack("convert", "pack", "-o", "out", "-t", "kusto", cwd=tmp_path)
    assert done.returncode == 1
    assert_one_line(done.stderr, "pack/_hunting.yml", "rename")
    assert "ToolCategory" in (tmp_path / "out" / "kusto" / "pack" / "_hunting.kql").read_text()


def test_a_missing_input_is_one_line_and_the_others_convert(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule())
    done = sigmapack("convert", "nowhere", "a.yml", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, KQL)
    assert_one_line(done.stderr, "nowhere", "does not exist")


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = sigmapack("convert", "empty", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "empty", "holds no rule")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_rule_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule())
    (tmp_path / "a.yml").chmod(0)
    done = sigmapack("convert", "a.yml", cwd=tmp_path)
    assert done.returncode == 1
    assert_one_line(done.stderr, "a.yml", "Permission denied")


def test_a_rule_that_is_no_file_is_one_line(tmp_path: Path) -> None:
    """A dangling link reads like a file that cannot be opened, for root too."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "good.yml").write_text(rule())
    (tmp_path / "rules" / "gone.yml").symlink_to("nowhere.yml")
    done = sigmapack("convert", "rules", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, KQL)
    assert_one_line(done.stderr, "rules/gone.yml", "cannot be read")


def test_an_unknown_target_names_those_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule())
    done = sigmapack("convert", "a.yml", "-t", "kustoo", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "kustoo", *TARGETS)


def test_a_file_in_the_place_of_the_output_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule())
    (tmp_path / "out").write_text("mine")
    done = sigmapack("convert", "a.yml", "-t", "kusto", "-o", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert_one_line(done.stderr, "out", "cannot be written")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_file_in_the_place_of_one_targets_folder_leaves_the_other_targets(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "splunk").write_text("mine")
    done = sigmapack("convert", "a.yml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert_one_line(done.stderr, "out/splunk", "cannot be written")
    assert files(tmp_path / "out") == {"kusto/a.kql", "splunk", "lucene/a.lucene"}


def test_a_pack_file_with_a_mistake_is_one_line_with_its_line(tmp_path: Path) -> None:
    shutil.copytree(PACK, tmp_path / "pack")
    settings = tmp_path / "pack" / "pack.toml"
    settings.write_text(settings.read_text().replace('window = "24h"', 'windw = "24h"'))
    done = sigmapack("convert", "pack", "-o", "out", "-t", "kusto", cwd=tmp_path)
    assert done.returncode == 1
    assert_one_line(done.stderr, "pack/pack.toml:7", "windw", "window")
    assert "kusto/pack/proc_creation_openssl_probe.kql" in files(tmp_path / "out")


def test_a_reader_that_goes_away_is_no_error_of_ours(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.yml").write_text(rule(number, value="x" * 1000))
    command = f'"{sys.executable}" -m converter convert . | head -n 1'
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == (b"DeviceProcessEvents\n", b"")


def test_an_interrupted_run_exits_130_and_leaves_whole_files(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for number in range(3000):
        (tmp_path / "rules" / f"{number}.yml").write_text(rule(number))
    command = [sys.executable, "-m", "converter", "convert", "rules", "-o", "out"]
    # A background job ignores the signal, and so would its children.
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    while not list(tmp_path.glob("out/.sigmapack-*/kusto/*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, b"\nsigmapack: interrupted\n")
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.suffix for path in written} <= {".kql", ".spl", ".lucene"}
    assert {path.read_text() for path in written if path.suffix == ".kql"} <= {KQL}
