"""`sigmapack list`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from converter import config, coverage, packs
from converter.cli import report
from converter.cli.asked import NDJSON
from converter.cli.request import how_of
from converter.coverage import LATER, REFUSED, ROUTED
from converter.errors import UsageError
from converter.jobs import Workers, conversions, processors
from converter.logsource import LogSource
from converter.packs import Reading
from converter.stock import StockOptions, backend_for, built_in
from converter.targets import DEFAULTS, TARGETS, named
from converter.targets.target import Target

if TYPE_CHECKING:
    from rich.table import Table

KINDS = ("targets", "packs", "rules", "routes", "pipelines", "formats")
OF_RULES = ("packs", "rules", "routes")
OF_TARGETS = ("targets", "routes", "pipelines", "formats")
# So many of a target's reasons say where most of its refused rules are.
REASONS = 10
BY_STOCK = "with --stock"
# The format that a target of ours stands for.
TAKEN = {"data_model": BY_STOCK}


@click.command(name="list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.argument("inputs", metavar="[INPUT]...", nargs=-1)
@click.option("-t", "--target", "targets", multiple=True, metavar="TARGET", help="Of this target only; repeatable.")
@click.option("--all", "every", is_flag=True, help="With routes: all that the targets have, whatever the rules.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes of routes. Default: one a processor.")
def list_(kind: str | None, inputs: tuple[str, ...], targets: tuple[str, ...], every: bool, jobs: int | None) -> int:  # noqa: FBT001
    """List the targets, packs, rules, routes, pipelines or formats; without a word, targets and packs.

    INPUT is as in convert, for packs, rules and routes. Without INPUT they are the project's.

    routes converts the rules, and says of each log source on each target by which route it goes or why it is refused,
    and how many of its rules are converted and refused. With neither INPUT nor project, or with --all, it prints the
    routes themselves: which log sources, which data, and the vendor's page of its fields.
    """
    _refuse_misplaced(kind, inputs, targets, every=every)
    if kind == "pipelines":
        return _print(_pipelines(named(targets or TARGETS)))
    if kind == "formats":
        return _print(_formats(named(targets or TARGETS)))
    if kind == "targets":
        return _print(_targets(named(targets or TARGETS)))
    project = config.find(Path.cwd())
    if kind == "routes" and (every or not (inputs or project)):
        return _print(_routes(named(targets or (project.targets if project else ()) or DEFAULTS)))
    standard_input = sys.stdin.buffer.read() if packs.STANDARD_INPUT in inputs and sys.stdin else b""
    reading = packs.read(inputs or map(str, config.project(Path.cwd()).packs), standard_input)
    if kind == "routes":
        chosen = named(targets or (project.targets if project else ()) or DEFAULTS)
        how = how_of(project, reading)
        with Workers(jobs or processors()) as workers:
            _print(*_coverage(coverage.coverage(conversions(reading.rules, chosen, how, workers), chosen)))
    elif kind == "rules":
        _print(_rules(reading))
    else:
        _print(*([] if kind else [_targets(TARGETS.values())]), _packs(reading))
    report.problems([*reading.absent, *reading.problems])
    return 2 if reading.absent else 1 if reading.problems else 0


def _refuse_misplaced(kind: str | None, inputs: Sequence[str], targets: Sequence[str], *, every: bool) -> None:
    if inputs and kind not in OF_RULES:
        raise UsageError(f"{kind} takes no INPUT; those that do: {', '.join(OF_RULES)}")
    if targets and kind not in OF_TARGETS:
        raise UsageError(f"{kind or 'list'} takes no -t; those that do: {', '.join(OF_TARGETS)}")
    if every and kind != "routes":
        raise UsageError("--all goes with routes")
    if every and inputs:
        raise UsageError("--all is of the targets, not of rules; leave the INPUT out")


def _targets(targets: Iterable[Target]) -> Table:
    rows = ((target.name, target.language, f".{target.suffix}", target.data) for target in targets)
    return _table(("target", "language", "suffix", "written for"), rows)


def _packs(reading: Reading) -> Table:
    rows = ((pack.place.as_posix(), pack.technique, len(pack.rules), pack.title) for pack in reading.packs)
    return _table(("pack", "technique", "rules", "title"), rows)


def _rules(reading: Reading) -> Table:
    rows = ((rule.place.as_posix(), rule.document.get("level", ""), rule.title) for rule in reading.rules)
    return _table(("rule", "level", "title"), rows)


def _routes(targets: Sequence[Target]) -> Table:
    rows = (
        (target.name, *_parts(logsource), route.name, route.data, route.docs)
        for target, logsource, route in coverage.routes(targets)
    )
    return _table(("target", "category", "product", "service", "route", "data", "docs"), rows)


def _coverage(found: coverage.Coverage) -> list[Table]:
    """The log sources on each target, what it comes to, and the most frequent reasons."""
    lines = (
        (*_parts(line.logsource), line.target.name, line.converted, line.refused, line.decision, line.why)
        for line in found.lines
    )
    totals = (
        (
            total.target.name,
            total.converted + total.refused.total(),
            total.converted,
            total.refused[REFUSED],
            total.refused[LATER],
            total.refused[ROUTED],
        )
        for total in found.totals
    )
    reasons = (
        (total.target.name, count, "rule itself" if kind == ROUTED else f"log source {kind}", reason)
        for total in found.totals
        for (kind, reason), count in total.reasons.most_common(REASONS)
    )
    what = ("category", "product", "service", "target", "converted", "refused", "log source", "route or reason")
    counted = ("target", "rules", "converted", "log source refused", f"log source {LATER}", "rule itself refused")
    tables = [_table(what, lines), _table(counted, totals), _table(("target", "refused", "for", "reason"), reasons)]
    return [table for table in tables if table.row_count] if found.lines else []


def _parts(logsource: LogSource) -> tuple[str, str, str]:
    """Category, product and service, each a word: a program that reads them counts columns."""
    return logsource.category or "-", logsource.product or "-", logsource.service or "-"


def _pipelines(targets: Sequence[Target]) -> Table:
    from sigma.plugins import InstalledSigmaPlugins  # noqa: PLC0415 - imports all that is installed

    installed = InstalledSigmaPlugins.autodiscover(include_validators=False)
    shipped = {name for target in TARGETS.values() for name in built_in(target.family)}
    rows = []
    for name, pipeline in installed.get_pipeline_resolver().list_pipelines():
        fits = [each.name for each in targets if each.family in pipeline.allowed_backends]
        if pipeline.allowed_backends and not fits:
            continue
        applied = BY_STOCK if name in shipped else "after the route's"
        rows.append((name, ", ".join(fits) or "any", applied, pipeline.name or ""))
    return _table(("pipeline", "targets", "applied", "title"), sorted(rows))


def _formats(targets: Sequence[Target]) -> Table:
    rows = []
    for target in targets:
        backend = backend_for(target.family, StockOptions((), without_pipeline=True)).backend
        rows += [(target.name, name, TAKEN.get(name, "always"), title) for name, title in backend.formats.items()]
        rows.append((target.name, NDJSON, "always", "One JSON object per query: rule, id, path, target, text"))
    return _table(("target", "format", "taken", "title"), rows)


def _table(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> Table:
    from rich.box import SIMPLE  # noqa: PLC0415 - costs time that no other command should pay
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*columns, box=SIMPLE, pad_edge=False)
    table.columns[0].no_wrap = True
    for row in rows:
        # As text: rich reads square brackets as markup.
        table.add_row(*(Text(" ".join(str(value).split())) for value in row))
    return table


def _print(*tables: Table) -> int:
    from rich.console import Console  # noqa: PLC0415

    console = Console()
    if not console.is_terminal:
        # Another program reads it: a row a line, however long.
        console = Console(width=10_000)
    for table in tables:
        console.print(table)
    return 0
