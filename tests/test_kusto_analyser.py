"""Microsoft's analyser as a second opinion: what it says of queries, and how its package is fetched and kept."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from converter.engines import kusto_analyser
from converter.engines.engine import Unjudged
from converter.engines.kusto_analyser import package
from converter.schemas.layout import Column, Layout, Table

COLUMNS = {"s": "string", "n": "int", "d": "dynamic", "at": "datetime", "b": "bool", "two words": "real"}
LAYOUT = Layout("ours", {"T": Table("T", "", {name: Column(name, kind) for name, kind in COLUMNS.items()})}, ())
there = pytest.mark.skipif(
    not kusto_analyser.ready(), reason="the analyser is not there; sigmapack engines add kusto-analyser"
)


@there
@pytest.mark.parametrize(
    "query",
    [
        'T | where s contains "x" and n == 4 and b',
        'T\n| extend x = tostring(d.part)\n| where x =~ "a" and at > ago(1d) | project s, x | sort by s',
        "T | where ['two words'] > 1.5",
        # What our own engine refuses, and the analyser lets pass.
        "T | where isnull(s)",
        'T | where s matches regex "("',
        'T | where ipv4_is_in_range(s, "::1/128")',
        "T | where s == 9",
    ],
)
def test_nothing_is_said_of_a_query_that_is_fine(query: str) -> None:
    assert kusto_analyser.analyse(query, LAYOUT) == []


@there
@pytest.mark.parametrize(
    ("query", "line", "words"),
    [
        ("T\n| where absent == 1", 2, "'absent' does not refer to any known column"),
        ("Absent | count", 1, "'Absent' does not refer to any known table"),
        ('T | where n contains "4"', 1, "not defined for the operand types int and string"),
        ('T | where n in~ ("4")', 1, "string or dynamic expected"),
        ("T\n\n| where s", 3, "must have the type bool"),
        (r'T | where s contains ":\*."', 1, 'Missing: "'),
        ("T | wher s", 1, "Query operator expected"),
        ("T | where tohex(s) == ''", 1, "must be an integer"),
        ("T | where " + " or ".join(f's == "{number}"' for number in range(600)), 1, "depth exceeds"),
    ],
)
def test_a_query_that_is_wrong_is_said_to_be(query: str, line: int, words: str) -> None:
    told = kusto_analyser.analyse(query, LAYOUT)
    assert told[0].startswith(f"line {line}: ")
    assert words in told[0]


@there
def test_each_layout_has_its_own_tables() -> None:
    other = Layout("other", {"U": Table("U", "", {"x": Column("x", "string")})}, ())
    assert kusto_analyser.analyse('U | where x == "a"', other) == []
    assert kusto_analyser.analyse('U | where x == "a"', LAYOUT)
    assert kusto_analyser.analyse('T | where s == "a"', LAYOUT) == []


def test_without_the_package_nothing_is_judged(cache: Path) -> None:
    assert not cache.exists()
    assert not kusto_analyser.ready()
    with pytest.raises(Unjudged, match="sigmapack engines add kusto-analyser"):
        kusto_analyser.analyse("T", LAYOUT)


@dataclass
class Registry:
    """A registry of npm's that answers every request alike, and what it was asked for."""

    address: str = ""
    status: int = 200
    content: bytes = b""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache and a home of one's own, without any configuration of npm."""
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    kusto_analyser._engine.cache_clear()  # noqa: SLF001 - the place it was loaded from is another now
    return tmp_path / "cache"


@pytest.fixture
def registry(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:  # noqa: ARG001 - for its settings
    """A registry on this machine that the environment names."""
    told = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.content)))
            self.end_headers()
            self.wfile.write(told.content)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.address = f"http://127.0.0.1:{server.server_port}/npm"
    monkeypatch.setenv("npm_config_registry", told.address + "/")
    yield told
    server.shutdown()
    server.server_close()


def packed(files: dict[str, bytes]) -> bytes:
    """An archive of npm's with these files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


@pytest.fixture
def ours(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry whose package is the one expected."""
    files = dict.fromkeys(package.FILES, b"var x = 1;")
    registry.content = packed({"../../outside.js": b"x", "other.js": b"x", **files})
    monkeypatch.setattr(package, "_INTEGRITY", b64encode(hashlib.sha512(registry.content).digest()).decode())
    monkeypatch.setattr(package, "FILES", {name: hashlib.sha256(files[name]).hexdigest() for name in files})
    return registry


def test_the_package_is_fetched_checked_and_kept(ours: Registry, cache: Path) -> None:
    place = package.add()
    assert ours.asked == [f"/npm/@kusto/language-service-next/-/language-service-next-{package.VERSION}.tgz"]
    assert place == cache / "sigmapack" / "kusto-analyser" / package.VERSION
    # Those two and nothing else, anywhere.
    assert {path.relative_to(place).as_posix() for path in cache.rglob("*") if path.is_file()} == set(package.FILES)
    assert package.kept()


def test_a_damaged_copy_is_not_taken_and_is_replaced(ours: Registry) -> None:
    place = package.add()
    (place / "bridge.min.js").write_bytes(b"var x = ")
    assert not package.kept()
    package.add()
    assert package.kept()
    assert len(ours.asked) == 2


def test_another_content_is_not_kept(ours: Registry, cache: Path) -> None:
    ours.content += b"x"
    with pytest.raises(package.Unfetched, match="another content"):
        package.add()
    assert not cache.exists()


def test_a_content_too_large_is_not_read_to_its_end(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_LARGEST", 10)
    registry.content = b"x" * 11
    with pytest.raises(package.Unfetched, match="larger than"):
        package.add()


@pytest.mark.parametrize(("status", "words"), [(404, "404"), (503, "503"), (401, "401")])
def test_what_the_registry_refuses_is_said(registry: Registry, status: int, words: str) -> None:
    registry.status = status
    with pytest.raises(package.Unfetched, match=words) as raised:
        package.add()
    assert "\n" not in str(raised.value)


def test_without_a_network_it_is_said(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    with pytest.raises(package.Unfetched, match="takes a network once"):
        package.add()
    assert not cache.exists()


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.com"])
def test_a_registry_is_asked_by_http_only(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", address)
    with pytest.raises(package.Unfetched, match="neither http"):
        package.add()


@pytest.mark.usefixtures("ours")
def test_a_cache_that_cannot_be_written_is_said(cache: Path) -> None:
    cache.write_text("a file where a folder should be")
    with pytest.raises(package.Unfetched, match="cannot be written") as raised:
        package.add()
    assert str(cache) in str(raised.value)


def test_a_full_disk_leaves_nothing_half(ours: Registry, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device", str(self), len(content))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(package.Unfetched, match="No space left"):
        package.add()
    assert ours.asked
    assert [path for path in cache.rglob("*") if path.is_file()] == []
    assert not package.kept()


@pytest.mark.parametrize(
    ("environment", "npmrc", "expected"),
    [
        ({}, None, "https://registry.npmjs.org"),
        ({"NPM_CONFIG_REGISTRY": "https://one.example/npm/"}, None, "https://one.example/npm"),
        ({"npm_config_registry": "https://two.example"}, "registry=https://three.example/", "https://two.example"),
        ({}, "fund=false\nregistry = https://three.example/\n", "https://three.example"),
        ({}, "@kusto:registry=https://four.example\nregistry=https://three.example", "https://four.example"),
        ({}, "@other:registry=https://five.example", "https://registry.npmjs.org"),
        ({"OURS": "six.example"}, "registry=https://${OURS}/npm", "https://six.example/npm"),
        ({}, "# registry=https://seven.example", "https://registry.npmjs.org"),
    ],
)
@pytest.mark.usefixtures("cache")
def test_the_registry_is_the_one_that_npm_is_configured_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], npmrc: str | None, expected: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if npmrc is not None:
        (tmp_path / ".npmrc").write_text(npmrc, encoding="utf-8")
    assert package.registry() == expected


def test_a_relative_cache_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert package.folder().is_relative_to(tmp_path / ".cache")
