"""Each query as a file of its own, written as it is converted, and the manifest of them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from converter import manifest, tree
from converter.cli import patch, report
from converter.cli.asked import Request
from converter.cli.outcome import Seen, exit_code
from converter.cli.progress import progress
from converter.cli.replay import Record
from converter.cli.say import say
from converter.convert import How, Query, Refusal
from converter.errors import Problem
from converter.framing import framed
from converter.jobs import Workers
from converter.outputs import Output, Outputs, each_output
from converter.packs import Reading
from converter.rule import Rule
from converter.targets.target import Target


@dataclass
class Written:
    """What has been written so far: the files of the manifest, what went wrong with others, and what is to be told."""

    listing: manifest.Listing = field(default_factory=manifest.Listing)
    files: list[str] = field(default_factory=list)
    unwritten: dict[str, Problem] = field(default_factory=dict)
    lost: list[Refusal] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    shapes: patch.Shapes = field(default_factory=patch.Shapes)
    last: Rule | None = None


def written(  # noqa: PLR0913, PLR0917 - each is one fact of the run
    request: Request,
    reading: Reading,
    targets: Sequence[Target],
    how: How,
    output: Path,
    known: set[str],
    record: Record | None,
    workers: Workers,
) -> int:
    """Write all queries below the folder, tell what came of it, and give the exit code."""
    made = Outputs({}, {}, [], [])
    done = Written()
    held = tree.text_of(output / manifest.NAME)
    with tree.Writer(output) as writer:
        for each in _outputs(request, reading, targets, how, made, record, workers):
            _write(each, request, writer, done)
    if record is not None and record.kept is not None:
        record.kept.save()
    problems = [problem for _, problem in sorted(done.unwritten.items())]
    gone, unremoved = _gone(request, targets, output, held, done, made, known)
    problems += unremoved
    listing = bytearray()
    for piece in done.listing.pieces([*made.refusals, *done.lost], reading.unread, targets, held, gone):
        listing += tree.encoded(piece)
    unlisted = writer.write(manifest.NAME, listing)
    problems += [unlisted] if unlisted else []
    if record is not None:
        record.wrote = [f"{output}/{path}" for path in (*done.files, manifest.NAME)]
        record.reads = None if problems else record.reads
        if not problems and patch.may_follow(request, reading, how):
            record.rules = done.shapes.of(reading, made.refusals)
    for query in done.seen.queries:
        report.warnings(query)
    report.problems(made.problems)
    done.seen.refusals.extend(made.refusals)
    code = exit_code(request, reading, done.seen, problems, made.problems, record)
    if not request.quiet:
        say(f"{len(done.files)} file{'' if len(done.files) == 1 else 's'} in {output.as_posix()}")
    return 2 if done.unwritten and not done.files else code


def _outputs(  # noqa: PLR0913, PLR0917 - each is one fact of the run
    request: Request,
    reading: Reading,
    targets: Sequence[Target],
    how: How,
    made: Outputs,
    record: Record | None,
    workers: Workers,
) -> Iterator[Output]:
    """Every file, in the format that is asked for."""
    kept = record.kept if record else None
    is_framed = request.form != "default" and not how.stock
    for each in each_output(
        reading,
        targets,
        how,
        made,
        workers=workers,
        watched=lambda rules: progress(rules, quiet=request.quiet),
        kept=kept,
    ):
        if not is_framed or not isinstance(each.source, Query):
            yield each
            continue
        whole = framed([each.source], how)
        made.refusals.extend(whole.refusals)
        for query in whole.queries:
            yield Output(each.path, f"{whole.text}\n", query)


def _write(each: Output, request: Request, writer: tree.Writer, done: Written) -> None:
    """Write one file, and note what is needed of it when all are written: its text is not."""
    content = tree.encoded(each.text, request.encoding)
    problem = writer.write(each.path, content)
    source = each.source
    if problem is None:
        done.files.append(each.path)
        done.listing.add(each.path, content, source)
    else:
        done.unwritten[each.path] = problem
    if isinstance(source, Query):
        if problem is not None:
            # In the manifest, what could not be written is a refusal of its rule.
            done.lost.append(Refusal(source.rule, source.target, problem.message))
        done.seen.counted[source.target.name] += 1
        if request.cached:
            done.shapes.note(source)
        if done.last is not None and done.last is not source.rule:
            done.last.let_go()
        done.last = source.rule
        if source.warnings or request.reports:
            done.seen.queries.append(replace(source, text=""))


def known(reading: Reading) -> set[str]:
    """Every rule file and pack that is there, sound or not, selected or not, as a manifest names them."""
    files = {rule.file_name for rule in (*reading.rules, *reading.filters)}
    files |= {str(unread.place) for unread in reading.unread}
    return files | {str(pack.place) for pack in reading.packs} | {str(place) for place in reading.unsound_packs}


def _gone(  # noqa: PLR0913, PLR0917 - each is one fact of the run
    request: Request,
    targets: Sequence[Target],
    output: Path,
    held: str,
    done: Written,
    made: Outputs,
    known: set[str],
) -> tuple[set[str], list[Problem]]:
    """The outputs of earlier runs that are not there any more, some of them because they were to be removed."""
    standing = {*done.files, *done.unwritten}
    earlier = {path: rule for path, rule in _earlier(held).items() if path not in standing}
    gone = {path for path in earlier if not (output / path).exists()}
    if not request.prune:
        return gone, []
    refused = {(refusal.rule.file_name, refusal.target.name) for refusal in made.refusals}
    names = {target.name for target in targets}
    removed = [
        path
        for path, rule in earlier.items()
        if path.partition("/")[0] in names and (rule not in known or (rule, path.partition("/")[0]) in refused)
    ]
    problems = _remove(removed, output)
    return gone | {path for path in removed if not (output / path).exists()}, problems


def _earlier(held: str) -> dict[str, str]:
    """Each output that a manifest names, and the path of its rule, or of its pack, below its INPUT."""
    found = manifest.entries(held)
    named = {entry["output"]: entry["path"] for entry in found["queries"]}
    named |= {entry["output"]: entry["pack"] for entry in found["hunting"]}
    # Whatever a manifest says, nothing beside its own folder is touched.
    return {path: rule for path, rule in named.items() if path and path[0] != "/" and _stays(path)}


def _stays(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(pure.parts) and not pure.is_absolute() and ".." not in pure.parts


def _remove(paths: Sequence[str], output: Path) -> list[Problem]:
    problems = []
    for path in paths:
        try:
            (output / path).unlink(missing_ok=True)
        except OSError as error:
            problems.append(Problem(f"cannot be removed: {error.strerror or error}", output / path))
    return problems
