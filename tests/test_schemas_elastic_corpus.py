"""Elastic's schemas on SigmaHQ's rules and on the real events beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.logsource import LogSource
from converter.schemas import layout
from converter.schemas.forms import Unwritable
from converter.schemas.layout import Row, Source
from tests.events import ROOT

CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared, which only the developers have"),
]
TARGETS = ("lucene", "lucene_windows", "lucene_winlogbeat")
# Of Sysmon's events, by their numbers.
CATEGORIES = {
    1: "process_creation",
    7: "image_load",
    10: "process_access",
    11: "file_event",
    12: "registry_delete",
    13: "registry_set",
    16: "sysmon_status",
    17: "pipe_created",
}
# Fields of rules of which the documentation does not say where they are kept, or whether.
OPEN = {
    ("application", "Data"): "values without a name become param1, param2 and so on",
    ("application", "Level"): "a number in Sigma, a word in log.level",
    ("application", "Message"): "the rendered text of an event, which an agent may leave out",
    ("security", "SubjectAccountName"): "no event of Windows has it",
    ("security", "TaskContent"): "newer releases take the XML apart",
    ("security", "TaskContentNew"): "newer releases take the XML apart",
}


def records(path: Path) -> Iterator[Mapping[str, Any]]:
    """The events of a file, which holds one JSON document or several after another."""
    text, at = path.read_text(encoding="utf-8"), 0
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        record, at = json.JSONDecoder().raw_decode(text, at)
        yield record["Event"]


def logsource(system: Mapping[str, Any]) -> LogSource:
    """The log source that an event is of, by its channel and number."""
    match system["Channel"]:
        case "Microsoft-Windows-Sysmon/Operational":
            return LogSource(category=CATEGORIES[system["EventID"]], product="windows")
        case channel:
            return LogSource(product="windows", service=str(channel).lower())


def rows(event: Mapping[str, Any]) -> Callable[[Source], Sequence[Row]]:
    """What a source holds of the event: nothing, if it cannot have written it."""

    def held(source: Source) -> Sequence[Row]:
        try:
            return source.rows(event)
        except Unwritable:
            return []

    return held


def test_every_real_event_gives_rows() -> None:
    """One of the sources of each has written it, and the schemas know each of its fields."""
    unknown: set[tuple[str, str]] = set()
    homeless: set[tuple[str, LogSource]] = set()
    for path in CORPUS.joinpath("regression_data").rglob("*.json"):
        for record in records(path):
            system = record["System"]
            event = {**record["EventData"], "Computer": system["Computer"], "EventID": system["EventID"]}
            event.pop("#attributes", None)
            for target in TARGETS:
                held = layout(target)
                assert held is not None
                sources = held.sources_of(logsource(system))
                if not sources:
                    homeless.add((target, logsource(system)))
                assert any(map(rows(event), sources)) or not sources
                unknown |= {(source.name, name) for source in sources for name in source.unknown(set(event))}
    assert unknown == {("security", "TaskContent")}
    # No page says that Elastic Defend sees the registry's values go.
    assert homeless == {("lucene", LogSource(category="registry_delete", product="windows"))}


def asked(detection: Mapping[str, Any]) -> set[str]:
    """The fields that a rule's detection asks for."""
    parts = [part for name, part in detection.items() if name not in {"condition", "timeframe"}]
    maps = [each for part in parts for each in (part if isinstance(part, list) else [part])]
    return {name.partition("|")[0] for each in maps if isinstance(each, dict) for name in each} - {""}


def test_every_field_of_rules_is_kept_or_dropped() -> None:
    """But for those that are listed with their reasons."""
    unknown: set[tuple[str, str]] = set()
    for path in CORPUS.glob("rules*/**/*.yml"):
        for rule in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if "logsource" not in rule or "detection" not in rule:
                continue
            for target in TARGETS:
                held = layout(target)
                assert held is not None
                for source in held.sources_of(LogSource.of(rule["logsource"])):
                    unknown |= {(source.name, name) for name in source.unknown(asked(rule["detection"]))}
    assert unknown == OPEN.keys()
