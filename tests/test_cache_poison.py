"""A poisoned cache changes nothing: what a run says and writes is what it says and writes with --no-cache.

Nothing here knows how the cache is made: every file below the user's cache folder is an entry.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converter import cache, convert
from converter.rule import Rule
from tests.command import rule
from tests.runs_here import (
    CASES,
    COMMANDS,
    CORRELATION,
    FILTER,
    FILTERED,
    PIPELINE,
    TEST,
    Told,
    files,
    project,
    restored,
    run,
    runs,
)

Entries = Mapping[str, bytes]
FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
WORDS = {"one": "alpha", "other": "omega", "edited": "alpha"}
# One of the projects is judged as well, which takes longest.
WORK = {"one": (("convert",), TEST, *COMMANDS), "other": COMMANDS, "edited": COMMANDS}
FLIPS = 12


@dataclass(frozen=True)
class Shop:
    """Three projects with one cache, and what each command says there without it.

    In `one` and `other` everything stands as the cache has it. In `edited` a rule was changed and the outputs are gone,
    so that no run is the one before, and most rules are.
    """

    root: Path
    wanted: Mapping[str, Sequence[Told]]
    entries: Entries

    @property
    def home(self) -> Path:
        """The user's cache folder."""
        return self.root / "cache"

    def holds(self, poison: Callable[[], object]) -> None:
        """With the cache as it was and then poisoned, every command says what it says without a cache."""
        for name in self.wanted:
            restored(self.home, self.entries)
            poison()
            self.says(name)

    def says(self, name: str) -> None:
        """Every command says in the project what it says without a cache."""
        if name == "edited":
            shutil.rmtree(self.root / name / "outputs", ignore_errors=True)
        for command, wanted in zip(WORK[name], self.wanted[name], strict=True):
            assert run(self.root / name, self.home, *command) == wanted, (name, command)

    def becomes(self, entries: Entries) -> None:
        """Every command says the same with these entries instead."""
        self.holds(lambda: restored(self.home, entries))


def edit(folder: Path) -> None:
    """Change one rule of the project."""
    path = folder / "sigma_rules" / "pack" / "first.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("alpha 1", "alpha 1 more"), encoding="utf-8")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("shop")
    for name, word in WORDS.items():
        project(root / name, word, hunting=name == "other")
        # From the second time on, a run writes nothing.
        for _ in range(2):
            runs(root / name, root / "cache", WORK[name])
    entries = files(root / "cache")
    edit(root / "edited")
    shutil.rmtree(root / "edited" / "outputs")
    wanted = {name: runs(root / name, root / "cache", work, cached=False) for name, work in WORK.items()}
    assert files(root / "cache") == entries
    assert all(b"Traceback" not in told.err for each in wanted.values() for told in each)
    return Shop(root, wanted, entries)


@pytest.fixture(scope="module")
def later(shop: Shop) -> Entries:
    """The entries after a run over what was edited."""
    restored(shop.home, shop.entries)
    shop.says("edited")
    return files(shop.home)


def test_a_sound_cache_is_read_and_left_as_it_is(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were nothing read from it, no test of this module could fail."""
    shop.holds(bool)
    restored(shop.home, shop.entries)

    def fail(*_: object) -> None:
        raise AssertionError("it is worked out again")

    with monkeypatch.context() as patch:
        patch.setattr("converter.packs.read", fail)
        assert runs(shop.root / "one", shop.home, COMMANDS) == shop.wanted["one"][-len(COMMANDS) :]
    with monkeypatch.context() as patch:
        patch.setattr("converter.judge.Judge.judge", fail)
        assert run(shop.root / "one", shop.home, *TEST) == shop.wanted["one"][1]
    assert files(shop.home) == shop.entries


def test_only_what_was_changed_is_converted_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    restored(shop.home, shop.entries)
    shutil.rmtree(shop.root / "edited" / "outputs", ignore_errors=True)
    converted: list[str] = []
    real = convert.convert

    def watched(rules: Sequence[Rule], *rest: object) -> Iterator[convert.Outcome]:
        converted.extend(rule.title for rule in rules)
        return real(rules, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("converter.jobs.convert", watched)
        assert run(shop.root / "edited", shop.home, "convert") == shop.wanted["edited"][0]
    assert converted == ["Something Was Started", "Many"]


@pytest.mark.parametrize("part", range(FLIPS))
def test_no_flipped_byte_changes_anything(shop: Shop, part: int) -> None:
    """One byte of every entry: of its beginning, of its end, and between."""

    def at(size: int) -> int:
        third = FLIPS // 3
        if part < third:
            return part * 20 % size
        return size - 1 - (part - third) if part < 2 * third else size * (part - 2 * third) // third

    def flipped(content: bytes) -> bytes:
        held = bytearray(content)
        held[at(len(held))] ^= (0x01, 0x20, 0x80, 0xFF)[part % 4]
        return bytes(held)

    shop.becomes({name: flipped(content) for name, content in shop.entries.items()})


@FEW
@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 99_999), st.integers(1, 255)), min_size=1, max_size=30))
def test_nor_do_any_in_some(shop: Shop, flips: Sequence[tuple[int, int, int]]) -> None:
    entries = {name: bytearray(content) for name, content in shop.entries.items()}
    for number, at, mask in flips:
        held = entries[sorted(entries)[number % len(entries)]]
        held[at % len(held)] ^= mask
    shop.becomes({name: bytes(held) for name, held in entries.items()})


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda content: content[:64],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content[1:],
        lambda content: content + b" ",
        lambda content: content + b"\n",
        lambda content: content + content,
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content.replace(b"alpha", b"omega"),
        lambda _: b"{}",
        lambda _: b"\xff\xfe",
        lambda content: b"\0" * len(content),
        lambda _: b"[" * 100_000,
    ],
)
def test_nor_does_a_cut_or_longer_or_foreign_one(shop: Shop, change: Callable[[bytes], bytes]) -> None:
    shop.becomes({name: change(content) for name, content in shop.entries.items()})


@pytest.mark.parametrize("part", range(6))
def test_nor_does_one_in_the_place_of_another(shop: Shop, part: int) -> None:
    """Each in the place of each: of other projects, commands, options and kinds."""
    names = sorted(shop.entries)
    for by in range(1 + part, len(names), 6):
        moved = {name: shop.entries[names[(number + by) % len(names)]] for number, name in enumerate(names)}
        shop.becomes(moved)


@FEW
@given(st.lists(st.sampled_from(["earlier", "later", "gone"]), min_size=60, max_size=60))
def test_nor_do_some_that_are_older_than_others(shop: Shop, later: Entries, which: Sequence[str]) -> None:
    mixed: dict[str, bytes] = {}
    for name, choice in zip(sorted({*shop.entries, *later}), [*which, *which], strict=False):
        held = {"earlier": shop.entries, "later": later}.get(choice, {}).get(name)
        if held is not None:
            mixed[name] = held
    shop.becomes(mixed)


def kind(name: str) -> str:
    """The folder of entries that an entry lies in."""
    return name.split("/")[1]


def test_nor_do_those_of_another_version(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What conversions with other packages gave for the same rules, under its own keys and under ours."""
    restored(shop.home, {})
    real = convert.convert

    def otherwise(rules: Sequence[Rule], *rest: object) -> Iterator[convert.Outcome]:
        for outcome in real(rules, *rest):  # type: ignore[arg-type]
            yield replace(outcome, text="other") if isinstance(outcome, convert.Query) else outcome

    printed = [command for command in COMMANDS if "sigma_rules" in command]
    with monkeypatch.context() as patch:
        patch.setattr(cache, "version", lambda _: "0.0.0")
        patch.setattr("converter.jobs.convert", otherwise)
        for name in ("one", "other", "edited"):
            assert b"other" in runs(shop.root / name, shop.home, COMMANDS if name == "edited" else printed)[-1].out
    foreign = files(shop.home)
    shop.becomes(foreign)
    shop.becomes({**shop.entries, **foreign})
    for by in range(4):
        put: dict[str, bytes] = {}
        for name in shop.entries:
            same = [content for there, content in sorted(foreign.items()) if kind(there) == kind(name)]
            if same:
                put[name] = same[(len(put) + by) % len(same)]
        shop.becomes(put)


def test_projects_that_change_places_are_told_apart(shop: Shop) -> None:
    one, other, between = (shop.root / name for name in ("one", "other", "between"))

    def exchange() -> None:
        one.rename(between)
        other.rename(one)
        between.rename(other)

    restored(shop.home, shop.entries)
    exchange()
    try:
        for _ in range(2):
            told = [runs(folder, shop.home, COMMANDS) for folder in (one, other)]
            assert told == [shop.wanted["other"], shop.wanted["one"][-len(COMMANDS) :]]
    finally:
        exchange()


def in_its_place(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """What puts something else in the place of every file below a folder."""

    def put(folder: Path) -> None:
        for path in [path for path in folder.rglob("*") if path.is_file()]:
            path.unlink()
            make(path)

    return put


def nothing_but_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_bytes(b"in the way")


def files_for_folders(folder: Path) -> None:
    for path in list(folder.iterdir()):
        nothing_but_a_file(path)


def full(path: Path) -> None:
    path.mkdir()
    (path / "something").write_bytes(b"else")


PUT: Mapping[str, Callable[[Path], None]] = {
    "a folder": in_its_place(Path.mkdir),
    "a folder that is not empty": in_its_place(full),
    "a link to itself": in_its_place(lambda path: path.symlink_to(path)),
    "a link to nothing": in_its_place(lambda path: path.symlink_to(path.with_name("nothing"))),
    "a link to what has no end": in_its_place(lambda path: path.symlink_to("/dev/zero")),
    "a pipe": in_its_place(os.mkfifo),
    "a file for all": nothing_but_a_file,
    "a file for each kind": lambda folder: files_for_folders(folder / "sigmapack"),
}


@pytest.mark.parametrize("what", PUT)
def test_what_is_no_file_in_the_place_of_one_is_passed_over(shop: Shop, what: str) -> None:
    shop.holds(lambda: PUT[what](shop.home))


@contextmanager
def room(most: int) -> Iterator[None]:
    """Every file that is written ends at so many bytes, and writing more is an error, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("most", [0, 1, 64, 200, 400, 600, 1000, 1500, 2500, 4000])
def test_a_full_disk_is_no_cache_and_leaves_a_sound_one(shop: Shop, most: int) -> None:
    folder = shop.root / "one"
    before = files(folder / "outputs")
    for held in ({}, shop.entries):
        restored(shop.home, held)
        with room(most):
            # Nothing is written but to the cache: outputs stand, and verdicts stand in their manifest.
            kept = runs(folder, shop.home, WORK["one"])
        assert kept == shop.wanted["one"]
        shop.says("one")
    edited = shop.root / "edited"
    wanted: list[Told] = []
    told: list[Told] = []
    for command in (["convert"], ["convert", "--prune"], ["check"]):
        for results, more in ((wanted, ["--no-cache"]), (told, [])):
            shutil.rmtree(edited / "outputs", ignore_errors=True)
            with room(most):
                results.append(run(edited, shop.home, *command, *more))
    assert told == wanted
    shop.says("edited")
    assert files(folder / "outputs") == before


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may read and write everything")
@pytest.mark.parametrize(
    "what", ["no file can be read", "nothing can be written", "nothing can be entered", "none yet"]
)
def test_what_may_not_be_touched_is_no_cache(shop: Shop, what: str) -> None:
    restored(shop.home, {} if what == "none yet" else shop.entries)
    shop.home.mkdir(exist_ok=True)
    paths = [shop.home, *shop.home.rglob("*")]
    for path in paths:
        if path.is_file():
            path.chmod(0 if what == "no file can be read" else 0o400)
        elif what != "no file can be read":
            path.chmod(0o500)
    if what == "nothing can be entered":
        shop.home.chmod(0)
    try:
        for command, wanted in list(zip(WORK["one"], shop.wanted["one"], strict=True))[:4]:
            assert started(shop.root / "one", shop.home, *command) == wanted, command
    finally:
        shop.home.chmod(0o700)
        for path in paths:
            path.chmod(0o700)


def started(folder: Path, home: Path, *arguments: str) -> Told:
    """Run one command in a process of its own, which may touch no more than others may, root's too."""
    # Root reads and writes what it may not, until these two are taken from it.
    barred = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*barred, sys.executable, "-m", "converter", *arguments],
        cwd=folder,
        env=os.environ | {"XDG_CACHE_HOME": str(home)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return Told(done.returncode, done.stdout, done.stderr, files(folder / "outputs"))


def test_runs_side_by_side_say_what_each_says_alone(shop: Shop) -> None:
    for held in ({}, shop.entries):
        restored(shop.home, held)
        shutil.rmtree(shop.root / "edited" / "outputs", ignore_errors=True)
        work = [
            (name, command, wanted)
            for name in ("one", "edited")
            for command, wanted in zip(WORK[name], shop.wanted[name], strict=True)
            if "sigma_rules" in command
        ]
        environment = os.environ | {"XDG_CACHE_HOME": str(shop.home)}
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "converter", *command],
                cwd=shop.root / name,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for name, command, _ in work
        ]
        for process, (name, command, wanted) in zip(running, work, strict=True):
            out, err = process.communicate(timeout=60)
            assert (process.returncode, out, err) == (wanted.code, wanted.out, wanted.err), (name, command)
        for name in WORK:
            shop.says(name)


KILLED = """
import os, resource, signal, sys
place, moment, most = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
del sys.argv[1:4]
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
if most:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
seen = 0
def hook(event, arguments):
    global seen
    if event in ("open", "os.rename", "os.mkdir", "os.remove") and place in repr(arguments):
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from converter.__main__ import run
sys.exit(run())
"""


def killed(shop: Shop, *arguments: str, moment: int = 0, most: int = 0) -> int:
    """Start a command that is killed when it touches the cache for the so-manieth time, or writes so many bytes."""
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(shop.home), str(moment), str(most), *arguments],
        cwd=shop.root / "edited",
        env=os.environ | {"XDG_CACHE_HOME": str(shop.home)},
        capture_output=True,
        check=False,
        timeout=60,
    ).returncode


@pytest.mark.parametrize("command", [("convert",), ("check",), ("convert", "sigma_rules")])
def test_a_killed_run_leaves_a_sound_cache(shop: Shop, command: tuple[str, ...]) -> None:
    restored(shop.home, {})
    ends = []
    # As long as it is killed before its end, what it leaves is more each time.
    for moment in (1, 2, 3, 4, 5, 7, 9, 12, 16, 20):
        ends.append(killed(shop, *command, moment=moment))
        left = files(shop.home)
        shop.says("edited")
        restored(shop.home, left)
    assert ends[0] == -signal.SIGKILL
    assert ends.count(-signal.SIGKILL) >= 3


@pytest.mark.parametrize("most", [100, 700])
def test_so_does_one_that_is_killed_in_the_middle_of_an_entry(shop: Shop, most: int) -> None:
    restored(shop.home, {})
    assert killed(shop, "convert", "sigma_rules", most=most) == -signal.SIGXFSZ
    shop.says("edited")


OPTIONS: Sequence[tuple[str, ...]] = (
    (),
    ("-t", "kusto"),
    ("-t", "splunk"),
    ("-t", "splunk", "-t", "kusto"),
    ("-t", "kusto", "-t", "splunk"),
    ("-t", "splunk_cim"),
    ("-t", "lucene_windows"),
    ("-t", "sentinel"),
    ("--allow-unmapped",),
    ("--allow-inexact",),
    ("--allow-unmapped", "--allow-inexact"),
    ("--without", "K2"),
    ("--without", "L1"),
    ("--skip-unsupported",),
    ("--quiet",),
    ("--verbose",),
    ("-f", "ndjson"),
    ("-f", "ndjson", "-t", "kusto"),
    ("-f", "savedsearches", "-t", "splunk"),
    ("-e", "utf-16"),
    ("-P", "first*"),
    ("-P", "*.txt"),
    ("--level", "low"),
    ("--level", "high"),
    ("--status", "test"),
    ("--tag", "attack.reconnaissance"),
    ("-p", "ours.yml", "-t", "splunk"),
    ("-p", "ours.yml", "-t", "splunk", "--allow-unmapped"),
    ("-p", "splunk_windows", "-t", "splunk"),
    ("-p", "ours.yml", "-p", "splunk_windows", "-t", "splunk"),
    ("--filter", "filters"),
    ("--filter", "filters/ours.yml", "-t", "splunk"),
    ("--stock", "-t", "splunk"),
    ("--stock", "-t", "splunk", "--without-pipeline"),
    ("--stock", "-t", "splunk", "-p", "splunk_windows"),
    ("--stock", "-t", "splunk", "-p", "splunk_windows", "-f", "savedsearches"),
    ("--stock", "-t", "kusto", "-p", "microsoft_xdr"),
    ("--stock", "-t", "kusto", "-p", "microsoft_xdr", "-O", "query_table=Other"),
    ("--stock", "-t", "lucene", "-p", "ecs_windows"),
    ("--stock", "-t", "lucene", "-p", "splunk_windows", "--disable-pipeline-check"),
    ("--report", "json"),
    ("--report", "sarif"),
    ("-j", "2"),
)


def test_no_options_get_what_was_kept_for_others(shop: Shop) -> None:
    """All of them over one cache, in both projects, before and after the others."""
    restored(shop.home, {})
    commands = [("convert", *options, "sigma_rules") for options in OPTIONS]
    for name in ("one", "edited"):
        wanted = runs(shop.root / name, shop.home, commands, cached=False)
        assert len({(told.code, told.out, told.err) for told in wanted}) > len(commands) // 2
        for _ in range(2):
            for command, told, alone in zip(commands, runs(shop.root / name, shop.home, commands), wanted, strict=True):
                assert told == alone, command


Step = tuple[str, int, int]
STEPS: tuple[str, ...] = (
    "rule",
    "rule",
    "rule",
    "name",
    "odd",
    "correlation",
    "two",
    "gone",
    "pipeline",
    "filter",
    "project",
    "output",
)
STEPS = (*STEPS, "cases", "entry", "entry", "swapped", "back", "run", "run", "run", "run")
MORE = (
    *COMMANDS,
    TEST,
    ("convert", "--prune"),
    ("convert", "-t", "kusto"),
    ("convert", *FILTERED),
    ("convert", "-o", "outputs", "sigma_rules"),
    ("convert", "--stock", "-t", "splunk", "-o", "outputs/all.spl", "sigma_rules"),
)


PROJECT_FILE = "sigmapack.toml"
PROJECTS = (
    None,
    'targets = ["splunk"]\n',
    'targets = ["kusto", "lucene"]\n',
    'filters = ["filters"]\n',
    'targets = ["splunk"]\npipelines = ["ours.yml"]\n',
    'packs = ["sigma_rules", "filters"]\n',
)


class Twins:
    """Two projects that change in the same way: one runs with a cache, which is spoilt meanwhile, the other without."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "cache"
        self.folders = [project(root / name, "alpha") for name in ("with", "without")]
        self.before: Entries = {}

    def write(self, name: str, text: str | None) -> None:
        """Bring a file of both to hold the text, or to be gone."""
        for folder in self.folders:
            path = folder / name
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")

    def step(self, kind: str, which: int, what: int) -> None:
        """One change of both, or of the entries, or one command in both."""
        path = f"sigma_rules/pack/r{which % 3}.yml"
        name = f"name: r{which % 3}\ntitle:"
        texts = {
            "rule": rule(which % 3 + 10, value=f"value {what % 3}"),
            "name": rule(which % 3 + 10, value=f"value {what % 3}").replace("title:", name),
            "odd": rule(which % 3 + 10, field="Odd", value=f"value {what % 3}"),
            "two": f"{rule(which % 3 + 10)}---\n{rule(what % 3 + 20, value='x')}",
            "gone": None,
        }
        if kind in texts:
            self.write(path, texts[kind])
        elif kind == "correlation":
            held = "title: Many\nid: 00000000-0000-4000-8000-00000000bbbb\ncorrelation:\n  type: event_count\n"
            held += f"  rules: [r{which % 3}]\n  group-by: [User]\n  timespan: 5m\n  condition: {{gte: {what % 3}}}\n"
            self.write("sigma_rules/many.yml", held if what % 4 else None)
        elif kind == "pipeline":
            self.write("ours.yml", PIPELINE % ("Line" if what % 2 else "Lines"))
        elif kind == "filter":
            self.write(f"filters/{which % 2}.yml", FILTER % f"w{what % 2}" if what % 3 else None)
        elif kind == "project":
            self.write(PROJECT_FILE, PROJECTS[what % len(PROJECTS)])
        elif kind == "cases":
            self.write("sigma_rules/pack/first.cases.yaml", CASES % f"alpha {what % 2}")
        elif kind == "output":
            outputs = sorted(files(self.folders[1] / "outputs"))
            if outputs:
                self.write(
                    f"outputs/{outputs[which % len(outputs)]}", "not ours" * (what % 3 + 1) if what % 4 else None
                )
        elif kind == "run":
            command = MORE[what % len(MORE)]
            told = run(self.folders[0], self.home, *command)
            assert told == run(self.folders[1], self.root / "none", *command, "--no-cache"), command
        else:
            self.spoil(kind, which, what)

    def spoil(self, kind: str, which: int, what: int) -> None:
        """Spoil an entry of the cache, or two."""
        held = files(self.home) if self.home.is_dir() else {}
        names = sorted(held)
        if not names:
            return
        one, other = names[which % len(names)], names[what % len(names)]
        if kind == "entry":
            content = bytearray(held[one])
            content[what % len(content)] ^= 1 + what % 255
            held[one] = bytes(content)
        elif kind == "swapped":
            held[one], held[other] = held[other], held[one]
        else:
            held |= {name: self.before[name] for name in names if name in self.before and (ord(name[-1]) + what) % 2}
            self.before = files(self.home)
        restored(self.home, held)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ours.yml", PIPELINE % "Line"),
        ("ours.yml", None),
        ("filters/ours.yml", FILTER % "more"),
        ("filters/ours.yml", None),
        ("filters/more.yml", FILTER % "more"),
        ("sigma_rules/pack/first.cases.yaml", CASES % "something else"),
        ("sigma_rules/pack/first.cases.yaml", None),
        ("sigma_rules/pack/first.yml", rule(1, value="another")),
        ("sigma_rules/pack/first.yml", rule(4, value="alpha 1")),
        # Another of the name that a correlation names.
        ("sigma_rules/pack/first.yml", rule(1, value="alpha 1").replace("title:", "name: base\ntitle:")),
        ("sigma_rules/pack/first.yml", None),
        ("sigma_rules/pack/again.yml", rule(1, value="alpha 1")),
        ("sigma_rules/pack/bad.yml", None),
        ("sigma_rules/pack/pack.toml", None),
        ("outputs/splunk/pack/first.spl", "not ours"),
        ("outputs/splunk/pack/first.spl", None),
        ("outputs/manifest.json", None),
        ("outputs/more.txt", "not ours"),
        *((PROJECT_FILE, text) for text in PROJECTS),
    ],
)
def test_a_change_of_one_file_is_seen(tmp_path: Path, name: str, text: str | None) -> None:
    twins = Twins(tmp_path)
    for changed in (False, True):
        if changed:
            twins.write(name, text)
        for number in range(len(MORE)):
            twins.step("run", 0, number)


def test_a_correlation_is_judged_anew_where_what_it_names_has_changed(tmp_path: Path) -> None:
    """Its own query and text stand as they were: only the other file says that it is wrong now."""
    folder, home = tmp_path / "project", tmp_path / "cache"
    (folder / "sigma_rules").mkdir(parents=True)
    base = rule(1, value="something").replace("title:", "name: base\ntitle:")
    (folder / "sigma_rules" / "base.yml").write_text(base, encoding="utf-8")
    (folder / "sigma_rules" / "many.yml").write_text(CORRELATION, encoding="utf-8")
    judged = ("test", "-q", "-j1", "--no-minimise", "-t", "splunk")
    run(folder, home, "convert", "-t", "splunk")
    before = run(folder, home, *judged)
    assert b"many" in before.out
    assert run(folder, home, *judged) == before
    (folder / "sigma_rules" / "base.yml").write_text(base.replace("something'", "else'"), encoding="utf-8")
    (folder / "outputs").rename(tmp_path / "outputs")
    told = []
    for more in ((), ("--no-cache",)):
        shutil.copytree(tmp_path / "outputs", folder / "outputs")
        told.append(run(folder, home, *judged, *more))
        shutil.rmtree(folder / "outputs")
    assert told[0] == told[1] != before


@settings(FEW, max_examples=20)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9999), st.integers(0, 9999)), max_size=25))
def test_whatever_happens_in_between(tmp_path_factory: pytest.TempPathFactory, steps: Sequence[Step]) -> None:
    twins = Twins(tmp_path_factory.mktemp("twins"))
    for step in (*steps, ("run", 0, 0), ("run", 0, 2), ("run", 0, 5)):
        twins.step(*step)
    assert not (twins.root / "none").exists()
