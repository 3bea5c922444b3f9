"""What `sigmapack convert` does with its options: read, convert, and bring the queries where they belong."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from converter import config, mapping, packs, sound, tree
from converter.cli import report
from converter.convert import How, Query, Refusal
from converter.errors import Problem, UsageError
from converter.jobs import conversions
from converter.outputs import Outputs, outputs
from converter.packs import Reading
from converter.select import Selection
from converter.targets import DEFAULTS, named
from converter.targets.target import Target

NDJSON = "ndjson"


@dataclass(frozen=True)
class Request:
    """What the user asks for, option by option."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    output: Path | None
    form: str
    pipelines: tuple[str, ...]
    filters: tuple[str, ...]
    pattern: str
    levels: tuple[str, ...]
    statuses: tuple[str, ...]
    tags: tuple[str, ...]
    allow_unmapped: bool
    skip: bool
    prune: bool
    method: str | None
    backend_options: tuple[tuple[str, int | str], ...]
    encoding: str
    jobs: int
    stock: bool
    without_pipeline: bool
    pipeline_check: bool
    enable_template_vars: bool
    template_paths: tuple[str, ...]
    quiet: bool
    verbose: bool


def run(request: Request) -> int:
    """Convert as asked, and give the exit code."""
    try:
        codecs.lookup(request.encoding)
    except LookupError:
        raise UsageError(f"unknown encoding {request.encoding}; use utf-8") from None
    project = config.find(Path.cwd())
    chosen = named(request.targets or (project.targets if project else ()) or DEFAULTS)
    if not request.inputs and project is None:
        project = config.project(Path.cwd())  # raises
    inputs = request.inputs or tuple(map(str, project.packs if project else ()))
    output = request.output or (None if request.inputs or project is None else project.outputs)
    standard_input = sys.stdin.buffer.read() if packs.STANDARD_INPUT in inputs else b""
    reading = packs.read(inputs, standard_input, request.pattern)
    how = how_of(project, reading, request)
    for target in chosen:
        mapping.added(how.pipelines, target.family)  # raises before anything is written
    reading.rules[:] = Selection(request.levels, request.statuses, request.tags).of(reading.rules)
    if output is None or request.form != "default" or output.suffix:
        return _one_text(request, reading, chosen, how, output)
    return _tree(request, reading, chosen, how, output)


def how_of(project: config.Project | None, reading: Reading, request: Request | None = None) -> How:
    """The request's pipelines and filters, or the project's where it has none; a filter among the INPUTs counts too."""
    pipelines = (request.pipelines if request else ()) or (project.pipelines if project else ())
    named_filters = (request.filters if request else ()) or tuple(map(str, project.filters if project else ()))
    extra = packs.read(named_filters) if named_filters else Reading()
    filters = (*reading.filters, *extra.filters)
    faults = sound.filter_problems(filters)
    reading.problems += [*extra.problems, *faults]
    reading.absent += [problem for problem in extra.absent if "does not exist" in problem.message]
    unsound = {(fault.path, fault.line) for fault in faults}
    return How(
        pipelines=pipelines,
        filters=tuple(each for each in filters if (each.path, each.first_line) not in unsound),
        referable=tuple(reading.rules),
        placeholders=project.placeholders if project else {},
        allow_unmapped=request.allow_unmapped if request else False,
        correlation_method=request.method if request else None,
    )


def _one_text(request: Request, reading: Reading, targets: Sequence[Target], how: How, output: Path | None) -> int:
    """All queries as one text, to a file or to standard output."""
    if request.form not in {"default", NDJSON}:
        raise UsageError(f"unknown format {request.form}; have: default, {NDJSON}")
    if output is not None and len(targets) > 1 and request.form != NDJSON:
        message = f"one file takes one target; choose it with -t: {', '.join(target.name for target in targets)}"
        raise UsageError(message, output)
    refused: list[Refusal] = []
    texts = _texts(request, conversions(reading.rules, targets, how, request.jobs), refused)
    contents = (text.encode(request.encoding, errors="backslashreplace") for text in texts)
    if output is None:
        for content in contents:
            sys.stdout.buffer.write(content)
        return _code(request, reading, refused, [])
    problem = tree.write_file(output, b"".join(contents))
    code = _code(request, reading, refused, [problem] if problem else [])
    return 2 if problem else code


def _texts(request: Request, outcomes: Iterator[Query | Refusal], refused: list[Refusal]) -> Iterator[str]:
    first = True
    for outcome in outcomes:
        if isinstance(outcome, Refusal):
            refused.append(outcome)
            continue
        report.warnings(outcome)
        if request.form == NDJSON:
            yield json.dumps(_record(outcome), ensure_ascii=False) + "\n"
        else:
            yield f"{outcome.text}\n" if first else f"\n{outcome.text}\n"
        first = False


def _record(query: Query) -> dict[str, str]:
    return {
        "rule": query.rule.title,
        "id": query.rule.id,
        "path": query.rule.path.as_posix(),
        "target": query.target.name,
        "text": query.text,
    }


def _tree(request: Request, reading: Reading, targets: Sequence[Target], how: How, output: Path) -> int:
    """Each query as a file of its own, and the manifest of them all."""
    made = outputs(reading, targets, how, request.jobs)
    for query in made.queries:
        report.warnings(query)
    unwritten = tree.write(made.files, output, request.encoding)
    pruned = _prune(made, output) if request.prune else []
    report.problems(made.problems)
    code = _code(request, reading, made.refusals, [*unwritten, *pruned], failed=bool(made.problems))
    if not request.quiet:
        written = len(made.files) - len(unwritten)
        click.echo(f"{written} file{'' if written == 1 else 's'} in {output.as_posix()}", err=True)
    return 2 if unwritten and len(unwritten) == len(made.files) else code


def _prune(made: Outputs, output: Path) -> list[Problem]:
    return []  # TODO


def _code(
    request: Request,
    reading: Reading,
    refused: Sequence[Refusal],
    unwritten: Sequence[Problem],
    *,
    failed: bool = False,
) -> int:
    report.refusals(refused)
    report.problems([*unwritten, *reading.problems, *reading.absent])
    if reading.absent:
        return 2
    if unwritten or failed or reading.problems:
        return 1
    return 1 if refused and not request.skip else 0
