"""Rules, packs and their hunting settings from disk: the only reader of rules."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

from converter import collection, documents
from converter.errors import Problem, SigmapackError
from converter.rule import CASES_SUFFIX, WHOLE, Rule, put_away
from converter.settings import Settings

PACK_FILE = "pack.toml"
RULE_SUFFIXES = (".yml", ".yaml")
STANDARD_INPUT = "-"
# The column that the hits of a hunting query are sorted by, newest first.
TIME_COLUMN = "Timestamp"
LEVELS = ("low", "medium", "high")
# Files that are read together: enough that another process's answer pays.
CHUNK = 32
# So many files' documents are held as they are; of more, they are packed.
LIVE = 2_500


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

    def refuse(self, unread: Unread) -> None:
        """Note a rule file that gave no rule."""
        self.unread.append(unread)
        self.problems.append(unread.problem)


def read(  # noqa: PLR0913, PLR0917 - each is one fact of the reading
    inputs: Iterable[str],
    standard_input: bytes = b"",
    pattern: str = "",
    is_sound: Callable[[Rule], bool] = lambda _: True,
    known: Known | None = None,
    apart: Apart | None = None,
) -> Reading:
    """Read every rule of the INPUTs: files, folders with all below them, packs, or `-` for `standard_input`.

    In folders, rules are the `*.yml` and `*.yaml` files, or those whose name fits the `pattern`. `is_sound` is asked of
    rules that share an id, so that a bad one does not stand in the way of a good one. `apart` may have files read by
    other processes, as many at a time as are worth it.
    """
    reading = Reading()
    files = []
    seen: set[str] = set()
    # Folders first: a rule that is named beside its folder keeps its place in it.
    for name in sorted(dict.fromkeys(inputs), key=lambda name: not _is_folder(Path(name))):
        path = Path(name)
        try:
            if name == STANDARD_INPUT:
                files.append(File("<standard input>", "stdin", standard_input))
            elif path.is_dir():
                files += _of_folder(reading, path, pattern, seen)
            elif name and (path.exists() or path.is_symlink()):
                if _real(path) not in seen:
                    seen.add(_real(path))
                    files.append(File(str(path), path.stem))
            else:
                reading.absent.append(Problem("does not exist; name a rule, a folder of rules, a pack, or -", path))
        except OSError as error:
            reading.absent.append(Problem(f"cannot be read: {error.strerror or error}", path))
    seen.clear()
    for found in _read_files(files, known, apart or here):
        _add(reading, found)
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


def _of_folder(reading: Reading, folder: Path, pattern: str, seen: set[str]) -> Iterator[File]:
    """The rule files below the folder, in order of path; its packs are noted."""
    inside = PurePosixPath(Path(_real(folder)).name if (folder / PACK_FILE).is_file() else "")
    above = len(Path(folder, "_").as_posix()) - 1
    found = False
    for path, real in sorted(_files(folder, reading), key=_order):
        name = path.rpartition("/")[2]
        if name == PACK_FILE:
            reading.packs.append(Pack(Path(path), (inside / path[above:]).parent, "", "", (), None))
        elif _is_rule(name, pattern):
            found = True
            if real not in seen:
                seen.add(real)
                place = path[above:] if inside == PurePosixPath() else f"{inside}/{path[above:]}"
                yield File(path, place.removesuffix(_suffix(name)))
    if not found:
        wanted = pattern or " or ".join(f"*{suffix}" for suffix in RULE_SUFFIXES)
        reading.absent.append(Problem(f"holds no rule; rules are {wanted} files", folder))


def _order(found: tuple[str, str]) -> list[str]:
    """Folder by folder, as paths are ordered."""
    return found[0].split("/")


def _suffix(name: str) -> str:
    """What a path's suffix is: nothing for a name that only begins with a dot, or ends with one."""
    stem, dot, suffix = name.rpartition(".")
    return f"{dot}{suffix}" if stem and suffix else ""


def _is_rule(name: str, pattern: str) -> bool:
    if name.lower().endswith(CASES_SUFFIX):
        return False
    return fnmatchcase(name, pattern) if pattern else name.lower().endswith(RULE_SUFFIXES)


def _files(folder: Path, reading: Reading) -> Iterator[tuple[str, str]]:
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
        # Texts, since there are thousands of them.
        above, really = Path(parent, "_").as_posix()[:-1], Path(real, "_").as_posix()[:-1]
        for name in names:
            path = above + name
            # Below a folder whose own place is known, only a link leads elsewhere.
            yield path, _real(Path(path)) if name in links else path if above == really else really + name


class File(NamedTuple):
    """A file of rules: its path, its place below its INPUT without suffix, and its content where that is no file's."""

    path: str
    place: str
    content: bytes | None = None


class Found(NamedTuple):
    """What a file gave: rules and correlations, filters, and what could not be read.

    `sha256` is the hash of its text, empty where that could not be read; `shares` says whether its rules share parts.
    """

    rules: list[Rule]
    filters: list[Rule]
    unread: list[Unread]
    sha256: str = ""
    shares: bool = False


class Known(Protocol):
    """What is known of files that were read before."""

    def found(self, file: File) -> Found | None:
        """What the file gives, None where that is not known."""

    def learn(self, file: File, found: Found) -> None:
        """Keep what the file gave."""


Chunk = Sequence[File]
Apart = Callable[[Sequence[Chunk]], Iterable[list[Found]]]


def _read_files(files: Sequence[File], known: Known | None, apart: Apart) -> Iterator[Found]:
    """What each file gives, in order."""
    held = {number: found for number, file in enumerate(files) if known and (found := known.found(file))}
    unknown = [file for number, file in enumerate(files) if number not in held]
    chunks = [unknown[start : start + CHUNK] for start in range(0, len(unknown), CHUNK)]
    fresh = (found for chunk in apart(chunks) for found in chunk)
    for number, file in enumerate(files):
        if number in held:
            yield held.pop(number)
        else:
            found = next(fresh)
            if known is not None:
                known.learn(file, found)
            yield found


def here(chunks: Sequence[Chunk]) -> Iterable[list[Found]]:
    """What the files of each chunk give, read by this process."""
    return map(read_tight if are_many(chunks) else read_chunk, chunks)


def are_many(chunks: Sequence[Chunk]) -> bool:
    """Whether there are too many files for their documents to be held as they are."""
    return sum(map(len, chunks)) > LIVE


def read_chunk(files: Chunk) -> list[Found]:
    """What each of the files gives."""
    return [_read_file(file) for file in files]


def read_packed(files: Chunk) -> list[Found]:
    """The same, the documents of all files packed together: for another process to hand over."""
    return _packed(files, tight=False)


def read_tight(files: Chunk) -> list[Found]:
    """The same, in as little room as may be."""
    return _packed(files, tight=True)


def _packed(files: Chunk, *, tight: bool) -> list[Found]:
    found = read_chunk(files)
    put_away([rule for each in found for rule in each.rules], tight=tight)
    return found


def _read_file(file: File) -> Found:
    """What one file gives."""
    path, place = Path(file.path), file.place
    name = place + path.suffix
    sha256 = ""
    try:
        text = documents.read_text(path) if file.content is None else documents.decode(file.content, path)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        parsed = documents.parse_documents(text, path)
        carried_out = collection.carried_out([document.content for document in parsed])
    except SigmapackError as error:
        problem = error.problem if error.problem.path else Problem(error.problem.message, path)
        return Found([], [], [Unread(PurePosixPath(name), problem)], sha256)
    found = Found(
        [], [], [], sha256, len(carried_out) != len(parsed) or any("action" in held.content for held in parsed)
    )
    several = sum("filter" not in held for _, held in carried_out) > 1
    lines = text.splitlines(keepends=True) if file.content is not None and len(parsed) > 1 else []
    for number, held in carried_out:
        first, last = (1, WHOLE) if len(parsed) == 1 else (parsed[number].first_line, parsed[number].last_line)
        # What stands in a file is read again where it is asked for.
        own = None if file.content is None else text if last == WHOLE else "".join(lines[first - 1 : last])
        rule = Rule(file.path, place, own, held, first, name, sha256, last)
        if "filter" in held:
            found.filters.append(rule)
        elif several and not rule.id:
            message = "has no id, which names its output beside the other rules of its file; give it one"
            found.unread.append(Unread(PurePosixPath(name), Problem(message, path, first)))
        else:
            found.rules.append(rule.placed(f"{place}.{rule.id}") if several else rule)
    return found


def _add(reading: Reading, found: Found) -> None:
    reading.rules += found.rules
    reading.filters += found.filters
    for unread in found.unread:
        reading.refuse(unread)


def _refuse_doubles(reading: Reading, is_sound: Callable[[Rule], bool]) -> None:
    """Keep the first sound one of the rules that share an id or an output, and report the others."""
    counts = Counter(rule.id for rule in reading.rules)
    by_id: dict[str, Rule] = {}
    by_place: dict[str, Rule] = {}
    refused = set()
    for rule in sorted(reading.rules, key=lambda rule: bool(rule.id) and counts[rule.id] > 1 and not is_sound(rule)):
        # Names that differ in letter case only are one file on Windows and macOS.
        place = rule.place_name.casefold()
        if rule.id and rule.id in by_id:
            message = f"has the id of {by_id[rule.id].path.as_posix()} ({rule.id}); give it an id of its own"
            reading.refuse(Unread(rule.file, Problem(message, rule.path, rule.line("id")), rule.id))
            refused.add(id(rule))
        elif place in by_place:
            message = f"would write the same file as {by_place[place].path.as_posix()}; rename one of them"
            reading.refuse(Unread(rule.file, Problem(message, rule.path), rule.id))
            refused.add(id(rule))
        else:
            by_place[place] = rule
            if rule.id:
                by_id[rule.id] = rule
    if refused:
        reading.rules[:] = [rule for rule in reading.rules if id(rule) not in refused]


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
