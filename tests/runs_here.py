"""Runs of the command in this process, and the small projects that they are about."""

from __future__ import annotations

import gc
import io
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from converter import cache
from converter.cli import main
from tests.command import rule

PACK = """\
title = "Nothing but a test"
description = "Two rules that join into one query"
technique = "T1596.003"
"""
HUNTING = """
[hunting]
window = "24h"
category_column = "Kind"
columns = ["Timestamp", "ProcessCommandLine", "Kind"]

[[hunting.categories]]
name = "First"
rule = "first"
confidence = "low"
"""
CASES = """\
must_match:
  - name: what it looks for
    event: {CommandLine: 'a %s b'}
must_not_match:
  - name: something else
    event: {CommandLine: nothing}
"""
CORRELATION = """\
title: Many
id: 00000000-0000-4000-8000-00000000aaaa
status: test
correlation:
  type: event_count
  rules: [base]
  group-by: [User]
  timespan: 5m
  condition: {gte: 3}
"""
FILTER = """\
title: Not ours
logsource: {category: process_creation, product: windows}
filter:
  rules: any
  selection: {User|startswith: %s}
  condition: not selection
"""
PIPELINE = """\
name: ours
priority: 10
transformations:
  - type: field_name_mapping
    mapping: {Odd: Command%s}
"""
# One language, and no events but the given: all that is of interest is that verdicts are kept.
TEST = ("test", "-q", "-j1", "--no-minimise", "--no-generated", "-t", "lucene")
FILTERED = ("-p", "ours.yml", "--filter", "filters", "--allow-unmapped")
# Runs that write, the same again, and queries with other options.
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("convert",),
    ("convert", "--prune"),
    ("check",),
    ("convert", "sigma_rules"),
    ("convert", "--stock", "-t", "splunk", "-p", "splunk_windows", "sigma_rules"),
    ("convert", "-t", "kusto", "-t", "splunk", *FILTERED, "sigma_rules"),
)


@dataclass(frozen=True)
class Told:
    """What a run came to: its exit code, what it printed, and every file of the outputs after it."""

    code: int
    out: bytes
    err: bytes
    outputs: dict[str, bytes]


def project(folder: Path, word: str, *, hunting: bool = False) -> Path:
    """A project with a pack, whose texts hold the word: rules that are sound, refused, unsound, correlated, joined."""
    pack = folder / "sigma_rules" / "pack"
    pack.mkdir(parents=True)
    (pack / "pack.toml").write_text(PACK + HUNTING * hunting, encoding="utf-8")
    (pack / "first.yml").write_text(rule(1, value=f"{word} 1"), encoding="utf-8")
    (pack / "first.cases.yaml").write_text(CASES % f"{word} 1", encoding="utf-8")
    base = rule(2, value=f"{word} 2").replace("title: ", "name: base\ntitle: Base of ")
    (pack / "second.yml").write_text(f"{base}---\n{CORRELATION}", encoding="utf-8")
    (pack / "odd.yml").write_text(rule(3, field="Odd", value=word), encoding="utf-8")
    (pack / "bad.yml").write_text(f"title: [{word}\n", encoding="utf-8")
    (folder / "ours.yml").write_text(PIPELINE % word, encoding="utf-8")
    (folder / "filters").mkdir()
    (folder / "filters" / "ours.yml").write_text(FILTER % word, encoding="utf-8")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Every file below the folder by its path."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def restored(folder: Path, held: Mapping[str, bytes]) -> None:
    """Bring the folder to hold these files and nothing else, whatever stands there."""
    kept = {folder / name for name in held}
    folders = {parent for path in kept for parent in path.parents}
    for path in [folder, *sorted(folder.rglob("*"))]:
        _make_room(path, is_folder=path in folders, is_file=path in kept)
    for name, content in held.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _make_room(path: Path, *, is_folder: bool, is_file: bool) -> None:
    """Remove what stands at the path, unless it is what should stand there."""
    if path.is_dir() and not path.is_symlink():
        if not is_folder:
            shutil.rmtree(path)
    elif not (is_file and path.is_file() and not path.is_symlink()):
        path.unlink(missing_ok=True)


class _Stream(io.TextIOWrapper):
    """A standard stream whose bytes are kept."""

    def __init__(self) -> None:
        self.held = io.BytesIO()
        super().__init__(self.held, encoding="utf-8")


def run(folder: Path, home: Path, *arguments: str) -> Told:
    """Run one command in the folder; what it keeps goes below `home`."""
    out, err = _Stream(), _Stream()
    # In a process of its own a run would find none of these.
    cache.stamp.cache_clear()
    with (
        patch.dict(os.environ, {"XDG_CACHE_HOME": str(home)}),
        patch("converter.cli.say._kept", []),
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = main(arguments)
    # A run leaves what it made to the end of its process, which is not the end of this one.
    gc.unfreeze()
    out.flush()
    err.flush()
    return Told(code, out.held.getvalue(), err.held.getvalue(), files(folder / "outputs"))


def runs(folder: Path, home: Path, commands: Iterable[Sequence[str]], *, cached: bool = True) -> list[Told]:
    """Each of the commands, one after the other."""
    return [run(folder, home, *each, *(() if cached else ("--no-cache",))) for each in commands]
