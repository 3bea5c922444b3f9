"""`sigmapack check`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from converter import config, manifest, packs
from converter.check import findings
from converter.cli import report
from converter.cli.conversion import how_of
from converter.errors import Problem
from converter.outputs import outputs
from converter.targets import DEFAULTS, TARGETS, named
from converter.tree import Difference, differences

REMEDIES = {
    "missing": "is missing; run sigmapack convert",
    "stale": "is not what its rule converts to; run sigmapack convert, and commit the difference if you meant it",
    "orphan": "comes from no rule; delete it",
}


@click.command()
def check() -> int:
    """Check that the project's rules are sound and its outputs what they convert to.

    Rules must parse and pass pySigma's validators (those that need no network), ATT&CK tags must exist, cases must be
    well formed, and outputs/ must equal a fresh conversion: differences are shown as a unified diff.

    Exits with 1 if anything is found. Writes nothing.
    """
    project = config.project(Path.cwd())
    reading = packs.read(map(str, project.packs))
    targets = named(project.targets or DEFAULTS)
    how = how_of(project, reading)
    made = outputs(reading, targets, how)
    unsound = findings(reading.rules)
    where = project.outputs
    drift = list(differences(made.files, where, TARGETS))
    listed = _manifest(where, manifest.manifest(made, reading.unread, targets))
    report.problems([*reading.absent, *reading.problems])
    report.refusals(made.refusals)
    report.problems([*made.problems, *unsound])
    for difference in drift:
        click.echo(f"{(where / difference.path).as_posix()}: {REMEDIES[difference.kind]}", err=True)
        _show(difference)
    report.problems(listed)
    click.echo(_summary(len(reading.rules), len(made.files), drift), err=True)
    if reading.absent:
        return 2
    return 1 if reading.problems or made.refusals or made.problems or unsound or drift or listed else 0


def _manifest(outputs: Path, fresh: str) -> list[Problem]:
    """What is wrong with the outputs' manifest."""
    path = outputs / manifest.NAME
    try:
        held = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return [Problem(REMEDIES["missing"], path)]
    except (OSError, UnicodeDecodeError) as error:
        return [Problem(f"cannot be read: {error}", path)]
    return [Problem(line, path) for line in manifest.differences(held, fresh)]


def _show(difference: Difference) -> None:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in difference.diff.splitlines():
        styled = click.style(line, fg=colours.get(line[:1])) if sys.stdout.isatty() else line
        click.echo(styled)


def _summary(rules: int, files: int, drift: list[Difference]) -> str:
    kinds: Counter[str] = Counter(difference.kind for difference in drift)
    found = ", ".join(f"{kinds[kind]} {kind}" for kind in REMEDIES if kinds[kind]) or "as converted"
    return f"{rules} rules, {files} outputs: {found}"
