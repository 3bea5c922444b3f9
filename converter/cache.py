"""What was worked out before, by the content of all that it depends on, in the user's cache folder.

An entry says under which key it was written and carries the hash of what it holds: one that is cut off, flipped or
moved is no entry. Entries are written to a file of their own and renamed, so that runs side by side, or killed ones,
leave whole entries or none. What cannot be written is worked out again next time.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from stat import S_ISREG
from typing import Any

from converter.tree import replace

APPLICATION = "sigmapack"
FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
# What emitted text and verdicts depend on beside our own code.
PACKAGES = (
    "duckdb",
    "duckdb-kql",
    "lark",
    "pcre2",
    "pysigma",
    "pysigma-backend-elasticsearch",
    "pysigma-backend-kusto",
    "pysigma-backend-splunk",
    "pyparsing",
    "pyyaml",
)


class Cache:
    """Entries of one kind below the folder."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder / kind

    def get(self, key: str) -> Mapping[str, Any] | None:
        """What was put under the key; None where nothing was, or nothing whole."""
        try:
            digest, held_key, payload = _content(self._path(key)).split(b"\n", 2)
            if held_key != key.encode() or digest != hashlib.sha256(payload).hexdigest().encode():
                return None
            found: Mapping[str, Any] = json.loads(payload)
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def put(self, key: str, value: Mapping[str, Any]) -> bool:
        """Keep the value under the key; gives whether it could be."""
        payload = json.dumps(value).encode()
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, b"\n".join((hashlib.sha256(payload).hexdigest().encode(), key.encode(), payload)))
        except OSError:
            return False
        return True

    def keep_newest(self, most: int) -> None:
        """Remove the oldest entries beyond so many; what another run removes at the same time is gone as well."""
        try:
            found = sorted(_stats(str(self.folder)), key=lambda facts: facts[2])
            for path, _size, _time in found[: max(0, len(found) - most)]:
                os.unlink(path)  # noqa: PTH108 - a text already
        except OSError:
            return

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]


def _content(path: Path) -> bytes:
    """What a file holds; raises OSError for all that is no file, such as a pipe, which may have no end."""
    with open(os.open(path, os.O_RDONLY | FLAGS), "rb") as file:  # noqa: PTH123 - a descriptor has no path
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(None, "is no file")
        return file.read()


def folder() -> Path:
    """The user's cache folder, https://specifications.freedesktop.org/basedir-spec/latest/."""
    held = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(held) if Path(held).is_absolute() else Path.home() / ".cache") / APPLICATION


def key(parts: Iterable[object]) -> str:
    """The key of what depends on these parts, on our code and on the packages that it uses."""
    return _digest(json.dumps([stamp(), *parts], sort_keys=True, default=str))


@cache
def stamp() -> str:
    """What changes whenever our own code or data does, or the version of a package or of Python that it uses.

    It is made of the content of our files; for files of the same size and time as before, what they came to is kept.
    """
    root = Path(__file__).parent
    files = sorted(_stats(str(root)))
    facts = [[path[len(str(root)) :], size, time] for path, size, time in files]
    around = [sys.version, *(f"{package} {version(package)}" for package in PACKAGES)]
    known = Cache(folder(), "stamps")
    name = _digest(json.dumps([str(root), facts, around]))
    held = known.get(name)
    if held is not None and isinstance(held.get("stamp"), str):
        return str(held["stamp"])
    hashed = hashlib.sha256("\n".join(around).encode())
    for path, _size, _time in files:
        content = Path(path).read_bytes()
        hashed.update(f"{path[len(str(root)) :]}\n{len(content)}\n".encode() + content)
    known.put(name, {"stamp": hashed.hexdigest()})
    return hashed.hexdigest()


def _stats(place: str) -> Iterator[tuple[str, int, int]]:
    """Every file below with its size and time."""
    with os.scandir(place) as entries:
        for entry in entries:
            if not entry.is_dir():
                facts = entry.stat()
                yield entry.path, facts.st_size, facts.st_mtime_ns
            elif entry.name != "__pycache__":
                yield from _stats(entry.path)


def version(package: str) -> str:
    """The installed version of a package, empty where it is none.

    A look into the folders of packages is a tenth of asking for metadata.
    """
    found = _installed().get(_normal(package))
    if found is None:
        from importlib import metadata  # noqa: PLC0415 - costs as much as all else that a warm run does

        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return ""
    return found


@cache
def _installed() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 - names are all that is wanted
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                package, _, number = name.removesuffix(".dist-info").partition("-")
                found.setdefault(_normal(package), number)
    return found


def _normal(package: str) -> str:
    return package.lower().replace("-", "_").replace(".", "_")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
