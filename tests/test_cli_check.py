"""`sigmapack check` and `sigmapack list`, as processes, over a copy of the project."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from converter.targets import DEFAULTS, TARGETS, named
from tests.command import rule, sigmapack
from tests.events import ROOT

OPENSSL = "sigma_rules/t1596_003/proc_creation_openssl_probe.yml"
GOLDEN = "outputs/splunk/t1596_003/proc_creation_openssl_probe.spl"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("sigma_rules", "outputs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def replace(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_the_project_is_sound(project: Path) -> None:
    done = sigmapack("check", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "4 rules, 16 outputs: as converted\n")


def test_check_writes_nothing(project: Path) -> None:
    replace(project / OPENSSL, "'s_client'", "'s_server'")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert sigmapack("check", cwd=project).returncode == 1
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_one_edited_value_of_a_rule_shows_in_every_output_that_holds_it(project: Path) -> None:
    replace(project / OPENSSL, "'s_client'", "'s_klient'")
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    stale = {line.split(":")[0] for line in done.stderr.splitlines() if "is not what its rule converts to" in line}
    suffixes = {"kusto": ["kql"], "splunk": ["spl"], "lucene": ["lucene", "json"]}
    wanted = {f"outputs/{target}/t1596_003/_hunting.{suffix}" for target in suffixes for suffix in suffixes[target]}
    wanted |= {
        f"outputs/{target.name}/t1596_003/proc_creation_openssl_probe.{target.suffix}" for target in named(DEFAULTS)
    }
    assert stale == wanted
    lines = done.stdout.splitlines()
    assert any(line.startswith("-") and "*s_client*" in line and "s_klient" not in line for line in lines)
    assert any(line.startswith("+") and "*s_klient*" in line and "s_client" not in line for line in lines)


def test_a_hand_edited_golden_is_stale(project: Path) -> None:
    replace(project / GOLDEN, "x509", "x510")
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert f"{GOLDEN}: is not what its rule converts to" in done.stderr
    assert f"--- outputs/{GOLDEN.removeprefix('outputs/')}" in done.stdout


def test_a_deleted_golden_is_missing(project: Path) -> None:
    (project / GOLDEN).unlink()
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert f"{GOLDEN}: is missing" in done.stderr


def test_an_added_golden_is_an_orphan(project: Path) -> None:
    (project / "outputs" / "kusto" / "extra.kql").write_text("print 1\n")
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert "outputs/kusto/extra.kql: comes from no rule" in done.stderr


def test_check_says_what_to_do_and_doing_it_ends_it(project: Path) -> None:
    replace(project / OPENSSL, "'s_client'", "'s_klient'")
    assert "run sigmapack convert" in sigmapack("check", cwd=project).stderr
    assert sigmapack("convert", cwd=project).returncode == 0
    assert sigmapack("check", cwd=project).returncode == 0


def test_paths_are_said_from_where_the_user_stands(project: Path) -> None:
    (project / GOLDEN).unlink()
    done = sigmapack("check", cwd=project / "sigma_rules")
    assert f"{(project / GOLDEN).as_posix()}: is missing" in done.stderr


UNSOUND = {
    "a tag that ATT&CK lacks": ("attack.t1596.003", "attack.t9999", "attack.t9999"),
    "a tag in a wrong form": ("attack.t1596.003", "T1596", "tag"),
    "an unused selection": ("all of selection_*", "selection_img", "selection_cli"),
    "a bad level": ("level: medium", "level: urgent", "level"),
    "a tag twice": ("attack.t1596.003", "attack.reconnaissance", "attack.reconnaissance"),
    "no id": ("id: ", "#id: ", "dentifier"),
}


@pytest.mark.parametrize(("before", "after", "word"), UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_rule_is_found(project: Path, before: str, after: str, word: str) -> None:
    replace(project / OPENSSL, before, after)
    sigmapack("convert", cwd=project)
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if line.startswith(OPENSSL) and word in line], done.stderr


CASES = {
    "no file": (None, "has no cases"),
    "empty": ("", "is empty"),
    "one list missing": ("must_match:\n  - {name: a, event: {Image: b}}\n", "must_not_match"),
    "an unknown key": ("must_match: []\nmust_mtach: []\n", "must_mtach"),
    "a case without an event": ("must_match:\n  - name: a\n", "a name and an event"),
    "two of one name": (
        "must_match:\n  - {name: a, event: {Image: b}}\nmust_not_match:\n  - {name: a, event: {Image: c}}\n",
        "'a'",
    ),
    "an event that is a list": ("must_match:\n  - {name: a, event: [1]}\n", "needs an event"),
    "a field that the log source lacks": (
        "must_match:\n  - {name: a, event: {Imag: b}}\nmust_not_match:\n  - {name: c, event: {Image: c}}\n",
        "unknown field Imag; did you mean Image?",
    ),
    "a value that is a list": ("must_match:\n  - {name: a, event: {Image: [1]}}\n", "has a value"),
}


@pytest.mark.parametrize(("text", "word"), CASES.values(), ids=CASES)
def test_cases_that_are_not_well_formed_are_found(project: Path, text: str | None, word: str) -> None:
    cases = project / OPENSSL.replace(".yml", ".cases.yaml")
    if text is None:
        cases.unlink(missing_ok=True)
    else:
        cases.write_text(text)
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert len([line for line in done.stderr.splitlines() if word in line]) == 1, done.stderr
    assert "Traceback" not in done.stderr


def test_a_rule_that_does_not_convert_is_a_finding_and_its_goldens_are_not_to_be_deleted_lightly(project: Path) -> None:
    replace(project / OPENSSL, "CommandLine|contains", "Comandline|contains")
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert f"{OPENSSL}:27: no pipeline maps the field Comandline" in done.stderr
    assert f"{GOLDEN}: its rule, or its pack, does not convert any more" in done.stderr
    assert "comes from no rule" not in done.stderr
    assert "no hunting query on kusto: its rule proc_creation_openssl_probe is refused" in done.stderr


def test_check_outside_a_project_is_wrong_usage(tmp_path: Path) -> None:
    done = sigmapack("check", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_the_attack_tags_that_ship_name_the_packs_technique() -> None:
    data = json.loads((ROOT / "converter" / "data" / "attack.json").read_text(encoding="utf-8"))
    assert data["techniques"]["T1596.003"] == "Digital Certificates"
    assert "reconnaissance" in data["tactics"]


def test_list_names_every_target_pack_and_rule(project: Path) -> None:
    done = sigmapack("list", cwd=project)
    assert done.returncode == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines if line and line[0] in TARGETS] == list(TARGETS)
    assert ["t1596_003", "T1596.003", "4"] in [line[:3] for line in lines]
    done = sigmapack("list", "rules", cwd=project)
    rules = [line.split()[0] for line in done.stdout.splitlines() if line.startswith(" t1596_003/")]
    assert rules == sorted(rules)
    assert "t1596_003/proc_creation_openssl_probe" in rules


def test_list_targets_needs_no_project(tmp_path: Path) -> None:
    assert sigmapack("list", "targets", cwd=tmp_path).returncode == 0
    assert sigmapack("list", "packs", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("arguments", [["check", "--what"], ["convertt"], ["list", "everything"], []])
def test_wrong_usage_exits_with_2(tmp_path: Path, arguments: list[str]) -> None:
    done = sigmapack(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_rules_outside_a_pack_need_no_pack_file(tmp_path: Path) -> None:
    (tmp_path / "sigma_rules").mkdir()
    (tmp_path / "sigma_rules" / "a.yml").write_text(rule())
    assert sigmapack("convert", cwd=tmp_path).returncode == 0
    assert (tmp_path / "outputs" / "kusto" / "a.kql").is_file()
