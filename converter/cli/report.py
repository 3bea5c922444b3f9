"""How problems and refusals look on standard error, one line each, and the reports that `--report` asks for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from converter.cli.say import say
from converter.cli.wanted import Wanted, report_option
from converter.convert import Query, Refusal
from converter.errors import Problem
from converter.tree import replace

if TYPE_CHECKING:
    from converter.reports.report import Report

__all__ = ["Wanted", "problems", "refusals", "report_option", "warnings", "write_reports"]


def problems(found: Iterable[Problem]) -> None:
    """Print each problem on a line of its own."""
    for problem in dict.fromkeys(found):
        say(str(problem))


def warnings(query: Query) -> None:
    """Print what the query's reader should know, a line each."""
    problems(Problem(f"{warning} [{query.target.name}]", query.rule.path) for warning in query.warnings)


def refusals(found: Iterable[Refusal]) -> None:
    """Print what is refused."""
    told = refused(found)
    if told:
        # At once: to print is most of the work.
        say(told, nl=False)


def refused(found: Iterable[Refusal]) -> str:
    """Each reason once, with the targets that gave it, a line each."""
    grouped: dict[tuple[str, str, int | None], list[Refusal]] = {}
    for refusal in found:
        grouped.setdefault((refusal.reason, refusal.rule.path_name, refusal.line), []).append(refusal)
    lines = []
    for same in grouped.values():
        problem = Problem(same[0].reason, same[0].rule.path, same[0].line)
        lines.append(f"{problem} [{', '.join(refusal.target.name for refusal in same)}]\n")
    return "".join(lines)


def write_reports(chosen: Sequence[Wanted], report: Report) -> list[Problem]:
    """Write each report to its file, whole or not at all, or print it; gives a problem for each that cannot be written.

    Printed ones come last: nothing then stands between their lines.
    """
    if not chosen:
        return []
    from converter.reports import REPORTS  # noqa: PLC0415 - few runs write any

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
            say(REPORTS[each.kind](report), nl=False)
    return unwritten


def _write(file: Path, text: str) -> None:
    # Through a symbolic link, since that is what `> FILE` does; and never in place of a device.
    place = Path(os.path.realpath(file))
    if place.exists() and not place.is_file():
        raise OSError(None, "it is no regular file")
    replace(place, text.encode())
