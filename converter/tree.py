"""Write and compare `{path: text}` trees: how every file of `outputs/` comes to be, and is checked."""

from __future__ import annotations

import difflib
import os
import shutil
import stat
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple, Self

from converter.errors import Problem

Tree = Mapping[PurePosixPath, str]
TEMPORARY = ".sigmapack-"
BINARY = getattr(os, "O_BINARY", 0)
# What is no regular file is not waited for.
FLAGS = BINARY | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True)
class Difference:
    """How one file on disk differs from the text it should hold; `diff` is a unified diff, without a final newline."""

    kind: Literal["missing", "stale", "orphan", "unreadable"]
    path: PurePosixPath
    diff: str = ""


def write(tree: Tree, root: Path, encoding: str = "utf-8") -> dict[PurePosixPath, Problem]:
    """Bring each file of the tree below `root`, whole or not at all; gives the problem of each that cannot be.

    A file that holds its text already is left alone. Lines end in plain newlines, on every system.
    """
    with Writer(root) as writer:
        written = [(path, writer.write(str(path), encoded(text, encoding))) for path, text in sorted(tree.items())]
    return {path: problem for path, problem in written if problem is not None}


def encoded(text: str, encoding: str = "utf-8") -> bytes:
    """The text as it goes into a file; what the encoding lacks is written out."""
    return text.encode(encoding, errors="backslashreplace")


class Writer:
    """Writes thousands of files below a folder, each whole or not at all, with little work for each.

    A folder of the first level that is not there yet is filled under another name, and gets its own when the writer, a
    context, ends, however that comes about. What a killed run left half-written in a folder is removed when the first
    file goes there.
    """

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.mark = _mark()
        self.waiting = f"{self.root}/{self.mark}-new"
        # Whether a folder of the first level is new, by its name; and where the files of a folder go, by its path.
        self.new: dict[str, bool] = {}
        self.places: dict[str, Place] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Each is done whatever becomes of the others, the last first.
        with ExitStack() as steps:
            steps.callback(shutil.rmtree, self.waiting, ignore_errors=True)
            for name in (name for name, is_new in self.new.items() if is_new):
                steps.callback(_bring, f"{self.waiting}/{name}", f"{self.root}/{name}")
        self.new.clear()
        self.places.clear()

    def write(self, path: str, content: bytes | bytearray) -> Problem | None:
        """Make the file hold the content; gives the problem where it cannot be written."""
        folder, _, name = path.rpartition("/")
        try:
            place = self.places.get(folder) or self._place(folder)
            whole = f"{place.path}/{name}"
            if place.is_apart:
                _fill(whole, content)
            elif place.is_new or not _holds(whole, content):
                _put(f"{place.path}/{self.mark}", whole, content)
        except OSError as error:
            return _problem(Path(f"{self.root}/{path}"), error)
        return None

    def _place(self, folder: str) -> Place:
        """Where the files of the folder go, which is made if it is not there."""
        first = folder.partition("/")[0]
        if first not in self.new:
            self.new[first] = bool(first) and not os.path.lexists(f"{self.root}/{first}")
        if self.new[first]:
            place = Place(f"{self.waiting}/{folder}", is_new=True, is_apart=True)
            os.makedirs(place.path, exist_ok=True)  # noqa: PTH103 - a text already
        else:
            path = f"{self.root}/{folder}" if folder else self.root
            place = Place(path, is_new=_made(path), is_apart=False)
        self.places[folder] = place
        return place


class Place(NamedTuple):
    """Where the files of a folder go: whether it was made for them, and whether nobody sees them there yet."""

    path: str
    is_new: bool
    is_apart: bool


def _bring(waiting: str, path: str) -> None:
    """Give a new folder its name, or bring its files to where somebody else has made it meanwhile."""
    try:
        os.rename(waiting, path)  # noqa: PTH104 - a text already
    except OSError:
        for folder, _, names in os.walk(waiting):
            into = path + folder[len(waiting) :]
            os.makedirs(into, exist_ok=True)  # noqa: PTH103 - likewise
            for name in names:
                os.replace(f"{folder}/{name}", f"{into}/{name}")  # noqa: PTH105 - likewise


def _made(folder: str) -> bool:
    """Make the folder, or remove what was left half-written in it; gives whether it was made."""
    try:
        with os.scandir(folder) as entries:
            left = [entry for entry in entries if entry.name.startswith(TEMPORARY)]
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - a text already
        return True
    for entry in left:
        # A run that is still going keeps its own.
        process = entry.name.removeprefix(TEMPORARY).split("-")[0]
        if not process.isdigit() or _is_running(int(process)):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            Path(entry.path).unlink(missing_ok=True)
    return False


def _is_running(process: int) -> bool:
    if os.name == "nt":
        # There, os.kill would end the process instead of asking for it.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def text_of(path: Path) -> str:
    """What the file holds; empty where there is none that can be read."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return ""


def write_file(path: Path, content: bytes) -> Problem | None:
    """Make the file hold the content, whole or not at all; gives the problem where it cannot be written."""
    try:
        replace(path, content)
    except OSError as error:
        return _problem(path, error)
    return None


def _problem(path: Path, error: OSError) -> Problem:
    in_the_way = next((parent for parent in path.parents if parent.exists() and not parent.is_dir()), None)
    if in_the_way is not None:
        return Problem("cannot be written: a file stands where a folder is needed; choose another -o", in_the_way)
    return Problem(f"cannot be written: {error.strerror or error}; choose another -o or mend the path", path)


def replace(path: Path, content: bytes) -> None:
    """Make `path` hold `content` in one step: readers and a killed run see the old bytes or the new, never a mixture.

    Raises OSError where the file or its folder cannot be written.
    """
    if _holds(str(path), content):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _put(f"{path.parent}/{_mark()}", str(path), content)


def _holds(path: str, content: bytes | bytearray) -> bool:
    """Whether the file is there and holds this."""
    try:
        descriptor = os.open(path, os.O_RDONLY | FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        facts = os.fstat(descriptor)
        same = stat.S_ISREG(facts.st_mode) and facts.st_size == len(content)
        return same and os.read(descriptor, len(content) + 1) == content
    finally:
        os.close(descriptor)


def _mark() -> str:
    """A name for what this thread has half-written."""
    return f"{TEMPORARY}{os.getpid()}-{threading.get_ident()}"


def _put(temporary: str, path: str, content: bytes | bytearray) -> None:
    """Write the content beside the path, and rename it."""
    _fill(temporary, content)
    try:
        os.replace(temporary, path)  # noqa: PTH105 - a text already
    except BaseException:
        _drop(temporary)
        raise


def _fill(path: str, content: bytes | bytearray) -> None:
    """Write a file that nobody reads yet; one that cannot be written whole is gone again."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, 0o666)
        try:
            written = os.write(descriptor, content)
            while written < len(content):
                written += os.write(descriptor, content[written:])
        finally:
            os.close(descriptor)
    except BaseException:
        _drop(path)
        raise


def _drop(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - a text already


def differences(tree: Tree, root: Path, apart: Collection[str] = ()) -> Iterator[Difference]:
    """Compare the tree with the files on disk below `root`, in order of path; `apart` names files that are no part."""
    files = {PurePosixPath(file.relative_to(root).as_posix()): file for file in root.rglob("*") if file.is_file()}
    found = {path: file for path, file in files.items() if str(path) not in apart and not _is_unfinished(path)}
    for path in sorted(tree.keys() | found.keys()):
        if path not in found:
            yield Difference("missing", path)
        elif path not in tree:
            yield Difference("orphan", path)
        else:
            try:
                held = found[path].read_bytes()
            except OSError:
                yield Difference("unreadable", path)
                continue
            if held != tree[path].encode():
                yield Difference("stale", path, _diff(path, held, tree[path]))


def _is_unfinished(path: PurePosixPath) -> bool:
    """Whether a run is still writing the file, or left it behind: by its name, or in a folder that is to be new."""
    return path.name.startswith(TEMPORARY) or path.parts[0].startswith(TEMPORARY)


def _diff(path: PurePosixPath, held: bytes, text: str) -> str:
    # Bytes that are not UTF-8, and line ends, show in the diff too: they are differences like any other.
    before = held.decode(errors="backslashreplace").replace("\r", "\\r").split("\n")
    after = text.split("\n")
    return "\n".join(difflib.unified_diff(before, after, f"outputs/{path}", f"converted/{path}", lineterm=""))
