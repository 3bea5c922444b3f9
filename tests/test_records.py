"""Events from files: Windows records, flat objects, and folders in the format of SigmaHQ's regression data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from converter import records
from converter.errors import SigmapackError

WINDOWS: dict[str, dict[str, Any]] = {
    "Event": {
        "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
        "System": {
            "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon", "Guid": "5770385F"}},
            "EventID": 1,
            "Correlation": None,
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "Computer": "host",
        },
        "EventData": {"Image": "C:\\a.exe", "ProcessId": 7, "LogonId": "0x1", "RuleName": None},
    }
}
FIELDS = {
    "Image": "C:\\a.exe",
    "ProcessId": 7,
    "LogonId": "0x1",
    "RuleName": None,
    "EventID": 1,
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "Computer": "host",
    "Provider_Name": "Microsoft-Windows-Sysmon",
}
INFO = """rule_metadata:
    - id: A86306AF-137B-427F-9E39-680199937BD0
      title: T
regression_tests_info:
    - name: P
      MATCHES
      path: regression_data/x/one.evtx
"""


def _written(path: Path, *held: object) -> Path:
    path.write_text("\n".join(json.dumps(one, indent=1) for one in held), encoding="utf-8")
    return path


def _events(path: Path) -> list[Any]:
    return [dict(one.event) for one in records.read(path)]


def test_a_windows_record_gives_its_data_and_four_fields_of_its_header(tmp_path: Path) -> None:
    assert _events(_written(tmp_path / "a.json", WINDOWS)) == [FIELDS]


def test_qualifiers_user_data_and_unnamed_data_are_read(tmp_path: Path) -> None:
    system = {**WINDOWS["Event"]["System"], "EventID": {"#text": 4, "#attributes": {"Qualifiers": 0}}}
    user = {"Event": {"System": system, "UserData": {"Cleared": {"#attributes": {"xmlns": "x"}, "User": "u"}}}}
    unnamed = {"Event": {"System": system, "EventData": {"Data": {"#text": ["a", None, "b"]}}}}
    found = _events(_written(tmp_path / "a.json", user, unnamed))
    assert [(one["EventID"], one.get("User"), one.get("Data")) for one in found] == [
        (4, "u", None),
        (4, None, ["a", "b"]),
    ]


def test_one_event_a_list_lines_and_one_after_the_other_are_read_alike(tmp_path: Path) -> None:
    flat = [{"type": "EXECVE", "a0": "sh", "argc": 1, "ok": True}, {"type": "PATH", "items": ["x", "y"], "n": None}]
    assert _events(_written(tmp_path / "list.json", flat)) == flat
    assert _events(_written(tmp_path / "several.json", *flat)) == flat
    lines = tmp_path / "lines.jsonl"
    lines.write_text("\ufeff" + "\r\n".join(json.dumps(one) for one in flat) + "\r\n\r\n", encoding="utf-8")
    assert _events(lines) == flat
    assert [one.name for one in records.read(lines)] == ["lines.jsonl (1)", "lines.jsonl (2)"]


@pytest.mark.parametrize(
    ("matches", "events", "told", "expected"),
    [
        ("match_count: 1", 1, 1, [True]),
        ("", 1, None, [True]),
        ("match_count: 0", 2, 0, [False, False]),
        ("match_count: 2", 2, 2, [True, True]),
        ("match_count: 1", 2, 1, [None, None]),
        ("", 2, None, [None, None]),
    ],
)
def test_beside_an_info_file_events_know_their_rules(
    tmp_path: Path, matches: str, events: int, told: int | None, expected: list[bool | None]
) -> None:
    folder = tmp_path / "rule"
    folder.mkdir()
    (folder / "info.yml").write_text(INFO.replace("MATCHES", matches), encoding="utf-8")
    _written(folder / "one.json", *[WINDOWS] * events)
    _written(tmp_path / "other.json", {"a": 1})
    *_, other = found = sorted(records.read(tmp_path), key=lambda one: one.name.startswith("other"))
    assert [one.expected for one in found] == [*expected, None]
    assert {(one.rules, one.matches) for one in found[:-1]} == {(("a86306af-137b-427f-9e39-680199937bd0",), told)}
    assert (other.event, other.rules, other.matches) == ({"a": 1}, (), None)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('{"a": 1}\n{"a": }', 2, "is not valid JSON"),
        ('{"a": NaN}', 1, "NaN is no number"),
        ('{"a": 1}\n\n5', 3, "holds 5 where an event"),
        ('{"a": {"b": 1}}', 1, "something in a"),
        ('{"a": [[1]]}', 1, "something in a"),
        ("{}", 1, "without fields"),
        ('{"Event": {"EventData": {}}}', 1, "without System"),
        ("[" * 100_000, 1, "is not valid JSON"),
        (" ", None, "holds no event"),
    ],
)
def test_bad_records_are_named_with_their_line(tmp_path: Path, text: str, line: int | None, reason: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SigmapackError) as caught:
        list(records.read(path))
    problem = caught.value.problem
    assert (problem.path, problem.line) == (path, line)
    assert reason in problem.message


@pytest.mark.parametrize(
    ("info", "line", "reason"),
    [
        (INFO.replace("one.evtx", "two.evtx").replace("MATCHES", ""), 7, "no two.json beside it"),
        (INFO.replace("MATCHES", "match_count: many"), 6, "match_count is no int"),
        ("rule_metadata: x", 1, "rule_metadata is no list"),
        ("rule_metadata: [{title: x}]", None, "id is no str"),
        ("rule_metadata: [x]", 1, "no mapping"),
    ],
)
def test_bad_info_is_named_with_its_line(tmp_path: Path, info: str, line: int | None, reason: str) -> None:
    (tmp_path / "info.yml").write_text(info, encoding="utf-8")
    _written(tmp_path / "one.json", WINDOWS)
    with pytest.raises(SigmapackError) as caught:
        list(records.read(tmp_path))
    problem = caught.value.problem
    assert (problem.path, problem.line) == (tmp_path / "info.yml", line)
    assert reason in problem.message


def test_a_folder_without_events_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SigmapackError, match="holds no events"):
        list(records.read(tmp_path))


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SigmapackError, match="cannot be read"):
        list(records.read(tmp_path / "a.json"))
