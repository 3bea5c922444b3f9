"""A small JSON form for scripts."""

from __future__ import annotations

from converter.reports.report import Report, Tested, one_line
from converter.wellformed import json_document


def text(report: Report) -> str:
    """How many queries there are, each refusal, and each problem with its kind: `unreadable` or `problem`.

    Of a test: each verdict, with the events that show a difference, and the problems.
    """
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
    if report.tested:
        return json_document({"verdicts": list(map(_verdict, report.tested)), "problems": problems})
    return json_document({"converted": len(report.queries), "refusals": refusals, "problems": problems})


def _verdict(each: Tested) -> dict[str, object]:
    found = each.verdict
    shown = [
        {
            "name": row.name,
            "event": dict(row.event),
            "row": dict(row.row),
            "wanted": row.wanted,
            "stranger": row.stranger or None,
        }
        for row in found.shown
    ]
    return {
        "rule": each.id or None,
        "path": each.path.as_posix(),
        "target": each.target,
        "verdict": found.kind,
        "reason": one_line(found.reason) or None,
        "known_gap": each.todo or None,
        "events": dict(zip(("wanted", "unwanted", "unproven"), found.events, strict=True)),
        "unmade": list(found.unmade),
        "shown": shown,
    }
