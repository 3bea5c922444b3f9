"""Measures conversions beside sigma-cli's, and writes benchmarks/README.md.

python -m benchmarks.speed RULES --sigma PATH/TO/sigma

RULES is a folder of rules; those that end sigma-cli's run for a backend are left out. sigma-cli stands in an
environment of its own: python -m venv peer; peer/bin/pip install sigma-cli==3.1.0 pysigma-backend-kusto==1.0.1
pysigma-backend-splunk==2.1.0 pysigma-backend-elasticsearch==2.1.1. Instruction counts need valgrind.
"""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from itertools import count, cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import click

from benchmarks.processes import (
    Command,
    Cost,
    Pair,
    instructions,
    interleaved,
    machine,
    middle,
    several,
    together,
)

TARGETS = {"kusto": "microsoft_xdr", "splunk": "splunk_windows", "lucene": "ecs_windows"}
PEER = "sigma-cli 3.1.0 with the same pySigma and backends"
# pySigma's collections are read by PyYAML's own parser; with this, by libyaml.
LIBYAML = "import yaml\nyaml.SafeLoader = yaml.CSafeLoader\n"
COUNTED = 100
FEW, MANY = 1_000, 50_000
HERE = Path(__file__).parent
NO_CACHE = ("--no-cache", "--jobs", "1")


@dataclass(frozen=True)
class Bench:
    """Where everything is: a folder to work in, with `rules` and a project in it; and how often to run."""

    work: Path
    sigma: str
    times: int
    jobs: int

    @property
    def rules(self) -> Path:
        """The rules that are converted."""
        return self.work / "rules"

    @cached_property
    def files(self) -> list[Path]:
        """Their files."""
        return sorted(self.rules.rglob("*.yml"))

    @cached_property
    def one(self) -> Path:
        """One of them, the same each time."""
        return next(path for path in self.files if path.name.startswith("proc_creation_win_"))

    def ours(self, *arguments: str, cwd: Path | None = None, cache: str = "cache") -> Command:
        """A command of ours."""
        environment = (("XDG_CACHE_HOME", str(self.work / cache)), ("PYTHONPATH", str(HERE.parent)))
        return Command((sys.executable, "-m", "converter", *arguments), cwd or self.work, environment)

    def stock(self, rules: Path, *more: str) -> Command:
        """Conversion as sigma-cli does it, to all targets at once."""
        return self.ours("convert", *stock_arguments(), *more, str(rules))

    def theirs(self, rules: Path, *, libyaml: bool = False) -> list[Command]:
        """sigma-cli's runs, one a target."""
        environment = (("PYTHONPATH", str(self.work / "libyaml")),) if libyaml else (("PYTHONPATH", ""),)
        return [
            Command(
                (self.sigma, "convert", "-s", "-t", target, "-p", pipeline, "-o", os.devnull, str(rules)),
                self.work,
                environment,
            )
            for target, pipeline in TARGETS.items()
        ]

    @cached_property
    def _numbers(self) -> Iterator[int]:
        return count()

    def fresh(self) -> Path:
        """A folder that is not there yet.

        None is removed before the end: after many removals, a file system like ext4 makes files eight times slower.
        """
        return self.work / "fresh" / str(next(self._numbers))

    def project(self) -> Path:
        """A new project of all the rules."""
        folder = self.fresh()
        shutil.copytree(self.rules, folder / "sigma_rules")
        return folder

    def edits(self, project: Path, times: int) -> Iterator[None]:
        """Between one and the next, a value of a rule of the project has changed, and its query with it."""
        path = project / "sigma_rules" / self.one.relative_to(self.rules)
        text = path.read_text(encoding="utf-8")
        for number in range(times):
            path.write_text(re.sub(r"(?m)^( +- '.*)'$", rf"\g<1>{number}'", text, count=1), encoding="utf-8")
            yield

    def others(self, project: Path, times: int) -> Iterator[None]:
        """Between one and the next, a rule of the project has become another: what another one says, under its id."""
        path = project / "sigma_rules" / self.one.relative_to(self.rules)
        known = re.search(r"(?m)^id: .*$", path.read_text(encoding="utf-8"))
        others = islice(cycle(other for other in self.files if other.parent == self.one.parent), 1, times + 1)
        for other in others:
            path.write_text(with_id(other.read_text(encoding="utf-8"), known[0] if known else ""), encoding="utf-8")
            yield

    def copies(self, number: int, kinds: int) -> Path:
        """A folder of so many rules: copies of `kinds` of the rules, from all over, each with an id of its own."""
        folder = self.work / f"copies-{number}"
        kinds = min(kinds, len(self.files))
        # Rules that stand side by side are like each other: the first ones are cheaper than the rest.
        picked = [self.files[each * len(self.files) // kinds] for each in range(kinds)]
        for copy, path in enumerate(islice(cycle(picked), number)):
            place = folder / str(copy // 1000) / f"{copy}.yml"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(with_id(path.read_text(encoding="utf-8"), f"id: {UUID(int=copy + 1)}"), encoding="utf-8")
        return folder


def with_id(text: str, line: str) -> str:
    """The rule with this line as its id."""
    return re.sub(r"(?m)^id: .*$", line, text, count=1)


def stock_arguments() -> list[str]:
    """What makes a conversion one that sigma-cli would do, to each target."""
    targets = [word for target in TARGETS for word in ("-t", target)]
    pipelines = [word for pipeline in TARGETS.values() for word in ("-p", pipeline)]
    return ["--stock", *targets, *pipelines]


def prepared(rules: Path, sigma: str, work: Path) -> None:
    """Copy the rules that end no run into the folder, and make what libyaml needs."""
    python = Path(sigma).parent / "python"
    pairs = [f"{target}={pipeline}" for target, pipeline in TARGETS.items()]
    done = subprocess.run(  # noqa: S603 - the peer's own interpreter
        [python, HERE / "aborting.py", rules, *pairs], capture_output=True, text=True, check=True
    )
    for line in done.stdout.splitlines():
        place = work / "rules" / Path(line).relative_to(rules)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(line, place)
    (work / "libyaml").mkdir()
    (work / "libyaml" / "sitecustomize.py").write_text(LIBYAML, encoding="utf-8")


def report(bench: Bench, parts: list[str]) -> Iterator[str]:
    """The page, a line at a time."""
    yield "# Benchmarks"
    yield ""
    yield "Written by `python -m benchmarks.speed RULES --sigma PATH`; its first lines say how to install the peer."
    yield ""
    for name, said in _facts(bench).items():
        yield from wrapped(f"**{name}**: {said}", "- ", "  ")
    yield ""
    yield "| what | goal | measured | reached |"
    yield "| --- | --- | --- | --- |"
    for name, part in ROWS.items():
        if name in parts:
            yield from part(bench)
    for name, part in SECTIONS.items():
        if name in parts:
            yield ""
            yield from part(bench)


def _facts(bench: Bench) -> Mapping[str, str]:
    """What a reader has to know of the table."""
    return {
        "Peer": f"{PEER}, run three times, since it takes one target a run: `sigma convert -s -t TARGET -p PIPELINE`. "
        "*With libyaml* is the same with YAML read by libyaml's parser, which is not what users have.",
        "Rules": f"{len(bench.files)}, those of RULES that end no run of sigma-cli; each to {', '.join(TARGETS)}.",
        "Machine": f"{machine()}.",
        "Figures": "whole processes. *cpu* is user and system time of a command and its children, *wall* what a clock "
        f"shows. *n ×* says how many times as long the peer takes: the median of the ratios of pairs ({bench.times}), "
        "ours and the peer's in turn. All else is the median of as many runs, unless a line says another number. "
        "Memory is that of the largest process in any of the runs.",
        "Runs": "*stock* is `--stock`, which gives sigma-cli's text; without it, rules are converted as a user of ours "
        "has it, to the same three targets. *Cold* is `--no-cache`; *warm* is a run after one that did the same.",
    }


def wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    """The paragraph in lines of a page."""
    return textwrap.wrap(
        text, 118, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _row(what: str, goal: str, measured: str, *, reached: bool | None = None) -> str:
    said = {True: "yes", False: "**no**", None: ""}[reached]
    return f"| {what} | {goal} | {measured} | {said} |"


def _ratio(ratio: float, pair: Pair, figure: str) -> str:
    mine, other = (f"{getattr(cost, figure):.2f} s" for cost in (pair.ours, pair.theirs))
    return f"{ratio:.1f} × ({mine} to {other})"


def _cold(bench: Bench) -> Iterator[str]:
    alone = together([bench.stock(bench.rules, *NO_CACHE)])
    shared = together([bench.stock(bench.rules, "--no-cache", "--jobs", str(bench.jobs))])
    stock = together(bench.theirs(bench.rules))
    libyaml = together(bench.theirs(bench.rules, libyaml=True))
    most = 64 + 2 * len(bench.files) / 1000
    workers = f"{bench.jobs} processes (`--jobs {bench.jobs}`)"
    pair = interleaved(alone, stock, bench.times)
    reached = pair.cpu >= 8  # noqa: PLR2004
    yield _row("all rules, cold, stock, one process: cpu", "8 ×", _ratio(pair.cpu, pair, "cpu"), reached=reached)
    memory = pair.ours.memory
    yield _row(
        "its memory", f"{most:.0f} MB", f"{memory:.0f} MB (peer: {pair.theirs.memory:.0f} MB)", reached=memory <= most
    )
    pair = interleaved(shared, stock, bench.times)
    reached = pair.wall >= 13  # noqa: PLR2004
    yield _row(f"the same, {workers}: wall", "13 ×", _ratio(pair.wall, pair, "wall"), reached=reached)
    pair = interleaved(alone, libyaml, bench.times)
    reached = pair.cpu >= 3.7  # noqa: PLR2004
    what = "the same, one process, to the peer with libyaml: cpu"
    yield _row(what, "3.7 ×", _ratio(pair.cpu, pair, "cpu"), reached=reached)
    pair = interleaved(shared, libyaml, bench.times)
    yield _row(f"the same, {workers}, to the peer with libyaml: wall", "", _ratio(pair.wall, pair, "wall"))


def _user(bench: Bench) -> Iterator[str]:
    """What repairs, routes, files and the manifest cost beside `--stock`."""
    stock = bench.stock(bench.rules, *NO_CACHE)
    printed = bench.ours("convert", *NO_CACHE, str(bench.rules))
    bare = bench.ours("convert", *NO_CACHE, *_without(), str(bench.rules))

    def written() -> Cost:
        return bench.ours("convert", *NO_CACHE, "-o", f"{bench.fresh()}/", str(bench.rules)).run()

    runs = [(stock.run(), bare.run(), printed.run(), written()) for _ in range(bench.times)]
    stocks, bares, prints, writes = (middle(list(costs)) for costs in zip(*runs, strict=True))
    share = 100 * (writes.cpu / stocks.cpu - 1)
    what = "all rules, cold, as a user has it: cpu beside stock"
    said = f"{share:+.0f} % ({writes.cpu:.2f} s to {stocks.cpu:.2f} s)"
    yield _row(what, "+25 %", said, reached=share <= 25)  # noqa: PLR2004
    for part, more in {
        "routes (fields and tables of where each rule's events are stored)": bares.cpu - stocks.cpu,
        "repairs (of what the backends get wrong)": prints.cpu - bares.cpu,
        "a file for each query, and the manifest": writes.cpu - prints.cpu,
    }.items():
        yield _row(f"of that, {part}", "", f"{100 * more / stocks.cpu:+.0f} %")
    yield _row("its memory", "", f"{writes.memory:.0f} MB")


def _without() -> list[str]:
    """Every repair that can be left out, left out."""
    from converter.targets import DEFAULTS, named  # noqa: PLC0415 - the table of repairs is all that is asked for

    repairs = {name: repair for target in named(DEFAULTS) for name, repair in target.dialect.REPAIRS.items()}
    return [word for name, repair in repairs.items() if not repair.inseparable for word in ("--without", name)]


def _warm(bench: Bench) -> Iterator[str]:
    project = bench.project()
    command = bench.ours("convert", "-q", cwd=project)
    command.run()
    times = bench.times * 3
    warm = several(command.run, times)
    what = f"the project's rules, warm, nothing changed: wall ({times} runs)"
    yield _row(what, "150 ms", _ms(warm), reached=warm.wall <= 0.15)  # noqa: PLR2004
    changed = middle([command.run() for _ in bench.edits(project, bench.times * 2)])
    what = f"the same, a value of one rule changed: wall ({bench.times * 2} runs)"
    yield _row(what, "300 ms", _ms(changed), reached=changed.wall <= 0.3)  # noqa: PLR2004
    command.run()
    changed = middle([command.run() for _ in bench.others(project, bench.times * 2)])
    what = f"the same, another rule in the place of one: wall ({bench.times * 2} runs)"
    yield _row(what, "", _ms(changed), reached=None)
    check = bench.ours("check", cwd=project)
    check.run()
    cost = several(check.run, times)
    what = f"`check` of the project, warm, nothing changed: wall ({times} runs)"
    yield _row(what, "400 ms", _ms(cost), reached=cost.wall <= 0.4)  # noqa: PLR2004


def _single(bench: Bench) -> Iterator[str]:
    times = bench.times * 4
    pair = interleaved(
        together([bench.stock(bench.one, "--no-cache")]), together(bench.theirs(bench.one)), bench.times * 2
    )
    reached = pair.wall >= 5  # noqa: PLR2004
    what = f"one rule, cold, stock: wall ({bench.times * 2} pairs)"
    yield _row(what, "5 ×", _ratio(pair.wall, pair, "wall"), reached=reached)
    plain = Command((sys.executable, "-c", "import click"), bench.work)
    warm = bench.stock(bench.one)
    warm.run()
    for what, command in (("one rule, warm, stock", warm), ("`--help`", bench.ours("--help"))):
        runs = [(command.run(), plain.run()) for _ in range(times)]
        mine, other = middle([mine for mine, _ in runs]), middle([other for _, other in runs])
        more = mine.wall - other.wall
        goal = '40 ms more than `python -c "import click"`'
        said = f"{1000 * more:.0f} ms more ({1000 * mine.wall:.0f} ms to {1000 * other.wall:.0f} ms)"
        yield _row(f"{what}: wall ({times} pairs)", goal, said, reached=more <= 0.04)  # noqa: PLR2004


def _growth(bench: Bench) -> Iterator[str]:
    few, many = bench.copies(FEW, FEW), bench.copies(MANY, FEW)
    start = several(bench.stock(bench.one, *NO_CACHE).run, bench.times).cpu
    first = several(bench.stock(few, *NO_CACHE).run, bench.times)
    last = bench.stock(many, *NO_CACHE).run()
    each, then = (first.cpu - start) / FEW, (last.cpu - start) / MANY
    said = f"{then / each:.2f} × ({1e6 * then:.0f} µs to {1e6 * each:.0f} µs)"
    what = (
        f"cpu a rule of {MANY:,}, copies of {FEW:,} rules, to that of those, "
        f"cold, stock, one process, start left out (one run of {MANY:,})"
    )
    yield _row(what, "1.15 ×", said, reached=then / each <= 1.15)  # noqa: PLR2004
    most = 64 + 2 * MANY / 1000
    yield _row(
        f"memory with {MANY:,} rules (one run)",
        f"{most:.0f} MB",
        f"{last.memory:.0f} MB",
        reached=last.memory <= most,
    )


def _tested(bench: Bench) -> Iterator[str]:
    project = bench.project()
    convert, test = (bench.ours(*command, cwd=project) for command in (("convert", "-q"), ("test", "-q")))
    convert.run()
    cost = test.run()
    yield _row(
        "`test` of the project, cold: wall (one run)",
        "180 s",
        f"{cost.wall:.0f} s ({cost.cpu:.0f} s cpu, {cost.memory:.0f} MB)",
        reached=cost.wall <= 180,  # noqa: PLR2004
    )
    # What a run says of nothing changed: its verdicts stand in the manifest as well.
    test.run()
    cost = several(test.run, bench.times)
    yield _row("the same, nothing changed: wall", "5 s", _seconds(cost), reached=cost.wall <= 5)  # noqa: PLR2004
    costs = []
    for _ in bench.edits(project, bench.times):
        convert.run()
        costs.append(test.run())
    cost = middle(costs)
    what = "the same, one rule changed and converted before: wall"
    yield _row(what, "2 s", _seconds(cost), reached=cost.wall <= 2)  # noqa: PLR2004


def _ms(cost: Cost) -> str:
    return f"{1000 * cost.wall:.0f} ms ({1000 * cost.cpu:.0f} ms cpu)"


def _seconds(cost: Cost) -> str:
    return f"{cost.wall:.1f} s ({cost.cpu:.1f} s cpu, {cost.memory:.0f} MB)"


def _counted(bench: Bench) -> Iterator[str]:
    """Instruction counts, which no other process disturbs."""
    folder = bench.copies(COUNTED, COUNTED)
    ours = instructions(bench.stock(folder, *NO_CACHE))
    stock, libyaml = (
        [instructions(command) for command in bench.theirs(folder, libyaml=libyaml)] for libyaml in (False, True)
    )
    yield "## Instructions"
    yield ""
    if ours is None or None in stock or None in libyaml:
        yield "They were not counted: valgrind is not installed."
        return
    theirs, faster = (sum(each or 0 for each in counts) for counts in (stock, libyaml))
    yield from wrapped(
        f"Of {COUNTED} rules, cold, stock, one process, start and imports included (callgrind, `PYTHONHASHSEED=0`): "
        f"ours {ours / 1e9:.2f} G, the peer's three runs {theirs / 1e9:.2f} G ({theirs / ours:.1f} ×), with libyaml "
        f"{faster / 1e9:.2f} G ({faster / ours:.1f} ×)."
    )


# Why the functions of ours that take most take what they do.
REASONS: Mapping[str, str] = {
    "converter.documents:_plain_documents": "reads YAML: libyaml's nodes, and what they become in a rule's document",
    "converter.tree:_fill": "writes each query to a file of its own: three calls of the system",
}
LISTED, TOO_MUCH = 2.0, 5.0


def refuse_unknown_reasons() -> None:
    """Raise LookupError for a reason whose function is not there any more."""
    for place in REASONS:
        module, _, name = place.partition(":")
        file = inspect.getsource(import_module(module))
        if not re.search(rf"(?m)^ *def {re.escape(name)}\(", file):
            raise LookupError(f"REASONS names {place}, which there is not")


def _profiled(bench: Bench) -> Iterator[str]:
    """Whose code takes the time of a cold run, and our functions that take most, by their own time."""
    command = bench.ours("convert", *NO_CACHE, "-o", f"{bench.fresh()}/", str(bench.rules))
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, HERE / "profiled.py", bench.one, *command.arguments[3:]],
        cwd=bench.work,
        env=command.variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    found = [(float(share), kind, name) for share, kind, name in lines]
    yield "## Where the time goes"
    yield ""
    yield from wrapped(
        "Of a cold run as a user has it, one process, by cProfile, imports left out. cProfile makes calls dearer than "
        "they are. What functions written in C take, such as joining texts, counts for those that call them."
    )
    yield ""
    yield "| whose code | share |"
    yield "| --- | --- |"
    for share, kind, name in found:
        if kind == "whose":
            yield f"| {name} | {share:.0f} % |"
    yield ""
    yield from wrapped(
        f"Functions of ours that take more than {LISTED:.0f} % by themselves, with the reason of each above "
        f"{TOO_MUCH:.0f} %:"
    )
    yield ""
    yield "| function | share | reason |"
    yield "| --- | --- | --- |"
    for share, kind, name in found:
        if kind == "function" and share > LISTED:
            reason = REASONS.get(name, "**none is known**" if share > TOO_MUCH else "")
            yield f"| `{name}` | {share:.1f} % | {reason} |"


Part = Callable[[Bench], Iterator[str]]
ROWS: Mapping[str, Part] = {
    "cold": _cold,
    "user": _user,
    "warm": _warm,
    "single": _single,
    "growth": _growth,
    "test": _tested,
}
SECTIONS: Mapping[str, Part] = {"counted": _counted, "profiled": _profiled}
PARTS = (*ROWS, *SECTIONS)


def _parts(_context: click.Context, _parameter: click.Parameter, value: str) -> list[str]:
    chosen = value.split(",")
    if unknown := set(chosen) - set(PARTS):
        raise click.BadParameter(f"there is no {', '.join(sorted(unknown))}; have: {', '.join(PARTS)}")
    return chosen


@click.command()
@click.argument("rules", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--sigma", required=True, type=click.Path(exists=True, dir_okay=False), help="sigma-cli 3.1.0's command.")
@click.option("--times", default=5, show_default=True, type=click.IntRange(1), help="Pairs of each measurement.")
@click.option("-j", "--jobs", default=2, show_default=True, type=click.IntRange(1), help="Of runs with workers.")
@click.option("-o", "--output", default=HERE / "README.md", type=click.Path(path_type=Path))
@click.option("--only", "parts", default=",".join(PARTS), callback=_parts, help="Print these parts; write no page.")
def main(rules: Path, sigma: str, times: int, jobs: int, output: Path, parts: list[str]) -> None:  # noqa: PLR0913, PLR0917 - click's
    """Measure, and write the page."""
    refuse_unknown_reasons()
    with TemporaryDirectory(prefix="speed-") as folder:
        work = Path(folder)
        prepared(rules, str(Path(sigma).absolute()), work)
        lines = []
        for line in report(Bench(work, str(Path(sigma).absolute()), times, jobs), parts):
            click.echo(line)
            lines.append(f"{line}\n")
    if set(parts) == set(PARTS):
        output.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
