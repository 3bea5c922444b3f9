"""SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from converter.convert import Refusal
from converter.errors import Problem
from converter.reports.report import PROBLEM, REFUSED, UNREADABLE, Report, Tested, one_line
from converter.wellformed import json_document

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
RULES = {
    REFUSED: "A rule does not convert to a target; its query would not mean what the rule says.",
    UNREADABLE: "A file or INPUT cannot be read as a Sigma rule or pack.",
    PROBLEM: "A rule, a pack or an output is not sound.",
}
# What `sigmapack test` finds besides.
VERDICTS = {
    "broken": "A query is not valid, or finds none of the events that its rule means.",
    "mixed": "A query finds events that its rule does not mean, and misses some that it means.",
    "wider": "A query finds events that its rule does not mean.",
    "narrower": "A query misses events that its rule means.",
    "untested": "Whether a query finds what its rule means could not be told.",
    "exact": "A query is exact, although its cases name a gap.",
}
# What `surrogateescape` cannot turn back into a byte.
_NO_BYTES = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def text(report: Report) -> str:
    """One run, with a result for each refusal and problem."""
    results = [_refused(refusal) for refusal in report.refusals]
    results += [_verdict(each) for each in report.tested if each.is_finding()]
    results += [_result(kind, problem) for kind, problem in report.found()]
    driver = {
        "name": "sigmapack",
        "version": metadata.version("sigmapack"),
        "rules": [
            {"id": name, "shortDescription": {"text": told}}
            for name, told in (RULES | (VERDICTS if report.tested else {})).items()
        ],
    }
    run = {"tool": {"driver": driver}, "results": results}
    return json_document({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _refused(refusal: Refusal) -> dict[str, Any]:
    rule, target = refusal.rule, refusal.target.name
    result = _result(REFUSED, Problem(f"{refusal.reason} [{target}]", rule.path, refusal.line))
    result["properties"] = {"target": target, "title": rule.title} | ({"sigmaId": rule.id} if rule.id else {})
    return result


def _verdict(each: Tested) -> dict[str, Any]:
    result = _result(each.verdict.kind, Problem(each.headline(), each.path))
    events = [{"name": shown.name, "event": dict(shown.event), "row": dict(shown.row)} for shown in each.verdict.shown]
    result["properties"] = {"target": each.target, "title": each.title, "events": events}
    return result


def _result(kind: str, problem: Problem) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": kind,
        "ruleIndex": list(RULES | VERDICTS).index(kind),
        "level": "error",
        "message": {"text": _message(problem.message)},
    }
    if problem.path is not None:
        location: dict[str, Any] = {"artifactLocation": {"uri": uri(problem.path)}}
        if problem.line is not None:
            location["region"] = {"startLine": problem.line}
        result["locations"] = [{"physicalLocation": location}]
    return result


def _message(message: str) -> str:
    """The message without what SARIF reads as a placeholder (3.11.5: braces are doubled) or as a link (3.11.6)."""
    return one_line(message).replace("{", "{{").replace("}", "}}").replace("](", "] (")


def uri(path: Path) -> str:
    """The path as a URI, relative where the path is; a byte of its name that is not UTF-8 is percent-encoded too."""
    name = _NO_BYTES.sub("\ufffd", path.as_posix())
    encoded = quote(name, safe="/", errors="surrogateescape")
    if not path.is_absolute():
        return encoded
    return f"file://{encoded}" if encoded.startswith("/") else f"file:///{encoded}"
