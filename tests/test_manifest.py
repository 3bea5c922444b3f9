"""The manifest: complete, true, the same each time, and of the documented form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from converter import packs, tree
from converter.convert import Query
from converter.errors import Problem
from converter.manifest import PACKAGES, differences, manifest
from converter.outputs import Outputs, outputs
from converter.packs import Unread
from converter.rule import Rule
from converter.targets import TARGETS
from tests.command import rule
from tests.events import PACK, ROOT

SCHEMA = json.loads((ROOT / "docs" / "manifest.schema.json").read_text(encoding="utf-8"))
ALL = list(TARGETS.values())
BOM = "\N{BYTE ORDER MARK}"
NO_FORM = ["is no manifest of this form; run sigmapack convert"]


def made(*inputs: Path) -> tuple[Outputs, dict[str, Any]]:
    reading = packs.read(map(str, inputs))
    found = outputs(reading, ALL)
    text = manifest(found, reading.unread, ALL)
    assert text.endswith("}\n")
    document = json.loads(text)
    Draft202012Validator(SCHEMA).validate(document)
    return found, document


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with a rule that converts, and rules that do not, each in its own way."""
    folder = tmp_path / "rules"
    files: dict[str, str | bytes] = {
        "deep/fine.yml": rule(1),
        "unmapped.yaml": rule(2, field="NoSuchField"),
        "broken.yml": "title: [\n",
        "latin.yml": "title: caf\u00e9\n".encode("latin-1"),
        "twin.yml": rule(1),
        "empty.yml": "",
        "no_id.yml": rule(3).replace("id: ", "related_id: "),
        "bom.yml": BOM + rule(4),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_the_schema_is_one_and_explains_every_property() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    def explained(schema: dict[str, Any]) -> bool:
        return "description" in schema or "description" in SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]

    def properties(schema: Any) -> list[tuple[str, bool]]:  # noqa: ANN401 - any JSON
        if isinstance(schema, list):
            return [found for each in schema for found in properties(each)]
        if not isinstance(schema, dict):
            return []
        own = [(name, explained(value)) for name, value in schema.get("properties", {}).items()]
        return own + [found for each in schema.values() for found in properties(each)]

    found = properties({key: value for key, value in SCHEMA.items() if key != "required"})
    assert {"rule", "path", "target", "rule_sha256", "marks", "reason", "pack"} <= {name for name, _ in found}
    assert [name for name, told in found if not told] == []


def test_the_packs_manifest_names_every_file_with_its_true_hashes(tmp_path: Path) -> None:
    found, document = made(PACK)
    assert tree.write(found.files, tmp_path) == {}
    held = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    entries = document["queries"] + document["hunting"]
    assert sorted(entry["output"] for entry in entries) == sorted(held)
    for entry in entries:
        assert entry["output_sha256"] == hashlib.sha256(held[entry["output"]].read_bytes()).hexdigest()
    for entry in document["queries"]:
        content = (ROOT / "sigma_rules" / entry["path"]).read_bytes()
        assert entry["rule_sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["rule"] in content.decode()


def test_a_query_says_how_it_was_made() -> None:
    _, document = made(PACK)
    path = "t1596_003/proc_creation_openssl_probe.yml"
    entry = next(each for each in document["queries"] if (each["path"], each["target"]) == (path, "kusto"))
    hashes = {"rule_sha256", "output_sha256"}
    assert {key: value for key, value in entry.items() if key not in hashes | {"rule"}} == {
        "path": path,
        "target": "kusto",
        "output": "kusto/t1596_003/proc_creation_openssl_probe.kql",
        "route": "process_creation",
        "pipelines": ["process_creation.yml"],
        "verdict": None,
        "marks": [],
        "repairs": [],
    }
    assert document["refusals"] == []


def test_each_rule_file_stands_once_for_each_target(mixed: Path) -> None:
    _, document = made(mixed)
    found = [(entry["path"], entry["target"]) for section in ("queries", "refusals") for entry in document[section]]
    paths = [path.relative_to(mixed).as_posix() for path in mixed.rglob("*.y*ml")]
    assert sorted(found) == sorted((path, target) for path in paths for target in TARGETS)
    assert {entry["path"] for entry in document["queries"]} == {"bom.yml", "deep/fine.yml", "no_id.yml"}


def test_entries_are_in_order_of_path_then_target(mixed: Path) -> None:
    _, document = made(mixed, PACK)
    for section in ("queries", "refusals"):
        order = [(entry["path"], entry["target"]) for entry in document[section]]
        assert order == sorted(order)


def test_a_refusal_says_which_rule_why_and_where(mixed: Path) -> None:
    _, document = made(mixed)
    found = {entry["path"]: entry for entry in document["refusals"] if entry["target"] == "splunk"}
    ids = "00000000-0000-4000-8000-00000000000"
    assert {path: (entry["rule"], entry["line"]) for path, entry in found.items()} == {
        "broken.yml": (None, 2),
        "empty.yml": (None, None),
        "latin.yml": (None, 1),
        "twin.yml": (f"{ids}1", 2),
        "unmapped.yaml": (f"{ids}2", 16),
    }
    assert found["unmapped.yaml"]["reason"].startswith("no pipeline maps the field NoSuchField")
    assert found["twin.yml"]["reason"].endswith(f"deep/fine.yml ({ids}1); give it an id of its own")
    assert found["latin.yml"]["reason"] == "is not UTF-8; save it as UTF-8"


def test_a_rule_without_an_id_has_none(mixed: Path) -> None:
    _, document = made(mixed)
    assert {entry["path"] for entry in document["queries"] if entry["rule"] is None} == {"no_id.yml"}


def test_a_byte_order_mark_is_not_hashed(mixed: Path) -> None:
    _, document = made(mixed)
    found = {entry["rule_sha256"] for entry in document["queries"] if entry["path"] == "bom.yml"}
    assert found == {hashlib.sha256(rule(4).encode()).hexdigest()}


def test_a_rule_in_the_place_of_a_hunting_query_is_refused(tmp_path: Path) -> None:
    pack = tmp_path / PACK.name
    pack.mkdir()
    for path in (*PACK.glob("*.toml"), *PACK.glob("*.yml")):
        (pack / path.name).write_bytes(path.read_bytes())
    (pack / "_hunting.yml").write_text(rule(9), encoding="utf-8")
    found, document = made(pack)
    assert {(entry["path"], entry["target"]) for entry in document["refusals"]} == {
        (f"{PACK.name}/_hunting.yml", target) for target in TARGETS
    }
    assert set(map(str, found.files)) == {entry["output"] for entry in document["queries"] + document["hunting"]}


def test_the_same_rules_give_the_same_manifest_in_any_order_of_input(mixed: Path) -> None:
    assert made(mixed, PACK)[1] == made(PACK, mixed)[1]


def test_versions_are_those_installed() -> None:
    _, document = made(PACK)
    assert list(document["versions"]) == list(PACKAGES)
    assert all(version[0].isdigit() for version in document["versions"].values())


def test_marks_and_names_that_are_not_utf8_are_written_out() -> None:
    odd = Rule(
        Path("caf\udce9.yml"),
        PurePosixPath("caf\udce9"),
        "title: x\n",
        {"title": "x"},
        file=PurePosixPath("caf\udce9.yml"),
    )
    route = TARGETS["kusto"].routes[0]
    output = PurePosixPath("kusto/caf\udce9.kql")
    query = Query(odd, TARGETS["kusto"], "T", route, marks=("unmapped",))
    text = manifest(Outputs({output: "T\n"}, {output: query}, [], []), [], [TARGETS["kusto"]])
    entry = json.loads(text.encode())["queries"][0]
    assert (entry["path"], entry["output"], entry["marks"]) == (r"caf\xe9.yml", r"kusto/caf\xe9.kql", ["unmapped"])


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=()), min_size=1))
def test_no_name_and_no_message_makes_an_invalid_manifest(reason: str, name: str) -> None:
    place = PurePosixPath(f"x{name}")
    unread = Unread(place, Problem(f"is wrong: {reason}", Path(str(place)), 1))
    document = json.loads(manifest(Outputs({}, {}, [], []), [unread], ALL).encode())
    Draft202012Validator(SCHEMA).validate(document)
    assert [entry["target"] for entry in document["refusals"]] == sorted(TARGETS)


@cache
def pack() -> str:
    return json.dumps(made(PACK)[1])


def edited(change: Callable[[dict[str, Any]], object]) -> list[str]:
    """What is said of the pack's manifest after the change, against the fresh one."""
    document = json.loads(pack())
    change(document)
    return differences(json.dumps(document), pack())


CERT = "t1596_003/proc_creation_cert_enum_tool.yml"


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (lambda held: held, []),
        (lambda held: held["versions"].update(pysigma="0.0.1"), []),
        (lambda held: held["queries"][0].update(route="other", pipelines=[], marks=["unmapped"]), []),
        (lambda held: held["queries"].reverse(), []),
        (lambda held: held["queries"].pop(0), [f"queries: {CERT} on kusto is missing"]),
        (
            lambda held: held["queries"].append(held["queries"][0]),
            [f"queries: {CERT} on kusto stands there 2 times, not 1"],
        ),
        (
            lambda held: held["queries"][0].update(rule_sha256="0"),
            [f"queries: {CERT} on kusto has another rule_sha256 now"],
        ),
        (
            lambda held: held["queries"][0].update(output="x", output_sha256="0"),
            [f"queries: {CERT} on kusto has another {key} now" for key in ("output", "output_sha256")],
        ),
        (
            lambda held: held["refusals"].append({"path": "gone.yml", "target": "kusto"}),
            ["refusals: gone.yml on kusto comes from nothing any more"],
        ),
        (
            lambda held: held["hunting"][0].update(output_sha256="0"),
            ["hunting: kusto/t1596_003/_hunting.kql has another output_sha256 now"],
        ),
        (lambda held: held.pop("queries"), NO_FORM),
        (lambda held: held["queries"][0].pop("output"), NO_FORM),
        (lambda held: held["queries"][0].update(path=1), NO_FORM),
        (lambda held: held.update(queries={"a": 1}), NO_FORM),
        (lambda held: held.update(queries=None), NO_FORM),
    ],
)
def test_a_committed_manifest_is_held_by_paths_and_hashes_alone(
    change: Callable[[dict[str, Any]], object], lines: list[str]
) -> None:
    assert edited(change) == lines


def test_the_reason_of_a_refusal_is_not_compared_but_the_refusal_is(mixed: Path) -> None:
    _, document = made(mixed)
    fresh = json.dumps(document)
    for entry in document["refusals"]:
        entry.update(reason="another", line=None)
    assert differences(json.dumps(document), fresh) == []
    gone = document["refusals"].pop(0)
    assert differences(json.dumps(document), fresh) == [f"refusals: {gone['path']} on {gone['target']} is missing"]


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


@given(
    st.text()
    | JSON.map(json.dumps)
    | st.dictionaries(st.sampled_from(sorted(SCHEMA["properties"])), JSON).map(json.dumps)
)
def test_whatever_stands_in_a_committed_manifest_is_told_in_lines(held: str) -> None:
    fresh = json.dumps({"queries": [], "refusals": [], "hunting": [], "versions": {}})
    assert differences(held, fresh) in ([], NO_FORM)


def test_a_manifest_nested_without_end_is_of_no_form() -> None:
    assert differences("[" * 200_000, "{}") == NO_FORM
