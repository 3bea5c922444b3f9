"""One file in, one plain mapping out, or a problem with its line: the only place that opens YAML and TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from converter.errors import SigmapackError

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


# The largest rules of SigmaHQ hold some 5,000 values.
MOST_NODES = 250_000
# Deeper than any rule that means something; what only a far indent or a row of dashes can hide is looked at closely.
MOST_DEEP = 500
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
    if path.exists() and not path.is_file():
        # A pipe or a device would be waited for without end.
        raise SigmapackError("is no regular file; delete it or name another", path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SigmapackError(f"cannot be read: {error.strerror or error}", path) from error
    return decode(content, path)


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
        found = list(_documents(text))
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
        if _too_many(document.content):
            message = f"comes to more than {MOST_NODES} values through its aliases; write them out or split it"
            raise SigmapackError(message, path, document.first_line)
    return found


def _refuse_depths(text: str, path: Path) -> None:
    """Refuse what is nested so deeply that libyaml, which goes down by recursion, would end the whole process."""
    if not DEEP.search(text) and text.count("[") + text.count("{") <= MOST_DEEP:
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
    name = re.escape(key)
    found = re.search(rf"""(?m)^[ \t\-]*['"]?{name}['"]?[ \t]*(\||:|=|['"])|^\[+{name}\]""", text)
    if found is None:
        return None
    quoted = re.search(rf"""(['"]){re.escape(value)}\1""", text[found.start() :]) if value else None
    return text.count("\n", 0, found.start() + (quoted.start() if quoted else 0)) + 1


def _reader_line(error: Exception, text: str) -> int | None:
    position = getattr(error, "position", None)
    return None if not isinstance(position, int) else text.count("\n", 0, position) + 1
