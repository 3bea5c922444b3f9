"""A few changed rules, converted by themselves: what comes out is what a conversion of everything gives."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from converter import cli
from converter.cli import patch
from tests.command import rule

RULES = 8
Edit = Callable[[Path, random.Random], None]


def any_rule(folder: Path, at: random.Random) -> Path:
    return at.choice(sorted(folder.glob("*.yml")))


def replaced(folder: Path, at: random.Random, before: str, after: str) -> None:
    path = any_rule(folder, at)
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def another_value(folder: Path, at: random.Random) -> None:
    replaced(folder, at, "value", f"value{at.randrange(100)}")


def a_comment(folder: Path, at: random.Random) -> None:
    path = any_rule(folder, at)
    path.write_text(f"{path.read_text(encoding='utf-8')}# {at.random()}\n", encoding="utf-8")


def a_line_above(folder: Path, at: random.Random) -> None:
    path = any_rule(folder, at)
    path.write_text(f"# {at.random()}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")


def another_field(folder: Path, at: random.Random) -> None:
    replaced(folder, at, "CommandLine", at.choice(["Image", "NoSuchField", "User", "Hashes"]))


def the_field_again(folder: Path, at: random.Random) -> None:
    replaced(folder, at, "NoSuchField", "CommandLine")


def another_title(folder: Path, at: random.Random) -> None:
    replaced(folder, at, "Something", f"Something {at.randrange(10)}")


def another_log_source(folder: Path, at: random.Random) -> None:
    replaced(folder, at, "process_creation", at.choice(["image_load", "no_such_category", "process_creation"]))


def listed_fields(folder: Path, at: random.Random) -> None:
    path = any_rule(folder, at)
    path.write_text(f"{path.read_text(encoding='utf-8')}fields: [Image, NoSuchField]\n", encoding="utf-8")


def another_id(folder: Path, at: random.Random) -> None:
    replaced(folder, at, "00000000-0000-4000-8000", "00000000-0000-4000-8001")


def anothers_id(folder: Path, at: random.Random) -> None:
    replaced(folder, at, "00000000000", "00000000000"[: at.randrange(10, 12)] + "1"[: 12 - at.randrange(11, 12)])


def broken_yaml(folder: Path, at: random.Random) -> None:
    replaced(folder, at, "detection:", "detection: [")


def mended_yaml(folder: Path, _at: random.Random) -> None:
    for path in folder.glob("*.yml"):
        path.write_text(path.read_text(encoding="utf-8").replace("detection: [", "detection:"), encoding="utf-8")


def two_documents(folder: Path, at: random.Random) -> None:
    path = any_rule(folder, at)
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}---\n{rule(at.randrange(500, 600), value='second')}", encoding="utf-8")


def a_new_file(folder: Path, at: random.Random) -> None:
    number = at.randrange(100, 400)
    (folder / f"new{number}.yml").write_text(rule(number, value="new"), encoding="utf-8")


def a_file_gone(folder: Path, at: random.Random) -> None:
    any_rule(folder, at).unlink()


def a_mark_before(folder: Path, at: random.Random) -> None:
    path = any_rule(folder, at)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().removeprefix(b"\xef\xbb\xbf"))


def an_output_changed(folder: Path, at: random.Random) -> None:
    found = sorted((folder.parent / "outputs").rglob("*.kql"))
    if found:
        at.choice(found).write_text("edited by hand\n", encoding="utf-8")


def a_verdict(folder: Path, at: random.Random) -> None:
    path = folder.parent / "outputs" / "manifest.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    for entry in document["queries"]:
        entry["verdict"] = at.choice([None, "exact", "wider"])
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


EDITS: tuple[Edit, ...] = (
    another_value,
    a_comment,
    a_line_above,
    another_field,
    the_field_again,
    another_title,
    another_log_source,
    listed_fields,
    another_id,
    anothers_id,
    broken_yaml,
    mended_yaml,
    two_documents,
    a_new_file,
    a_file_gone,
    a_mark_before,
    an_output_changed,
    a_verdict,
)
# Those after which most rules can be converted by themselves.
SMALL = (another_value, a_comment, another_title, a_verdict)


class Side:
    """A project, and the command run in it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.monkeypatch, self.capsys = root, monkeypatch, capsys
        self.folder = root / "sigma_rules"
        self.folder.mkdir(parents=True)
        for number in range(RULES):
            text = rule(number, value=f"value {number}", field="NoSuchField" if number == 1 else "CommandLine|contains")
            (self.folder / f"r{number}.yml").write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> tuple[int, str, str, dict[str, bytes]]:
        """What the command gives, says and leaves."""
        self.monkeypatch.chdir(self.root)
        code = cli.main(["convert", *arguments])
        out, err = self.capsys.readouterr()
        files = {str(path.relative_to(self.root)): path for path in (self.root / "outputs").rglob("*")}
        return code, out, err, {name: path.read_bytes() for name, path in files.items() if path.is_file()}


@pytest.fixture
def patches(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each call of `patched` went through."""
    calls: list[bool] = []
    whole = patch.patched

    def watched(*arguments: object) -> object:
        found = whole(*arguments)  # type: ignore[arg-type]
        calls.append(found is not None)
        return found

    monkeypatch.setattr(patch, "patched", watched)
    return calls


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[Side, Side]:
    """The same project twice: one for the cache, one for conversions of everything."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Side(tmp_path / "cached" / "p", monkeypatch, capsys), Side(tmp_path / "whole" / "p", monkeypatch, capsys)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_edited_comes_out_as_from_a_conversion_of_everything(
    sides: tuple[Side, Side], patches: list[bool], seed: int
) -> None:
    cached, whole = sides
    assert cached.run() == whole.run("--no-cache")
    at = random.Random(seed)  # noqa: S311 - any edits will do
    for _ in range(14):
        edits = at.choices(SMALL, k=2) if at.random() < 0.5 else [at.choice(EDITS)]
        once = at.random()
        for side in sides:
            again = random.Random(once)  # noqa: S311 - likewise
            for edit in edits:
                edit(side.folder, again)
        assert cached.run() == whole.run("--no-cache"), [edit.__name__ for edit in edits]
        # And once more, from what was kept of that.
        assert cached.run() == whole.run("--no-cache"), [edit.__name__ for edit in edits]
    assert True in patches


def test_a_changed_value_is_converted_alone_and_keeps_the_verdicts_of_others(
    sides: tuple[Side, Side], patches: list[bool]
) -> None:
    cached, _ = sides
    cached.run()
    a_verdict(cached.folder, random.Random(1))  # noqa: S311 - likewise
    cached.run()
    before = json.loads((cached.root / "outputs" / "manifest.json").read_text())["queries"]
    path = cached.folder / "r3.yml"
    path.write_text(path.read_text().replace("value 3", "another"), encoding="utf-8")
    cached.run()
    assert patches == [True]
    after = json.loads((cached.root / "outputs" / "manifest.json").read_text())["queries"]
    assert [entry for entry in after if entry["path"] != "r3.yml"] == [
        entry for entry in before if entry["path"] != "r3.yml"
    ]
    assert {entry["verdict"] for entry in after if entry["path"] == "r3.yml"} == {None}
    assert "another" in (cached.root / "outputs" / "kusto" / "r3.kql").read_text()


@pytest.mark.parametrize("arguments", [["--prune"], ["--level", "low"], ["--report", "json=r.json"], ["-f", "ndjson"]])
def test_what_hangs_on_more_than_one_rule_is_converted_whole(
    sides: tuple[Side, Side], patches: list[bool], arguments: list[str]
) -> None:
    cached, whole = sides
    for _ in range(2):
        assert cached.run(*arguments) == whole.run(*arguments, "--no-cache")
        for side in sides:
            another_value(side.folder, random.Random(5))  # noqa: S311 - likewise
    assert True not in patches
