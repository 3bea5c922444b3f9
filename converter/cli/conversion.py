"""What `sigmapack convert` does with its options: read, convert, and bring the queries where they belong."""

from __future__ import annotations

import codecs
import gc
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from converter import config, manifest, packs, sound, tree
from converter.cli import patch, report
from converter.cli.asked import NDJSON, Request
from converter.cli.progress import counts, progress, summary
from converter.cli.replay import Record
from converter.cli.request import (
    how_of,
    kept_of,
    refuse_own_outputs,
    refuse_what_no_rule_can_take,
    requested_targets,
)
from converter.cli.say import say
from converter.convert import How, Query, Refusal
from converter.errors import Problem, UsageError
from converter.framing import framed
from converter.jobs import Workers, conversions
from converter.outputs import Outputs, outputs
from converter.packs import Reading
from converter.select import Selection
from converter.stock import built_in
from converter.targets import DEFAULTS
from converter.targets.target import Target
from converter.watched import Watched

PIECE = 1 << 16


def run(request: Request, record: Record | None = None) -> int:
    """Convert as asked, and give the exit code; the record is told what the run reads and writes."""
    try:
        "".encode(request.encoding)
    except LookupError:
        raise UsageError(f"unknown encoding of text {request.encoding}; use utf-8") from None
    project = config.find(Path.cwd()) if request.inputs else config.project(Path.cwd())
    targets = requested_targets(request, project)
    inputs = request.inputs or tuple(map(str, project.packs if project else ()))
    output = request.output or (project.outputs if project and not request.inputs else None)
    output = None if output == Path(packs.STANDARD_INPUT) else output
    if record is not None:
        record.begin(_watched(request, project, inputs))
        record.kept = kept_of(inputs, targets, request)
    with Workers(request.jobs) as workers:
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
    known = _known(reading) if request.prune else set()
    reading.rules[:] = Selection(request.levels, request.statuses, request.tags).of(reading.rules)
    if output is None or (output.suffix and not output.is_dir()):
        return _one_text(request, reading, targets, how, output, record, workers)
    return _tree(request, reading, targets, how, output, known, record, workers)


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
    code = _code(request, reading, seen, [problem] if problem else [], record=record)
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


@dataclass(frozen=True)
class Seen:
    """What a run came to, filled while its texts go out.

    `counted` says how many queries each target has; the `queries` themselves are held where somebody asks for them.
    """

    queries: list[Query] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)


def _texts(request: Request, how: How, outcomes: Iterator[Query | Refusal], seen: Seen) -> Iterator[str]:
    """What goes out, piece by piece; a format of a backend needs all queries at once."""
    is_framed = not how.stock and request.form not in {"default", NDJSON}
    first = True
    for outcome in outcomes:
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


def _known(reading: Reading) -> set[str]:
    """Every rule file and pack that is there, sound or not, selected or not, as a manifest names them."""
    files = {rule.file_name for rule in (*reading.rules, *reading.filters)}
    files |= {str(unread.place) for unread in reading.unread}
    return files | {str(pack.place) for pack in reading.packs} | {str(place) for place in reading.unsound_packs}


def _tree(  # noqa: PLR0913, PLR0917 - each is one fact of the run
    request: Request,
    reading: Reading,
    targets: Sequence[Target],
    how: How,
    output: Path,
    known: set[str],
    record: Record | None,
    workers: Workers,
) -> int:
    """Each query as a file of its own, and the manifest of them all."""
    if request.form == NDJSON:
        raise UsageError("ndjson is one text: leave -o out, or name a file like -o queries.ndjson")
    made = outputs(
        reading,
        targets,
        how,
        workers,
        lambda rules: progress(rules, quiet=request.quiet),
        record.kept if record else None,
    )
    if record is not None and record.kept is not None:
        record.kept.save()
    if request.form != "default" and not how.stock:
        _frame(made, how)
    held = tree.text_of(output / manifest.NAME)
    unwritten = tree.write(made.files, output, request.encoding)
    problems = list(unwritten.values())
    earlier = _outputs(held)
    gone = {path for path in earlier if not (output / path).exists()}
    if request.prune:
        refused = {(str(refusal.rule.file), refusal.target.name) for refusal in made.refusals}
        ends = [
            path
            for path, rule in earlier.items()
            if path not in made.files and (rule not in known or (rule, path.parts[0]) in refused)
        ]
        removed = [path for path in ends if path.parts[0] in {target.name for target in targets}]
        problems += _remove(removed, output)
        gone |= {path for path in removed if not (output / path).exists()}
    listing = manifest.manifest(_without(made, unwritten), reading.unread, targets, held, request.encoding, gone)
    problems += tree.write({PurePosixPath(manifest.NAME): listing}, output).values()
    if record is not None:
        record.wrote = [f"{output}/{path}" for path in (*made.files, manifest.NAME)]
        record.reads = None if problems else record.reads
        if not problems and patch.may_follow(request, reading, how):
            record.rules = patch.shapes(reading, made)
    for query in made.queries:
        report.warnings(query)
    report.problems(made.problems)
    counted = Counter(query.target.name for query in made.queries)
    code = _code(request, reading, Seen(made.queries, made.refusals, counted), problems, made.problems, record)
    written = len(made.files) - len(unwritten)
    if not request.quiet:
        say(f"{written} file{'' if written == 1 else 's'} in {output.as_posix()}")
    return 2 if unwritten and not written else code


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


def _frame(made: Outputs, how: How) -> None:
    """Put each query into the format of its target's backend."""
    for path, query in list(made.sources.items()):
        if not isinstance(query, Query):
            continue
        whole = framed([query], how)
        made.refusals.extend(whole.refusals)
        if whole.queries:
            made.files[path], made.sources[path] = f"{whole.text}\n", whole.queries[0]
        else:
            del made.files[path], made.sources[path]


def _without(made: Outputs, unwritten: Mapping[PurePosixPath, Problem]) -> Outputs:
    """The outputs that stand on the disk; what could not be written is a refusal of its rule."""
    sources = {path: source for path, source in made.sources.items() if path not in unwritten}
    lost = [
        Refusal(source.rule, source.target, unwritten[path].message)
        for path, source in made.sources.items()
        if path in unwritten and isinstance(source, Query)
    ]
    files = {path: made.files[path] for path in sources}
    return Outputs(files, sources, [*made.refusals, *lost], made.problems)


def _outputs(held: str) -> dict[PurePosixPath, str]:
    """Each output that a manifest names, and the path of its rule, or of its pack, below its INPUT."""
    found = manifest.entries(held)
    named = {PurePosixPath(entry["output"]): entry["path"] for entry in found["queries"]}
    named |= {PurePosixPath(entry["output"]): entry["pack"] for entry in found["hunting"]}
    # Whatever a manifest says, nothing beside its own folder is touched.
    return {
        path: rule for path, rule in named.items() if path.parts and not path.is_absolute() and ".." not in path.parts
    }


def _remove(paths: Sequence[PurePosixPath], output: Path) -> list[Problem]:
    problems = []
    for path in paths:
        try:
            (output / path).unlink(missing_ok=True)
        except OSError as error:
            problems.append(Problem(f"cannot be removed: {error.strerror or error}", output / path))
    return problems


def _code(  # noqa: PLR0913, PLR0917 - each is one fact of the run
    request: Request,
    reading: Reading,
    seen: Seen,
    unwritten: Sequence[Problem],
    problems: Sequence[Problem] = (),
    record: Record | None = None,
) -> int:
    """Tell of everything found, in every form asked for, and give the exit code."""
    report.refusals(seen.refusals)
    for detail in dict.fromkeys(refusal.detail for refusal in seen.refusals if refusal.detail and request.verbose):
        say(detail)
    report.problems([*unwritten, *reading.problems, *reading.absent])
    lost = []
    if request.reports:
        from converter.reports.report import Report  # noqa: PLC0415 - few runs write any

        found = Report(seen.queries, seen.refusals, [*problems, *unwritten], [*reading.problems, *reading.absent])
        lost = report.write_reports(request.reports, found)
    report.problems(lost)
    rows = counts(seen.counted, seen.refusals)
    summary(rows, quiet=request.quiet)
    if record is not None:
        record.counted = rows
    if reading.absent or lost:
        return 2
    if unwritten or problems or reading.problems:
        return 1
    return 1 if seen.refusals and not request.skip else 0
