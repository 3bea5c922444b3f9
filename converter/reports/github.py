"""Annotations of GitHub Actions, as workflow commands: a line each."""

from __future__ import annotations

from collections.abc import Iterator

from converter.errors import Problem
from converter.reports.report import REFUSED, Report, one_line
from converter.wellformed import xml


def text(report: Report) -> str:
    """An error for each problem, and for each reason of refusal with the targets that gave it."""
    refused: dict[Problem, list[str]] = {}
    for refusal in report.refusals:
        problem = Problem(one_line(refusal.reason), refusal.rule.path, refusal.line)
        refused.setdefault(problem, []).append(refusal.target.name)
    lines = [_command(f"{REFUSED} on {', '.join(targets)}", problem) for problem, targets in refused.items()]
    lines += [
        _command(each.verdict.kind, Problem(each.headline(), each.path)) for each in report.tested if each.is_finding()
    ]
    lines += [_command(kind, problem) for kind, problem in report.found()]
    return "".join(f"{line}\n" for line in lines)


def _command(kind: str, problem: Problem) -> str:
    properties = ",".join(f"{key}={_property(value)}" for key, value in _properties(kind, problem))
    return f"::error {properties}::{_data(one_line(problem.message))}"


def _properties(kind: str, problem: Problem) -> Iterator[tuple[str, str]]:
    if problem.path is not None:
        yield "file", problem.path.as_posix()
        if problem.line is not None:
            yield "line", str(problem.line)
    yield "title", f"sigmapack: {kind}"


def _data(value: str) -> str:
    """The value as a command's message: GitHub reads a line a command, and `%` as the start of an escape."""
    return xml(value).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    """The value as a command's property, where colons and commas too have a meaning."""
    return _data(value).replace(":", "%3A").replace(",", "%2C")
