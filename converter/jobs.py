"""Conversions in this process, or in several side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from converter.convert import How, Query, Refusal, convert
from converter.packs import Rule
from converter.targets.target import Target

# Enough that a worker's start pays, few enough that the last one does not keep the others waiting.
CHUNK = 100


def conversions(rules: Iterable[Rule], targets: Sequence[Target], how: How, jobs: int = 1) -> Iterator[Query | Refusal]:
    """Convert each rule to each target, in that order, with at most `jobs` processes."""
    if jobs == 1:
        yield from convert(rules, targets, how)
        return
    remaining = iter(rules)
    chunks = iter(lambda: list(islice(remaining, CHUNK)), [])
    with ProcessPoolExecutor(jobs) as pool:
        for outcomes in pool.map(_converted, ((chunk, targets, how) for chunk in chunks)):
            yield from outcomes


def _converted(work: tuple[Sequence[Rule], Sequence[Target], How]) -> list[Query | Refusal]:
    return list(convert(*work))
