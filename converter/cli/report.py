"""How problems and refusals look on standard error, one line each, and the reports that `--report` asks for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from converter.convert import Query, Refusal
from converter.errors import Problem
from converter.reports import REPORTS
from converter.reports.report import Report
from converter.tree import replace

PRINTED = "github"
FORMS = ", ".join(kind if kind == PRINTED else f"{kind}=FILE" for kind in REPORTS)


def problems(found: Iterable[Problem]) -> None:
    """Print each problem on a line of its own."""
    for problem in dict.fromkeys(found):
        click.echo(str(problem), err=True)


def warnings(query: Query) -> None:
    """Print what the query's reader should know, a line each."""
    problems(Problem(f"{warning} [{query.target.name}]", query.rule.path) for warning in query.warnings)


def refusals(found: Iterable[Refusal]) -> None:
    """Print each reason once, with the targets that gave it."""
    grouped: dict[Problem, list[str]] = {}
    for refusal in found:
        problem = Problem(refusal.reason, refusal.rule.path, refusal.line)
        grouped.setdefault(problem, []).append(refusal.target.name)
    for problem, targets in grouped.items():
        click.echo(f"{problem} [{', '.join(targets)}]", err=True)


@dataclass(frozen=True)
class Wanted:
    """A report that the user asked for: its kind, and its file, None for one that is printed."""

    kind: str
    file: Path | None


def wanted(value: str) -> Wanted:
    """The report that `KIND=FILE` or `github` asks for; a usage error for no such kind, or for one without its file."""
    kind, separator, file = value.partition("=")
    if kind not in REPORTS:
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


def write_reports(chosen: Sequence[Wanted], report: Report) -> list[Problem]:
    """Write each report to its file, whole or not at all, or print it; gives a problem for each that cannot be written.

    Printed ones come last: nothing then stands between their lines.
    """
    unwritten = []
    for each in chosen:
        if each.file is not None:
            try:
                _write(each.file, REPORTS[each.kind](report))
            except OSError as error:
                reason = f"the {each.kind} report cannot be written: {error.strerror or error}; name another file"
                unwritten.append(Problem(reason, each.file))
    for each in chosen:
        if each.file is None:
            click.echo(REPORTS[each.kind](report), err=True, nl=False)
    return unwritten


def _write(file: Path, text: str) -> None:
    # Through a symbolic link, since that is what `> FILE` does; and never in place of a device.
    place = Path(os.path.realpath(file))
    if place.exists() and not place.is_file():
        raise OSError(None, "it is no regular file")
    replace(place, text.encode())
