"""No rule changes another: files of several, filters, placeholders, correlations, and a dialect that fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import pytest

from converter import packs
from converter.convert import How, Query, Refusal, convert
from converter.packs import Reading
from converter.rule import Rule
from converter.targets import TARGETS
from converter.targets.kusto import dialect as kusto
from converter.targets.lucene import dialect as lucene
from converter.targets.splunk import dialect as splunk
from tests.command import rule, sigmapack

ALL = ["kusto", "splunk", "lucene"]
KQL = 'DeviceProcessEvents\n| where ProcessCommandLine contains "{}"\n'
SYSMON = " OR ".join(
    f'source="{log}:Microsoft-Windows-Sysmon/Operational"' for log in ("XmlWinEventLog", "WinEventLog")
)
SPL = f'({SYSMON}) AND EventCode=1 AND (CommandLine="*{{}}*")\n'
ID = "00000000-0000-4000-8000-{:012}"


def read(folder: Path, **files: str) -> Reading:
    """What is read from a folder of these files, each `<name>.yml`."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return packs.read([str(folder)])


def outcomes(reading: Reading, *names: str, **how: Any) -> dict[tuple[str, str], str]:  # noqa: ANN401 - fields of How
    """The text, or `refused: <reason>`, of each rule on each target, by the rule's place."""
    how = {"filters": tuple(reading.filters), "referable": tuple(reading.rules)} | how
    return texts(convert(reading.rules, [TARGETS[name] for name in names or ALL], How(**how)))


def texts(found: Iterable[Query | Refusal]) -> dict[tuple[str, str], str]:
    return {
        (str(each.rule.place), each.target.name): each.text if isinstance(each, Query) else f"refused: {each.reason}"
        for each in found
    }


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {"manifest.json"}


def assert_one_line(stderr: str, *words: str) -> None:
    """The error output is one line, which holds the words."""
    assert len(stderr.splitlines()) == 1, stderr
    assert all(word in stderr for word in words), stderr


# Files of several rules


def test_each_rule_of_a_file_has_an_output_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    (tmp_path / "rules" / "deep" / "two.yml").write_text(f"{rule(1, value='first')}---\n{rule(2, value='second')}")
    done = sigmapack("convert", "rules", "-o", "out", "-t", "kusto", "-t", "splunk", cwd=tmp_path)
    assert done.returncode == 0
    wanted = {
        f"{target}/deep/two.{ID.format(number)}.{suffix}": text.format(value)
        for number, value in ((1, "first"), (2, "second"))
        for target, suffix, text in (("kusto", "kql", KQL), ("splunk", "spl", SPL))
    }
    assert {name: (tmp_path / "out" / name).read_text() for name in files(tmp_path / "out")} == wanted
    entries = json.loads((tmp_path / "out" / "manifest.json").read_text())["queries"]
    assert {(entry["path"], entry["rule"], entry["output"]) for entry in entries} == {
        ("deep/two.yml", ID.format(int(name.split(".")[1][-1])), name) for name in wanted
    }


def test_a_file_of_one_rule_keeps_its_name_whatever_empty_documents_stand_beside_it(tmp_path: Path) -> None:
    reading = read(tmp_path / "r", one=f"---\n{rule(1)}---\n---\n# nothing\n")
    assert [str(each.place) for each in reading.rules] == ["one"]


def test_a_bad_rule_of_a_file_leaves_the_others(tmp_path: Path) -> None:
    text = f"{rule(1, value='first')}---\n{rule(2, field='NoSuchField')}---\n{rule(3, value='third')}"
    (tmp_path / "three.yml").write_text(text)
    done = sigmapack("convert", "three.yml", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, KQL.format("first") + "\n" + KQL.format("third"))
    line = text.splitlines().index("        NoSuchField: 'something'") + 1
    assert_one_line(done.stderr, f"three.yml:{line}:", "NoSuchField")


def test_a_rule_without_an_id_beside_others_is_refused(tmp_path: Path) -> None:
    nameless = rule(2, value="second").replace(f"id: {ID.format(2)}\n", "")
    (tmp_path / "two.yml").write_text(f"{rule(1, value='first')}---\n{nameless}")
    done = sigmapack("convert", "two.yml", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, KQL.format("first"))
    assert_one_line(done.stderr, "two.yml:20:", "no id")


def test_two_rules_of_one_stem_keep_their_folders(tmp_path: Path) -> None:
    for number, folder in enumerate(("one", "two")):
        (tmp_path / "rules" / folder).mkdir(parents=True)
        (tmp_path / "rules" / folder / "a.yml").write_text(rule(number, value=folder))
    assert sigmapack("convert", "rules", "-o", "out", "-t", "kusto", cwd=tmp_path).returncode == 0
    assert {name: (tmp_path / "out" / name).read_text() for name in files(tmp_path / "out")} == {
        f"kusto/{folder}/a.kql": KQL.format(folder) for folder in ("one", "two")
    }


GLOBAL = """\
action: global
title: All Of A Family
status: test
logsource:
    category: process_creation
    product: windows
detection:
    condition: selection
---
id: 00000000-0000-4000-8000-000000000001
detection:
    selection:
        CommandLine|contains: first
---
id: 00000000-0000-4000-8000-000000000002
detection:
    selection:
        CommandLine|contains: second
"""
REPEAT = """\
---
action: repeat
id: 00000000-0000-4000-8000-000000000003
detection:
    selection:
        CommandLine|contains: third
"""


def test_a_global_part_goes_into_each_rule_of_its_file_alone(tmp_path: Path) -> None:
    found = outcomes(read(tmp_path / "r", a=GLOBAL, b=rule(9, value="other")), "kusto")
    assert found == {
        (f"a.{ID.format(1)}", "kusto"): KQL.format("first").rstrip(),
        (f"a.{ID.format(2)}", "kusto"): KQL.format("second").rstrip(),
        ("b", "kusto"): KQL.format("other").rstrip(),
    }


def test_a_repeated_rule_is_the_one_before_with_other_words(tmp_path: Path) -> None:
    found = outcomes(read(tmp_path / "r", a=GLOBAL + REPEAT), "kusto")
    assert [text.split('"')[1] for text in found.values()] == ["first", "second", "third"]


def test_a_reset_ends_a_global_part(tmp_path: Path) -> None:
    reading = read(tmp_path / "r", a=f"{GLOBAL}---\naction: reset\n---\n{rule(4, value='fourth')}")
    assert [each.title for each in reading.rules] == ["All Of A Family"] * 2 + ["Something Was Started"]
    assert list(outcomes(reading, "kusto").values())[2] == KQL.format("fourth").rstrip()


def test_an_unknown_action_is_one_line_and_the_other_files_convert(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(GLOBAL.replace("action: global", "action: globl"))
    (tmp_path / "b.yml").write_text(rule(9))
    done = sigmapack("convert", ".", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, KQL.format("something"))
    assert_one_line(done.stderr, "a.yml", "globl", "global")


# Sigma filters


def filtering(rules: str, value: str = "\\ours.exe", product: str = "windows") -> str:
    """A filter of these rules, which leaves out a program."""
    return f"""\
title: Not Ours
logsource:
    category: process_creation
    product: {product}
filter:
    rules: {rules}
    ours:
        Image|endswith: '{value}'
    condition: not ours
"""


OUT = {"kusto": r'FolderPath endswith "\\ours.exe"', "splunk": r'Image="*\\ours.exe"', "lucene": "ours.exe"}


def filtered(found: dict[tuple[str, str], str]) -> set[tuple[str, str]]:
    """The rules and targets whose text holds the filter's words."""
    assert not [text for text in found.values() if text.startswith("refused")], found
    return {(place, target) for (place, target), text in found.items() if OUT[target] in text or "ours.exe" in text}


@pytest.mark.parametrize("rules", ["any", ID.format(1), f"[{ID.format(1)}]", "[first_rule]"])
def test_a_filter_among_the_rules_takes_those_that_it_names(tmp_path: Path, rules: str) -> None:
    named = rule(1, value="first") + "name: first_rule\n"
    reading = read(tmp_path / "r", a=named, b=rule(2, value="second"), c=filtering(rules))
    assert [str(each.place) for each in reading.rules] == ["a", "b"]
    taken = ("a", "b") if rules == "any" else ("a",)
    assert filtered(outcomes(reading)) == {(place, target) for place in taken for target in ALL}


def test_a_filter_narrows_the_condition(tmp_path: Path) -> None:
    found = outcomes(read(tmp_path / "r", a=rule(1, value="first"), b=filtering("any")), "kusto", "splunk")
    assert 'ProcessCommandLine contains "first"' in found["a", "kusto"]
    assert r'not(FolderPath endswith "\\ours.exe")' in found["a", "kusto"].replace("not (", "not(")
    assert "not" in found["a", "kusto"]
    assert 'CommandLine="*first*"' in found["a", "splunk"]
    assert "NOT " in found["a", "splunk"]


def test_a_filter_takes_rules_of_its_log_source_only(tmp_path: Path) -> None:
    linux = rule(2, value="second").replace("product: windows", "product: linux")
    found = outcomes(read(tmp_path / "r", a=rule(1, value="first"), b=linux, c=filtering("any")))
    assert filtered(found) == {("a", target) for target in ALL}
    found = outcomes(read(tmp_path / "s", a=rule(1, value="first"), b=linux, c=filtering("any", "/ours.exe", "linux")))
    assert filtered(found) == {("b", target) for target in ALL}


def test_filters_do_not_leak_between_rules_targets_or_runs(tmp_path: Path) -> None:
    reading = read(tmp_path / "r", a=rule(1, value="first"), b=rule(2, value="second"), c=filtering(ID.format(1)))
    with_filter = outcomes(reading)
    again = outcomes(reading)
    without = outcomes(reading, filters=())
    alone = outcomes(packs.read([str(tmp_path / "r" / "b.yml")]))
    assert with_filter == again
    assert filtered(without) == set()
    assert {key: with_filter[key] for key in alone} == {key: without[key] for key in alone} == alone
    for name in ALL:
        assert outcomes(reading, name) == {key: text for key, text in with_filter.items() if key[1] == name}


def test_two_filters_both_count(tmp_path: Path) -> None:
    (text,) = outcomes(
        read(tmp_path / "r", a=rule(1), b=filtering("any", "\\one.exe"), c=filtering("any", "\\two.exe")), "kusto"
    ).values()
    assert "one.exe" in text
    assert "two.exe" in text


@pytest.mark.parametrize(
    "letters", [["rules", "filters"], ["filters/f.yml", "rules"], ["--filter", "filters", "rules"]]
)
def test_a_filter_is_an_input_or_an_option(tmp_path: Path, letters: list[str]) -> None:
    read(tmp_path / "rules", a=rule(1, value="first"))
    read(tmp_path / "filters", f=filtering("any"))
    done = sigmapack("convert", *letters, "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert OUT["kusto"] in done.stdout
    assert done.stdout.count("DeviceProcessEvents") == 1


def test_a_filter_that_is_not_sound_is_one_line(tmp_path: Path) -> None:
    bad = filtering("any").replace("    condition: not ours\n", "")
    read(tmp_path / "rules", a=rule(1, value="first"), b=bad)
    done = sigmapack("convert", "rules", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, KQL.format("first"))
    assert_one_line(done.stderr, "rules/b.yml", "filter")


def test_a_filter_with_an_unmapped_field_refuses_the_rules_that_it_takes(tmp_path: Path) -> None:
    bad = filtering(ID.format(1)).replace("Image|endswith", "NoSuchField")
    read(tmp_path / "rules", a=rule(1, value="first"), b=rule(2, value="second"), c=bad)
    done = sigmapack("convert", "rules", "-t", "kusto", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, KQL.format("second"))
    assert_one_line(done.stderr, "NoSuchField")


# Placeholders


@pytest.mark.parametrize("target", ALL)
def test_placeholders_take_their_values(tmp_path: Path, target: str) -> None:
    reading = read(tmp_path / "r", a=rule(1, field="User|expand", value="%admins%"), b=rule(2, value="%admins%"))
    found = outcomes(reading, target, placeholders={"admins": ("alice", "bob")})
    written = {
        name: "".join(f"[{x}{x.upper()}]" for x in name) if target == "lucene" else name for name in ("alice", "bob")
    }
    assert all(name in found["a", target] for name in written.values())
    assert "admins" not in found["a", target]
    assert "%admins%" in found["b", target] or target == "lucene"
    assert "alice" not in found["b", target]


@pytest.mark.parametrize("values", [{}, {"others": ("x",)}])
def test_a_placeholder_without_values_is_refused_by_name(tmp_path: Path, values: dict[str, tuple[str, ...]]) -> None:
    reading = read(tmp_path / "r", a=rule(1, field="User|expand", value="%admins%"), b=rule(2))
    found = outcomes(reading, placeholders=values)
    for target in ALL:
        assert found["a", target].startswith("refused")
        assert "admins" in found["a", target]
        assert "cannot be converted" not in found["a", target]
        assert not found["b", target].startswith("refused")


# Correlations


def correlation(names: str, number: int = 99, more: str = "") -> str:
    return f"""\
title: Many Of Them
id: {ID.format(number)}
name: many_{number}
status: test
correlation:
    type: event_count
    rules: [{names}]
    group-by: [User]
    timespan: 5m
    condition: {{gte: 10}}
{more}"""


WINDOW = """

| where isnotnull(User)
| sort 0 _time
| streamstats time_window=5m count as event_count by User
| where event_count >= 10
| dedup User
| table _time, User, event_count"""


@pytest.mark.parametrize("reference", ["first_rule", ID.format(1), ID.format(1).upper()])
@pytest.mark.parametrize(("a", "b"), [("a", "b"), ("b", "a")], ids=["rule first", "correlation first"])
def test_a_correlation_is_ordered_by_dependency_not_by_file(tmp_path: Path, reference: str, a: str, b: str) -> None:
    first = rule(1, value="first") + "name: first_rule\n"
    found = outcomes(read(tmp_path / "r", **{a: first, b: correlation(reference)}), "splunk")
    assert found == {
        (a, "splunk"): SPL.format("first").rstrip(),
        (b, "splunk"): SPL.format("first").rstrip() + WINDOW,
    }


def test_a_correlation_finds_its_rules_in_its_own_file_and_in_other_inputs(tmp_path: Path) -> None:
    read(tmp_path / "one", a=correlation(f"{ID.format(1)}, {ID.format(2)}") + "---\n" + rule(1, value="first"))
    read(tmp_path / "two", b=rule(2, value="second"))
    done = sigmapack("convert", "one", "two", "-t", "splunk", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "out") == {
        f"splunk/a.{ID.format(99)}.spl",
        f"splunk/a.{ID.format(1)}.spl",
        "splunk/b.spl",
    }
    text = (tmp_path / "out" / "splunk" / f"a.{ID.format(99)}.spl").read_text()
    assert text.count('CommandLine="*first*"') == text.count('CommandLine="*second*"') == 1
    assert text.startswith("| multisearch")


def test_a_correlation_is_refused_where_its_language_has_no_form(tmp_path: Path) -> None:
    read(tmp_path / "r", a=rule(1, value="first"), b=correlation(ID.format(1)))
    done = sigmapack("convert", "r", "-t", "kusto", "-t", "lucene", "-t", "splunk", "-o", "out", "-q", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    for language in ("KQL", "Lucene"):
        assert len([line for line in done.stderr.splitlines() if "b.yml:5:" in line and language in line]) == 1
    assert files(tmp_path / "out") == {"kusto/a.kql", "lucene/a.lucene", "splunk/a.spl", "splunk/b.spl"}
    refused = json.loads((tmp_path / "out" / "manifest.json").read_text())["refusals"]
    assert [(entry["path"], entry["target"], entry["line"]) for entry in refused] == [
        ("b.yml", "kusto", 5),
        ("b.yml", "lucene", 5),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (correlation("nobody"), ["b.yml:7:", "nobody"]),
        (correlation("many_98"), ["b.yml:7:", "many_98"]),
        (correlation("many_99"), ["b.yml:7:", "many_99"]),
        (correlation(ID.format(3)), ["b.yml:7:", "NoSuchField"]),
        (correlation(ID.format(1)).replace("event_count", "evnt_count"), ["b.yml", "evnt_count"]),
        (correlation(ID.format(1)).replace("5m", "soon"), ["b.yml", "soon"]),
        (correlation(ID.format(1)).replace("    timespan: 5m\n", ""), ["b.yml", "timespan"]),
        (correlation(ID.format(1)).replace("{gte: 10}", "{almost: 10}"), ["b.yml", "condition"]),
        ("title: x\ncorrelation: [a]\n", ["b.yml", "orrelation"]),
        ("title: x\ncorrelation:\n", ["b.yml", "orrelation"]),
    ],
)
def test_a_correlation_that_cannot_be_is_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    sound = correlation(ID.format(1), 98)
    read(tmp_path / "r", a=rule(1, value="first"), b=text, c=sound, d=rule(3, field="NoSuchField"))
    done = sigmapack("convert", "r", "-t", "splunk", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == SPL.format("first") + "\n" + SPL.format("first").rstrip() + WINDOW + "\n"
    lines = [line for line in done.stderr.splitlines() if not line.startswith("r/d.yml")]
    assert len(lines) == 1, done.stderr
    assert all(word in lines[0] for word in words), lines


def test_a_correlation_names_a_rule_that_is_not_selected(tmp_path: Path) -> None:
    read(tmp_path / "r", a=rule(1, value="first"), b=correlation(ID.format(1), more="level: high\n"))
    done = sigmapack("convert", "r", "-t", "splunk", "--level", "high", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, SPL.format("first").rstrip() + WINDOW + "\n")


# State


def test_the_order_of_rules_changes_no_text(tmp_path: Path) -> None:
    kinds = [
        rule(1, value="first"),
        rule(2, field="CommandLine|re", value="fir.t"),
        rule(3, field="CommandLine|cased|contains", value="First"),
        rule(4, field="CommandLine|re", value="a|b"),
        rule(5, field="NoSuchField"),
        rule(6, field="DestinationIp|cidr", value="10.0.0.0/8").replace("process_creation", "network_connection"),
        rule(7, field="CommandLine|windash|contains", value=" -a"),
        rule(8, field="Image|exists", value="true").replace("'true'", "true"),
        rule(9, field="User|expand", value="%admins%"),
        rule(10, field="CommandLine|fieldref", value="ParentCommandLine"),
        correlation(f"{ID.format(2)}, {ID.format(4)}"),
        filtering(ID.format(1)),
        rule(11, value="last"),
    ]
    reading = read(tmp_path / "r", **{f"rule_{number:02}": text for number, text in enumerate(kinds)})
    how = How(filters=tuple(reading.filters), referable=tuple(reading.rules), placeholders={"admins": ("alice",)})
    targets = list(TARGETS.values())
    forward = texts(convert(reading.rules, targets, how))
    assert len(forward) == len(targets) * 12
    assert texts(convert(reversed(reading.rules), targets, how)) == forward
    assert texts(convert(reading.rules, targets[::-1], how)) == forward
    fresh = packs.read([str(tmp_path / "r")])
    again = How(filters=tuple(fresh.filters), referable=tuple(fresh.rules), placeholders={"admins": ("alice",)})
    for each in fresh.rules:
        alone = texts(convert([each], targets, again))
        assert alone == {key: forward[key] for key in alone}


def test_a_conversion_leaves_the_rules_as_they_were_read(tmp_path: Path) -> None:
    reading = read(tmp_path / "r", a=rule(1), b=filtering("any"), c=correlation(ID.format(1)))
    before = repr([each.document for each in (*reading.rules, *reading.filters)])
    outcomes(reading, *TARGETS)
    assert repr([each.document for each in (*reading.rules, *reading.filters)]) == before


class OfALibrary(Exception):  # noqa: N818 - a class of theirs, not of ours
    """An exception of a kind that nobody foresaw, with text of several lines."""


FAULTS: list[Exception] = [
    ValueError("a value"),
    KeyError("a key"),
    RecursionError("too deep"),
    AssertionError("no way"),
    MemoryError(),
    OSError(5, "Input/output error"),
    StopIteration(),
    OfALibrary("several\nlines"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize(("target", "dialect"), [("kusto", kusto), ("splunk", splunk), ("lucene", lucene)])
def test_a_dialect_that_raises_refuses_that_rule_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    dialect: ModuleType,
    fault: Exception,
) -> None:
    reading = read(tmp_path / "r", a=rule(1, value="first"), b=rule(2, value="second"), c=rule(3, value="third"))
    undisturbed = outcomes(reading)
    whole: Callable[..., list[str]] = dialect.query

    def query(fresh: Callable[[], Any], route: Any, repairs: Any) -> list[str]:  # noqa: ANN401 - as the dialect has it
        if str(fresh().id) == ID.format(2):
            raise fault
        return whole(fresh, route, repairs)

    monkeypatch.setattr(dialect, "query", query)
    found = outcomes(reading)
    assert found.pop(("b", target)).startswith("refused: ")
    del undisturbed["b", target]
    assert found == undisturbed


def test_a_rule_that_no_reader_foresaw_refuses_itself_alone(tmp_path: Path) -> None:
    odd = Rule(tmp_path / "odd.yml", PurePosixPath("odd"), "", {"title": 1, "detection": object()})
    reading = read(tmp_path / "r", a=rule(1))
    found = texts(convert([odd, *reading.rules], [TARGETS["kusto"]]))
    assert found["odd", "kusto"].startswith("refused: ")
    assert found["a", "kusto"] == KQL.format("something").rstrip()
