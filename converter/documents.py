"""One file in, one plain mapping out, or a problem with its line: the only place that opens YAML and TOML."""

from __future__ import annotations

import operator
import os
import re
import stat
import tomllib
from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from converter.errors import SigmapackError

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TEXT, MAPPING, SEQUENCE, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq", "merge"))


# The largest rules of SigmaHQ hold some 5,000 values.
MOST_NODES = 250_000
# Deeper than any rule that means something; what only a far indent or a row of dashes can hide is looked at closely.
MOST_DEEP = 500
# Where an anchor may stand, and other signs for and: after a letter it belongs to a text, and before a blank as well.
ANCHOR = re.compile(r"(?<![A-Za-z0-9])&[A-Za-z0-9_-]")
DEEP = re.compile(r"(?m)^[ ]{500}|(?:[-?] +){500}")


class _StrictLoader(_Loader):  # type: ignore[misc]
    """libyaml's safe loader, which refuses a key that stands twice: YAML would keep the last one without a word."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge keys, each of which may multiply what the merged mappings hold."""
        super().flatten_mapping(node)
        if len(node.value) > MOST_NODES:
            raise yaml.constructor.ConstructorError(
                None, None, f"merge keys make more than {MOST_NODES} keys of it; write them out", node.start_mark
            )

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen = set()
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)
            if name in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands here a second time; keep one", key.start_mark
                )
            seen.add(name)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def read_text(path: Path) -> str:
    """The file's text; raises SigmapackError where it cannot be read or is not UTF-8."""
    return decode(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """The file's content; raises SigmapackError where it cannot be read, or is a pipe or a device."""
    try:
        # What is no regular file is not waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise SigmapackError("is no regular file; delete it or name another", path)
            return _whole(descriptor, facts.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        if path.exists() and not path.is_file():
            raise SigmapackError("is no regular file; delete it or name another", path) from error
        raise SigmapackError(f"cannot be read: {error.strerror or error}", path) from error


def _whole(descriptor: int, size: int) -> bytes:
    """All that the file holds, however much it has grown since its size was asked for."""
    content = os.read(descriptor, size + 1)
    # Less than was asked for is all that there is.
    while len(content) > size and (more := os.read(descriptor, 1 << 20)):
        content += more
    return content


def decode(content: bytes, path: Path) -> str:
    """UTF-8 bytes, a byte order mark left out, as text; raises SigmapackError with the line of the first bad byte."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SigmapackError("is not UTF-8; save it as UTF-8", path, line) from error


def parse_yaml(text: str, path: Path) -> dict[str, Any]:
    """The one mapping that a YAML text holds; raises SigmapackError where it holds anything else."""
    documents = parse_documents(text, path)
    if len(documents) > 1:
        message = f"holds {len(documents)} documents; give each a file of its own"
        raise SigmapackError(message, path, documents[1].first_line)
    content: dict[str, Any] = documents[0].content
    return content


@dataclass(frozen=True)
class Document:
    """One document of a YAML file, whatever it holds, and the lines of the file that it takes, counted from 1."""

    content: Any
    first_line: int
    last_line: int


def parse_documents(text: str, path: Path) -> list[Document]:
    """The mappings that a YAML text holds, empty documents left out; raises SigmapackError where one is none.

    A document that its aliases blow up to more than `MOST_NODES` values is refused before anything walks through it.
    """
    try:
        _refuse_depths(text, path)
        found = _found(text)
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        raise SigmapackError(f"is not valid YAML: {error.problem or error.context}", path, line) from error
    except (yaml.YAMLError, ValueError) as error:
        raise SigmapackError(f"is not valid YAML: {error}", path, _reader_line(error, text)) from error
    except RecursionError as error:
        raise SigmapackError("is nested too deeply; flatten its lists and mappings", path) from error
    if not found:
        raise SigmapackError("is empty; write a rule into it or delete it", path)
    for document in found:
        if not isinstance(document.content, dict):
            kind = type(document.content).__name__
            raise SigmapackError(f"holds a {kind} where a mapping is needed", path, document.first_line)
        # Without aliases, no text holds more values than it has characters.
        if (len(text) > MOST_NODES or "&" in text) and _too_many(document.content):
            message = f"comes to more than {MOST_NODES} values through its aliases; write them out or split it"
            raise SigmapackError(message, path, document.first_line)
    return found


def _refuse_depths(text: str, path: Path) -> None:
    """Refuse what is nested so deeply that libyaml, which goes down by recursion, would end the whole process."""
    brackets = text.count("[") + text.count("{")
    if brackets <= MOST_DEEP and (max(map(len, text.split("\n"))) < MOST_DEEP or not DEEP.search(text)):
        return
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_DEEP:
            message = "is nested too deeply; flatten its lists and mappings"
            raise SigmapackError(message, path)


# What a plain scalar may be beside text, by its first sign.
RESOLVERS: dict[str, list[tuple[str, re.Pattern[str]]]] = _Loader.yaml_implicit_resolvers


class _PlainLoader(_Loader):  # type: ignore[misc]
    """libyaml's safe loader, which looks up what a plain scalar may be by its first sign."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool] | bool) -> str:  # noqa: FBT001
        if kind is not yaml.ScalarNode:
            return MAPPING if kind is yaml.MappingNode else SEQUENCE
        if implicit[0] and value[:1] in RESOLVERS:  # type: ignore[index]
            for tag, form in RESOLVERS[value[:1]]:
                if form.match(value):
                    return tag
        return TEXT

    # For paths that a resolver may name, of which a safe loader has none; called for each node, they return at once.
    descend_resolver = staticmethod(operator.is_)
    ascend_resolver = staticmethod(tuple)


class _Special(Exception):  # noqa: N818 - an answer
    """Says that a text holds what only the strict loader takes, or refuses in its own words."""


def _plain_documents(text: str) -> list[Document]:
    """The documents of a text without anchors, merge keys and tags; raises _Special, or anything, for another."""
    loader = _PlainLoader(text)
    try:
        found = []
        while loader.check_node():
            node = loader.get_node()
            content = _plain(loader, node)
            if content is not None:
                found.append(Document(content, node.start_mark.line + 1, node.end_mark.line + 1))
        return found
    finally:
        loader.dispose()


def _plain(loader: Any, node: yaml.Node) -> Any:  # noqa: ANN401 - YAML
    tag = node.tag
    if type(node) is yaml.ScalarNode:
        return node.value if tag == TEXT else loader.construct_object(node)
    if type(node) is yaml.MappingNode and tag == MAPPING:
        made: dict[Hashable, Any] = {}
        for key, value in node.value:
            if type(key) is not yaml.ScalarNode or key.tag == MERGE:
                raise _Special
            made[key.value if key.tag == TEXT else loader.construct_object(key)] = _plain(loader, value)
        if len(made) != len(node.value):
            # A key that stands twice; or two that YAML tells apart and Python does not, like 1 and true.
            raise _Special
        return made
    if type(node) is yaml.SequenceNode and tag == SEQUENCE:
        return [_plain(loader, each) for each in node.value]
    raise _Special


def _found(text: str) -> list[Document]:
    """The documents of a text: by the short way where it is taken, else by the strict loader, which says why not."""
    if len(text) < MOST_NODES and ("&" not in text or not ANCHOR.search(text)):
        with suppress(_Special, yaml.YAMLError, ValueError, RecursionError, TypeError, OverflowError):
            return _plain_documents(text)
    return list(_documents(text))


def _documents(text: str) -> Iterator[Document]:
    loader = _StrictLoader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            content = loader.construct_document(node)
            if content is not None:
                yield Document(content, node.start_mark.line + 1, node.end_mark.line + 1)
    finally:
        loader.dispose()


def _too_many(content: dict[str, Any]) -> bool:
    """Whether a walk that follows every alias meets more values than any real rule holds."""
    met = 0
    waiting: list[Any] = [content]
    while waiting and met <= MOST_NODES:
        value = waiting.pop()
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        met += len(children)
        waiting.extend(child for child in children if isinstance(child, dict | list))
    return met > MOST_NODES


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """The table that a TOML text holds; raises SigmapackError with the line where it is not valid TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"^(.*) \(at line (\d+), column \d+\)$", str(error))
        message, line = (match[1], int(match[2])) if match else (str(error), None)
        raise SigmapackError(f"is not valid TOML: {message}", path, line) from error


def line_of(text: str, key: str, value: str = "") -> int | None:
    """The first line where `key` stands as a YAML or TOML key, with modifiers (`key|contains`) or without, if any.

    Given a `value`, the first line from the key's first on that holds it in quotes.
    """
    start = _line_with(text, key)
    if start is None:
        return None
    quoted = re.search(rf"""(['"]){re.escape(value)}\1""", text[start:]) if value else None
    return text.count("\n", 0, start + (quoted.start() if quoted else 0)) + 1


def _line_with(text: str, key: str) -> int | None:
    """Where the first line begins that has the key; only lines that hold its name are looked at."""
    form = _form_of(key)
    at = text.find(key)
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        if form.match(text, start):
            return start
        end = text.find("\n", at)
        at = -1 if end < 0 else text.find(key, end)
    return None


@lru_cache(maxsize=256)
def _form_of(key: str) -> re.Pattern[str]:
    """A line that has the key."""
    name = re.escape(key)
    return re.compile(rf"""[ \t\-]*['"]?{name}['"]?[ \t]*(\||:|=|['"])|\[+{name}\]""")


def _reader_line(error: Exception, text: str) -> int | None:
    position = getattr(error, "position", None)
    return None if not isinstance(position, int) else text.count("\n", 0, position) + 1
