"""A small JSON form for scripts."""

from __future__ import annotations

from converter.reports.report import Report, one_line
from converter.wellformed import json_document


def text(report: Report) -> str:
    """How many queries there are, each refusal, and each problem with its kind: `unreadable` or `problem`."""
    refusals = [
        {
            "rule": refusal.rule.id or None,
            "path": refusal.rule.path.as_posix(),
            "target": refusal.target.name,
            "reason": one_line(refusal.reason),
            "line": refusal.line,
        }
        for refusal in report.refusals
    ]
    problems = [
        {
            "kind": kind,
            "path": None if problem.path is None else problem.path.as_posix(),
            "message": one_line(problem.message),
            "line": problem.line,
        }
        for kind, problem in report.found()
    ]
    return json_document({"converted": len(report.queries), "refusals": refusals, "problems": problems})
