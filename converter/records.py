"""Events from files: Windows records as JSON, flat objects in Sigma's names, SigmaHQ's regression data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from converter import documents
from converter.errors import SigmapackError

INFO = "info.yml"
SUFFIXES = (".json", ".jsonl")
SPACES = re.compile(r"[ \t\r\n]*")
# How an element of XML with attributes stands in JSON.
ATTRIBUTES, TEXT = "#attributes", "#text"
HEADER = ("EventID", "Channel", "Computer")
Scalar = str | int | float | bool
Event = Mapping[str, Scalar | Sequence[Scalar] | None]


@dataclass(frozen=True)
class Recorded:
    """One event of a file, and the rules, by id, that its file was recorded for.

    `name` is the file's name, with the event's number where the file holds several. `matches` is how many events of the
    file those rules find at least, None where that is not told (published recordings hold more); `expected` is whether
    they find this one, None where only a number of several events is told.
    """

    name: str
    event: Event
    rules: Sequence[str] = ()
    matches: int | None = None
    expected: bool | None = None


def read(path: Path) -> Iterator[Recorded]:
    """Every event of a `.json` or `.jsonl` file, or of all below a folder; beside an `info.yml`, with its rules.

    A JSON file holds one event, a list of events, or several one after the other. Raises SigmapackError where a file
    cannot be read as such, and where there is no event at all.
    """
    if not path.is_dir():
        yield from _file(path)
        return
    files = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
    infos = sorted(one for one in path.rglob(INFO) if one.is_file())
    if not files and not infos:
        raise SigmapackError(f"holds no events; they are {' or '.join(SUFFIXES)} files", path)
    told: dict[Path, tuple[Sequence[str], int | None]] = {}
    for info in infos:
        told.update(_told(info))
    for file in sorted({*files, *told}):
        rules, matches = told.get(file, ((), None))
        events = list(_file(file))
        # A recording without a number is a positive one: of a single event there is no doubt which is meant.
        least = 1 if matches is None and rules else matches
        expected = None if least is None or 0 < least < len(events) else least > 0
        yield from (replace(one, rules=rules, matches=matches, expected=expected) for one in events)


def _told(info: Path) -> Iterator[tuple[Path, tuple[Sequence[str], int | None]]]:
    """Each file of events that an `info.yml` is about, with its rules and how many of its events they find."""
    text = documents.read_text(info)
    content = documents.parse_yaml(text, info)

    def told(entry: Mapping[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401 - of the kind asked for
        if not isinstance(entry, dict):
            raise SigmapackError(
                f"holds {entry!r}, which is no mapping", info, documents.line_of(text, "rule_metadata")
            )
        if not isinstance(entry.get(key), kind):
            raise SigmapackError(f"{key} is no {kind.__name__}", info, documents.line_of(text, key))
        return entry[key]

    rules = tuple(told(rule, "id", str).lower() for rule in told(content, "rule_metadata", list))
    for test in told(content, "regression_tests_info", list):
        recording = told(test, "path", str)
        events = info.parent / Path(recording.replace("\\", "/")).with_suffix(".json").name
        if not events.is_file():
            message = f"names {recording}, and there is no {events.name} beside it"
            raise SigmapackError(message, info, documents.line_of(text, "path"))
        yield events, (rules, told(test, "match_count", int) if "match_count" in test else None)


def _file(path: Path) -> Iterator[Recorded]:
    text = documents.read_text(path)
    found = list(_objects(text, path))
    if not found:
        raise SigmapackError("holds no event", path)
    for number, (held, line) in enumerate(found, 1):
        name = path.name if len(found) == 1 else f"{path.name} ({number})"
        yield Recorded(name, _event(held, path, line))


def _objects(text: str, path: Path) -> Iterator[tuple[Mapping[str, Any], int]]:
    """The objects of a JSON text, and the line on which each begins; those of a list have the list's."""
    decoder = json.JSONDecoder(parse_constant=_not_a_number)
    at = 0
    while (at := _start(text, at)) < len(text):
        line = text.count("\n", 0, at) + 1
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise SigmapackError(f"is not valid JSON: {error.msg}", path, error.lineno) from error
        except (ValueError, RecursionError) as error:
            raise SigmapackError(f"is not valid JSON: {error}", path, line) from error
        for held in value if isinstance(value, list) else [value]:
            if not isinstance(held, dict):
                raise SigmapackError(f"holds {json.dumps(held)[:40]} where an event is needed", path, line)
            yield held, line


def _not_a_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _start(text: str, at: int) -> int:
    """Where the next value begins."""
    spaces = SPACES.match(text, at)
    return spaces.end() if spaces else at


def _event(record: Mapping[str, Any], path: Path, line: int) -> Event:
    """The event that a record tells of: a Windows record's fields under Sigma's names, any other record as it is."""
    windows = record.get("Event")
    try:
        event = _windows(windows) if isinstance(windows, dict) else {key: _value(key, record[key]) for key in record}
    except _Unread as error:
        raise SigmapackError(str(error), path, line) from error
    if not event:
        raise SigmapackError("holds an event without fields", path, line)
    return event


class _Unread(Exception):  # noqa: N818 - it never leaves this module
    """What of a record cannot be read."""


def _windows(record: Mapping[str, Any]) -> Event:
    """The fields of EventData or UserData, and those of System that rules name.

    Specification, Field Usage: a field is called by the `Name` of its `Data` tag; an attribute of a tag of the header
    by both names, joined by an underscore.
    """
    system, data = record.get("System"), record.get("EventData")
    if not isinstance(system, dict):
        raise _Unread("holds a Windows event without System")
    if not isinstance(data, dict):
        users = record.get("UserData") or {}
        # UserData holds one element, whose name says nothing, and the fields are in that.
        inner = [held for held in users.values() if isinstance(held, dict)] if isinstance(users, dict) else []
        data = inner[0] if len(inner) == 1 else {}
    event = {key: _value(key, held) for key, held in data.items() if key != ATTRIBUTES}
    provider = system.get("Provider")
    name = provider.get(ATTRIBUTES, {}).get("Name") if isinstance(provider, dict) else None
    header = {**{key: system.get(key) for key in HEADER}, "Provider_Name": name}
    return event | {key: _value(key, held) for key, held in header.items() if held is not None}


def _value(key: str, held: object) -> Scalar | Sequence[Scalar] | None:
    """A field's value; an element with attributes is its text, and a list keeps what is not null."""
    if isinstance(held, dict) and set(held) <= {TEXT, ATTRIBUTES}:
        held = held.get(TEXT)
    if held is None or isinstance(held, str | int | float):
        return held
    if isinstance(held, list):
        values = [_value(key, one) for one in held]
        scalars = [one for one in values if isinstance(one, str | int | float)]
        if len(scalars) == len([one for one in values if one is not None]):
            return scalars
    raise _Unread(f"holds something in {key} that is no value, nor a list of values")
