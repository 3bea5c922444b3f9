"""What `sigmapack test` does with its options: read, judge, tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import click

from converter import cache, config, manifest, packs, testing, tree, watched
from converter.cli import report
from converter.cli.named_engines import engines_of
from converter.cli.progress import progress
from converter.cli.replay import Record
from converter.cli.request import how_of, refuse_repairs, refuse_what_no_rule_can_take, targets_of
from converter.cli.test import Request
from converter.cli.verdicts import lines
from converter.convert import How
from converter.engines.kusto_analyser import package
from converter.errors import Problem, UsageError
from converter.jobs import processors
from converter.judge import Given
from converter.kept import Kept
from converter.packs import Reading
from converter.plan import Plan, gaps, given, output, recordings
from converter.remembered import Remembered
from converter.reports.report import Report, Tested
from converter.rule import CASES_SUFFIX, Rule
from converter.sound import is_sound
from converter.stock import STOCK_PIPELINES, StockOptions, built_in
from converter.targets import DEFAULTS, TARGETS, named
from converter.targets.target import Target
from converter.watched import Watched


def run(request: Request, record: Record | None = None) -> int:
    """Test as asked, and give the exit code; the record is told what the run reads and writes."""
    testing.seldom_collect()
    project = config.find(Path.cwd()) if request.inputs else config.project(Path.cwd())
    targets = tuple(named(request.targets) if request.targets else targets_of(project))
    inputs = request.inputs or tuple(map(str, project.packs if project else ()))
    fresh = bool(request.inputs or request.stock or request.without or request.allow_inexact or request.pipelines)
    outputs = None if fresh or project is None else project.outputs
    if record is not None:
        record.begin(Watched(inputs))
    standard_input = sys.stdin.buffer.read() if packs.STANDARD_INPUT in inputs and sys.stdin else b""
    kept = _kept(request, inputs, targets) if request.cached else None
    reading = packs.read(inputs, standard_input, is_sound=is_sound, known=kept)
    if record is not None:
        _watch_the_rest(record, reading, _others(request, project, inputs, outputs, targets))
    hows = _hows(request, project, reading, targets)
    plan = Plan(
        targets,
        hows,
        outputs,
        _given(request.events),
        request.generated,
        request.minimise,
        request.seed,
        engines_of(request.engines),
    )
    remembered = None
    if kept is not None and all(map(_is_told, hows.values())):
        remembered = Remembered(plan, cache.Cache(cache.folder(), "verdicts"), kept)
    elif record is not None:
        record.reads = None
    found, problems = _rules(request, reading, plan, remembered)
    found += [
        Tested(
            pack.path,
            pack.place / name,
            pack.title,
            "",
            target.name,
            verdict,
            PurePosixPath(target.name, pack.place, name),
        )
        for pack in reading.packs
        for target, name, verdict in testing.hunts(pack, plan, remembered)
    ]
    if remembered is not None:
        remembered.save()
    # Verdicts of some engines only are none for the manifest.
    if plan.outputs is not None and not plan.engines:
        problems += _keep(plan.outputs, found)
        if record is not None:
            record.wrote = [str(plan.outputs / manifest.NAME)]
    return _tell(request, reading, found, problems, record)


def _kept(request: Request, inputs: Sequence[str], targets: Sequence[Target]) -> Kept:
    """What was kept of a run over the same rules in the same way."""
    how = [request.stock, request.generated, request.minimise, request.seed, request.engines]
    return Kept.of(["test", Path.cwd(), inputs, [target.name for target in targets], *how])


def _others(
    request: Request,
    project: config.Project | None,
    inputs: Sequence[str],
    outputs: Path | None,
    targets: Sequence[Target],
) -> Sequence[Path | str]:
    """What the run reads beside the project file, the rules, and what was recorded for them."""
    others: list[Path | str] = [*request.events, package.folder()]
    others += [*(project.filters if project else ()), *(request.pipelines or (project.pipelines if project else ()))]
    # Where a rule alone is named, its cases stand beside it, not below.
    others += [path.with_name(path.stem + CASES_SUFFIX) for path in map(Path, inputs) if not path.is_dir()]
    if outputs is not None:
        others += [outputs / target.name for target in targets]
    return others


def _watch_the_rest(record: Record, reading: Reading, others: Sequence[Path | str]) -> None:
    """Have watched what is read once the rules are: with their recorded events, and where those would be found before.

    None of it has been read yet.
    """
    first, state = record.reads, record.state
    record.reads = None
    if first is None:
        return
    places = dict.fromkeys(place for rule in reading.rules for place in recordings(rule))
    record.begin(replace(first, others=tuple(dict.fromkeys(map(str, (*others, *map(_there, places)))))))
    if watched.state(first) != state:
        # What was read may not be what stands there now.
        record.reads = None


def _there(place: Path) -> Path:
    """The place, or what of the way to it is not there first."""
    while not place.parent.exists():
        place = place.parent
    return place


def _is_told(how: How) -> bool:
    """Whether every pipeline is a file, or ships with what the key of a run names."""
    own = {name for target in DEFAULTS for name in built_in(target)}
    return all(name in own or Path(name).exists() for name in how.options.pipelines)


def _rules(
    request: Request, reading: Reading, plan: Plan, remembered: Remembered | None
) -> tuple[list[Tested], list[Problem]]:
    """The verdicts on the rules, and what is wrong with their cases."""
    found: list[Tested] = []
    problems: list[Problem] = []

    def done(rules: Sequence[Rule]) -> Iterator[Rule]:
        return progress(rules, quiet=request.quiet, doing="Testing")

    for rule, judged in testing.tested(reading.rules, plan, request.jobs or processors(), remembered, done):
        known = gaps(rule)
        if isinstance(known, Problem):
            problems.append(known)
            known = {}
        unknown = sorted(known.keys() - TARGETS.keys())
        problems += [Problem(f"todo names the target {name}, which there is not", rule.cases_path) for name in unknown]
        for target in plan.targets:
            place = output(rule, target)
            told = (target.name, judged.verdicts[target.name], place, known.get(target.name, ""))
            found.append(Tested(rule.path, rule.place, rule.title, rule.id, *told))
        for case in judged.contradictions:
            said = "matches" if case.wanted else "does not match"
            problems.append(Problem(f"{case.name!r} says that the rule {said} it; by its YAML it is not so", rule.path))
    return found, problems


def _hows(
    request: Request, project: config.Project | None, reading: Reading, targets: Sequence[Target]
) -> dict[str, How]:
    how = replace(
        how_of(project, reading),
        stock=request.stock,
        without=frozenset(name.upper() for name in request.without),
        allow_inexact=request.allow_inexact,
    )
    if request.pipelines:
        how = replace(how, options=replace(how.options, pipelines=request.pipelines))
    if not request.stock:
        refuse_repairs(targets, how)
        refuse_what_no_rule_can_take(project, targets, how)
        return {target.name: how for target in targets}
    hows = {}
    for target in targets:
        pipelines = request.pipelines or tuple(filter(None, [STOCK_PIPELINES.get(target.name)]))
        if target.name not in STOCK_PIPELINES:
            raise UsageError(f"sigma-cli has no target {target.name}; have: {', '.join(STOCK_PIPELINES)}")
        hows[target.name] = replace(how, options=StockOptions(pipelines))
        refuse_repairs([target], hows[target.name])
    return hows


def _given(paths: Sequence[Path]) -> dict[str, tuple[Given, ...]]:
    """The events that the user names, by the id of their rule."""
    found: dict[str, tuple[Given, ...]] = {}
    for path in paths:
        if not path.exists():
            raise UsageError("does not exist; name a file or folder of events", path)
        for name, events in given(path).items():
            found[name] = (*found.get(name, ()), *events)
    return found


def _keep(outputs: Path, found: Sequence[Tested]) -> list[Problem]:
    """Write the verdicts into the manifest of the outputs; gives what went wrong."""
    path = outputs / manifest.NAME
    files = {each.output: text for each in found if (text := _held(f"{outputs}/{each.output}")) is not None}
    verdicts = {each.output: each.verdict.kind for each in found if each.output in files}
    try:
        held = path.read_text(encoding="utf-8")
        judged = manifest.judged(held, verdicts, files)
        replaced = None if judged is None else tree.write_file(path, judged.encode())
    except (OSError, UnicodeDecodeError) as error:
        return [Problem(f"its verdicts cannot be written: {error}", path)]
    return [replaced] if replaced else []


def _held(path: str) -> bytes | None:
    """What the file holds: None where there is none, nothing where it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of them
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError:
        return b""


def _tell(
    request: Request, reading: Reading, found: Sequence[Tested], problems: Sequence[Problem], record: Record | None
) -> int:
    report.problems([*reading.absent, *reading.problems, *problems])
    _print("".join(f"{line}\n" for line in lines(found, whole=request.verbose)), record)
    report.problems(Problem(f"not checked by {each}") for tested in found for each in tested.verdict.unmade)
    told = Report(problems=problems, unread=[*reading.absent, *reading.problems], tested=found)
    unwritten = report.write_reports(request.reports, told)
    report.problems(unwritten)
    if reading.absent or unwritten:
        return 2
    findings = [each for each in found if each.is_finding(skip=request.skip)]
    return 1 if findings or problems or reading.problems else 0


def _print(text: str, record: Record | None) -> None:
    """Print on standard output, and keep what is printed."""
    click.echo(text, nl=False)
    if record is not None:
        shown = text if sys.stdout.isatty() else click.unstyle(text)
        record.printed.append(shown.encode(errors="backslashreplace"))
