"""What the scorecard promises of all published rules: none of the log sources that are held is said wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from benchmarks.scorecard import Score, scores, text
from converter import packs
from converter.jobs import processors
from converter.sound import is_sound
from converter.targets import DEFAULTS
from converter.verdicts import WRONG
from tests.events import ROOT

CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq"
FOLDERS = ("rules", "rules-compliance", "rules-emerging-threats", "rules-placeholder", "rules-threat-hunting")
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of public rules is not here")
MOST_REFUSED = 0.03


@cache
def ours() -> Sequence[Score]:
    reading = packs.read([str(CORPUS / folder) for folder in FOLDERS], is_sound=is_sound)
    return scores(reading.rules, stock=False, jobs=processors())


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize("target", DEFAULTS)
def test_no_published_rule_of_the_held_log_sources_is_said_wrongly(target: str) -> None:
    told = [each for each in ours() if each.held and each.target == target]
    assert told
    assert {each.rule.path.stem: each.verdict.kind for each in told if each.verdict.kind in WRONG} == {}


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize("target", DEFAULTS)
def test_few_rules_are_refused_whose_fields_the_data_documents(target: str) -> None:
    documented = [each for each in ours() if each.held and each.target == target and each.documented(words=False)]
    refused = {each.rule.path.stem: each.verdict.reason for each in documented if each.verdict.kind == "refused"}
    assert len(refused) < MOST_REFUSED * len(documented), refused


@pytest.mark.corpus
@needs_corpus
def test_the_scorecard_names_every_refusal_with_its_reason() -> None:
    lines = "\n".join(text(ours(), ours(), 0))
    for each in ours():
        if each.verdict.kind == "refused":
            assert f"`{each.rule.path.stem}`" in lines
            assert " ".join(each.verdict.reason.split()) in lines
