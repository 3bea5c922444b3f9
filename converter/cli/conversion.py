"""What `sigmapack convert` does with its options: read, convert, and bring the queries where they belong."""

from __future__ import annotations

import codecs
import gc
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from converter import config, packs, sound, tree
from converter.cli import folder, report
from converter.cli.asked import NDJSON, Request
from converter.cli.outcome import Seen, exit_code
from converter.cli.replay import Record
from converter.cli.request import (
    how_of,
    kept_of,
    places,
    refuse_own_outputs,
    refuse_what_no_rule_can_take,
    requested_targets,
)
from converter.convert import How, Query, Refusal
from converter.errors import UsageError
from converter.framing import framed
from converter.jobs import Workers, conversions, prepare, processors
from converter.packs import Reading
from converter.select import Selection
from converter.stock import built_in
from converter.targets import DEFAULTS
from converter.targets.target import Target
from converter.watched import Watched

PIECE = 1 << 16
# How many new objects are looked through for circles at a time: most of a conversion's go by themselves.
COLLECTED = 2_000


def run(request: Request, record: Record | None = None) -> int:
    """Convert as asked, and give the exit code; the record is told what the run reads and writes."""
    try:
        "".encode(request.encoding)
    except LookupError:
        raise UsageError(f"unknown encoding of text {request.encoding}; use utf-8") from None
    gc.set_threshold(COLLECTED)
    project, inputs, output = places(request)
    targets = requested_targets(request, project)
    if record is not None:
        record.begin(_watched(request, project, inputs))
        record.kept = kept_of(inputs, targets, request)
    jobs = request.jobs or processors()
    with Workers(jobs, lambda: prepare(targets, request.pipelines, stock=request.stock)) as workers:
        return _run(request, project, targets, inputs, output, record, workers)


def _run(  # noqa: PLR0913, PLR0917 - each is one fact of the run
    request: Request,
    project: config.Project | None,
    targets: Sequence[Target],
    inputs: Sequence[str],
    output: Path | None,
    record: Record | None,
    workers: Workers,
) -> int:
    """Convert these INPUTs for these targets."""
    standard_input = sys.stdin.buffer.read() if packs.STANDARD_INPUT in inputs and sys.stdin else b""
    kept = record.kept if record is not None else None
    reading = packs.read(inputs, standard_input, request.pattern, sound.is_sound, kept, workers.read)
    how = how_of(project, reading, request)
    refuse_what_no_rule_can_take(project, targets, how, request)
    refuse_own_outputs(project or config.find(Path.cwd()), output, how)
    if record is not None and not _is_watched(request, how):
        record.reads = record.kept = None
    # Rules and modules stay to the end: there is nothing among them to throw away.
    gc.freeze()
    known = folder.known(reading) if request.prune else set()
    reading.rules[:] = Selection(request.levels, request.statuses, request.tags).of(reading.rules)
    if output is None or (output.suffix and not output.is_dir()):
        return _one_text(request, reading, targets, how, output, record, workers)
    if request.form == NDJSON:
        raise UsageError("ndjson is one text: leave -o out, or name a file like -o queries.ndjson")
    return folder.written(request, reading, targets, how, output, known, record, workers)


def _one_text(  # noqa: PLR0913, PLR0917 - each is one fact of the run
    request: Request,
    reading: Reading,
    targets: Sequence[Target],
    how: How,
    output: Path | None,
    record: Record | None,
    workers: Workers,
) -> int:
    """All queries as one text, to a file or to standard output."""
    if output is not None and len(targets) > 1 and request.form != NDJSON:
        message = f"one file takes one target; choose it with -t: {', '.join(target.name for target in targets)}"
        raise UsageError(message, output)
    seen = Seen()
    # One encoder for all pieces: a byte order mark stands at the beginning only.
    encoder = codecs.getincrementalencoder(request.encoding)(errors="backslashreplace")
    texts = _texts(
        request, how, conversions(reading.rules, targets, how, workers, record.kept if record else None), seen
    )
    contents = (encoder.encode(text) for text in texts)
    problem = None
    if output is None:
        write_all(contents, record)
    else:
        problem = tree.write_file(output, b"".join(contents))
        if record is not None:
            record.wrote = [str(output)]
    if record is not None and record.kept is not None:
        record.kept.save()
    code = exit_code(request, reading, seen, [problem] if problem else [], record=record)
    return 2 if problem else code


def write_all(contents: Iterable[bytes], record: Record | None = None) -> None:
    """Write to standard output, in pieces that are worth a call of the system."""
    waiting: list[bytes] = []
    size = 0
    for content in contents:
        waiting.append(content)
        if record is not None:
            record.printed.append(content)
        size += len(content)
        if size >= PIECE:
            sys.stdout.buffer.write(b"".join(waiting))
            waiting, size = [], 0
    sys.stdout.buffer.write(b"".join(waiting))


def _texts(request: Request, how: How, outcomes: Iterator[Query | Refusal], seen: Seen) -> Iterator[str]:
    """What goes out, piece by piece; a format of a backend needs all queries at once."""
    is_framed = not how.stock and request.form not in {"default", NDJSON}
    first = True
    last = None
    for outcome in outcomes:
        if last is not None and last is not outcome.rule and not is_framed:
            last.let_go()
        last = outcome.rule
        if isinstance(outcome, Refusal):
            seen.refusals.append(outcome)
            continue
        report.warnings(outcome)
        seen.counted[outcome.target.name] += 1
        if is_framed or request.reports:
            seen.queries.append(outcome)
        if request.form == NDJSON:
            yield json.dumps(_record(outcome), ensure_ascii=False) + "\n"
        elif not is_framed:
            yield f"{outcome.text}\n" if first else f"\n{outcome.text}\n"
        first = False
    if is_framed and seen.queries:
        whole = framed(seen.queries, how)
        seen.queries[:] = whole.queries
        seen.refusals.extend(whole.refusals)
        seen.counted.subtract(refusal.target.name for refusal in whole.refusals)
        if whole.queries:
            yield f"{whole.text}\n"


def _record(query: Query) -> dict[str, str]:
    return {
        "rule": query.rule.title,
        "id": query.rule.id,
        "path": query.rule.path.as_posix(),
        "target": query.target.name,
        "text": query.text,
    }


def _is_watched(request: Request, how: How) -> bool:
    """Whether every pipeline and target is a file, or ships with what the key of a run names."""
    own = {name for target in DEFAULTS for name in built_in(target)}
    named = all(name in own or Path(name).exists() for name in how.options.pipelines)
    return named and (not request.stock or set(request.targets) <= set(DEFAULTS))


def _watched(request: Request, project: config.Project | None, inputs: Sequence[str]) -> Watched:
    """What the run reads beside the project file."""
    filters = request.filters or tuple(map(str, project.filters if project else ()))
    pipelines = request.pipelines or (project.pipelines if project else ())
    return Watched(tuple(inputs), (*filters, *pipelines), request.pattern)
