"""The reports that `--report` asks for: their kinds and files, before any of them is made."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

KINDS = ("junit", "sarif", "json", "github")
PRINTED = "github"
FORMS = ", ".join(kind if kind == PRINTED else f"{kind}=FILE" for kind in KINDS)


@dataclass(frozen=True)
class Wanted:
    """A report that the user asked for: its kind, and its file, None for one that is printed."""

    kind: str
    file: Path | None


def wanted(value: str) -> Wanted:
    """The report that `KIND=FILE` or `github` asks for; a usage error for no such kind, or for one without its file."""
    kind, separator, file = value.partition("=")
    if kind not in KINDS:
        raise click.BadParameter(f"{kind!r} is no report; have: {FORMS}.")
    if kind == PRINTED and separator:
        raise click.BadParameter(f"{kind} goes to standard error; write {kind} alone.")
    if kind != PRINTED and file in {"", "-"}:
        raise click.BadParameter(f"{kind} needs a file; write {kind}=FILE.")
    return Wanted(kind, Path(file) if file else None)


def all_wanted(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Wanted, ...]:
    """Each report once; a usage error where two would write one file."""
    found = tuple(dict.fromkeys(map(wanted, values)))
    files = [os.path.realpath(each.file) for each in found if each.file is not None]
    if len(files) != len(set(files)):
        raise click.BadParameter("two reports name one file; give each its own.")
    return found


report_option = click.option(
    "--report",
    "reports",
    multiple=True,
    callback=all_wanted,
    metavar="KIND[=FILE]",
    help=f"Also tell the outcome as {FORMS}; repeatable. Annotations of GitHub go to standard error.",
)
