"""What goes to the user: printed at once, and kept where a run is recorded to be told again."""

from __future__ import annotations

import click

_kept: list[list[str]] = []


def say(text: str, *, nl: bool = True) -> None:
    """Print on standard error."""
    whole = f"{text}\n" if nl else text
    for kept in _kept:
        kept.append(whole)
    click.echo(whole, err=True, nl=False)


def keep(kept: list[str]) -> None:
    """Keep what is said from now on."""
    _kept.append(kept)
