"""The table of reports: what a run came to, in the forms that a CI reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from converter.reports import github, json_, junit, sarif
from converter.reports.report import Report

REPORTS: Mapping[str, Callable[[Report], str]] = {
    "junit": junit.text,
    "sarif": sarif.text,
    "json": json_.text,
    "github": github.text,
}
