"""Rules, packs and their hunting settings from disk: the only reader of rules."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from converter import collection, documents
from converter.errors import Problem, SigmapackError
from converter.settings import Settings

PACK_FILE = "pack.toml"
RULE_SUFFIXES = (".yml", ".yaml")
CASES_SUFFIX = ".cases.yaml"
STANDARD_INPUT = "-"
# The column that the hits of a hunting query are sorted by, newest first.
TIME_COLUMN = "Timestamp"
LEVELS = ("low", "medium", "high")


@dataclass(frozen=True, eq=False)
class Rule:
    """One Sigma rule or correlation as it stands in its file.

    `place` is its path below the INPUT that it came from, without suffix: where its queries go, below each target.
    `document` is the parsed YAML, not yet checked against the Sigma specification; `text` is the part of the file that
    holds it, from `first_line` on. `file` is the file's path below its INPUT, `file_sha256` the hash of its text.
    """

    path: Path
    place: PurePosixPath
    text: str = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    first_line: int = 1
    file: PurePosixPath = field(default_factory=PurePosixPath)
    file_sha256: str = ""

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
        return self.path.with_name(self.path.stem + CASES_SUFFIX)

    @property
    def is_correlation(self) -> bool:
        """Whether it correlates what other rules find."""
        return "correlation" in self.document

    def line_with(self, word: str) -> int | None:
        """The first line of the file that holds the word in this rule, None if none does."""
        at = self.text.find(word)
        return None if at < 0 else self.first_line + self.text.count("\n", 0, at)

    def line(self, key: str) -> int | None:
        """The first line of the file on which `key` stands as a key of this rule, None if it does not."""
        line = documents.line_of(self.text, key)
        return None if line is None else line + self.first_line - 1


@dataclass(frozen=True)
class Category:
    """One category of a hunting query: what its hits are called, and the rule that finds them."""

    name: str
    rule: Rule
    confidence: str


@dataclass(frozen=True)
class Hunting:
    """How a pack's rules join into one query; `categories` are in order of precedence, `window` is like `24h`."""

    window: str
    category_column: str
    columns: Sequence[str]
    categories: Sequence[Category]


@dataclass(frozen=True)
class Pack:
    """A folder of rules with a `pack.toml`; `place` is where its queries go, below each target."""

    path: Path
    place: PurePosixPath
    title: str
    technique: str
    rules: Sequence[Rule]
    hunting: Hunting | None


@dataclass(frozen=True)
class Unread:
    """A rule file that gave no rule: why, its path below its INPUT, and its Sigma id where that much could be read."""

    place: PurePosixPath
    problem: Problem
    id: str = ""


@dataclass
class Reading:
    """What was read, in order of path: rules and correlations, Sigma filters, packs; and what was not.

    `problems` has one for each bad file or rule, of which `unread` are those that cost a rule; `absent` one for each
    INPUT that does not exist or holds no rule.
    """

    rules: list[Rule] = field(default_factory=list)
    filters: list[Rule] = field(default_factory=list)
    packs: list[Pack] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    absent: list[Problem] = field(default_factory=list)
    unsound_packs: list[PurePosixPath] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    known: Known | None = None

    def refuse(self, unread: Unread) -> None:
        """Note a rule file that gave no rule."""
        self.unread.append(unread)
        self.problems.append(unread.problem)


def read(
    inputs: Iterable[str],
    standard_input: bytes = b"",
    pattern: str = "",
    is_sound: Callable[[Rule], bool] = lambda _: True,
    known: Known | None = None,
) -> Reading:
    """Read every rule of the INPUTs: files, folders with all below them, packs, or `-` for `standard_input`.

    In folders, rules are the `*.yml` and `*.yaml` files, or those whose name fits the `pattern`. `is_sound` is asked of
    rules that share an id, so that a bad one does not stand in the way of a good one.
    """
    reading = Reading(known=known)
    seen: set[str] = set()
    # Folders first: a rule that is named beside its folder keeps its place in it.
    for name in sorted(dict.fromkeys(inputs), key=lambda name: not _is_folder(Path(name))):
        path = Path(name)
        try:
            if name == STANDARD_INPUT:
                _add(reading, Path("<standard input>"), PurePosixPath("stdin"), standard_input)
            elif path.is_dir():
                _read_folder(reading, path, pattern, seen)
            elif name and (path.exists() or path.is_symlink()):
                if _real(path) not in seen:
                    seen.add(_real(path))
                    _add(reading, path, PurePosixPath(path.stem))
            else:
                reading.absent.append(Problem("does not exist; name a rule, a folder of rules, a pack, or -", path))
        except OSError as error:
            reading.absent.append(Problem(f"cannot be read: {error.strerror or error}", path))
    _refuse_doubles(reading, is_sound)
    _refuse_double_packs(reading)
    reading.packs = [pack for pack in (_joined(pack, reading) for pack in reading.packs) if pack is not None]
    return reading


def _real(path: Path) -> str:
    """Where the path leads; a link that leads to itself stays what it is."""
    return os.path.realpath(path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _read_folder(reading: Reading, folder: Path, pattern: str, seen: set[str]) -> None:
    inside = PurePosixPath(Path(_real(folder)).name if (folder / PACK_FILE).is_file() else "")
    found = False
    for path, real in sorted(_files(folder, reading)):
        if path.name == PACK_FILE:
            place = inside / path.relative_to(folder).as_posix()
            reading.packs.append(Pack(path, place.parent, "", "", (), None))
        elif _is_rule(path.name, pattern):
            found = True
            if real not in seen:
                seen.add(real)
                place = inside / path.relative_to(folder).as_posix()
                _add(reading, path, place.with_suffix(""))
    if not found:
        wanted = pattern or " or ".join(f"*{suffix}" for suffix in RULE_SUFFIXES)
        reading.absent.append(Problem(f"holds no rule; rules are {wanted} files", folder))


def _is_rule(name: str, pattern: str) -> bool:
    if name.lower().endswith(CASES_SUFFIX):
        return False
    return fnmatchcase(name, pattern) if pattern else name.lower().endswith(RULE_SUFFIXES)


def _files(folder: Path, reading: Reading) -> Iterator[tuple[Path, str]]:
    """Every file below the folder, and where it leads.

    A folder that a link leads to is entered once, so that no loop is without end.
    """

    def unreadable(error: OSError) -> None:
        reading.problems.append(Problem(f"cannot be read: {error.strerror or error}", Path(error.filename)))

    entered = set()
    for parent, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        real = _real(Path(parent))
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders.sort()
        links = {entry.name for entry in os.scandir(parent) if entry.is_symlink()}
        for name in names:
            path = Path(parent, name)
            # Below a folder whose own place is known, only a link leads elsewhere.
            yield path, _real(path) if name in links else os.path.join(real, name)  # noqa: PTH118 - thousands of them


def _add(reading: Reading, path: Path, place: PurePosixPath, content: bytes | None = None) -> None:
    file = place.with_name(place.name + path.suffix)
    try:
        text = documents.read_text(path) if content is None else documents.decode(content, path)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        pieces = _pieces(text, path, sha256, reading.known)
    except SigmapackError as error:
        problem = error.problem if error.problem.path else Problem(error.problem.message, path)
        reading.refuse(Unread(file, problem))
        return
    lines = text.splitlines(keepends=True) if any(last != WHOLE for _, last, _ in pieces) else []
    several = sum("filter" not in held for _, _, held in pieces) > 1
    for first, last, held in pieces:
        own = text if last == WHOLE else "".join(lines[first - 1 : last])
        rule = Rule(path, place, own, held, first, file, sha256)
        if "filter" in held:
            reading.filters.append(rule)
        elif several and not rule.id:
            message = "has no id, which names its output beside the other rules of its file; give it one"
            reading.refuse(Unread(file, Problem(message, path, first)))
        else:
            named = place.with_name(f"{place.name}.{rule.id}") if several else place
            reading.rules.append(replace(rule, place=named))


class Known(Protocol):
    """What is known of files by the hash of their text: each document with its first and last line."""

    def pieces(self, text: str, path: Path, sha256: str) -> list[Piece] | None:
        """The documents that a text holds, None where that is not known."""

    def learn(self, sha256: str, pieces: Sequence[Piece]) -> None:
        """Keep what a text holds."""


Piece = tuple[int, int, Mapping[str, Any]]
# The last line of a document that is all that its file holds.
WHOLE = 0


def _pieces(text: str, path: Path, sha256: str, known: Known | None) -> list[Piece]:
    """The rules of a file's text, parts that they share carried out, with their lines; raises SigmapackError."""
    held = None if known is None else known.pieces(text, path, sha256)
    if held is not None:
        return held
    found = documents.parse_documents(text, path)
    carried_out = collection.carried_out([document.content for document in found])
    alone = len(found) == 1
    made: list[Piece] = [
        (1, WHOLE, held) if alone else (found[number].first_line, found[number].last_line, held)
        for number, held in carried_out
    ]
    if known is not None and len(made) == len(found):
        known.learn(sha256, made)
    return made


def _refuse_doubles(reading: Reading, is_sound: Callable[[Rule], bool]) -> None:
    """Keep the first sound one of the rules that share an id or an output, and report the others."""
    counts = Counter(rule.id for rule in reading.rules)
    order = {id(rule): number for number, rule in enumerate(reading.rules)}
    by_id: dict[str, Rule] = {}
    by_place: dict[str, Rule] = {}
    kept = []
    for rule in sorted(reading.rules, key=lambda rule: bool(rule.id) and counts[rule.id] > 1 and not is_sound(rule)):
        # Names that differ in letter case only are one file on Windows and macOS.
        place = str(rule.place).casefold()
        if rule.id and rule.id in by_id:
            message = f"has the id of {by_id[rule.id].path.as_posix()} ({rule.id}); give it an id of its own"
            reading.refuse(Unread(rule.file, Problem(message, rule.path, rule.line("id")), rule.id))
        elif place in by_place:
            message = f"would write the same file as {by_place[place].path.as_posix()}; rename one of them"
            reading.refuse(Unread(rule.file, Problem(message, rule.path), rule.id))
        else:
            by_place[place] = rule
            if rule.id:
                by_id[rule.id] = rule
            kept.append(rule)
    reading.rules[:] = sorted(kept, key=lambda rule: order[id(rule)])


def _refuse_double_packs(reading: Reading) -> None:
    """Keep the first of the packs that would write the same hunting query, and report the others."""
    by_place: dict[str, Pack] = {}
    for pack in reading.packs:
        first = by_place.setdefault(str(pack.place).casefold(), pack)
        if first is not pack:
            message = f"would write the same hunting query as {first.path.as_posix()}; rename one of the folders"
            reading.problems.append(Problem(message, pack.path))
    reading.packs[:] = by_place.values()


def _joined(pack: Pack, reading: Reading) -> Pack | None:
    """The pack with its settings and rules; None, and a problem, where its `pack.toml` is not sound."""
    try:
        text = documents.read_text(pack.path)
        settings = Settings(pack.path, text, documents.parse_toml(text, pack.path))
        rules = [rule for rule in reading.rules if rule.place.is_relative_to(pack.place)]
        title, technique = settings.string("title"), settings.string("technique")
        if not re.fullmatch(r"T\d{4}(\.\d{3})?", technique):
            settings.fail("technique", f"{technique} is no technique of ATT&CK, like T1596.003")
        settings.string("description")
        hunting = _hunting(settings.table("hunting"), pack, rules) if "hunting" in settings.values else None
        settings.refuse_unknown({"title", "technique", "description", "hunting"})
    except SigmapackError as error:
        reading.problems.append(error.problem)
        reading.unsound_packs.append(pack.place)
        return None
    return Pack(pack.path, pack.place, title, technique, rules, hunting)


def _hunting(settings: Settings, pack: Pack, rules: Sequence[Rule]) -> Hunting:
    settings.refuse_unknown({"window", "category_column", "columns", "categories"})
    columns = settings.strings("columns")
    category_column = settings.string("category_column")
    for column in (*columns, category_column):
        if not re.fullmatch(r"[A-Za-z_]\w*", column):
            settings.fail("columns", f"{column} is no name of a column: letters, digits and _ only", column)
    for needed in (TIME_COLUMN, category_column):
        if needed not in columns:
            settings.fail("columns", f"columns do not hold {needed}; add it")
    by_name = {rule.place.relative_to(pack.place).as_posix(): rule for rule in rules}
    categories = []
    for entry in settings.tables("categories"):
        entry.refuse_unknown({"name", "rule", "confidence"})
        rule = by_name.get(entry.string("rule"))
        if rule is None:
            name = entry.string("rule")
            entry.fail("rule", f"no sound rule {name} in the pack; have: {', '.join(sorted(by_name))}", name)
        categories.append(Category(entry.string("name"), rule, entry.choice("confidence", LEVELS)))
    for what in ("name", "rule"):
        named = [entry.string(what) for entry in settings.tables("categories")]
        if double := next((value for value in named if named.count(value) > 1), None):
            settings.fail(what, f"two categories have the {what} {double}; the second would never be found", double)
    return Hunting(settings.window("window"), category_column, columns, categories)
