"""What a run reads, as one digest of places and contents; and what it wrote, as one of sizes and times."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from stat import S_ISREG

SUFFIXES = (".yml", ".yaml", "pack.toml")
FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True)
class Watched:
    """What a run depends on: its `inputs`, of which only rules and packs count, and `others`, of which all counts.

    `pattern` is what names of rules fit where that is not the usual.
    """

    inputs: tuple[str, ...]
    others: tuple[str, ...] = ()
    pattern: str = ""


class Untold(Exception):  # noqa: N818 - an answer
    """Says that what a run reads cannot be told from outside: a loop of links, a pipe, what cannot be read."""


def content(watched: Watched) -> str:
    """The digest of all that stands there now; raises Untold."""
    hashed = hashlib.sha256()
    for path in _files(watched):
        hashed.update(_told(path))
    return hashed.hexdigest()


def sizes_and_times(paths: Iterable[str]) -> str:
    """The digest of these files' sizes and times; raises Untold where one is not there."""
    try:
        return _digest((path, os.stat(path)) for path in paths)
    except OSError as error:
        raise Untold from error


def state(watched: Watched) -> str:
    """The digest of sizes and times of all that stands there now; raises Untold."""
    return _digest((path, found) for path in _files(watched) if (found := _facts(path)) is not None)


def _digest(facts: Iterable[tuple[str, os.stat_result]]) -> str:
    told = [(path, found.st_size, found.st_mtime_ns) for path, found in facts]
    return hashlib.sha256(repr(told).encode(errors="surrogatepass")).hexdigest()


def _facts(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _files(watched: Watched) -> Iterator[str]:
    for path in watched.inputs:
        yield from _walk(path, watched.pattern, everything=False) if os.path.isdir(path) else (path,)
    for path in watched.others:
        yield from _walk(path, "", everything=True) if os.path.isdir(path) else (path,)


def _walk(folder: str, pattern: str, *, everything: bool) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            held = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise Untold from error
    for entry in held:
        if entry.is_dir():
            if entry.is_symlink():
                raise Untold
            yield from _walk(entry.path, pattern, everything=everything)
        elif everything or _counts(entry.name, pattern):
            yield entry.path


def _counts(name: str, pattern: str) -> bool:
    return name.lower().endswith(SUFFIXES) or bool(pattern and fnmatchcase(name, pattern))


def _told(path: str) -> bytes:
    """A file's place, where a link leads, and its content, so that no two trees are told alike."""
    name = path.encode(errors="surrogatepass")
    try:
        descriptor = os.open(path, os.O_RDONLY | FLAGS)
    except FileNotFoundError:
        return b"absent %d %b\n" % (len(name), name)
    except OSError as error:
        raise Untold from error
    try:
        facts = os.fstat(descriptor)
        if not S_ISREG(facts.st_mode):
            raise Untold
        held = os.read(descriptor, facts.st_size + 1)
        if len(held) != facts.st_size:
            raise Untold
    finally:
        os.close(descriptor)
    return b"%d %b %d %b\n" % (len(name), name, len(held), held)


def project_file(start: str, file: str, folder: str) -> list[str]:
    """The nearest of this file and this folder from `start` upward, and what the file holds; empty for none."""
    place = start
    while True:
        path = os.path.join(place, file)
        if os.path.isfile(path):
            with open(path, "rb") as held:
                return [path, held.read().decode(errors="backslashreplace")]
        if os.path.isdir(os.path.join(place, folder)):
            return [os.path.join(place, folder)]
        parent = os.path.dirname(place)
        if parent == place:
            return []
        place = parent
