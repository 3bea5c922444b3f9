"""Which groups of events a correlation finds, in every reading of what the specification leaves open."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from converter.oracle.correlated import Correlation, read
from converter.oracle.events import values
from converter.oracle.meaning import Meaning
from converter.oracle.scalars import forms
from converter.oracle.tree import Scalar
from converter.oracle.windows import Firing, Happened, Judged, Key, Reading, firings, folded, groups


@dataclass(frozen=True)
class Found:
    """A group that the correlation finds, and the first window in which it does, in seconds.

    `sure` is false where it finds it in some readings only; the window is that of one of them then.
    """

    group: Mapping[str, str | None]
    start: float
    end: float
    sure: bool


@dataclass(frozen=True)
class Correlated:
    """A correlation, ready to be asked."""

    correlation: Correlation

    def found(self, events: Sequence[tuple[float, Happened]]) -> Sequence[Found]:
        """The groups that the correlation finds among events and their times in seconds, in whatever order."""
        judged = Judged(events)
        first: dict[Key, Firing] = {}
        times: dict[Key, int] = {}
        readings = list(_readings(self.correlation, judged))
        for reading in readings:
            by_key: dict[Key, Firing] = {}
            for firing in firings(self.correlation, judged, reading):
                by_key.setdefault(folded(firing.key), firing)
            for key, firing in by_key.items():
                first.setdefault(key, firing)
                times[key] = times.get(key, 0) + 1
        open_ = judged.any_unsure and not all(one.is_upward for one in self.correlation.all)
        if open_:
            # Between none and all of the unsure events there are numbers that no reading tried.
            for key, occurrences in groups(self.correlation, judged, Reading(unsure=True, grouped=True)).items():
                whole = Firing(key, occurrences[0].time, occurrences[-1].time)
                first.setdefault(folded(key), whole)
        names = self.correlation.group_by
        return [
            Found(
                dict(zip(names, firing.key, strict=True)),
                firing.start,
                firing.end,
                sure=not open_ and times[key] == len(readings),
            )
            for key, firing in sorted(first.items(), key=lambda item: item[1].start)
        ]


def _open(correlation: Correlation, judged: Judged) -> Iterator[str]:
    """The names of what may be read in two ways and matters for these events."""
    chain = list(correlation.all)
    times = [time for time, _ in judged.events]
    used = list(_used(chain, judged))
    texts = {forms(value)[0] for held in used for value in held}
    if any(time + one.timespan in set(times) for one in chain for time in times):
        yield "closed"
    if not all(one.is_upward for one in chain):
        yield "backward"
    if len({text.casefold() for text in texts}) < len(texts):
        yield "folded"
    if judged.any_unsure:
        yield "unsure"
    if any(not any(value != "" for value in held) for held in used):
        yield "grouped"
    if any(len(held) > 1 for held in used):
        yield "spread"
    if any(one.kind == "event_count" and len(one.sources) > 1 for one in chain):
        yield "doubled"
    if any(one.kind == "temporal_ordered" for one in chain):
        yield "simultaneous"
    if len(chain) > 1:
        yield "late"


def _used(chain: Sequence[Correlation], judged: Judged) -> Iterator[Sequence[Scalar]]:
    """The values of every field that is grouped by or counted, of every event that a rule may find."""
    for one in chain:
        for name, source in one.sources.items():
            if isinstance(source, Correlation):
                continue
            columns = [one.column(column, name) for column in (*one.group_by, *one.counted)]
            for (_, event), truth in zip(judged.events, judged.truths(source, name), strict=True):
                if truth is not False:
                    yield from (values({} if isinstance(event, str) else event, column) for column in columns)


def _readings(correlation: Correlation, judged: Judged) -> Iterator[Reading]:
    """Every reading that may tell these events apart."""
    for names in itertools.product(*(((), (name,)) for name in _open(correlation, judged))):
        yield Reading(**dict.fromkeys(itertools.chain(*names), True))


def correlation(document: Mapping[str, Any], rules: Mapping[str, Meaning | Correlated]) -> Correlated:
    """What the correlation of the document means; it looks up its rules by name or id, as it refers to them.

    Raises Unmeant where the document is malformed or the specification does not define what it says.
    """
    known = {name: rule.correlation if isinstance(rule, Correlated) else rule for name, rule in rules.items()}
    return Correlated(read(document, known))
