"""Write and compare `{path: text}` trees: how every file of `outputs/` comes to be, and is checked."""

from __future__ import annotations

import difflib
import os
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from converter.errors import Problem

Tree = Mapping[PurePosixPath, str]
TEMPORARY = ".sigmapack-"


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
    unwritten = {}
    for folder in {(root / path).parent for path in tree}:
        _sweep(folder)
    for path, text in sorted(tree.items()):
        problem = write_file(root / path, text.encode(encoding, errors="backslashreplace"))
        if problem is not None:
            unwritten[path] = problem
    return unwritten


def _sweep(folder: Path) -> None:
    """Remove what a killed run left half-written; a run that is still going keeps its own."""
    for left in folder.glob(f"{TEMPORARY}*"):
        process = left.name.removeprefix(TEMPORARY).split("-")[0]
        if process.isdigit() and not _is_running(int(process)):
            left.unlink(missing_ok=True)


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
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def write_file(path: Path, content: bytes) -> Problem | None:
    """Make the file hold the content, whole or not at all; gives the problem where it cannot be written."""
    try:
        replace(path, content)
    except OSError as error:
        in_the_way = next((parent for parent in path.parents if parent.exists() and not parent.is_dir()), None)
        if in_the_way is not None:
            return Problem("cannot be written: a file stands where a folder is needed; choose another -o", in_the_way)
        return Problem(f"cannot be written: {error.strerror or error}; choose another -o or mend the path", path)
    return None


def replace(path: Path, content: bytes) -> None:
    """Make `path` hold `content` in one step: readers and a killed run see the old bytes or the new, never a mixture.

    Raises OSError where the file or its folder cannot be written.
    """
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{threading.get_ident()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def differences(tree: Tree, root: Path, apart: Collection[str] = ()) -> Iterator[Difference]:
    """Compare the tree with the files on disk below `root`, in order of path; `apart` names files that are no part."""
    found = {
        PurePosixPath(file.relative_to(root).as_posix()): file
        for file in root.rglob("*")
        if file.is_file() and not file.name.startswith(TEMPORARY)
    }
    found = {path: file for path, file in found.items() if str(path) not in apart}
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


def _diff(path: PurePosixPath, held: bytes, text: str) -> str:
    # Bytes that are not UTF-8, and line ends, show in the diff too: they are differences like any other.
    before = held.decode(errors="backslashreplace").replace("\r", "\\r").split("\n")
    after = text.split("\n")
    return "\n".join(difflib.unified_diff(before, after, f"outputs/{path}", f"converted/{path}", lineterm=""))
