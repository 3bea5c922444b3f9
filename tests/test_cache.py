"""The cache: what it holds is what was put, or nothing, whatever became of its files."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from converter import cache
from converter.cache import Cache

KEY, OTHER = cache.key(["a"]), cache.key(["b"])
VALUE = {"verdicts": {"kusto": "exact"}, "é": "\ud800"}


@pytest.fixture
def held(tmp_path: Path) -> Cache:
    made = Cache(tmp_path, "verdicts")
    assert made.get(KEY) is None
    assert made.put(KEY, VALUE)
    assert made.get(KEY) == VALUE
    return made


def entry(held: Cache) -> Path:
    found = [path for path in held.folder.rglob("*") if path.is_file()]
    assert len(found) == 1
    return found[0]


def test_no_flipped_byte_gives_another_value(held: Cache) -> None:
    path = entry(held)
    whole = path.read_bytes()
    for at in range(len(whole)):
        for mask in (0x01, 0x20, 0x80, 0xFF):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :])
            assert held.get(KEY) in (None, VALUE), at
    path.write_bytes(whole)
    assert held.get(KEY) == VALUE


def test_no_cut_or_longer_entry_is_read(held: Cache) -> None:
    path = entry(held)
    whole = path.read_bytes()
    for changed in [*(whole[:at] for at in range(len(whole))), whole + b" ", whole + whole, b"{}", b"\xff\xfe"]:
        path.write_bytes(changed)
        assert held.get(KEY) is None, changed


def test_an_entry_of_another_key_is_none(held: Cache) -> None:
    path = entry(held)
    moved = held.folder / OTHER[:2] / OTHER[2:]
    moved.parent.mkdir(parents=True, exist_ok=True)
    moved.write_bytes(path.read_bytes())
    assert held.get(OTHER) is None


def test_a_poisoned_entry_is_replaced(held: Cache) -> None:
    entry(held).write_bytes(b"")
    assert held.get(KEY) is None
    assert held.put(KEY, {"new": 1})
    assert held.get(KEY) == {"new": 1}


def test_a_folder_in_the_place_of_an_entry_or_a_file_in_that_of_the_folder_is_no_error(tmp_path: Path) -> None:
    made = Cache(tmp_path, "verdicts")
    (made.folder / KEY[:2] / KEY[2:]).mkdir(parents=True)
    assert made.get(KEY) is None
    assert not made.put(KEY, VALUE)
    (tmp_path / "other").write_text("")
    blocked = Cache(tmp_path / "other", "verdicts")
    assert not blocked.put(KEY, VALUE)
    assert blocked.get(KEY) is None


def test_many_writers_of_one_key_leave_one_whole_entry(tmp_path: Path) -> None:
    made = Cache(tmp_path, "verdicts")
    values = [{"n": number, "padding": "x" * 10_000} for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        for number, read in enumerate(pool.map(lambda value: (made.put(KEY, value), made.get(KEY)), values)):
            assert read[0], number
            assert read[1] in values
    assert made.get(KEY) in values
    assert len([path for path in made.folder.rglob("*") if path.is_file()]) == 1


def test_the_key_depends_on_every_part_and_on_the_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {cache.key(parts) for parts in (["a"], ["b"], ["a", "b"], ["ab"], [["a"]], ["a", None], [])}
    assert len(keys) == 7
    before = cache.key(["a"])
    real = cache.version
    for package in cache.PACKAGES:
        cache.stamp.cache_clear()

        def version(name: str, changed: str = package) -> str:
            return "0.0.0" if name == changed else real(name)

        with monkeypatch.context() as patch:
            patch.setattr(cache, "version", version)
            assert cache.key(["a"]) != before, package
    cache.stamp.cache_clear()
    assert cache.key(["a"]) == before


def test_the_key_depends_on_our_own_code_and_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, data = tmp_path / "converter" / "cache.py", tmp_path / "converter" / "schemas" / "a.toml"
    data.parent.mkdir(parents=True)
    code.write_text("one", encoding="utf-8")
    data.write_text("two", encoding="utf-8")
    monkeypatch.setattr(cache, "__file__", str(code))
    stamps = []
    for change in (
        lambda: None,
        lambda: code.write_text("One", encoding="utf-8"),
        lambda: data.write_text("Two", encoding="utf-8"),
        lambda: (data.parent / "b.toml").write_text("", encoding="utf-8"),
        data.unlink,
    ):
        change()
        cache.stamp.cache_clear()
        stamps.append(cache.stamp())
    assert len(set(stamps)) == len(stamps)
    cache.stamp.cache_clear()


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_a_cache_folder_that_is_no_absolute_path_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    assert cache.folder() == tmp_path / ".cache" / "sigmapack"
