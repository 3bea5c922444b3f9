"""Measures conversions beside sigma-cli's, and writes benchmarks/README.md.

python -m benchmarks.speed RULES --sigma PATH/TO/sigma

RULES is a folder of rules; those that end sigma-cli's run for a backend are left out. sigma-cli stands in an
environment of its own: python -m venv peer; peer/bin/pip install sigma-cli==3.1.0 pysigma-backend-kusto==1.0.1
pysigma-backend-splunk==2.1.0 pysigma-backend-elasticsearch==2.1.1. Instruction counts need valgrind.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle, islice
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
# pySigma's collections are read by PyYAML's own parser; with this, by libyaml.
LIBYAML = "import yaml\nyaml.SafeLoader = yaml.CSafeLoader\n"
COUNTED = 100
HERE = Path(__file__).parent


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

    def ours(self, *arguments: str, cwd: Path | None = None, cache: str = "cache") -> Command:
        """A command of ours."""
        environment = (("XDG_CACHE_HOME", str(self.work / cache)), ("PYTHONPATH", str(HERE.parent)))
        return Command((sys.executable, "-m", "converter", *arguments), cwd or self.work, environment)

    def stock(self, rules: Path, *more: str) -> Command:
        """Conversion as sigma-cli does it, to all targets at once."""
        targets = [word for target in TARGETS for word in ("-t", target)]
        pipelines = [word for pipeline in TARGETS.values() for word in ("-p", pipeline)]
        return self.ours("convert", "--stock", *targets, *pipelines, *more, str(rules))

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

    def copies(self, number: int) -> Path:
        """A folder of so many rules: copies of the rules, each with an id of its own."""
        folder = self.work / f"copies-{number}"
        for count, path in enumerate(islice(cycle(self.files), number)):
            text = path.read_text(encoding="utf-8")
            place = folder / str(count // 1000) / f"{count}.yml"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(re.sub(r"(?m)^id: .*$", f"id: {UUID(int=count + 1)}", text, count=1), encoding="utf-8")
        return folder


def prepared(rules: Path, sigma: str, work: Path) -> None:
    """Copy the rules that end no run into the folder, make a project of them, and what libyaml needs."""
    python = Path(sigma).parent / "python"
    pairs = [f"{target}={pipeline}" for target, pipeline in TARGETS.items()]
    done = subprocess.run(  # noqa: S603 - the peer's own interpreter
        [python, HERE / "aborting.py", rules, *pairs], capture_output=True, text=True, check=True
    )
    for line in done.stdout.splitlines():
        place = work / "rules" / Path(line).relative_to(rules)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(line, place)
    shutil.copytree(work / "rules", work / "project" / "sigma_rules")
    (work / "libyaml").mkdir()
    (work / "libyaml" / "sitecustomize.py").write_text(LIBYAML, encoding="utf-8")


def report(bench: Bench) -> Iterator[str]:
    """The page, a line at a time."""
    number = len(bench.files)
    yield "# Benchmarks"
    yield ""
    yield "Written by `python -m benchmarks.speed RULES --sigma PATH`; its first lines say how to install the peer."
    yield f"Of {machine()}; {number} rules, which end no run of sigma-cli, to {', '.join(TARGETS)};"
    yield f"whole processes, ours and theirs in turn, medians of ratios ({bench.times} pairs each); cpu is user and"
    yield "system time of a command and its children."
    yield ""
    yield "| what | goal | measured | reached |"
    yield "| --- | --- | --- | --- |"
    for part in (_cold, _shares, _warm, _single, _growth, _check):
        yield from part(bench)
    yield ""
    yield from _counted(bench)
    yield from _profiled(bench)


def _row(what: str, goal: str, measured: str, *, reached: bool | None) -> str:
    said = {True: "yes", False: "**no**", None: ""}[reached]
    return f"| {what} | {goal} | {measured} | {said} |"


def _both(pair: Pair) -> str:
    return (
        f"{pair.ours.cpu:.2f} s cpu, {pair.ours.wall:.2f} s wall to {pair.theirs.cpu:.2f} s, {pair.theirs.wall:.2f} s"
    )


def _cold(bench: Bench) -> Iterator[str]:
    alone = together([bench.stock(bench.rules, "--no-cache", "--jobs", "1")])
    shared = together([bench.stock(bench.rules, "--no-cache", "--jobs", str(bench.jobs))])
    pair = interleaved(alone, together(bench.theirs(bench.rules)), bench.times)
    yield _row("cold, `--stock`, one process: cpu", "8 ×", f"{pair.cpu:.1f} × ({_both(pair)})", reached=pair.cpu >= 8)  # noqa: PLR2004
    most = 64 + 2 * len(bench.files) / 1000
    memory = pair.ours.memory
    yield _row("largest process", f"{most:.0f} MB", f"{memory:.0f} MB", reached=memory <= most)
    pair = interleaved(shared, together(bench.theirs(bench.rules)), bench.times)
    what = f"cold, `--stock`, {bench.jobs} workers: wall"
    yield _row(what, "13 ×", f"{pair.wall:.1f} × ({_both(pair)})", reached=pair.wall >= 13)  # noqa: PLR2004
    pair = interleaved(alone, together(bench.theirs(bench.rules, libyaml=True)), bench.times)
    what = "cold, one process, sigma-cli with libyaml: cpu"
    yield _row(what, "3.7 ×", f"{pair.cpu:.1f} × ({_both(pair)})", reached=pair.cpu >= 3.7)  # noqa: PLR2004


def _shares(bench: Bench) -> Iterator[str]:
    """What repairs, routes, files and the manifest cost beside `--stock`."""
    stock = bench.stock(bench.rules, "--no-cache")
    printed = bench.ours("convert", "--no-cache", str(bench.rules))
    bare = bench.ours("convert", "--no-cache", *_without(), str(bench.rules))
    out = bench.work / "out"

    def written() -> Cost:
        shutil.rmtree(out, ignore_errors=True)
        return bench.ours("convert", "--no-cache", "-o", f"{out}/", str(bench.rules)).run()

    runs = [(stock.run(), bare.run(), printed.run(), written()) for _ in range(bench.times)]
    stocks, bares, prints, writes = (middle(list(costs)).cpu for costs in zip(*runs, strict=True))
    share = 100 * (writes / stocks - 1)
    yield _row("all that a user has beside `--stock`: cpu", "+25 %", f"{share:+.0f} %", reached=share <= 25)  # noqa: PLR2004
    yield _row("of it routes", "", f"{100 * (bares / stocks - 1):+.0f} %", reached=None)
    yield _row("of it repairs", "", f"{100 * (prints - bares) / stocks:+.0f} %", reached=None)
    yield _row(
        "of it a file for each query, and the manifest", "", f"{100 * (writes - prints) / stocks:+.0f} %", reached=None
    )


def _without() -> list[str]:
    """Every repair that can be left out, left out."""
    from converter.targets import DEFAULTS, named  # noqa: PLC0415 - the table of repairs is all that is asked for

    repairs = {name: repair for target in named(DEFAULTS) for name, repair in target.dialect.REPAIRS.items()}
    return [word for name, repair in repairs.items() if not repair.inseparable for word in ("--without", name)]


def _warm(bench: Bench) -> Iterator[str]:
    project = bench.work / "project"
    command = bench.ours("convert", "-q", cwd=project)
    command.run()
    warm = several(command.run, bench.times * 3)
    yield _row("warm: every rule read, nothing changed: wall", "150 ms", _ms(warm), reached=warm.wall <= 0.15)  # noqa: PLR2004
    path = next((project / "sigma_rules").rglob("*.yml"))
    text = path.read_text(encoding="utf-8")
    costs = []
    for number in range(bench.times * 2):
        path.write_text(f"{text}\n# {number}\n", encoding="utf-8")
        costs.append(command.run())
    path.write_text(text, encoding="utf-8")
    changed = middle(costs)
    yield _row("one rule changed: wall", "300 ms", _ms(changed), reached=changed.wall <= 0.3)  # noqa: PLR2004


def _single(bench: Bench) -> Iterator[str]:
    path = next(path for path in bench.files if "process_creation" in path.name or "proc_creation" in path.name)
    cold = together([bench.stock(path, "--no-cache")])
    pair = interleaved(cold, together(bench.theirs(path)), bench.times * 2)
    share = 1 / pair.wall
    yield _row("one rule, cold: wall", "1/5", f"1/{1 / share:.1f} ({_ms(pair.ours)})", reached=share <= 0.2)  # noqa: PLR2004
    plain = Command((sys.executable, "-c", "import click"), bench.work)
    warm = bench.stock(path)
    warm.run()
    for what, command in (("one rule, warm", warm), ("`--help`", bench.ours("--help"))):
        runs = [(command.run(), plain.run()) for _ in range(bench.times * 4)]
        more = middle([mine for mine, _ in runs]).wall - middle([other for _, other in runs]).wall
        goal = "40 ms more than `import click`"
        yield _row(f"{what}: wall", goal, f"{1000 * more:.0f} ms more", reached=more <= 0.04)  # noqa: PLR2004


def _growth(bench: Bench) -> Iterator[str]:
    few, many = bench.copies(1_000), bench.copies(50_000)
    start = several(bench.stock(bench.files[0], "--no-cache").run, bench.times).cpu
    each = {
        folder: several(bench.stock(folder, "--no-cache").run, times)
        for folder, times in ((few, bench.times), (many, 1))
    }
    first, last = (each[few].cpu - start) / 1_000, (each[many].cpu - start) / 50_000
    said = f"{last / first:.2f} × ({1e6 * first:.0f} to {1e6 * last:.0f} µs, {each[many].memory:.0f} MB)"
    yield _row("µs a rule at 50,000 rules to that at 1,000", "1.15 ×", said, reached=last / first <= 1.15)  # noqa: PLR2004
    most = 64 + 2 * 50
    yield _row(
        "largest process at 50,000 rules",
        f"{most} MB",
        f"{each[many].memory:.0f} MB",
        reached=each[many].memory <= most,
    )


def _check(bench: Bench) -> Iterator[str]:
    command = bench.ours("check", cwd=bench.work / "project")
    command.run()
    cost = several(command.run, bench.times * 3)
    yield _row("`check`, nothing changed: wall", "400 ms", _ms(cost), reached=cost.wall <= 0.4)  # noqa: PLR2004


def _ms(cost: Cost) -> str:
    return f"{1000 * cost.wall:.0f} ms ({1000 * cost.cpu:.0f} ms cpu)"


def _counted(bench: Bench) -> Iterator[str]:
    """Instruction counts, which no other process disturbs."""
    folder = bench.copies(COUNTED)
    ours = instructions(bench.stock(folder, "--no-cache"))
    stock, libyaml = (
        [instructions(command) for command in bench.theirs(folder, libyaml=libyaml)] for libyaml in (False, True)
    )
    if ours is None or None in stock or None in libyaml:
        yield "Instructions were not counted: valgrind is not installed."
        return
    theirs, faster = (sum(each or 0 for each in counts) for counts in (stock, libyaml))
    yield f"Instructions for {COUNTED} rules (callgrind, `PYTHONHASHSEED=0`): ours {ours / 1e9:.2f} G, sigma-cli's"
    yield f"three runs {theirs / 1e9:.2f} G ({theirs / ours:.1f} ×), with libyaml {faster / 1e9:.2f} G"
    yield f"({faster / ours:.1f} ×)."


REASONS: Mapping[str, str] = {
    "_plain_documents": "reads YAML: libyaml's nodes, built by hand",
    "_plain": "builds the documents of libyaml's nodes",
    "resolve": "asked by libyaml for each plain scalar",
    "apply": "runs the items of a pipeline that a rule's log source takes",
    "convert": "writes each string of a query",
    "write_file": "one file for each query, which a rename makes whole",
    "_indented": "writes the manifest",
}


def _profiled(bench: Bench) -> Iterator[str]:
    """Our functions above 5 % of a cold run, by their own time."""
    script = HERE / "profiled.py"
    out = bench.work / "profiled"
    command = bench.ours("convert", "--no-cache", "-o", f"{out}/", str(bench.rules))
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, script, *command.arguments[3:]],
        cwd=bench.work,
        env=os.environ | dict(command.environment),
        capture_output=True,
        text=True,
        check=True,
    )
    yield ""
    yield "## Where the time goes"
    yield ""
    yield "Functions of ours with more than 5 % of the own time of a cold run as a user has it, by cProfile:"
    yield ""
    lines = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    for share, place in lines:
        name = place.rpartition(" ")[2]
        yield f"- `{place}`: {share} %. {REASONS.get(name, '')}".rstrip()
    if not lines:
        yield "None."


@click.command()
@click.argument("rules", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--sigma", required=True, type=click.Path(exists=True, dir_okay=False), help="sigma-cli 3.1.0's command.")
@click.option("--times", default=5, show_default=True, type=click.IntRange(1), help="Pairs of each measurement.")
@click.option("-j", "--jobs", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(1))
@click.option("-o", "--output", default=HERE / "README.md", type=click.Path(path_type=Path))
def main(rules: Path, sigma: str, times: int, jobs: int, output: Path) -> None:
    """Measure, and write the page."""
    with TemporaryDirectory(prefix="speed-") as folder:
        work = Path(folder)
        prepared(rules, str(Path(sigma).absolute()), work)
        lines = []
        for line in report(Bench(work, str(Path(sigma).absolute()), times, jobs)):
            click.echo(line)
            lines.append(f"{line}\n")
    output.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
