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
