"""A run that would do what it did before says so again, and does nothing.

Recorded are what the run read (by content), what it wrote (by size and time), and what it said. Where any of it is not
as it was, or cannot be told from outside, the run takes place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from converter import cache, watched
from converter.cli import say
from converter.watched import Untold, Watched

if TYPE_CHECKING:
    from converter.kept import Kept

PROJECT_FILE, RULES = "sigmapack.toml", "sigma_rules"
# What is printed and longer is made afresh.
LONGEST = 1 << 25
# So many runs are kept, each under what was asked for.
MOST_RUNS = 256


@dataclass
class Record:
    """One run as it goes: `reads` and `wrote` are told by it, `printed` gathers what went to standard output.

    A run that does not tell what it reads, or takes it back, is not recorded.
    """

    key: str
    store: cache.Cache
    reads: Watched | None = None
    state: str = ""
    wrote: list[str] | None = None
    printed: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    kept: Kept | None = None

    def begin(self, reads: Watched) -> None:
        """Say what the run is about to read."""
        with suppress(Untold):
            self.reads, self.state = reads, watched.state(reads)

    def keep(self, code: int) -> None:
        """Keep the run for the next time, if nothing of what it read has changed meanwhile."""
        if self.reads is None or sum(map(len, self.printed)) > LONGEST:
            return
        with suppress(Untold):
            content = watched.content(self.reads)
            if watched.state(self.reads) != self.state:
                return
            self.store.put(
                self.key,
                {
                    "inputs": self.reads.inputs,
                    "others": self.reads.others,
                    "pattern": self.reads.pattern,
                    "content": content,
                    "wrote": self.wrote or [],
                    "stands": watched.sizes_and_times(self.wrote or []),
                    "printed": b"".join(self.printed).decode("latin-1"),
                    "said": "".join(self.said),
                    "code": code,
                },
            )
            self.store.keep_newest(MOST_RUNS)


def replayed(asked: Sequence[object], run: Callable[[Record | None], int], *, cached: bool = True) -> int:
    """The exit code of what was asked for: of the recorded run where that can stand for it, else of `run`."""
    if not cached or sys.stdout is None or sys.stderr is None or sys.stderr.isatty():
        return run(None)
    here = os.getcwd()  # noqa: PTH109 - a text is all that is wanted
    facts = [here, watched.project_file(here, PROJECT_FILE, RULES), os.environ.get("PYSIGMA_ALLOW_VARS_EXECUTION")]
    store = cache.Cache(cache.folder(), "runs")
    key = cache.key(["run", list(map(repr, asked)), facts, sys.stdout.isatty(), os.environ.get("NO_COLOR")])
    held = store.get(key)
    if held is not None and _stands(held):
        return _told_again(held)
    record = Record(key, store)
    say.keep(record.said)
    code = run(record)
    record.keep(code)
    return code


def _stands(held: Mapping[str, Any]) -> bool:
    """Whether all is as the record has it."""
    try:
        reads = Watched(tuple(held["inputs"]), tuple(held["others"]), held["pattern"])
        return bool(
            watched.content(reads) == held["content"] and watched.sizes_and_times(held["wrote"]) == held["stands"]
        )
    except (Untold, LookupError, TypeError, ValueError, AttributeError):
        return False


def _told_again(held: Mapping[str, Any]) -> int:
    sys.stdout.buffer.write(held["printed"].encode("latin-1"))
    say.say(held["said"], nl=False)
    return int(held["code"])
