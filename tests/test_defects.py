"""The page of defects is what its examples show now, and they show each defect."""

from __future__ import annotations

import re
from functools import cache

import pytest

from converter.judge import NoQuery
from converter.verdicts import WRONG
from tests.events import ROOT
from tools import defects
from tools.worked import Worked, examples, worked

# Defects that no verdict shows, with the reason; an entry that is no longer needed fails.
UNSHOWN = {
    "K10": "the embedded engine balances the chain, which only the service and its analyser do not take",
    "S4": "the engine of SPL does not know what an odd quotation mark makes of the rest",
    "S9": "no log source of the target has a field of such a name",
    "S13": "columns are no part of a verdict",
    "S18": "the engine of SPL does not judge NOT after NOT, which no manual shows",
}
# Those that cannot be exact either: the data is not described.
UNTESTED = {"S8", "S9"}


EXAMPLES = examples()
each_example = pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[one.repair.id for one in EXAMPLES])


@cache
def told() -> tuple[Worked, ...]:
    return tuple(worked(EXAMPLES))


def test_the_page_is_what_the_examples_show() -> None:
    page = (ROOT / "docs" / "defects.md").read_text(encoding="utf-8")
    assert page == defects.page(told()), "run python tools/defects.py"


def test_every_link_of_the_contents_leads_to_a_heading() -> None:
    page = (ROOT / "docs" / "defects.md").read_text(encoding="utf-8")
    headings = [line.lstrip("# ") for line in page.splitlines() if line.startswith("##")]
    assert len(set(map(defects.anchor, headings))) == len(headings)
    for one in told():
        assert f"(#{defects.anchor(f'{one.example.repair.id}: {one.example.repair.title}')})" in page


@each_example
def test_ours_is_exact_or_refused(number: int) -> None:
    one = told()[number]
    expected = "untested" if one.example.repair.id in UNTESTED else "exact"
    refused = isinstance(one.queries["ours"], NoQuery)
    assert one.verdicts["ours"].kind == ("refused" if refused else expected)


@each_example
def test_without_the_repair_the_defect_is_back(number: int) -> None:
    one = told()[number]
    if one.files:
        assert one.files["without"] != one.files["ours"]
        return
    if "without" not in one.queries:
        assert one.example.repair.inseparable
        return
    shown = one.verdicts["without"].kind in {*WRONG, "refused"}
    assert shown is (one.example.repair.id not in UNSHOWN)
    assert one.queries["without"] != one.queries["ours"]


@each_example
def test_the_stock_query_is_wrong_or_missing(number: int) -> None:
    one = told()[number]
    if one.example.effect or one.example.is_framed:
        return
    expected = {"untested"} if one.example.repair.id == "S18" else {*WRONG, "refused"}
    assert one.verdicts["stock"].kind in expected


@each_example
def test_every_event_is_one_that_the_data_can_hold(number: int) -> None:
    one = told()[number]
    if isinstance(one.queries["ours"], NoQuery) or one.example.repair.id in UNTESTED:
        return
    for given, shown in zip(one.example.given, one.shown, strict=True):
        assert one.truths[given.name] is not None
        assert shown["ours"].events[:2] != (0, 0)
        assert not shown["ours"].shown


def test_every_defect_that_the_questions_name_is_there() -> None:
    page = (ROOT / "docs" / "defects.md").read_text(encoding="utf-8")
    questions = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
    links = re.findall(r"defects\.md#([\w-]+)", questions)
    headings = {defects.anchor(line.lstrip("# ")) for line in page.splitlines() if line.startswith("### ")}
    assert links
    assert set(links) <= headings
