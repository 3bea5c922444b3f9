"""What a person at a terminal sees besides: how far it is, and what it came to. Both on standard error."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from converter.convert import Refusal

Item = TypeVar("Item")


def shown(*, quiet: bool) -> bool:
    """Whether standard error is a terminal whose user wants to be told."""
    return not quiet and sys.stderr.isatty()


def progress(items: Sequence[Item], *, quiet: bool, doing: str = "Converting") -> Iterator[Item]:
    """The items, with a bar that moves as they are taken and is gone at the end.

    Nothing may be written to the same terminal meanwhile.
    """
    if not shown(quiet=quiet):
        yield from items
        return
    from rich.console import Console  # noqa: PLC0415 - costs time that only a terminal's user should pay
    from rich.progress import Progress  # noqa: PLC0415

    # What goes to standard output is queries: rich must not take it over.
    bar = Progress(console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    with bar:
        yield from bar.track(items, description=doing)


def summary(rows: Sequence[tuple[str, int, int]], *, quiet: bool) -> None:
    """Print how many rules became a query and how many were refused, for each target, as `counts` has them."""
    if rows and shown(quiet=quiet):
        table(rows)


def table(rows: Sequence[tuple[str, int, int]]) -> None:
    """Print the rows to standard error."""
    from rich.box import SIMPLE  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    made = Table("target", box=SIMPLE, pad_edge=False)
    made.add_column("converted", justify="right")
    made.add_column("refused", justify="right")
    for target, converted, refused in rows:
        made.add_row(target, str(converted), str(refused))
    Console(stderr=True).print(made)


def counts(converted: Counter[str], refusals: Sequence[Refusal]) -> list[tuple[str, int, int]]:
    """Each target's name with its number of queries and of refusals, in order of name."""
    refused = Counter(refusal.target.name for refusal in refusals)
    return [(name, converted[name], refused[name]) for name in sorted(converted.keys() | refused.keys())]
