"""Events in Sigma's names, one of each kind, and the recorded ones of the published rules."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from converter.logsource import LogSource
from converter.schemas.layout import Layout, Row, Source, Unwritable
from tests.events import DATA, ROOT

CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq"
# Sigma's categories by the number of Sysmon's event.
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


@dataclass(frozen=True)
class Sample:
    """An event and the log source that has it."""

    logsource: LogSource
    fields: Mapping[str, Any]


@cache
def samples() -> Sequence[Sample]:
    """One event of each kind; a kind of the registry's events is one of registry_event too."""
    events = tomllib.loads((DATA / "sysmon_events.toml").read_text(encoding="utf-8"))["events"]
    told = [Sample(LogSource.of(event), event["fields"]) for event in events]
    registry = LogSource("registry_event", "windows")
    return [*told, *(Sample(registry, s.fields) for s in told if str(s.logsource.category).startswith("registry_"))]


def sample(category: str, product: str = "windows", **wanted: str) -> Mapping[str, Any]:
    """The fields of the one sample of a category that has the wanted values."""
    (found,) = [
        told.fields
        for told in samples()
        if told.logsource == LogSource(category, product) and wanted.items() <= told.fields.items()
    ]
    return found


def made(source: Source) -> list[Row]:
    """The rows that a source has of the samples of its log sources."""
    rows: list[Row] = []
    for told in samples():
        if told.logsource in source.logsources:
            try:
                rows += source.rows(told.fields)
            except Unwritable:
                continue
    return rows


def written(layout: Layout, told: Sample) -> list[Row]:
    """The rows that a layout has of an event, from each source that can have written it."""
    rows: list[Row] = []
    for source in layout.sources_of(told.logsource):
        try:
            rows += source.rows(told.fields)
        except Unwritable:
            continue
    return rows


def recorded() -> Iterator[tuple[Path, Sample]]:
    """The events beside the published rules."""
    decoder = json.JSONDecoder()
    for path in sorted(CORPUS.glob("regression_data/**/*.json")):
        text = path.read_text(encoding="utf-8-sig").strip()
        while text:
            record, end = decoder.raw_decode(text)
            text = text[end:].lstrip()
            yield path, _sample(record["Event"])


def asked() -> Mapping[LogSource, set[str]]:
    """The fields that the published rules name, by log source."""
    names: dict[LogSource, set[str]] = defaultdict(set)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(CORPUS.glob("rules*/**/*.yml")):
        rule = yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506 - safe
        for name, part in rule["detection"].items():
            if name not in {"condition", "timeframe"}:
                names[LogSource.of(rule["logsource"])] |= set(_names(part))
    return names


def undecided(layout: Layout) -> dict[tuple[str, str], set[str]]:
    """The fields of published rules of which a source does not say whether it keeps them, by log source and source."""
    return {
        (str(logsource), source.name): unknown
        for logsource, names in asked().items()
        for source in layout.sources_of(logsource)
        if (unknown := source.unknown(names))
    }


def _names(part: object) -> Iterator[str]:
    if isinstance(part, list):
        for member in part:
            yield from _names(member)
    elif isinstance(part, dict):
        yield from (name for key in part if (name := str(key).partition("|")[0]))


def _sample(event: Mapping[str, Any]) -> Sample:
    system = event["System"]
    fields = {**(event["EventData"] or {}), "Computer": system["Computer"]}
    if system["Channel"] == "Security":
        return Sample(LogSource(None, "windows", "security"), {**fields, "EventID": system["EventID"]})
    return Sample(LogSource(CATEGORIES[system["EventID"]], "windows"), fields)
