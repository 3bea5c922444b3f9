"""`sigmapack.toml`: where it is found, what each key does, what a mistake in it costs, and what `init` writes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.command import rule, sigmapack

QUERY = 'DeviceProcessEvents\n| where ProcessCommandLine contains "{}"\n'
FIRST, SECOND = QUERY.format("first"), QUERY.format("second")
PIPELINE = """\
name: Marks each query
priority: 90
postprocessing:
    - type: embed
      prefix: "// {}\\n"
      suffix: ""
"""
NOT_MACHINE = """\
title: Not This Machine
id: 00000000-0000-4000-8000-00000000f{number:03}
logsource:
    category: process_creation
    product: windows
filter:
    rules: any
    selection:
        Image|endswith: '{value}'
    condition: not selection
"""


def files(root: Path) -> set[str]:
    """Every file below the folder."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def assert_one_line(stderr: str, *words: str) -> None:
    """The error output is one line, which holds the words."""
    assert len(stderr.splitlines()) == 1, stderr
    assert all(word in stderr for word in words), stderr


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two packs, of which its file names the first, with one target."""
    root = tmp_path / "a project"
    write(root / "ours" / "a.yml", rule(1, value="first"))
    write(root / "theirs" / "b.yml", rule(2, value="second"))
    write(root / "sigmapack.toml", 'packs = ["ours"]\ntargets = ["kusto"]\n')
    return root


def add(project: Path, line: str) -> None:
    with (project / "sigmapack.toml").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def kusto(project: Path, name: str = "a") -> str:
    return (project / "outputs" / "kusto" / f"{name}.kql").read_text(encoding="utf-8")


def convert(project: Path) -> None:
    done = sigmapack("convert", cwd=project)
    assert done.returncode == 0, done.stderr


def test_the_file_is_found_from_any_folder_below_it(project: Path) -> None:
    deep = project / "ours" / "deep" / "er"
    deep.mkdir(parents=True)
    done = sigmapack("convert", cwd=deep)
    assert (done.returncode, done.stdout) == (0, "")
    assert files(project / "outputs") == {"kusto/a.kql", "manifest.json"}
    assert kusto(project) == FIRST
    assert "1 outputs: as converted" in sigmapack("check", cwd=deep).stderr


def test_the_nearest_file_wins(project: Path) -> None:
    inner = project / "inner"
    write(inner / "rules" / "c.yml", rule(3, value="third"))
    write(inner / "sigmapack.toml", 'packs = ["rules"]\ntargets = ["kusto"]\noutputs = "made"\n')
    done = sigmapack("convert", cwd=inner / "rules")
    assert done.returncode == 0
    assert files(inner / "made") == {"kusto/c.kql", "manifest.json"}
    assert not (project / "outputs").exists()


def test_a_file_is_nearer_than_the_rules_folder_beside_it(project: Path) -> None:
    write(project / "sigma_rules" / "c.yml", rule(3))
    convert(project)
    assert files(project / "outputs") == {"kusto/a.kql", "manifest.json"}


def test_several_packs_are_converted_and_checked(project: Path) -> None:
    (project / "sigmapack.toml").write_text('packs = ["ours", "theirs"]\ntargets = ["kusto"]\n')
    convert(project)
    assert (kusto(project, "a"), kusto(project, "b")) == (FIRST, SECOND)
    (project / "outputs" / "kusto" / "b.kql").unlink()
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert "outputs/kusto/b.kql: is missing" in done.stderr


def test_an_input_overrides_the_packs_and_goes_to_standard_output(project: Path) -> None:
    done = sigmapack("convert", "theirs", cwd=project)
    assert (done.returncode, done.stdout) == (0, SECOND)
    assert not (project / "outputs").exists()


def test_the_targets_are_those_of_the_file(project: Path) -> None:
    (project / "sigmapack.toml").write_text('packs = ["ours"]\ntargets = ["lucene", "sentinel"]\n')
    convert(project)
    assert files(project / "outputs") == {"lucene/a.lucene", "sentinel/a.kql", "manifest.json"}
    assert sigmapack("check", cwd=project).stderr.endswith("1 rules, 2 outputs: as converted\n")


def test_a_target_on_the_command_line_overrides_the_file(project: Path) -> None:
    done = sigmapack("convert", "-t", "lucene", cwd=project)
    assert done.returncode == 0
    assert files(project / "outputs") == {"lucene/a.lucene", "manifest.json"}


def test_the_outputs_folder_is_that_of_the_file(project: Path) -> None:
    add(project, 'outputs = "made here/queries"')
    convert(project)
    assert files(project / "made here") == {"queries/kusto/a.kql", "queries/manifest.json"}
    assert "as converted" in sigmapack("check", cwd=project).stderr
    (project / "made here" / "queries" / "kusto" / "a.kql").write_text("edited\n")
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert "made here/queries/kusto/a.kql: is not what its rule converts to" in done.stderr


def test_an_output_on_the_command_line_overrides_the_file(project: Path) -> None:
    add(project, 'outputs = "made"')
    assert sigmapack("convert", "-o", "elsewhere", cwd=project).returncode == 0
    assert files(project / "elsewhere") == {"kusto/a.kql", "manifest.json"}
    assert not (project / "made").exists()


def test_pipelines_of_the_file_are_added_and_named_in_the_manifest(project: Path) -> None:
    write(project / "pipelines" / "marked.yml", PIPELINE.format("ours"))
    add(project, 'pipelines = ["pipelines/marked.yml"]')
    convert(project)
    assert kusto(project) == f"// ours\n{FIRST}"
    (entry,) = json.loads((project / "outputs" / "manifest.json").read_text())["queries"]
    assert [Path(name).name for name in entry["pipelines"]] == ["process_creation.yml", "marked.yml"]
    assert "as converted" in sigmapack("check", cwd=project).stderr
    write(project / "pipelines" / "marked.yml", PIPELINE.format("changed"))
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert "outputs/kusto/a.kql: is not what its rule converts to" in done.stderr


def test_a_pipeline_of_the_file_is_found_from_below(project: Path) -> None:
    write(project / "pipelines" / "marked.yml", PIPELINE.format("ours"))
    add(project, 'pipelines = ["pipelines/marked.yml"]')
    done = sigmapack("convert", ".", cwd=project / "ours")
    assert (done.returncode, done.stdout) == (0, f"// ours\n{FIRST}")


def test_a_pipeline_on_the_command_line_overrides_the_file(project: Path) -> None:
    write(project / "marked.yml", PIPELINE.format("ours"))
    write(project / "other.yml", PIPELINE.format("other"))
    add(project, 'pipelines = ["marked.yml"]')
    done = sigmapack("convert", "ours", "-p", "other.yml", cwd=project)
    assert (done.returncode, done.stdout) == (0, f"// other\n{FIRST}")


def test_filters_of_the_file_go_into_every_rule_of_their_log_source(project: Path) -> None:
    write(project / "filters" / "machine.yml", NOT_MACHINE.format(number=1, value="\\ours.exe"))
    add(project, 'filters = ["filters"]')
    convert(project)
    assert r'FolderPath endswith "\\ours.exe"' in kusto(project)
    assert 'ProcessCommandLine contains "first"' in kusto(project)
    (project / "filters" / "machine.yml").write_text(NOT_MACHINE.format(number=1, value="\\changed.exe"))
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert "outputs/kusto/a.kql: is not what its rule converts to" in done.stderr


def test_a_filter_on_the_command_line_overrides_the_file(project: Path) -> None:
    write(project / "machine.yml", NOT_MACHINE.format(number=1, value="\\ours.exe"))
    write(project / "other.yml", NOT_MACHINE.format(number=2, value="\\other.exe"))
    add(project, 'filters = ["machine.yml"]')
    done = sigmapack("convert", "ours", "--filter", "other.yml", cwd=project)
    assert done.returncode == 0
    assert r"\\other.exe" in done.stdout
    assert r"\\ours.exe" not in done.stdout


def test_placeholders_of_the_file_take_their_values(project: Path) -> None:
    write(project / "ours" / "a.yml", rule(1, field="User|expand", value="%administrators%"))
    add(project, '[placeholders]\nadministrators = ["alice", "bob"]')
    convert(project)
    text = kusto(project)
    assert '"alice"' in text
    assert '"bob"' in text
    assert "%" not in text
    replaced = (project / "sigmapack.toml").read_text().replace("bob", "carol")
    (project / "sigmapack.toml").write_text(replaced)
    done = sigmapack("check", cwd=project)
    assert done.returncode == 1
    assert "outputs/kusto/a.kql: is not what its rule converts to" in done.stderr


def test_a_placeholder_without_values_is_refused_by_name(project: Path) -> None:
    write(project / "ours" / "a.yml", rule(1, field="User|expand", value="%administrators%"))
    add(project, '[placeholders]\nothers = ["alice"]')
    done = sigmapack("convert", "ours", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert_one_line(done.stderr, "ours/a.yml", "administrators")


MISTAKES = {
    "an unknown key": ('outputs = "o"\n\ntarget = ["kusto"]\n', 3, ["unknown key target", "did you mean targets?"]),
    "a key like none": ("colour = 1\n", 1, ["unknown key colour"]),
    "packs that are a word": ('packs = "ours"\n', 1, ["packs", "list"]),
    "targets that are numbers": ("\ntargets = [1]\n", 2, ["targets", "list of strings"]),
    "no target at all": ("targets = []\n", 1, ["targets", "non-empty"]),
    "a target twice": ('targets = ["kusto", "kusto"]\n', 1, ["targets", "twice"]),
    "an unknown target": ('\n\ntargets = ["kustoo"]\n', 3, ["kustoo", "kusto", "splunk"]),
    "outputs that are a list": ('outputs = ["a"]\n', 1, ["outputs", "string"]),
    "outputs without a name": ('outputs = ""\n', 1, ["outputs", "non-empty"]),
    "pipelines that are a table": ("[pipelines]\na = 1\n", 1, ["pipelines", "list"]),
    "a missing pipeline": ('\npipelines = ["gone.yml"]\n', 2, ["gone.yml"]),
    "an unknown pipeline": ('pipelines = ["no_such_pipeline"]\n', 1, ["no_such_pipeline"]),
    "filters that are true": ("filters = true\n", 1, ["filters", "list"]),
    "a missing filter": ('packs = ["ours"]\nfilters = [\n  "gone"\n]\n', 3, ["filters names gone", "does not exist"]),
    "a missing pack": ('packs = ["ours", "gone"]\n', 1, ["packs names gone", "does not exist"]),
    "placeholders that are a list": ('placeholders = ["a"]\n', 1, ["placeholders", "table"]),
    "a placeholder that is a word": ('[placeholders]\nadmins = "alice"\n', 2, ["admins", "list of strings"]),
    "broken TOML": ('packs = ["ours"]\ntargets = [kusto]\n', 2, ["not valid TOML"]),
    "a key twice": ('outputs = "a"\noutputs = "b"\n', 2, ["not valid TOML"]),
}


@pytest.mark.parametrize("command", ["convert", "check"])
@pytest.mark.parametrize(("text", "line", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_with_its_line_number(
    project: Path, command: str, text: str, line: int, words: list[str]
) -> None:
    (project / "sigmapack.toml").write_text(text)
    write(project / "sigma_rules" / "c.yml", rule(3))
    done = sigmapack(command, cwd=project)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert_one_line(done.stderr, f"sigmapack.toml:{line}:", *words)
    assert not (project / "outputs").exists()


def test_a_file_that_is_not_utf8_is_one_line(project: Path) -> None:
    (project / "sigmapack.toml").write_bytes(b'outputs = "o"\n# caf\xe9\n')
    done = sigmapack("convert", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "sigmapack.toml:2:", "UTF-8")


def test_a_mistake_seen_from_below_names_the_whole_path(project: Path) -> None:
    add(project, "colour = 1")
    done = sigmapack("convert", "a.yml", cwd=project / "ours")
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, f"{project.as_posix()}/sigmapack.toml:3:", "unknown key colour")


@pytest.mark.parametrize("folder", [".", "new", "a new project", "deep/er"])
def test_init_makes_a_project_that_converts_and_checks(tmp_path: Path, folder: str) -> None:
    done = sigmapack("init", *(() if folder == "." else (folder,)), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    root = tmp_path / folder
    written = {(root / name).relative_to(tmp_path).as_posix() for name in files(root)}
    assert set(done.stdout.splitlines()) == written
    assert "sigmapack.toml" in files(root)
    settings = tomllib.loads((root / "sigmapack.toml").read_text())
    assert settings["targets"] == ["kusto", "splunk", "lucene"]
    done = sigmapack("convert", cwd=root)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert len({name for name in files(root / "outputs") if name != "manifest.json"}) == 3
    done = sigmapack("check", cwd=root)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "1 rules, 3 outputs: as converted\n"


def test_two_projects_have_rules_of_their_own_ids(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert sigmapack("init", name, cwd=tmp_path).returncode == 0
    rules = [path.read_text() for path in tmp_path.rglob("*.yml")]
    ids = {line for text in rules for line in text.splitlines() if line.startswith("id: ")}
    assert len(ids) == 2


@pytest.mark.parametrize("taken", ["sigmapack.toml", "sigma_rules/my_pack/mine.yml"])
def test_init_overwrites_nothing(tmp_path: Path, taken: str) -> None:
    write(tmp_path / taken, "mine\n")
    done = sigmapack("init", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "is there already")
    assert files(tmp_path) == {taken}
    assert (tmp_path / taken).read_text() == "mine\n"


def test_init_twice_leaves_the_first_project(tmp_path: Path) -> None:
    assert sigmapack("init", cwd=tmp_path).returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert sigmapack("init", cwd=tmp_path).returncode == 2
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_init_in_the_place_of_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine\n")
    done = sigmapack("init", "taken", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "taken" in done.stderr.splitlines()[-1]
    assert (tmp_path / "taken").read_text() == "mine\n"
