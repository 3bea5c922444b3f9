"""A run that would do what it did before says so again, and does nothing.

Recorded are what the run read (by content), what it wrote (by size and time), and what it said. Where any of it is not
as it was, or cannot be told from outside, the run takes place.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
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


MANIFEST = "manifest.json"
# A verdict as `sigmapack test` writes it.
VERDICT = re.compile(rb'\n      "verdict": (?:null|"[a-z]+")\n')
# Of so many rules that have changed, each is converted by itself and put in the place of what it was.
FEW = 8


@dataclass
class Record:
    """One run as it goes: `reads` and `wrote` are told by it, `printed` gathers what went to standard output.

    `rules` says of each rule file that may be converted by itself what has to stay as it is for that; `counted` how
    many queries and refusals each target has. A run that does not tell what it reads, or takes it back, is not
    recorded.
    """

    key: str
    store: cache.Cache
    reads: Watched | None = None
    state: str = ""
    wrote: list[str] | None = None
    printed: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    kept: Kept | None = None
    rules: dict[str, list[str]] = field(default_factory=dict)
    counted: list[tuple[str, int, int]] = field(default_factory=list)

    def begin(self, reads: Watched) -> None:
        """Say what the run is about to read."""
        with suppress(Untold):
            self.reads, self.state = reads, watched.state(reads)

    def keep(self, code: int) -> None:
        """Keep the run for the next time, if nothing of what it read has changed meanwhile."""
        if self.reads is None or sum(map(len, self.printed)) > LONGEST:
            return
        with suppress(Untold):
            contents = watched.contents(self.reads)
            if watched.state(self.reads) != self.state:
                return
            self.store.put(
                self.key,
                {
                    "inputs": self.reads.inputs,
                    "others": self.reads.others,
                    "pattern": self.reads.pattern,
                    "content": watched.digest(contents),
                    "contents": {path: contents[path] for path in self.rules if path in contents},
                    "rules": self.rules,
                    "wrote": self.wrote or [],
                    "stands": watched.sizes_and_times(watched.facts(self.wrote or [])),
                    "manifest": _manifest(self.wrote or []),
                    "printed": b"".join(self.printed).decode("latin-1"),
                    "said": "".join(self.said),
                    "counted": self.counted,
                    "code": code,
                },
            )
            self.store.keep_newest(MOST_RUNS)


@dataclass(frozen=True)
class Earlier:
    """A run that is recorded: what it `held`, the `contents` and the sizes and times (`facts`) that stand now.

    `changed` are the rule files of it whose content has changed since.
    """

    held: Mapping[str, Any]
    contents: Mapping[str, str]
    facts: watched.Facts
    changed: tuple[str, ...]

    def renewed(self, fresh: Mapping[str, str], written: Iterable[str]) -> dict[str, Any]:
        """The record, once these contents were read and these files written; raises Untold."""
        contents = {**self.contents, **fresh}
        again = {path: facts for facts in watched.facts(written) for path in facts[:1]}
        stands = [again.get(facts[0], facts) for facts in self.facts]
        return {
            **self.held,
            "content": watched.digest(contents),
            "contents": self.held["contents"] | dict(fresh),
            "stands": watched.sizes_and_times(stands),
            "manifest": _manifest(self.held["wrote"]),
        }


Patch = Callable[[Earlier], Mapping[str, Any] | None]


def replayed(
    asked: Sequence[object],
    run: Callable[[Record | None], int],
    *,
    cached: bool = True,
    patch: Patch | None = None,
    quiet: bool = True,
) -> int:
    """The exit code of what was asked for: of the recorded run where that can stand for it, else of `run`.

    Where a few rule files have changed and nothing else, `patch` may bring the outputs up to date and give the record
    as it is then; None where it cannot. Unless `quiet`, a terminal is told how many queries there are.
    """
    if not cached or sys.stdout is None or sys.stderr is None:
        return run(None)
    here = os.getcwd()  # noqa: PTH109 - a text is all that is wanted
    facts = [here, watched.project_file(here, PROJECT_FILE, RULES), os.environ.get("PYSIGMA_ALLOW_VARS_EXECUTION")]
    store = cache.Cache(cache.folder(), "runs")
    key = cache.key(["run", list(map(repr, asked)), facts, sys.stdout.isatty(), os.environ.get("NO_COLOR")])
    held = store.get(key)
    earlier = None if held is None else _earlier(held)
    if earlier is not None and earlier.changed and patch is not None:
        held = patch(earlier)
        if held is not None:
            store.put(key, held)
            return _told_again(held, quiet=quiet)
    elif earlier is not None and not earlier.changed:
        return _told_again(earlier.held, quiet=quiet)
    record = Record(key, store)
    say.keep(record.said)
    code = run(record)
    record.keep(code)
    return code


def _earlier(held: Mapping[str, Any]) -> Earlier | None:
    """The recorded run, if all is as the record has it but for a few rules."""
    try:
        contents = watched.contents(Watched(tuple(held["inputs"]), tuple(held["others"]), held["pattern"]))
        facts = watched.facts(held["wrote"])
        if watched.sizes_and_times(facts) != held["stands"]:
            facts = _but_for_verdicts(facts, held["manifest"])
            if watched.sizes_and_times(facts) != held["stands"]:
                return None
        before = held["contents"]
        if watched.digest(contents) == held["content"]:
            return Earlier(held, contents, facts, ())
        changed = tuple(path for path, content in before.items() if contents.get(path, "") != content)
        if (
            len(changed) <= FEW
            and watched.digest({**contents, **{path: before[path] for path in changed}}) == held["content"]
        ):
            return Earlier(held, contents, facts, changed)
    except (Untold, LookupError, TypeError, ValueError, AttributeError):
        return None
    return None


def _manifest(wrote: Sequence[str]) -> tuple[str, int, int, str] | None:
    """The manifest among what was written: its path, size and time, and what it comes to without its verdicts."""
    path = next((path for path in reversed(wrote) if path.endswith(f"/{MANIFEST}")), None)
    if path is None:
        return None
    (facts,) = watched.facts([path])
    return *facts, _unjudged(path)


def _but_for_verdicts(facts: watched.Facts, manifest: tuple[str, int, int, str] | None) -> watched.Facts:
    """The facts as they were before verdicts were written into the manifest, where nothing else of it has changed."""
    if manifest is None:
        return facts
    path, size, time, content = manifest
    return [(path, size, time) if one[0] == path and _unjudged(path) == content else one for one in facts]


def _unjudged(path: str) -> str:
    """The hash of a manifest without its verdicts."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a text already
            text = file.read()
    except OSError as error:
        raise Untold from error
    return hashlib.sha256(VERDICT.sub(b"", text)).hexdigest()


def _told_again(held: Mapping[str, Any], *, quiet: bool) -> int:
    sys.stdout.buffer.write(held["printed"].encode("latin-1"))
    say.say(held["said"], nl=False)
    if not quiet and sys.stderr.isatty():
        from converter.cli.progress import table  # noqa: PLC0415 - for a terminal's user only

        table([(name, converted, refused) for name, converted, refused in held["counted"]])
    return int(held["code"])
