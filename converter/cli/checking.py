"""What `sigmapack check` does: read, convert, compare, and tell."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import click

from converter import config, manifest, packs
from converter.check import findings
from converter.cli import report
from converter.cli.replay import Record
from converter.cli.request import how_of, refuse_what_no_rule_can_take, targets_of
from converter.cli.say import say
from converter.errors import Problem
from converter.hunting import NAME as HUNTING
from converter.outputs import Outputs, outputs
from converter.packs import Reading
from converter.reports.report import Report
from converter.sound import is_sound
from converter.targets.target import Target
from converter.tree import Difference, differences
from converter.watched import Watched

REMEDIES = {
    "missing": "is missing; run sigmapack convert",
    "stale": "is not what its rule converts to; run sigmapack convert, and commit the difference if you meant it",
    "orphan": "comes from no rule; delete it",
    "unreadable": "cannot be read; mend its permissions",
}

LOST = "its rule, or its pack, does not convert any more; mend that, or delete both"


def run(reports: tuple[report.Wanted, ...], record: Record | None = None) -> int:
    """Check the project, and give the exit code; the record is told what the run reads."""
    project = config.project(Path.cwd())
    if record is not None:
        inputs = (*project.packs, *project.filters, project.outputs)
        record.begin(Watched((), (*map(str, inputs), *project.pipelines)))
    reading = packs.read(map(str, project.packs), is_sound=is_sound)
    targets = targets_of(project)
    how = how_of(project, reading)
    refuse_what_no_rule_can_take(project, targets, how)
    made = outputs(reading, targets, how)
    unsound = findings(reading.rules, targets)
    where = project.outputs
    lost = _lost(made, reading, targets)
    drift = list(differences(made.files, where, [manifest.NAME]))
    listed = _manifest(where, manifest.manifest(made, reading.unread, targets))
    report.problems([*reading.absent, *reading.problems])
    report.refusals(made.refusals)
    report.problems([*made.problems, *unsound])
    if record is not None and (drift or not all(Path(name).exists() for name in project.pipelines)):
        # What is printed, and what plugins do, is not told from outside.
        record.reads = None
    for difference in drift:
        remedy = LOST if difference.kind == "orphan" and difference.path in lost else REMEDIES[difference.kind]
        say(f"{(where / difference.path).as_posix()}: {remedy}")
        _show(difference)
    report.problems(listed)
    found = Report(
        made.queries,
        made.refusals,
        [*made.problems, *unsound, *(Problem(REMEDIES[each.kind], where / each.path) for each in drift), *listed],
        [*reading.absent, *reading.problems],
    )
    unwritten = report.write_reports(reports, found)
    report.problems(unwritten)
    say(_summary(len(reading.rules), len(made.files), drift))
    if reading.absent or unwritten:
        return 2
    return 1 if reading.problems or made.refusals or made.problems or unsound or drift or listed else 0


def _lost(made: Outputs, reading: Reading, targets: Sequence[Target]) -> set[PurePosixPath]:
    """The outputs that rules would have which cannot be read or converted, and the hunting queries that lack them."""
    lost = {
        PurePosixPath(refusal.target.name, f"{refusal.rule.place}.{refusal.target.suffix}") for refusal in made.refusals
    }
    for target in targets:
        places = [unread.place.with_suffix("") for unread in reading.unread]
        lost |= {PurePosixPath(target.name, f"{place}.{target.suffix}") for place in places}
        folders = {place.parent for place in places} | set(reading.unsound_packs)
        folders |= {pack.place for pack in reading.packs}
        lost |= {
            PurePosixPath(target.name, folder, f"{HUNTING}.{suffix}")
            for folder in folders
            for suffix in (target.suffix, "json")
        }
    return lost - made.files.keys()


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
        styled = (
            click.style(line, fg=colours.get(line[:1]))
            if sys.stdout.isatty() and "NO_COLOR" not in os.environ
            else line
        )
        click.echo(styled)


def _summary(rules: int, files: int, drift: list[Difference]) -> str:
    kinds: Counter[str] = Counter(difference.kind for difference in drift)
    found = ", ".join(f"{kinds[kind]} {kind}" for kind in REMEDIES if kinds[kind]) or "as converted"
    return f"{rules} rules, {files} outputs: {found}"
