"""`sigmapack engines` as a user meets it."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from converter.engines import ENGINES
from tests.command import sigmapack


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """An environment with a cache of its own and a registry that is not there."""
    kept = {key: value for key, value in os.environ.items() if key.lower() != "npm_config_registry"}
    return kept | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "npm_config_registry": "http://127.0.0.1:9"} | more


def test_every_engine_is_listed_with_its_version_and_whether_it_is_ready(tmp_path: Path) -> None:
    done = sigmapack("engines", cwd=tmp_path, environment=environment(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines.keys() == {name.replace("_", "-") for name in ENGINES}
    assert duckdb.__version__ in lines["kql"]
    assert lines["kql"].endswith("ready")
    assert lines["kusto-analyser"].endswith("not there: sigmapack engines add kusto-analyser")


def test_what_cannot_be_fetched_is_a_line_and_exits_with_1(tmp_path: Path) -> None:
    done = sigmapack("engines", "add", "kusto-analyser", cwd=tmp_path, environment=environment(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("sigmapack: http://127.0.0.1:9/@kusto/")
    assert not (tmp_path / "cache").exists()


def test_an_engine_that_needs_nothing_or_is_none_cannot_be_added(tmp_path: Path) -> None:
    for name in ("kql", "nonsense"):
        done = sigmapack("engines", "add", name, cwd=tmp_path, environment=environment(tmp_path))
        assert done.returncode == 2
        assert "kusto-analyser" in done.stderr
