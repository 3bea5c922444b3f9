"""One Sigma rule as it stands in its file, held so that fifty thousand of them fit into memory."""

from __future__ import annotations

import pickle
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from converter import documents
from converter.errors import SigmapackError

CASES_SUFFIX = ".cases.yaml"
# What is asked of a document before it is converted or judged.
LIGHT = ("id", "title", "name", "level", "status", "tags", "regression_tests_path")
# The last line of a document that is all that its file holds.
WHOLE = 0


class Shelf(Protocol):
    """Where whole documents are, by number."""

    def document(self, number: int) -> Mapping[str, Any]:
        """One of them."""


class Document(Mapping[str, Any]):
    """A rule's document of which the light facts are at hand, and the rest on a shelf."""

    __slots__ = ("keys_held", "light", "number", "shelf")

    def __init__(self, keys: Iterable[str], light: tuple[Any, ...], shelf: Shelf, number: int) -> None:
        """Facts are as `lightened` has them."""
        self.keys_held, self.light, self.shelf, self.number = _shared(tuple(keys)), light, shelf, number

    def __reduce__(self) -> tuple[Any, ...]:
        return Document, (self.keys_held, self.light, self.shelf, self.number)

    @property
    def whole(self) -> Mapping[str, Any]:
        """All of it."""
        return self.shelf.document(self.number)

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - YAML
        if key not in self.keys_held:
            raise KeyError(key)
        found = self.light[LIGHT.index(key)] if key in LIGHT else None
        return self.whole[key] if found is None else list(found) if isinstance(found, tuple) else found

    def __contains__(self, key: object) -> bool:
        return key in self.keys_held

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_held)

    def __len__(self) -> int:
        return len(self.keys_held)


def is_light(document: Mapping[Any, Any]) -> bool:
    """Whether the document's keys are what a rule's are: names."""
    return all(isinstance(key, str) for key in document)


def whole(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document as a plain mapping."""
    return document.whole if isinstance(document, Document) else document


def lightened(document: Mapping[str, Any]) -> tuple[Any, ...]:
    """The light facts of a document, in the order of LIGHT; None where one is not there, or of another kind."""
    return tuple(map(_lightened, map(document.get, LIGHT)))


def _lightened(value: object) -> object:
    if isinstance(value, str):
        return sys.intern(value) if len(value) < 16 else value  # noqa: PLR2004 - a level or a status, not an id
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(map(sys.intern, value))
    return None


_keys: dict[tuple[str, ...], tuple[str, ...]] = {}
MOST_KEYS = 4096


def _shared(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The same tuple for the same keys: rules have few orders of them."""
    if len(_keys) >= MOST_KEYS:
        _keys.clear()
    return _keys.setdefault(keys, tuple(map(sys.intern, keys)))


class Packed:
    """Documents that were packed together, and are unpacked together when one is asked for."""

    __slots__ = ("content", "tight")

    def __init__(self, content: bytes, tight: bool = False) -> None:  # noqa: FBT001, FBT002 - as pickle calls it
        self.content, self.tight = content, tight

    def __reduce__(self) -> tuple[Any, ...]:
        return Packed, (self.content, self.tight)

    def document(self, number: int) -> Mapping[str, Any]:
        """One of them; those that were unpacked last are at hand."""
        if _unpacked.get("of") is not self:
            content = zlib.decompress(self.content) if self.tight else self.content
            _unpacked["documents"] = pickle.loads(content)  # noqa: S301 - ours, never on a disk
            _unpacked["of"] = self
        found: Mapping[str, Any] = _unpacked["documents"][number]
        return found


_unpacked: dict[str, Any] = {}


class InFile:
    """The documents of a file, parsed when one of them is asked for."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def document(self, number: int) -> Mapping[str, Any]:
        """One of them; those that were parsed last are at hand. Raises SigmapackError where the file is gone."""
        if _parsed.get("of") is not self:
            path = Path(self.path)
            _parsed["documents"] = documents.parse_documents(documents.read_text(path), path)
            _parsed["of"] = self
        found: Mapping[str, Any] = _parsed["documents"][number].content
        return found


_parsed: dict[str, Any] = {}


# The file that was read last for somebody who asked for a rule's text.
_read: dict[str, str] = {}


class Rule:
    """One Sigma rule or correlation as it stands in its file.

    `place` is its path below the INPUT that it came from, without suffix: where its queries go, below each target.
    `document` is the parsed YAML, not yet checked against the Sigma specification; `text` is the part of the file that
    holds it, from `first_line` on. `file` is the file's path below its INPUT, `file_sha256` the hash of its text.
    """

    __slots__ = ("_file", "_path", "_place", "_text", "document", "file_sha256", "first_line", "last_line")

    def __init__(  # noqa: PLR0913, PLR0917 - the facts of a rule
        self,
        path: Path | str,
        place: PurePosixPath | str,
        text: str | None,
        document: Mapping[str, Any],
        first_line: int = 1,
        file: PurePosixPath | str = ".",
        file_sha256: str = "",
        last_line: int = WHOLE,
    ) -> None:
        self._path, self._place, self._file = str(path), str(place), str(file)
        # None for one that is read again when it is asked for, which is seldom.
        self._text = text
        self.document, self.first_line, self.last_line, self.file_sha256 = document, first_line, last_line, file_sha256

    def __reduce__(self) -> tuple[Any, ...]:
        facts = (self._path, self._place, self._text, self.document, self.first_line)
        return Rule, (*facts, self._file, self.file_sha256, self.last_line)

    def __repr__(self) -> str:
        return f"Rule({self._path!r}, {self._place!r}, first_line={self.first_line})"

    @property
    def path(self) -> Path:
        """The rule's file."""
        return Path(self._path)

    @property
    def place(self) -> PurePosixPath:
        """Where its queries go, below each target, without suffix."""
        return PurePosixPath(self._place)

    @property
    def file(self) -> PurePosixPath:
        """The path of its file below its INPUT."""
        return PurePosixPath(self._file)

    @property
    def file_name(self) -> str:
        """The same as a text."""
        return self._file

    @property
    def place_name(self) -> str:
        """The rule's place as a text."""
        return self._place

    @property
    def path_name(self) -> str:
        """The rule's path as a text."""
        return self._path

    @property
    def text(self) -> str:
        """The part of the file that holds the rule, as it stands there now; empty where that is gone."""
        if self._text is not None:
            return self._text
        if _read.get("path") != self._path or _read.get("sha256") != self.file_sha256:
            # The targets of one rule ask one after the other.
            try:
                _read["text"] = documents.read_text(self.path)
            except SigmapackError:
                return ""
            _read["path"], _read["sha256"] = self._path, self.file_sha256
        text = _read["text"]
        if self.last_line == WHOLE:
            return text
        return "".join(text.splitlines(keepends=True)[self.first_line - 1 : self.last_line])

    def with_document(self, document: Mapping[str, Any]) -> Rule:
        """The same rule with another document."""
        made = copy(self)
        made.document = document
        return made

    def placed(self, place: str) -> Rule:
        """The same rule in another place."""
        made = copy(self)
        made._place = place  # noqa: SLF001 - one of ours
        return made

    def let_go(self) -> None:
        """Hold the light facts of the document only; the rest is read again if somebody asks for it after all."""
        if self._text is None and self.last_line == WHOLE and type(self.document) is dict and is_light(self.document):
            self.document = Document(self.document, lightened(self.document), InFile(self._path), 0)

    @property
    def id(self) -> str:
        """The Sigma id in lower case, empty where the rule has none."""
        return str(self.document.get("id") or "").lower()

    @property
    def title(self) -> str:
        """The rule's title, empty where it has none."""
        return str(self.document.get("title") or "")

    @property
    def cases_path(self) -> Path:
        """Where the rule's cases stand, whether or not the file exists."""
        path = self.path
        return path.with_name(path.stem + CASES_SUFFIX)

    @property
    def is_correlation(self) -> bool:
        """Whether it correlates what other rules find."""
        return "correlation" in self.document

    def line_with(self, word: str) -> int | None:
        """The first line of the file that holds the word in this rule, None if none does."""
        text = self.text
        at = text.find(word)
        return None if at < 0 else self.first_line + text.count("\n", 0, at)

    def line(self, key: str) -> int | None:
        """The first line of the file on which `key` stands as a key of this rule, None if it does not."""
        line = documents.line_of(self.text, key)
        return None if line is None else line + self.first_line - 1


def put_away(rules: Sequence[Rule], *, tight: bool) -> None:
    """Put the documents of these rules onto one shelf, where they take a third of the room, or a tenth if `tight`."""
    taken = [rule for rule in rules if is_light(rule.document)]
    content = pickle.dumps([whole(rule.document) for rule in taken], protocol=5)
    packed = Packed(zlib.compress(content, 1) if tight else content, tight)
    for number, rule in enumerate(taken):
        rule.document = Document(rule.document, lightened(rule.document), packed, number)


def shelf(rule: Rule) -> Packed | None:
    """What the rule's document is packed into, None where it is not."""
    where = rule.document.shelf if isinstance(rule.document, Document) else None
    return where if isinstance(where, Packed) else None
