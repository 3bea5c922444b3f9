"""The seed: the hand-written KQL that the pack comes from, and where the pack deviates from it on purpose."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from tests.events import DATA, RECENT, Event, now, operating_system

# The rule of each category, in the order of the seed's case.
RULE_OF = {
    "CertEnumTool": "proc_creation_cert_enum_tool",
    "CTLogQuery": "proc_creation_ct_log_query",
    "OpenSSLProbe": "proc_creation_openssl_probe",
    "CertutilEnum": "proc_creation_win_certutil_enum",
}
QUERY = (DATA / "t1596_003_seed.kql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Deviation:
    """One labelled event to which the pack gives another category than the seed, or one where the seed gives none."""

    event: str
    seed: str | None
    ours: str
    reason: str


@cache
def deviations() -> Mapping[str, Deviation]:
    """The listed deviations by event."""
    return {entry["event"]: _deviation(entry["event"], entry) for entry in _listed("deviation")}


@cache
def own() -> Sequence[tuple[Event, Deviation]]:
    """Events of our own, one for each kind of deviation."""
    result = []
    for entry in _listed("own"):
        event = _event(entry)
        result.append((event, _deviation(event.id, entry)))
    return result


@cache
def overlaps() -> Sequence[tuple[Event, str, str]]:
    """Events that two rules find, each with the category that it has and the one that comes later."""
    return [(_event(entry), entry["category"], entry["also"]) for entry in _listed("overlap")]


def _listed(kind: Literal["deviation", "own", "overlap"]) -> Sequence[dict[str, str]]:
    file = DATA / ("overlaps.toml" if kind == "overlap" else "deviations.toml")
    listed: Sequence[dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))[kind]
    return listed


def _deviation(event: str, entry: Mapping[str, str]) -> Deviation:
    return Deviation(event, entry["seed"] or None, entry["ours"], entry["reason"])


def _event(entry: Mapping[str, str]) -> Event:
    fields = {name: entry[name] for name in ("Image", "CommandLine")}
    fields["os"] = operating_system(entry["Image"])
    return Event(entry["CommandLine"], fields, now() - RECENT, recent=True)


def words(pattern: str) -> Sequence[str]:
    """The quoted words of the first part of the seed's query that the pattern finds."""
    found = re.search(pattern, QUERY, re.DOTALL)
    assert found is not None, pattern
    return re.findall(r'"([^"]+)"', found[1])
