"""What a conversion came to: told in every form asked for, and as an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from converter.cli import report
from converter.cli.asked import Request
from converter.cli.progress import counts, summary
from converter.cli.replay import Record
from converter.cli.say import say
from converter.convert import Query, Refusal
from converter.errors import Problem
from converter.packs import Reading


@dataclass(frozen=True)
class Seen:
    """What a run came to, filled while its texts go out.

    `counted` says how many queries each target has; the `queries` themselves are held where somebody asks for them.
    """

    queries: list[Query] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)


def exit_code(  # noqa: PLR0913, PLR0917 - each is one fact of the run
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
