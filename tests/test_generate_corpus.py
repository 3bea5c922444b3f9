"""Every rule of the main log sources gets events that it finds and events that it misses."""

from __future__ import annotations

import pytest
import yaml

from converter.generate import generate
from converter.logsource import LogSource
from converter.oracle import Unmeant, read
from tests.events import ROOT

CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared, which only the developers have"),
]
MAIN = ("process_creation", "image_load", "network_connection", "dns_query", "ps_script")
# Rules without a true or without a false event, with the reason.
EXCEPTIONS = {
    "proc_creation_win_xwizard_runwizard_com_object_exec": "asks for a whole command line and for a GUID besides it",
}
FEWEST = 30


def _main(logsource: LogSource) -> bool:
    category = logsource.category or ""
    return category in MAIN or category.startswith(("registry_", "file_"))


def test_every_rule_of_the_main_log_sources_is_true_of_some_events_and_false_of_others() -> None:
    lacking: dict[str, str] = {}
    few: list[str] = []
    count = 0
    for path in sorted(CORPUS.glob("rules*/**/*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        logsource = LogSource.of(document.get("logsource", {}))
        if not _main(logsource):
            continue
        count += 1
        events = _events(document, logsource)
        if events is None:
            continue
        truths = {one for _, one in events}
        if truths != {True, False}:
            lacking[path.stem] = f"{truths}"
        elif len(events) < FEWEST:
            few.append(path.stem)
    assert count
    assert lacking.keys() == EXCEPTIONS.keys(), lacking
    assert few == []


def _events(document: dict[str, object], logsource: LogSource) -> list[tuple[str, bool]] | None:
    """Names and truths; None for a rule that the oracle does not read."""
    try:
        meaning = read(document)
    except Unmeant:
        return None
    return [(one.name, one.truth) for one in generate(meaning, logsource)]
