"""The pack's events: the 99 labelled ones and the cases beside the rules, each with an identity and a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from converter import cases, packs

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
PACK = ROOT / "sigma_rules" / "t1596_003"
# Well inside the hunting query's window of 24 hours, and well outside it: a slow test run moves neither.
RECENT, OLD = timedelta(hours=2), timedelta(hours=30)


@dataclass(frozen=True)
class Event:
    """One process creation in Sigma's field names; `seed` is the category that the seed's query gives it, if any."""

    id: str
    fields: Mapping[str, str]
    time: datetime
    recent: bool
    seed: str | None = None


@cache
def now() -> datetime:
    """The time that this test run calls now."""
    return datetime.now(UTC)


@cache
def labelled() -> Sequence[Event]:
    """The 99 labelled events; every seventh is older than the hunting query's window, and no two have one time."""
    lines = (DATA / "t1596_003_events.jsonl").read_text(encoding="utf-8").splitlines()
    names = ("Image", "OriginalFileName", "CommandLine", "ParentImage", "User")
    events = []
    for number, line in enumerate(lines):
        record = json.loads(line)
        recent = number % 7 != 3
        # Neither rising nor falling with the id: an engine that keeps the order of insertion does not sort.
        minutes = timedelta(minutes=number * 37 % len(lines))
        fields = {name: record[name] for name in names if record[name] not in {None, "-"}}
        time = now() - (RECENT if recent else OLD) - minutes
        events.append(Event(record["id"], fields | {"os": record["os"]}, time, recent, record["seed_expected"]))
    return events


@dataclass(frozen=True)
class Case:
    """One case of one rule as an event."""

    rule: str
    event: Event
    must_match: bool


@cache
def pack() -> packs.Reading:
    """The pack's rules as read from disk."""
    return packs.read([str(PACK)])


@cache
def pack_cases() -> Sequence[Case]:
    """Every case of the pack's rules; its event's id is `<rule>: <name of the case>`."""
    result = []
    for rule in pack().rules:
        for number, case in enumerate(cases.read(rule)):
            fields = {name: str(value) for name, value in case.event.items() if value is not None}
            fields["os"] = operating_system(fields["Image"])
            event = Event(
                f"{rule.place.name}: {case.name}", fields, now() - RECENT - timedelta(minutes=number), recent=True
            )
            result.append(Case(rule.place.name, event, case.verb == "must_match"))
    return result


def operating_system(image: str) -> str:
    """The OS that a path of a program belongs to."""
    if image.startswith(("/Users/", "/opt/homebrew/", "/Applications/", "/System/")):
        return "macos"
    return "linux" if image.startswith("/") and not image.startswith(("/cygdrive/", "/mnt/")) else "windows"


def base_name(path: str) -> str:
    """The last part of a path of any OS."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]
