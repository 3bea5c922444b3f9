"""`sigmapack init`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from converter import init as start
from converter import tree
from converter.cli import report
from converter.errors import UsageError


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
def init(folder: Path) -> int:
    """Start a project in FOLDER (default: here): sigmapack.toml, and a pack with one rule and its cases.

    Writes nothing if sigmapack.toml or the pack's folder is there already.
    """
    taken = start.in_the_way(folder)
    if taken is not None:
        raise UsageError("is there already; name another folder", taken)
    files = start.files(datetime.now(UTC).date().isoformat())
    unwritten = tree.write(files, folder)
    report.problems(unwritten.values())
    for path in sorted(files):
        click.echo((folder / path).as_posix())
    return 2 if unwritten else 0
