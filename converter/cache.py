"""What was worked out before, by the content of all that it depends on, in the user's cache folder.

An entry says under which key it was written and carries the hash of what it holds: one that is cut off, flipped or
moved is no entry. Entries are written to a file of their own and renamed, so that runs side by side, or killed ones,
leave whole entries or none. What cannot be written is worked out again next time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from converter.tree import replace

APPLICATION = "sigmapack"
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
)


class Cache:
    """Entries of one kind below the folder."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder / kind

    def get(self, key: str) -> Mapping[str, Any] | None:
        """What was put under the key; None where nothing was, or nothing whole."""
        try:
            text = self._path(key).read_text(encoding="utf-8")
            digest, held_key, payload = text.split("\n", 2)
            if held_key != key or digest != _digest(payload):
                return None
            found: Mapping[str, Any] = json.loads(payload)
        except (OSError, ValueError):
            return None
        return found

    def put(self, key: str, value: Mapping[str, Any]) -> bool:
        """Keep the value under the key; gives whether it could be."""
        payload = json.dumps(value)
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, f"{_digest(payload)}\n{key}\n{payload}".encode())
        except OSError:
            return False
        return True

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]


def folder() -> Path:
    """The user's cache folder, https://specifications.freedesktop.org/basedir-spec/latest/."""
    held = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(held) if Path(held).is_absolute() else Path.home() / ".cache") / APPLICATION


def key(parts: Iterable[object]) -> str:
    """The key of what depends on these parts, on our code and on the packages that it uses."""
    return _digest(json.dumps([stamp(), *parts], sort_keys=True, default=str))


@cache
def stamp() -> str:
    """What changes whenever our own code or data does, or the version of a package that it uses."""
    hashed = hashlib.sha256()
    for path, content in sorted(_files(resources.files("converter"), "")):
        hashed.update(f"{path}\n{len(content)}\n".encode() + content)
    for package in PACKAGES:
        hashed.update(f"{package} {metadata.version(package)}\n".encode())
    return hashed.hexdigest()


def _files(place: Traversable, below: str) -> Iterable[tuple[str, bytes]]:
    for entry in place.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, f"{below}{entry.name}/")
        else:
            yield f"{below}{entry.name}", entry.read_bytes()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
