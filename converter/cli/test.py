"""`sigmapack test`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import click

from converter import cache, config, manifest, packs, testing, tree
from converter.cli import report
from converter.cli.named_engines import engines_of
from converter.cli.progress import progress
from converter.cli.request import how_of, refuse_repairs, refuse_what_no_rule_can_take, targets_of
from converter.cli.verdicts import details, summary, table
from converter.convert import How
from converter.errors import Problem, UsageError
from converter.judge import Given
from converter.packs import Reading
from converter.reports.report import Report, Tested
from converter.rule import Rule
from converter.sound import is_sound
from converter.stock import StockOptions
from converter.targets import TARGETS, named
from converter.targets.target import Target

# What most users of the stock backends convert Windows rules with.
STOCK_PIPELINES = {"kusto": "microsoft_xdr", "splunk": "splunk_windows", "lucene": "ecs_windows"}


@dataclass(frozen=True)
class Request:
    """What the user asks for, option by option."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    pipelines: tuple[str, ...]
    events: tuple[Path, ...]
    stock: bool
    without: tuple[str, ...]
    allow_inexact: bool
    generated: bool
    minimise: bool
    seed: int
    engines: tuple[str, ...]
    skip: bool
    jobs: int | None
    cached: bool
    reports: tuple[report.Wanted, ...]
    quiet: bool
    verbose: bool


@click.command()
@click.argument("inputs", metavar="[INPUT]...", nargs=-1)
@click.option("-t", "--target", "targets", multiple=True, metavar="TARGET", help="Test on this target; repeatable.")
@click.option("-p", "--pipeline", "pipelines", multiple=True, help="Add a pySigma pipeline, by name or file.")
@click.option(
    "--events",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Test on these events too: a JSON or JSONL file, or a folder of them, SigmaHQ's regression data included.",
)
@click.option("--stock", is_flag=True, help="Test what sigma-cli converts: no repairs, no routes.")
@click.option("--without", multiple=True, metavar="REPAIR", help="Convert without a repair, like K2; repeatable.")
@click.option("--allow-inexact", is_flag=True, help="Convert what has no exact form as nearly as can be.")
@click.option("--generated/--no-generated", default=True, help="Make events from the rules too. Default: yes.")
@click.option("--minimise/--no-minimise", default=True, help="Look for the smallest event that shows it. Default: yes.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the generated events.")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    metavar="NAME[=URL]",
    help="Only this one judges: kql, spl, lucene, elasticsearch=URL or opensearch=URL; repeatable.",
)
@click.option("-s", "--skip-unsupported/--fail-unsupported", "skip", help="A refused rule is a warning, not a finding.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Worker processes. Default: one for each processor.")
@click.option("--cache/--no-cache", "cached", default=True, help="Keep verdicts for the next run. Default: yes.")
@report.report_option
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
@click.option("-v", "--verbose", is_flag=True, help="List the exact ones too, however many.")
def test(**given: Any) -> int:  # noqa: ANN401 - one value an option
    """Run each query over events, and say whether it finds what its rule means.

    INPUT is as in convert, and is converted afresh. Without INPUT, the project's queries are judged as they stand in
    its outputs folder.

    A verdict is the first of these that holds: refused (no query), broken (invalid, or finds nothing of what it
    should), mixed (finds too much and too little), wider, narrower, untested, exact.

    Exits with 1 if a verdict is not exact, with 2 for wrong usage.
    """
    return _run(Request(**given))


def _run(request: Request) -> int:
    project = config.find(Path.cwd()) if request.inputs else config.project(Path.cwd())
    targets = tuple(named(request.targets) if request.targets else targets_of(project))
    inputs = request.inputs or tuple(map(str, project.packs if project else ()))
    standard_input = sys.stdin.buffer.read() if packs.STANDARD_INPUT in inputs and sys.stdin else b""
    reading = packs.read(inputs, standard_input, is_sound=is_sound)
    hows = _hows(request, project, reading, targets)
    fresh = bool(request.inputs or request.stock or request.without or request.allow_inexact or request.pipelines)
    plan = testing.Plan(
        targets,
        hows,
        None if fresh or project is None else project.outputs,
        _given(request.events),
        request.generated,
        request.minimise,
        request.seed,
        engines_of(request.engines),
    )
    kept = cache.Cache(cache.folder(), "verdicts") if request.cached else None
    found, problems = _rules(request, reading, plan, kept)
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
        for target, name, verdict in testing.hunts(pack, plan)
    ]
    # Verdicts of some engines only are none for the manifest.
    if plan.outputs is not None and not plan.engines:
        problems += _keep(plan.outputs, found)
    return _tell(request, reading, found, problems)


def _rules(
    request: Request, reading: Reading, plan: testing.Plan, kept: cache.Cache | None
) -> tuple[list[Tested], list[Problem]]:
    """The verdicts on the rules, and what is wrong with their cases."""
    found: list[Tested] = []
    problems: list[Problem] = []

    def watched(rules: Sequence[Rule]) -> Iterator[Rule]:
        return progress(rules, quiet=request.quiet, doing="Testing")

    for rule, judged in testing.tested(reading.rules, plan, request.jobs or testing.processors(), kept, watched):
        gaps = testing.gaps(rule)
        if isinstance(gaps, Problem):
            problems.append(gaps)
            gaps = {}
        unknown = sorted(gaps.keys() - TARGETS.keys())
        problems += [Problem(f"todo names the target {name}, which there is not", rule.cases_path) for name in unknown]
        for target in plan.targets:
            output = testing.output(rule, target)
            told = (target.name, judged.verdicts[target.name], output, gaps.get(target.name, ""))
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
        for name, events in testing.given(path).items():
            found[name] = (*found.get(name, ()), *events)
    return found


def _keep(outputs: Path, found: Sequence[Tested]) -> list[Problem]:
    """Write the verdicts into the manifest of the outputs; gives what went wrong."""
    path = outputs / manifest.NAME
    there = [each for each in found if (outputs / each.output).is_file()]
    verdicts = {each.output: each.verdict.kind for each in there}
    files = {each.output: (outputs / each.output).read_bytes() for each in there}
    try:
        held = path.read_text(encoding="utf-8")
        if not any(manifest.entries(held).values()):
            return []
        replaced = tree.write_file(path, manifest.judged(held, verdicts, files).encode())
    except (OSError, UnicodeDecodeError) as error:
        return [Problem(f"its verdicts cannot be written: {error}", path)]
    return [replaced] if replaced else []


def _tell(request: Request, reading: Reading, found: Sequence[Tested], problems: Sequence[Problem]) -> int:
    report.problems([*reading.absent, *reading.problems, *problems])
    table(found, whole=request.verbose)
    details(found)
    summary(found)
    report.problems(Problem(f"not checked by {each}") for tested in found for each in tested.verdict.unmade)
    told = Report(problems=problems, unread=[*reading.absent, *reading.problems], tested=found)
    unwritten = report.write_reports(request.reports, told)
    report.problems(unwritten)
    if reading.absent or unwritten:
        return 2
    findings = [each for each in found if each.is_finding(skip=request.skip)]
    return 1 if findings or problems or reading.problems else 0
