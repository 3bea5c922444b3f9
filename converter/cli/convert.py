"""`sigmapack convert`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from converter.cli.asked import Request
from converter.cli.options import KeyValue, a_path, not_taken
from converter.cli.replay import Earlier, Record, replayed
from converter.cli.wanted import report_option
from converter.targets import TARGETS

STANDARD_INPUT = "-"
LEVELS = ("informational", "low", "medium", "high", "critical")
STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")
SELECT = "Convert rules of this {} only; repeatable."


@click.command()
@click.argument("inputs", metavar="[INPUT]...", nargs=-1)
@click.option("-t", "--target", "targets", multiple=True, metavar="TARGET", help=f"{', '.join(TARGETS)}; repeatable.")
@click.option(
    "-o",
    "-od",
    "--output",
    "--output-dir",
    callback=a_path,
    metavar="PATH",
    help="Write files: see above.",
)
@click.option("-f", "--format", "form", default="default", metavar="FORMAT", help="A format of the target, or ndjson.")
@click.option("-p", "--pipeline", "pipelines", multiple=True, help="Add a pySigma pipeline, by name or file.")
@click.option("--filter", "filters", multiple=True, type=click.Path(), help="Add Sigma filters: a file or folder.")
@click.option("-P", "--file-pattern", "pattern", default="", help="Names of rules in folders. Default: *.yml, *.yaml.")
@click.option(
    "--level", "levels", multiple=True, type=click.Choice(LEVELS, case_sensitive=False), help=SELECT.format("level")
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(STATUSES, case_sensitive=False),
    help=SELECT.format("status"),
)
@click.option("--tag", "tags", multiple=True, help=SELECT.format("tag"))
@click.option("--allow-unmapped", is_flag=True, help="Let fields through that no pipeline maps, and mark the query.")
@click.option("--allow-inexact", is_flag=True, help="Let queries through that are near to their rules, and mark them.")
@click.option("--without", multiple=True, metavar="REPAIR", help="Leave a repair out, like K2; repeatable.")
@click.option("-s", "--skip-unsupported/--fail-unsupported", "skip", help="A refused rule is a warning, not a finding.")
@click.option("--prune", is_flag=True, help="Remove outputs that the last run wrote and this one does not.")
@click.option("-c", "--correlation-method", "method", help="How to correlate; a method of the target.")
@click.option("-O", "--backend-option", "backend_options", multiple=True, type=KeyValue(), help="KEY=VALUE of --stock.")
@click.option("-e", "--encoding", default="utf-8", show_default=True, help="Encoding of the queries.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes. Default: one for each processor.")
@click.option("--stock", is_flag=True, help="Convert exactly as sigma-cli does: no repairs, no routes.")
@click.option("--without-pipeline", is_flag=True, help="With --stock: convert without a pipeline.")
@click.option("--pipeline-check/--disable-pipeline-check", default=True, help="Refuse pipelines of other backends.")
@click.option("--enable-template-vars", is_flag=True, help="Let pipelines load template variables, which can run code.")
@click.option("--template-vars-path", "template_paths", multiple=True, type=click.Path(exists=True), help="Where from.")
@not_taken("-ot", "--output-filename-template", instead="outputs keep their rules' paths; choose the folder with -o")
@not_taken("--json-indent", instead="leave it out, and indent with a tool like jq; -j is the number of jobs")
@click.option("--cache/--no-cache", "cached", default=True, help="Keep what was done for the next run. Default: yes.")
@report_option
@click.option("-q", "--quiet", is_flag=True, help="No summary.")
@click.option("--verbose", is_flag=True, help="Say more of what goes wrong in a library.")
def convert(**given: Any) -> int:  # noqa: ANN401 - one value an option
    """Convert rules to queries.

    INPUT is a rule, a folder of rules, a pack, or - for standard input. Without INPUT, the whole project.

    Without -o, queries go to standard output, a blank line between them. With -o DIR, each goes to
    DIR/TARGET/path-below-INPUT, with a pack's hunting query and a manifest.json beside them. With -o NAME.ext and one
    target, all go to that file. The project goes into its outputs folder.

    Exits with 1 if a rule could not be read or converted (the others are), with 2 for wrong usage.
    """
    request = Request(**given)
    return replayed(
        [request],
        lambda record: _run(request, record),
        cached=request.cached and _is_told(request),
        patch=lambda earlier: _patched(request, earlier),
        quiet=request.quiet,
    )


def _is_told(request: Request) -> bool:
    """Whether all that the run depends on can be told from outside."""
    files = any(report.file is not None for report in request.reports)
    return not (files or request.enable_template_vars or STANDARD_INPUT in request.inputs)


def _run(request: Request, record: Record | None) -> int:
    from converter.cli import conversion  # noqa: PLC0415 - takes most of a short run

    return conversion.run(request, record)


def _patched(request: Request, earlier: Earlier) -> Mapping[str, Any] | None:
    from converter.cli import patch  # noqa: PLC0415 - likewise

    return patch.patched(request, earlier)
