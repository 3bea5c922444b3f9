"""`sigmapack engines`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import click

from converter.engines import ENGINES, engine
from converter.engines.kusto_analyser import installed, package
from converter.errors import UsageError

# An engine as the command line spells it, and what a user has to do for it once.
ADDED = {"kusto-analyser": "kusto_analyser"}


@click.group(invoke_without_command=True)
@click.pass_context
def engines(context: click.Context) -> int:
    """List the engines that prove queries: their versions, and whether each is ready."""
    if context.invoked_subcommand is not None:
        return 0
    rows = [_row(name) for name in ENGINES]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


@engines.command()
@click.argument("name", type=click.Choice(sorted(ADDED)))
def add(name: str) -> int:
    """Fetch, once, what the engine NAME needs, and keep it in the user's cache.

    The package comes from the npm registry that npm is configured for, and is kept if it is the one expected.
    """
    added: Any = engine(ADDED[name])
    if not installed():
        raise UsageError("mini-racer is missing; pip install 'sigmapack[analyser]'")
    if added.ready():
        click.echo(f"{name} is there: {package.folder()}")
        return 0
    try:
        place = added.add()
    except package.Unfetched as error:
        click.echo(f"sigmapack: {error}", err=True)
        return 1
    click.echo(f"{name}: {place}")
    return 0


def _row(name: str) -> tuple[str, str, str, str]:
    """Name, language, version, and whether it is ready or what makes it so."""
    told: Any = engine(name)
    ready = told.ready() if hasattr(told, "ready") else True
    spelt = name.replace("_", "-")
    state = "ready" if ready else f"not there: sigmapack engines add {spelt}"
    return spelt, told.language, getattr(told, "version", f"sigmapack {version('sigmapack')}"), state
