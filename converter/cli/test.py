"""`sigmapack test`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from converter import cache
from converter.cli.replay import Record, replayed
from converter.cli.wanted import Wanted, report_option

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Request:
    """What the user asks for, option by option."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    pipelines: tuple[str, ...]
    events: tuple[Path, ...]
    stock: bool
    without: tuple[str, ...]
    allow_inexact: bool
    generated: bool
    minimise: bool
    seed: int
    engines: tuple[str, ...]
    skip: bool
    jobs: int | None
    cached: bool
    reports: tuple[Wanted, ...]
    quiet: bool
    verbose: bool


@click.command()
@click.argument("inputs", metavar="[INPUT]...", nargs=-1)
@click.option("-t", "--target", "targets", multiple=True, metavar="TARGET", help="Test on this target; repeatable.")
@click.option("-p", "--pipeline", "pipelines", multiple=True, help="Add a pySigma pipeline, by name or file.")
@click.option(
    "--events",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Test on these events too: a JSON or JSONL file, or a folder of them, SigmaHQ's regression data included.",
)
@click.option("--stock", is_flag=True, help="Test what sigma-cli converts: no repairs, no routes.")
@click.option("--without", multiple=True, metavar="REPAIR", help="Convert without a repair, like K2; repeatable.")
@click.option("--allow-inexact", is_flag=True, help="Convert what has no exact form as nearly as can be.")
@click.option("--generated/--no-generated", default=True, help="Make events from the rules too. Default: yes.")
@click.option("--minimise/--no-minimise", default=True, help="Look for the smallest event that shows it. Default: yes.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the generated events.")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    metavar="NAME[=URL]",
    help="Only this one judges: kql, spl, lucene, elasticsearch=URL or opensearch=URL; repeatable.",
)
@click.option("-s", "--skip-unsupported/--fail-unsupported", "skip", help="A refused rule is a warning, not a finding.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes. Default: one for each processor.")
@click.option("--cache/--no-cache", "cached", default=True, help="Keep verdicts for the next run. Default: yes.")
@report_option
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
@click.option("-v", "--verbose", is_flag=True, help="List the exact ones too, however many.")
def test(**given: Any) -> int:  # noqa: ANN401 - one value an option
    """Run each query over events, and say whether it finds what its rule means.

    INPUT is as in convert, and is converted afresh. Without INPUT, the project's queries are judged as they stand in
    its outputs folder.

    A verdict is the first of these that holds: refused (no query), broken (invalid, or finds nothing of what it
    should), mixed (finds too much and too little), wider, narrower, untested, exact.

    Exits with 1 if a verdict is not exact, with 2 for wrong usage.
    """
    request = Request(**given)
    # The analyser of KQL, an extra, is asked where it is installed.
    asked = [request, cache.version("mini-racer")]
    return replayed(asked, lambda record: _run(request, record), cached=request.cached and _is_told(request))


def _is_told(request: Request) -> bool:
    """Whether all that the run depends on can be told from outside; of a running cluster it cannot."""
    files = any(each.file is not None for each in request.reports)
    live = any("=" in each for each in request.engines)
    return not (files or live or STANDARD_INPUT in request.inputs)


def _run(request: Request, record: Record | None) -> int:
    from converter.cli import testing  # noqa: PLC0415 - takes most of a short run

    return testing.run(request, record)
