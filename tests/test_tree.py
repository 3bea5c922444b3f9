"""Writing and comparing trees of files."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from converter import tree

TREE = {PurePosixPath("kusto/a.kql"): "a\n", PurePosixPath("kusto/deep/b.kql"): "b\n"}


def listed(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def test_what_is_written_is_the_tree_and_nothing_else(tmp_path: Path) -> None:
    assert tree.write(TREE, tmp_path) == {}
    assert listed(tmp_path) == {"kusto/a.kql": "a\n", "kusto/deep/b.kql": "b\n"}
    assert list(tree.differences(TREE, tmp_path)) == []


def test_a_file_that_holds_its_text_is_left_alone(tmp_path: Path) -> None:
    tree.write(TREE, tmp_path)
    old = tmp_path / "kusto" / "a.kql"
    os.utime(old, (1, 1))
    tree.write(TREE, tmp_path)
    assert old.stat().st_mtime == 1


def test_differences_name_missing_stale_and_orphan_files_in_order_of_path(tmp_path: Path) -> None:
    tree.write(TREE, tmp_path)
    (tmp_path / "kusto" / "a.kql").write_text("other\n")
    (tmp_path / "kusto" / "deep" / "b.kql").unlink()
    (tmp_path / "kusto" / "z.kql").write_text("z\n")
    found = list(tree.differences(TREE, tmp_path))
    assert [(one.kind, str(one.path)) for one in found] == [
        ("stale", "kusto/a.kql"),
        ("missing", "kusto/deep/b.kql"),
        ("orphan", "kusto/z.kql"),
    ]
    assert found[0].diff.splitlines()[-2:] == ["+a", " "] or {"-other", "+a"} <= set(found[0].diff.splitlines())


def test_a_line_end_of_another_system_is_a_difference_that_the_diff_shows(tmp_path: Path) -> None:
    tree.write(TREE, tmp_path)
    (tmp_path / "kusto" / "a.kql").write_bytes(b"a\r\n")
    (found,) = tree.differences(TREE, tmp_path)
    assert "-a\\r" in found.diff.splitlines()


def test_a_file_in_a_folders_place_is_one_problem_and_the_other_files_are_written(tmp_path: Path) -> None:
    (tmp_path / "kusto").mkdir()
    (tmp_path / "kusto" / "deep").write_text("in the way")
    (problem,) = tree.write(TREE, tmp_path).values()
    assert "cannot be written" in str(problem)
    assert str(problem).startswith((tmp_path / "kusto" / "deep").as_posix())
    assert listed(tmp_path) == {"kusto/a.kql": "a\n", "kusto/deep": "in the way"}


def test_a_write_that_breaks_off_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write(TREE, tmp_path)

    def breaks_off(_path: str, _target: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        tree.write({PurePosixPath("kusto/a.kql"): "new\n"}, tmp_path)
    assert listed(tmp_path) == {"kusto/a.kql": "a\n", "kusto/deep/b.kql": "b\n"}


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write(TREE, tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    problems = tree.write({PurePosixPath("kusto/a.kql"): "new\n"}, tmp_path).values()
    assert [
        str(problem).endswith("No space left on device; choose another -o or mend the path") for problem in problems
    ] == [True]
    assert listed(tmp_path) == {"kusto/a.kql": "a\n", "kusto/deep/b.kql": "b\n"}


def test_a_new_folder_is_there_when_all_its_files_are(tmp_path: Path) -> None:
    (tmp_path / "splunk").mkdir()
    with tree.Writer(tmp_path) as writer:
        for path in ("kusto/a.kql", "kusto/deep/b.kql", "splunk/a.spl"):
            assert writer.write(path, b"a\n") is None
        assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == ["splunk"]
        assert [one.path for one in tree.differences({}, tmp_path)] == [PurePosixPath("splunk/a.spl")]
    assert listed(tmp_path) == dict.fromkeys(("kusto/a.kql", "kusto/deep/b.kql", "splunk/a.spl"), "a\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kusto", "splunk"]


def test_a_folder_that_two_make_at_once_holds_the_files_of_both(tmp_path: Path) -> None:
    with tree.Writer(tmp_path) as writer:
        writer.write("kusto/a.kql", b"first\n")
        writer.write("kusto/deep/b.kql", b"first\n")
        tree.write({PurePosixPath("kusto/a.kql"): "other\n", PurePosixPath("kusto/c.kql"): "other\n"}, tmp_path / "x")
        (tmp_path / "x" / "kusto").rename(tmp_path / "kusto")
    assert listed(tmp_path) == {"kusto/a.kql": "first\n", "kusto/c.kql": "other\n", "kusto/deep/b.kql": "first\n"}


def test_what_was_written_before_an_interrupt_is_whole_and_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_descriptor: int, _content: bytes) -> int:
        raise KeyboardInterrupt

    def writes() -> None:
        with tree.Writer(tmp_path) as writer:
            writer.write("kusto/a.kql", b"a\n")
            monkeypatch.setattr("os.write", interrupted)
            writer.write("kusto/b.kql", b"b\n")

    with pytest.raises(KeyboardInterrupt):
        writes()
    assert listed(tmp_path) == {"kusto/a.kql": "a\n"}
    assert [path.name for path in tmp_path.iterdir()] == ["kusto"]


@pytest.mark.parametrize("runs", [False, True])
def test_the_new_folder_of_a_run_that_was_killed_is_removed_by_the_next(tmp_path: Path, runs: bool) -> None:  # noqa: FBT001
    process = os.getppid() if runs else 2**22 + 1
    left = tmp_path / f"{tree.TEMPORARY}{process}-1-new" / "kusto" / "a.kql"
    left.parent.mkdir(parents=True)
    left.write_text("a\n")
    assert tree.write({PurePosixPath("manifest.json"): "{}\n"}, tmp_path) == {}
    assert left.exists() == runs


def test_a_file_that_takes_a_new_folders_name_meanwhile_is_left_alone(tmp_path: Path) -> None:
    def writes() -> None:
        with tree.Writer(tmp_path) as writer:
            writer.write("kusto/a.kql", b"a\n")
            (tmp_path / "kusto").write_text("mine")

    with pytest.raises(FileExistsError):
        writes()
    assert listed(tmp_path) == {"kusto": "mine"}
