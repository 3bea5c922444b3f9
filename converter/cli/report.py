"""How problems and refusals look on standard error: one line each."""

from __future__ import annotations

from collections.abc import Iterable

import click

from converter.convert import Query, Refusal
from converter.errors import Problem


def problems(found: Iterable[Problem]) -> None:
    """Print each problem on a line of its own."""
    for problem in found:
        click.echo(str(problem), err=True)


def warnings(query: Query) -> None:
    """Print what the query's reader should know, a line each."""
    problems(Problem(f"{warning} [{query.target.name}]", query.rule.path) for warning in query.warnings)


def refusals(found: Iterable[Refusal]) -> None:
    """Print each reason once, with the targets that gave it."""
    grouped: dict[Problem, list[str]] = {}
    for refusal in found:
        problem = Problem(refusal.reason, refusal.rule.path, refusal.line)
        grouped.setdefault(problem, []).append(refusal.target.name)
    for problem, targets in grouped.items():
        click.echo(f"{problem} [{', '.join(targets)}]", err=True)
