"""`sigmapack check`."""

from __future__ import annotations

import click

from converter.cli.replay import Record, replayed
from converter.cli.wanted import Wanted, report_option


@click.command()
@click.option("--cache/--no-cache", "cached", default=True, help="Keep what was found for the next run. Default: yes.")
@report_option
def check(cached: bool, reports: tuple[Wanted, ...]) -> int:  # noqa: FBT001 - click's
    """Check that the project's rules are sound and its outputs what they convert to.

    Rules must parse and pass pySigma's validators (those that need no network), ATT&CK tags must exist, cases must be
    well formed, and outputs/ must equal a fresh conversion: differences are shown as a unified diff.

    Exits with 1 if anything is found. Writes nothing.
    """

    def run(record: Record | None) -> int:
        from converter.cli import checking  # noqa: PLC0415 - takes most of a short run

        return checking.run(reports, record)

    told = all(report.file is None for report in reports)
    return replayed(["check", reports], run, cached=cached and told)
