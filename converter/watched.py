"""What a run reads, by places and contents; and what it wrote, by sizes and times."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
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


def contents(watched: Watched) -> dict[str, str]:
    """What stands at each place now: the hash of a file's content, nothing where there is none; raises Untold."""
    return {path: _told(path) for path in _files(watched)}


def digest(found: Mapping[str, str]) -> str:
    """What these contents come to, as one."""
    return _hashed(repr(sorted(found.items())))


Facts = list[tuple[str, int, int]]


def facts(paths: Iterable[str]) -> Facts:
    """Each of these files with its size and time; raises Untold where one is not there."""
    try:
        return [(path, found.st_size, found.st_mtime_ns) for path in paths if (found := os.stat(path))]
    except OSError as error:
        raise Untold from error


def sizes_and_times(found: Facts) -> str:
    """What these sizes and times come to, as one."""
    return _hashed(repr(found))


def state(watched: Watched) -> str:
    """The digest of sizes and times of all that stands there now; raises Untold."""
    return sizes_and_times(
        [(path, found.st_size, found.st_mtime_ns) for path in _files(watched) if (found := _facts(path)) is not None]
    )


def _facts(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


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


def _told(path: str) -> str:
    """The hash of a file's content; raises Untold for a link, and for what is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | FLAGS)
    except FileNotFoundError:
        return ""
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
    return hashlib.sha256(held).hexdigest()


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
