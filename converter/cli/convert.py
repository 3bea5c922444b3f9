"""`sigmapack convert`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from converter import packs, project, tree
from converter.cli import report
from converter.convert import Refusal
from converter.convert import convert as conversions
from converter.outputs import outputs
from converter.packs import Reading
from converter.targets import TARGETS, named
from converter.targets.target import Target


@click.command()
@click.argument("inputs", metavar="[INPUT]...", nargs=-1)
@click.option(
    "-t",
    "--target",
    "targets",
    multiple=True,
    metavar="TARGET",
    help=f"One of {', '.join(TARGETS)}; repeatable. Default: all.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write DIR/TARGET/… instead of standard output.",
)
def convert(inputs: tuple[str, ...], targets: tuple[str, ...], output: Path | None) -> int:
    """Convert rules to queries.

    INPUT is a rule, a folder of rules, a pack, or - for one rule on standard input. Queries go to standard output, a
    blank line between them, or with -o to files, a pack's hunting query beside them. Without INPUT, the whole project
    goes into its outputs folder.

    Exits with 1 if a rule could not be read or converted (the others are), with 2 for wrong usage.
    """
    chosen = named(targets)
    if inputs:
        standard_input = sys.stdin.buffer.read() if packs.STANDARD_INPUT in inputs else b""
        reading = packs.read(inputs, standard_input)
        return _print(reading, chosen) if output is None else _write(reading, chosen, output)
    here = Path.cwd()
    root = project.root(here)
    reading = packs.read([str(project.relative(root / project.RULES, here))])
    return _write(reading, chosen, output or project.relative(root / project.OUTPUTS, here))


def _print(reading: Reading, targets: Sequence[Target]) -> int:
    refused = []
    first = True
    for outcome in conversions(reading.rules, targets):
        if isinstance(outcome, Refusal):
            refused.append(outcome)
            continue
        sys.stdout.write(outcome.text + "\n" if first else f"\n{outcome.text}\n")
        first = False
    report.refusals(refused)
    return _code(reading, failed=bool(refused))


def _write(reading: Reading, targets: Sequence[Target], output: Path) -> int:
    made = outputs(reading, targets)
    report.refusals(made.refusals)
    report.problems(made.problems)
    unwritten = tree.write(made.files, output)
    report.problems(unwritten)
    written = len(made.files) - len(unwritten)
    click.echo(f"{written} file{'' if written == 1 else 's'} in {output.as_posix()}", err=True)
    code = _code(reading, failed=bool(made.refusals or made.problems or unwritten))
    return 2 if unwritten and not written else code


def _code(reading: Reading, *, failed: bool) -> int:
    report.problems(reading.problems)
    report.problems(reading.absent)
    if reading.absent:
        return 2
    return 1 if failed or reading.problems else 0
