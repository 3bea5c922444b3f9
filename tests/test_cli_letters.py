"""The letters of sigma-cli on `sigmapack convert`, and our own beside them: what each does, what a wrong one costs."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from converter.cli.convert import convert
from tests.command import rule, sigmapack

KQL = 'DeviceProcessEvents\n| where ProcessCommandLine contains "{}"\n'
SYSMON = " OR ".join(
    f'source="{log}:Microsoft-Windows-Sysmon/Operational"' for log in ("XmlWinEventLog", "WinEventLog")
)
SPL = f'({SYSMON}) AND EventCode=1 AND (CommandLine="*{{}}*")\n'
CORRELATION = """\
title: Many Of Them
id: 00000000-0000-4000-8000-000000000099
status: test
correlation:
    type: event_count
    rules: [{names}]
    group-by: [User]
    timespan: 5m
    condition: {{gte: 10}}
"""
MARKED = """\
name: Marks each query
priority: 90
postprocessing:
    - type: embed
      prefix: "// marked\\n"
      suffix: ""
"""
RENAMES = """\
name: Knows our field
priority: 90
allowed_backends: [{backend}]
transformations:
    - id: ours
      type: field_name_mapping
      mapping: {{OurField: ProcessCommandLine}}
"""
FILTER = """\
title: Not This Machine
logsource:
    category: process_creation
    product: windows
filter:
    rules: any
    selection:
        Image|endswith: '\\ours.exe'
    condition: not selection
"""


def files(root: Path) -> set[str]:
    """Every file below the folder but the manifest."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {"manifest.json"}


def assert_one_line(stderr: str, *words: str) -> None:
    """The error output is one line, which holds the words."""
    assert len(stderr.splitlines()) == 1, stderr
    assert all(word in stderr for word in words), stderr


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Two rules that convert: a.yml says "first", b.yml "second"."""
    (tmp_path / "a.yml").write_text(rule(1, value="first"))
    (tmp_path / "b.yml").write_text(rule(2, value="second"))
    return tmp_path


def test_every_letter_of_sigma_cli_is_there() -> None:
    wanted = "-t -p -f -s -c -O -o -P -e -j --target --pipeline --format --skip-unsupported --fail-unsupported"
    wanted += " --correlation-method --backend-option --output --file-pattern --encoding --jobs --filter"
    wanted += " --without-pipeline --pipeline-check --disable-pipeline-check --verbose --enable-template-vars"
    wanted += " --template-vars-path"
    have = {name for parameter in convert.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert set(wanted.split()) - have == set()


# -f


def test_ndjson_is_one_object_a_query(rules: Path) -> None:
    done = sigmapack("convert", "-f", "ndjson", "-t", "splunk", "-t", "kusto", ".", cwd=rules)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\n")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {
            "rule": "Something Was Started",
            "id": f"00000000-0000-4000-8000-00000000000{number}",
            "path": path,
            "target": target,
            "text": query.format(value).removesuffix("\n"),
        }
        for number, path, value in ((1, "a.yml", "first"), (2, "b.yml", "second"))
        for target, query in (("kusto", KQL), ("splunk", SPL))
    ]


def test_ndjson_splits_safely_even_where_queries_hold_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1) + "name: one\n")
    (tmp_path / "c.yml").write_text(CORRELATION.format(names="one"))
    done = sigmapack("convert", "-f", "ndjson", "-t", "splunk", ".", cwd=tmp_path)
    assert done.returncode == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["rule"], each["path"]) for each in found] == [
        ("Something Was Started", "a.yml"),
        ("Many Of Them", "c.yml"),
    ]
    assert "\n\n" in found[1]["text"]
    assert "event_count >= 10" in found[1]["text"]


def test_ndjson_goes_to_one_file_for_several_targets(rules: Path) -> None:
    done = sigmapack("convert", "-f", "ndjson", "a.yml", "-o", "all.ndjson", cwd=rules)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = (rules / "all.ndjson").read_text().splitlines()
    assert [json.loads(line)["target"] for line in lines] == ["kusto", "splunk", "lucene"]


def test_savedsearches_frame_our_queries(rules: Path) -> None:
    done = sigmapack("convert", "-f", "savedsearches", "-t", "splunk", ".", cwd=rules)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("[default]") == 1
    assert done.stdout.count("[Something Was Started]\ndescription = Detects something\n") == 1
    assert done.stdout.count("\n[Something Was Started (") == 1
    for value in ("first", "second"):
        assert f"\nsearch = {SPL.format(value)}" in done.stdout


def test_options_of_the_backend_go_into_its_format(rules: Path) -> None:
    done = sigmapack("convert", "-f", "savedsearches", "-t", "splunk", "-O", "min_time=-7d", "a.yml", cwd=rules)
    assert done.returncode == 0
    assert "dispatch.earliest_time = -7d\n" in done.stdout


def test_a_lucene_format_holds_our_query(rules: Path) -> None:
    plain = sigmapack("convert", "-t", "lucene", "a.yml", cwd=rules).stdout.removesuffix("\n")
    done = sigmapack("convert", "-f", "kibana_ndjson", "-t", "lucene", "a.yml", cwd=rules)
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    source = json.loads(json.loads(line)["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    assert source["query"] == {"query": plain, "language": "lucene"}


def test_a_format_in_a_folder_is_not_ignored(rules: Path) -> None:
    """Either the folder's files are framed, or the run says that this cannot be."""
    done = sigmapack("convert", "-f", "savedsearches", "-t", "splunk", "a.yml", "-o", "out", cwd=rules)
    if done.returncode == 0:
        assert any("[default]" in path.read_text() for path in (rules / "out" / "splunk").rglob("*"))
    else:
        assert done.returncode == 2
        assert_one_line(done.stderr, "savedsearches")


def test_a_format_takes_one_target(rules: Path) -> None:
    done = sigmapack("convert", "-f", "savedsearches", "a.yml", cwd=rules)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "savedsearches", "one target", "-t", "splunk")


# What is not there


WRONG = {
    "a target": (["-t", "nowhere"], ["nowhere", "kusto", "splunk", "lucene"]),
    "a format": (["-f", "nothing", "-t", "splunk"], ["nothing", "savedsearches"]),
    "another target's format": (["-f", "savedsearches", "-t", "kusto"], ["savedsearches", "default"]),
    "a pipeline": (["-p", "nothing", "-t", "splunk"], ["nothing", "splunk_windows"]),
    "a pipeline file": (["-p", "gone.yml", "-t", "splunk"], ["gone.yml"]),
    "another backend's pipeline": (["-p", "ecs_windows", "-t", "splunk"], ["ecs_windows", "not for splunk"]),
    "an encoding": (["-e", "utf-9"], ["utf-9"]),
    "an encoding that is none of text": (["-e", "base64"], ["base64"]),
    "a correlation method": (["-c", "nothing", "-t", "splunk"], ["nothing", "stats"]),
    "an option of the backend": (["-O", "nothing=1", "-t", "splunk"], ["nothing", "min_time"]),
    "no pipeline": (["--without-pipeline"], ["--without-pipeline", "--stock"]),
    "a filter": (["--filter", "gone.yml"], ["gone.yml", "does not exist"]),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_what_is_not_there_is_one_line(rules: Path, arguments: list[str], words: list[str]) -> None:
    done = sigmapack("convert", *arguments, "a.yml", "-o", "out", "-q", cwd=rules)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert_one_line(done.stderr, *words)


@pytest.mark.parametrize("stock", [["-t", "nowhere"], ["-t", "splunk", "-c", "nothing"], ["-t", "splunk", "-f", "x"]])
def test_what_is_not_there_is_one_line_with_stock_too(rules: Path, stock: list[str]) -> None:
    done = sigmapack("convert", "--stock", "-p", "splunk_windows", *stock, "a.yml", cwd=rules)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, stock[-1], "have: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--no-such-option"], "--no-such-option"),
        (["-j", "0"], "--jobs"),
        (["-O", "word"], "KEY=VALUE"),
    ],
)
def test_an_option_that_the_command_does_not_know_ends_with_a_line_that_names_it(
    rules: Path, arguments: list[str], words: str
) -> None:
    done = sigmapack("convert", *arguments, "a.yml", cwd=rules)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[-1]


# -p


def test_a_pipeline_file_is_added_to_the_route(rules: Path) -> None:
    (rules / "marked.txt").write_text(MARKED)
    done = sigmapack("convert", "-p", "marked.txt", "-t", "kusto", "a.yml", cwd=rules)
    assert (done.returncode, done.stdout, done.stderr) == (0, "// marked\n" + KQL.format("first"), "")


def test_a_pipeline_can_map_a_field_that_the_route_does_not(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1, field="OurField|contains", value="first"))
    (tmp_path / "ours.yaml").write_text(RENAMES.format(backend="kusto"))
    assert sigmapack("convert", "-t", "kusto", "a.yml", cwd=tmp_path).returncode == 1
    done = sigmapack("convert", "-p", "ours.yaml", "-t", "kusto", "a.yml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, KQL.format("first"))


def test_a_pipeline_of_another_backend_is_let_through_where_the_check_is_off(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1, field="OurField|contains", value="first"))
    (tmp_path / "theirs.yaml").write_text(RENAMES.format(backend="splunk"))
    done = sigmapack("convert", "-p", "theirs.yaml", "-t", "kusto", "a.yml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "not for kusto")
    done = sigmapack("convert", "--disable-pipeline-check", "-p", "theirs.yaml", "-t", "kusto", "a.yml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, KQL.format("first"))


@pytest.mark.parametrize("content", ["transformations: [{type: nothing}]\n", "- a\n", "a: [\n", ""])
def test_a_pipeline_that_is_none_is_one_line(rules: Path, content: str) -> None:
    (rules / "bad.txt").write_text(content)
    done = sigmapack("convert", "-p", "bad.txt", "-t", "kusto", "a.yml", cwd=rules)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "bad.txt")


@pytest.mark.parametrize(
    ("target", "name"), [("kusto", "microsoft_xdr"), ("splunk", "splunk_windows"), ("lucene", "ecs_windows")]
)
def test_a_pipeline_whose_work_the_routes_do_changes_nothing_and_says_so(rules: Path, target: str, name: str) -> None:
    plain = sigmapack("convert", "-t", target, "a.yml", cwd=rules)
    done = sigmapack("convert", "-t", target, "-p", name, "a.yml", cwd=rules)
    assert (done.returncode, done.stdout) == (0, plain.stdout)
    assert_one_line(done.stderr, name, target, "--stock")


TEMPLATE = """\
name: Names the owner
priority: 90
postprocessing:
    - type: template
      template: "{{ query }} // {{ owner }}"
      vars: values/owner.py
"""


def test_template_variables_run_only_where_they_are_allowed(rules: Path) -> None:
    (rules / "values").mkdir()
    (rules / "values" / "owner.py").write_text('vars = {"owner": "the blue team"}\n')
    (rules / "owned.txt").write_text(TEMPLATE)
    plain = ["convert", "-p", "owned.txt", "-t", "kusto", "a.yml"]
    done = sigmapack(*plain, cwd=rules)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "owned.txt", "--enable-template-vars")
    done = sigmapack(*plain, "--enable-template-vars", "--template-vars-path", "elsewhere", cwd=rules)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    done = sigmapack(*plain, "--enable-template-vars", "--template-vars-path", "values", cwd=rules)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == KQL.format("first").removesuffix("\n") + " // the blue team\n"


# --filter, -P, selection


def test_a_filter_narrows_the_rules(rules: Path) -> None:
    (rules / "filters").mkdir()
    (rules / "filters" / "f.yml").write_text(FILTER)
    done = sigmapack("convert", "--filter", "filters", "-t", "kusto", "a.yml", cwd=rules)
    assert (done.returncode, done.stderr) == (0, "")
    assert r'FolderPath endswith "\\ours.exe"' in done.stdout
    assert "first" in done.stdout


def test_a_file_pattern_chooses_the_rules_of_a_folder(rules: Path) -> None:
    (rules / "c.sigma").write_text(rule(3, value="third"))
    done = sigmapack("convert", "-P", "*.sigma", "-t", "kusto", ".", cwd=rules)
    assert (done.returncode, done.stdout) == (0, KQL.format("third"))
    done = sigmapack("convert", "--file-pattern", "[ab].yml", "-t", "kusto", ".", cwd=rules)
    assert (done.returncode, done.stdout) == (0, KQL.format("first") + "\n" + KQL.format("second"))


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (["--level", "high"], ["second"]),
        (["--level", "HIGH", "--level", "low"], ["first", "second", "third"]),
        (["--status", "stable"], ["third"]),
        (["--tag", "attack.t1001"], ["first"]),
        (["--tag", "ATTACK.T1001", "--tag", "attack.t1002"], ["first", "second"]),
        (["--level", "high", "--status", "stable"], []),
        (["--level", "low", "--tag", "attack.t1002"], []),
        (["--level", "low", "--status", "test"], ["first"]),
    ],
)
def test_rules_are_selected_by_level_status_and_tag(tmp_path: Path, arguments: list[str], values: list[str]) -> None:
    first = rule(1, value="first").replace("attack.reconnaissance", "attack.t1001")
    second = rule(2, value="second").replace("attack.reconnaissance", "attack.t1002").replace("low", "high")
    third = rule(3, value="third").replace("status: test", "status: stable")
    for name, text in {"a": first, "b": second, "c": third}.items():
        (tmp_path / f"{name}.yml").write_text(text)
    done = sigmapack("convert", *arguments, "-t", "kusto", ".", cwd=tmp_path)
    assert done.stdout == "\n".join(KQL.format(value) for value in values)
    assert done.returncode == 0


# -o and -e


def test_one_file_for_one_target(rules: Path) -> None:
    done = sigmapack("convert", "-t", "kusto", ".", "-o", "made/all.kql", cwd=rules)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (rules / "made" / "all.kql").read_text() == KQL.format("first") + "\n" + KQL.format("second")
    assert files(rules / "made") == {"all.kql"}


def test_one_file_for_two_targets_is_one_line(rules: Path) -> None:
    done = sigmapack("convert", "-t", "kusto", "-t", "splunk", ".", "-o", "all.txt", cwd=rules)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "all.txt", "one target", "-t")
    assert not (rules / "all.txt").exists()


def test_an_output_folder_by_its_other_letters(rules: Path) -> None:
    assert sigmapack("convert", "-t", "kusto", ".", "-od", "out", cwd=rules).returncode == 0
    assert files(rules / "out") == {"kusto/a.kql", "kusto/b.kql"}


def test_an_output_folder_that_is_there_is_one_whatever_its_name(rules: Path) -> None:
    (rules / "out.d").mkdir()
    assert sigmapack("convert", "-t", "kusto", "a.yml", "-o", "out.d", cwd=rules).returncode == 0
    assert files(rules / "out.d") == {"kusto/a.kql"}


def run(rules: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The command, its output as bytes."""
    command = [sys.executable, "-m", "converter", "convert", *arguments]
    return subprocess.run(command, cwd=rules, capture_output=True, check=False, timeout=120)


def test_queries_in_another_encoding(rules: Path) -> None:
    both = KQL.format("first") + "\n" + KQL.format("second")
    done = run(rules, "-t", "kusto", "-e", "utf-16", ".")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("utf-16") == both
    done = run(rules, "-t", "kusto", "-e", "utf-16", "-o", "all.kql", ".")
    assert done.returncode == 0
    assert (rules / "all.kql").read_bytes().decode("utf-16") == both


def test_files_in_another_encoding_have_true_hashes(rules: Path) -> None:
    assert run(rules, "-t", "kusto", "-e", "utf-16", "-o", "out", "a.yml").returncode == 0
    content = (rules / "out" / "kusto" / "a.kql").read_bytes()
    assert content.decode("utf-16") == KQL.format("first")
    (entry,) = manifest(rules / "out")["queries"]
    assert entry["output_sha256"] == hashlib.sha256(content).hexdigest()


def test_a_character_that_the_encoding_lacks_is_never_lost(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1, value="caf\u00e9 \u20ac"), encoding="utf-8")
    done = run(tmp_path, "-t", "kusto", "-e", "latin-1", "a.yml")
    assert done.stdout == KQL.format("caf\u00e9 \\u20ac").encode("latin-1")


# -s


def test_refusals_are_findings_or_with_s_warnings(rules: Path) -> None:
    (rules / "c.yml").write_text(rule(3, field="NoSuchField"))
    for letters, code in (((), 1), (("--fail-unsupported",), 1), (("-s",), 0), (("--skip-unsupported",), 0)):
        done = sigmapack("convert", *letters, "-t", "kusto", ".", cwd=rules)
        assert (done.returncode, done.stdout.count("DeviceProcessEvents")) == (code, 2)
        assert_one_line(done.stderr, "c.yml:16", "NoSuchField")


def test_a_broken_file_is_no_warning(rules: Path) -> None:
    (rules / "c.yml").write_text("title: [\n")
    done = sigmapack("convert", "-s", "-t", "kusto", ".", cwd=rules)
    assert (done.returncode, done.stdout.count("DeviceProcessEvents")) == (1, 2)


def test_a_run_whose_every_rule_is_refused_exits_1(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text(rule(3, field="NoSuchField"))
    done = sigmapack("convert", "c.yml", "-t", "kusto", "-o", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert [entry["path"] for entry in manifest(tmp_path / "out")["refusals"]] == ["c.yml"]


# -c


def test_a_correlation_method_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1) + "name: one\n")
    (tmp_path / "c.yml").write_text(CORRELATION.format(names="one"))
    plain = sigmapack("convert", "-t", "splunk", ".", cwd=tmp_path)
    done = sigmapack("convert", "-c", "stats", "-t", "splunk", ".", cwd=tmp_path)
    assert (plain.returncode, done.returncode, done.stdout) == (0, 0, plain.stdout)
    assert "| streamstats time_window=5m count as event_count by User" in done.stdout


# Fields


@pytest.mark.parametrize("modifier", ["", "|contains", "|endswith", "|re", "|cased"])
@pytest.mark.parametrize("target", ["kusto", "splunk", "lucene"])
def test_an_unmapped_field_is_refused_unless_it_may_pass(tmp_path: Path, target: str, modifier: str) -> None:
    (tmp_path / "a.yml").write_text(rule(1, field=f"Comandline{modifier}", value="first"))
    done = sigmapack("convert", "-t", target, "a.yml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "no pipeline maps the field Comandline; the closest mapped name is CommandLine" in done.stderr
    done = sigmapack("convert", "--allow-unmapped", "-t", target, "a.yml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (entry,) = manifest(tmp_path / "out")["queries"]
    assert entry["marks"] == ["unmapped"]
    assert "Comandline" in (tmp_path / "out" / entry["output"]).read_text()


@pytest.mark.parametrize("target", ["kusto", "splunk", "lucene"])
def test_a_rule_whose_fields_are_mapped_bears_no_mark(rules: Path, target: str) -> None:
    assert sigmapack("convert", "--allow-unmapped", "-t", target, ".", "-o", "out", cwd=rules).returncode == 0
    assert [entry["marks"] for entry in manifest(rules / "out")["queries"]] == [[], []]


@pytest.mark.parametrize("target", ["kusto", "splunk", "lucene"])
def test_a_shown_field_that_is_unmapped_is_left_out_with_a_warning(tmp_path: Path, target: str) -> None:
    (tmp_path / "a.yml").write_text(rule(1) + "fields:\n    - User\n    - NoSuchField\n")
    done = sigmapack("convert", "-t", target, "a.yml", cwd=tmp_path)
    assert done.returncode == 0
    assert_one_line(done.stderr, "a.yml", "NoSuchField", "left out of fields", f"[{target}]")
    assert "NoSuchField" not in done.stdout


def test_shown_fields_end_an_spl_query(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1, value="first") + "fields:\n    - User\n    - Image\n")
    done = sigmapack("convert", "-t", "splunk", "a.yml", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == SPL.format("first").removesuffix("\n") + "\n| table User, Image\n"


# -j


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """More rules than one worker takes at once, one in ten of them refused, and a correlation."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(250):
        field = "NoSuchField" if number % 10 == 3 else "CommandLine|contains"
        (folder / f"{number:03}.yml").write_text(rule(number, field, f"value {number}") + f"name: rule_{number}\n")
    (folder / "000_correlation.yml").write_text(
        CORRELATION.format(names="rule_240").replace("000000000099", "000000000999")
    )
    return tmp_path


def test_two_jobs_make_the_same_bytes_as_one(many: Path) -> None:
    done = {jobs: sigmapack("convert", "-j", jobs, "many", "-o", f"out{jobs}", "-q", cwd=many) for jobs in ("1", "2")}
    assert (done["1"].returncode, done["2"].returncode) == (1, 1)
    assert done["1"].stderr == done["2"].stderr
    one, two = (
        {p.relative_to(r): p.read_bytes() for p in r.rglob("*") if p.is_file()}
        for r in map(many.joinpath, ("out1", "out2"))
    )
    assert one == two
    assert len(one) == 3 * 225 + 1 + 1
    printed = {jobs: sigmapack("convert", "-j", jobs, "many", cwd=many).stdout for jobs in ("1", "2")}
    assert printed["1"] == printed["2"] != ""


SPAWNED = """\
import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv.pop(1))
    from converter.cli import main
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_workers_work_however_they_are_started(many: Path, method: str) -> None:
    (many / "main.py").write_text(SPAWNED)
    wanted = sigmapack("convert", "many", "-f", "ndjson", cwd=many)
    command = [sys.executable, "main.py", method, "convert", "-j", "2", "many", "-f", "ndjson"]
    done = subprocess.run(command, cwd=many, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (1, wanted.stdout, wanted.stderr)


def test_two_jobs_and_stock(many: Path) -> None:
    letters = ["convert", "--stock", "-t", "splunk", "-p", "splunk_windows", "many"]
    one, two = (sigmapack(*letters, "-j", jobs, cwd=many) for jobs in ("1", "2"))
    assert (one.returncode, one.stdout) == (two.returncode, two.stdout)
    # Like sigma-cli, not the rule that the correlation takes up, but the correlation with its value.
    assert one.stdout.count("value ") == 250


# --prune


def test_prune_removes_what_the_last_manifest_named_and_nothing_else(rules: Path) -> None:
    assert sigmapack("convert", ".", "-o", "out", cwd=rules).returncode == 0
    (rules / "out" / "kusto" / "mine.kql").write_text("mine\n")
    (rules / "b.yml").unlink()
    everything = files(rules / "out")
    assert sigmapack("convert", ".", "-o", "out", cwd=rules).returncode == 0
    assert files(rules / "out") == everything
    assert sigmapack("convert", ".", "-o", "out2", cwd=rules).returncode == 0
    (rules / "b.yml").write_text(rule(2, value="second"))
    assert sigmapack("convert", ".", "-o", "out", cwd=rules).returncode == 0
    (rules / "b.yml").unlink()
    assert sigmapack("convert", "--prune", ".", "-o", "out", "-t", "kusto", cwd=rules).returncode == 0
    assert files(rules / "out") == everything - {"kusto/b.kql"}
    assert (rules / "out" / "kusto" / "mine.kql").read_text() == "mine\n"
    assert {entry["output"] for entry in manifest(rules / "out")["queries"]} == everything - {
        "kusto/b.kql",
        "kusto/mine.kql",
    }
    assert sigmapack("convert", "--prune", ".", "-o", "out", cwd=rules).returncode == 0
    assert files(rules / "out") == {"kusto/a.kql", "kusto/mine.kql", "splunk/a.spl", "lucene/a.lucene"}


def test_an_output_whose_rule_went_in_a_run_before_is_still_pruned(rules: Path) -> None:
    """A run without --prune leaves the file behind; a later one with it must still know that it was ours."""
    for letters in ((), (), ("--prune",)):
        assert sigmapack("convert", *letters, ".", "-o", "out", "-t", "kusto", cwd=rules).returncode == 0
        (rules / "b.yml").unlink(missing_ok=True)
    assert files(rules / "out") == {"kusto/a.kql"}


def test_prune_removes_the_output_of_a_rule_that_is_refused_now(rules: Path) -> None:
    assert sigmapack("convert", ".", "-o", "out", "-t", "kusto", cwd=rules).returncode == 0
    (rules / "b.yml").write_text(rule(2, field="NoSuchField"))
    assert sigmapack("convert", "--prune", ".", "-o", "out", "-t", "kusto", cwd=rules).returncode == 1
    assert files(rules / "out") == {"kusto/a.kql"}


def test_prune_never_leaves_the_output_folder(rules: Path) -> None:
    assert sigmapack("convert", ".", "-o", "out", "-t", "kusto", cwd=rules).returncode == 0
    held = manifest(rules / "out")
    for entry, output in zip(held["queries"], ("kusto/../../a.yml", str(rules / "b.yml")), strict=True):
        entry["output"] = output
    (rules / "out" / "manifest.json").write_text(json.dumps(held))
    assert sigmapack("convert", "--prune", ".", "-o", "out", "-t", "kusto", cwd=rules).returncode == 0
    assert (rules / "a.yml").exists()
    assert (rules / "b.yml").exists()


# --stock


STOCK = {
    "kusto": ("microsoft_xdr", 'DeviceProcessEvents\n| where ProcessCommandLine contains "first"\n'),
    "splunk": ("splunk_windows", 'CommandLine="*first*"\n'),
    "lucene": ("ecs_windows", "process.command_line:*first*\n"),
}


@pytest.mark.parametrize(("target", "pipeline", "text"), [(name, *rest) for name, rest in STOCK.items()], ids=STOCK)
def test_stock_is_the_text_that_sigma_cli_writes(rules: Path, target: str, pipeline: str, text: str) -> None:
    letters = ["convert", "--stock", "-s", "-t", target, "-p", pipeline, "a.yml"]
    done = sigmapack(*letters, cwd=rules)
    assert (done.returncode, done.stdout, done.stderr) == (0, text, "")
    assert sigmapack(*letters, "-o", "out", cwd=rules).returncode == 0
    (entry,) = manifest(rules / "out")["queries"]
    assert (rules / "out" / entry["output"]).read_text() == text
    assert (entry["pipelines"], entry["marks"]) == ([pipeline], ["stock"])


def test_stock_lets_unmapped_fields_through(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(rule(1, field="NoSuchField", value="first"))
    done = sigmapack("convert", "--stock", "-t", "splunk", "-p", "splunk_windows", "a.yml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, 'NoSuchField="first"\n')


def test_stock_without_a_pipeline(rules: Path) -> None:
    done = sigmapack("convert", "--stock", "--without-pipeline", "-t", "lucene", "a.yml", cwd=rules)
    assert (done.returncode, done.stdout) == (0, "CommandLine:*first*\n")
    done = sigmapack("convert", "--stock", "-t", "lucene", "a.yml", cwd=rules)
    assert (done.returncode, done.stdout) == (2, "")
    assert_one_line(done.stderr, "lucene needs a pipeline", "ecs_windows")


def test_stock_formats_are_the_backends(rules: Path) -> None:
    letters = ["--stock", "-t", "splunk", "-p", "splunk_windows", "-f", "savedsearches", "a.yml"]
    done = sigmapack("convert", *letters, cwd=rules)
    assert done.returncode == 0
    assert done.stdout == (
        "\n[default]\ndispatch.earliest_time = -30d\ndispatch.latest_time = now\n"
        '\n[Something Was Started]\ndescription = Detects something\nsearch = CommandLine="*first*"\n'
    )


# --verbose


def test_verbose_changes_no_query(rules: Path) -> None:
    plain = sigmapack("convert", ".", cwd=rules)
    done = sigmapack("convert", "--verbose", ".", cwd=rules)
    assert (done.returncode, done.stdout) == (0, plain.stdout)
