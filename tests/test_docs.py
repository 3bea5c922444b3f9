"""The documentation holds: what it shows runs and prints that, and what there is stands in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from converter import config
from converter.cli.commands import COMMANDS, loaded
from converter.convert import STOCK
from converter.reports import REPORTS
from converter.targets import TARGETS, named
from tests.events import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
SHOWN = re.compile(r"```console\n(.*?)```", re.DOTALL)
UNMADE = "not checked by "
EXITS = re.compile(r"  # exits with (\d+)$")


def commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Every command that the page shows, with the lines that it is shown to print."""
    for block in SHOWN.findall(page.read_text(encoding="utf-8")):
        for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = shown.splitlines()
            yield command, lines


def printed(lines: list[str]) -> list[str]:
    """The lines as they look: without empty ones, and without blanks and rules at their ends, which tables pad."""
    return [re.sub("─+", "─", line.rstrip()) for line in lines if line.strip()]


def looks_like(line: str, shown: str) -> bool:
    """Whether the line is the one shown; `…` at its end stands for the rest."""
    return line.startswith(shown[:-1]) if shown.endswith("…") else line == shown


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, as the reader has it after the README's first command."""
    for name in ("sigma_rules", "outputs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    program = programs / "sigmapack"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m converter "$@"\n')
    program.chmod(0o755)
    return tmp_path


@pytest.mark.skipif(os.name == "nt", reason="the commands shown are those of a POSIX shell")
@pytest.mark.parametrize("page", [page for page in PAGES if any(commands(page))], ids=lambda page: page.name)
def test_every_command_shown_runs_and_prints_what_is_shown(project: Path, page: Path) -> None:
    environment = os.environ | {"PATH": f"{project / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    cwd = project
    for command, lines in commands(page):
        done = subprocess.run(
            ["bash", "-uc", f'{command}\ncode=$?\npwd >"{project}/.cwd"\nexit $code'],  # noqa: S607 - any bash
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        cwd = Path((project / ".cwd").read_text().strip())
        expected = EXITS.search(command)
        # Which checks are not made depends on what is installed where the tests run.
        told = ([line for line in each if not line.startswith(UNMADE)] for each in (done.stdout.splitlines(), lines))
        found, shown = map(printed, told)
        assert done.returncode == (int(expected[1]) if expected else 0), f"{command}\n{done.stdout}"
        assert len(found) == len(shown), f"{command}\n{done.stdout}"
        assert [(line, other) for line, other in zip(found, shown, strict=True) if not looks_like(line, other)] == []


def options() -> Iterator[str]:
    """Every option of every command, each spelling."""
    for name, command in ((name, loaded(name)) for name in COMMANDS):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield from (f"{name} {spelling}" for spelling in (*parameter.opts, *parameter.secondary_opts))


@pytest.mark.parametrize("option", sorted(options()))
def test_every_option_is_documented(option: str) -> None:
    spelling = option.partition(" ")[2]
    assert re.search(rf"`[^`\n]*(?<![\w-]){re.escape(spelling)}(?![\w-])[^`\n]*`", TEXT)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_stands_in_the_readme(command: str) -> None:
    assert f"| `sigmapack {command}" in PAGES[0].read_text(encoding="utf-8")


def test_every_kind_of_list_stands_in_the_readme() -> None:
    (kind,) = (parameter for parameter in loaded("list").params if parameter.name == "kind")
    assert isinstance(kind.type, click.Choice)
    (row,) = (
        line for line in PAGES[0].read_text(encoding="utf-8").splitlines() if line.startswith("| `sigmapack list` ")
    )
    assert set(re.findall(r"`(\w+)`", row)) == set(kind.type.choices)


def test_the_readme_has_a_row_for_every_target_and_the_page_of_targets_a_section() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \| \S", PAGES[0].read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(target.name, target.language) for target in TARGETS.values()]
    sections = re.findall(r"^## `(\w+)`", (ROOT / "docs" / "targets.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == list(TARGETS)


def test_every_key_of_the_project_file_has_a_row() -> None:
    page = (ROOT / "docs" / "project-file.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `\[?(\w+)\]?` \|", page, re.MULTILINE)) == set(config.KEYS)


def test_the_project_file_shown_is_sound_and_has_every_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs" / "project-file.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (tmp_path / "sigmapack.toml").write_text(text, encoding="utf-8")
    for name in ("sigma_rules", "filters", "pipelines"):
        (tmp_path / name).mkdir()
    (tmp_path / "pipelines" / "our_fields.yml").write_text("name: ours\npriority: 30\n")
    # Paths of a project are said from the working folder.
    monkeypatch.chdir(tmp_path)
    project = config.project(tmp_path)
    assert named(project.targets)
    assert all(getattr(project, key) for key in config.KEYS)


def test_every_report_and_mark_is_documented() -> None:
    page = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)(?:=FILE)?` \|", page, re.MULTILINE)[-len(REPORTS) :] == list(REPORTS)
    assert f"`{STOCK.name}`" in page


def test_every_module_stands_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = {path.name for path in (ROOT / "converter").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert {name for name in modules if not re.search(rf"`(converter/)?{name}`", page)} == set()
    packages = {path.parent.name for path in (ROOT / "converter").glob("*/__init__.py")}
    assert {name for name in packages if f"`converter/{name}/`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("toml", re.findall(r"```toml\n(\[\[routes\]\].*?)```", TEXT, re.DOTALL))
def test_routes_shown_are_routes_of_ours(toml: str) -> None:
    tables = [path.read_text(encoding="utf-8") for path in (ROOT / "converter" / "targets").glob("*/*.toml")]
    assert any(toml in text for text in tables)
