"""JUnit XML in the form of Jenkins' junit-10.xsd."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from converter.convert import Query, Refusal
from converter.errors import Problem
from converter.reports.report import REFUSED, Report, Tested, one_line
from converter.wellformed import xml


def text(report: Report) -> str:
    """A suite for each target with a case for each rule, refused ones as failures, and one suite of problems as errors.

    The schema has no attributes for a file and its line: a case's class is the path, the line stands in the message.
    """
    suites = ET.Element("testsuites")
    by_target: dict[str, list[Query | Refusal]] = {}
    every: list[Query | Refusal] = [*report.queries, *report.refusals]
    for outcome in every:
        by_target.setdefault(outcome.target.name, []).append(outcome)
    for target, outcomes in sorted(by_target.items()):
        outcomes.sort(key=lambda outcome: outcome.rule.path.as_posix())
        _suite(suites, target, map(_case, outcomes))
    for target in sorted({each.target for each in report.tested}):
        _suite(suites, target, (_verdict(each) for each in report.tested if each.target == target))
    found = list(report.found())
    if found:
        _suite(suites, "problems", (_erroneous(kind, problem) for kind, problem in found))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _suite(suites: ET.Element, name: str, cases: Iterable[ET.Element]) -> None:
    suite = ET.SubElement(suites, "testsuite", name=xml(name))
    suite.extend(cases)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    if skipped := suite.findall("testcase/skipped"):
        suite.set("skipped", str(len(skipped)))
    suite.set("errors", str(len(suite.findall("testcase/error"))))


def _case(outcome: Query | Refusal) -> ET.Element:
    rule = outcome.rule
    title = one_line(rule.title) or rule.place.name
    case = ET.Element("testcase", classname=xml(rule.path.as_posix()), name=xml(title))
    if isinstance(outcome, Refusal):
        _blame(case, "failure", REFUSED, Problem(outcome.reason, rule.path, outcome.line))
    return case


def _verdict(each: Tested) -> ET.Element:
    """A case for one verdict: a finding fails, a known gap is skipped."""
    case = ET.Element(
        "testcase", classname=xml(each.path.as_posix()), name=xml(one_line(each.title) or each.place.name)
    )
    if each.is_finding():
        _blame(case, "failure", each.verdict.kind, Problem(each.headline()))
    elif each.todo:
        ET.SubElement(case, "skipped", message=xml(one_line(each.todo)))
    return case


def _erroneous(kind: str, problem: Problem) -> ET.Element:
    path = "" if problem.path is None else problem.path.as_posix()
    case = ET.Element("testcase", classname=xml(path or "sigmapack"), name=xml(one_line(problem.message)))
    _blame(case, "error", kind, problem)
    return case


def _blame(case: ET.Element, tag: str, kind: str, problem: Problem) -> None:
    element = ET.SubElement(case, tag, type=kind, message=xml(one_line(problem.message)))
    element.text = xml(str(problem))
