"""`sigmapack list`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from converter import config, packs
from converter.cli import report
from converter.targets import TARGETS

KINDS = ("targets", "packs", "rules")


@click.command(name="list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
def list_(kind: str | None) -> int:
    """List the targets, or the project's packs or rules; without a word, targets and packs."""
    console = Console()
    if not console.is_terminal:
        # Another program reads it: a row a line, however long.
        console = Console(width=10_000)
    if kind in {None, "targets"}:
        console.print(_targets())
    if kind == "targets":
        return 0
    reading = packs.read(map(str, config.project(Path.cwd()).packs))
    if kind in {None, "packs"}:
        table = _table("pack", "technique", "rules", "title")
        for pack in reading.packs:
            table.add_row(pack.place.as_posix(), pack.technique, str(len(pack.rules)), pack.title)
        console.print(table)
    if kind == "rules":
        table = _table("rule", "level", "title")
        for rule in reading.rules:
            table.add_row(rule.place.as_posix(), str(rule.document.get("level", "")), rule.title)
        console.print(table)
    report.problems([*reading.absent, *reading.problems])
    return 2 if reading.absent else 1 if reading.problems else 0


def _targets() -> Table:
    table = _table("target", "language", "suffix", "written for")
    for target in TARGETS.values():
        table.add_row(target.name, target.language, f".{target.suffix}", target.data)
    return table


def _table(*columns: str) -> Table:
    table = Table(*columns, box=SIMPLE, pad_edge=False)
    table.columns[0].no_wrap = True
    return table
