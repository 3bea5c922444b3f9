"""Reading and conversions in this process, or in several side by side."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

from converter import packs
from converter.convert import How, Outcome, convert
from converter.errors import SigmapackError
from converter.kept import Kept, read, written
from converter.packs import Chunk, Found
from converter.rule import Rule, shelf
from converter.stock import load
from converter.targets import TARGETS
from converter.targets.target import Target

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

# Below this many rules, a second process takes longer to start than the first one to be done.
WORTH_A_WORKER = 200
# So many pieces of work are handed out for each process before the first answer is waited for.
AHEAD = 3
# So many seconds a process may take to be gone once it was killed.
LAST_WAIT = 2.0
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
# What an outcome is but for its rule and target, which the other side has.
Facts = tuple[str, list[Any]]


class Workers:
    """At most `jobs` processes, started when there is enough to do; as a context, they end with it.

    What `ready` loads before, they have from the beginning.
    """

    def __init__(self, jobs: int = 1, ready: Callable[[], None] = lambda: None) -> None:
        self.jobs, self.ready = jobs, ready
        self.pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if self.pool is not None:
            end(self.pool, at_once=failure is not None)

    def are_worth(self, number: int) -> bool:
        """Whether so many rules are worth other processes."""
        return self.jobs > 1 and number >= WORTH_A_WORKER

    def read(self, chunks: Sequence[Chunk]) -> Iterable[list[Found]]:
        """What the files of each chunk give, as `packs.read` asks for it."""
        if not self.are_worth(sum(map(len, chunks))):
            return packs.here(chunks)
        return self._each(packs.read_tight if packs.are_many(chunks) else packs.read_packed, chunks)

    def convert(self, rules: Sequence[Rule], targets: Sequence[Target], how: How) -> Iterator[list[Outcome]]:
        """The outcomes of each rule, in order; none of the rules may name another one."""
        alone = pickle.dumps(replace(how, referable=()))
        kinds = tuple((each.name, each.family, each.language, each.suffix, each.data) for each in targets)
        by_name = {target.name: target for target in targets}
        asked = ((chunk, kinds, alone) for chunk in _chunks(rules))
        left = iter(rules)
        for answers in self._each(_converted, asked):
            for told in answers:
                rule = next(left)
                yield [read(facts, rule, by_name[name]) for name, facts in told]

    def _each(self, function: Callable[[Asked], Answer], asked: Iterable[Asked]) -> Iterator[Answer]:
        """The answers in order; few are asked for ahead, so that few wait in memory."""
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - most runs are of one process

        if self.pool is None:
            self.ready()
            # What stands now is the same for all: no process has to look through it for what to throw away.
            gc.freeze()
            self.pool = ProcessPoolExecutor(self.jobs, initializer=outlive_nobody)
        waiting: deque[Future[Answer]] = deque()
        for each in asked:
            with uninterrupted():
                waiting.append(self.pool.submit(function, each))
            if len(waiting) > AHEAD * self.jobs:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())


def _result(answer: Future[Answer]) -> Answer:
    with all_alive():
        return answer.result()


def processors() -> int:
    """How many processes may run side by side."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepare(targets: Sequence[Target], pipelines: Sequence[str], *, stock: bool) -> None:
    """Load what every conversion needs, so that processes that are started from this one have it already."""
    if stock:
        load([target.name for target in targets], pipelines)
        return
    for target in targets:
        _ = target.dialect, target.routes


# Pools whose processes were killed at work: Python would wait for what they were about to say.
abandoned: list[ProcessPoolExecutor] = []


def end(pool: ProcessPoolExecutor, *, at_once: bool) -> None:
    """End the pool when its work is done, or at once, whatever its processes are doing."""
    if not at_once:
        pool.shutdown()
        return
    from multiprocessing import active_children  # noqa: PLC0415 - most runs are of one process

    with uninterrupted():
        # What the pool's own thread meets then is no news.
        threading.excepthook = _of_others(threading.excepthook)
        # They own nothing that would have to be put away, and SIGKILL is the one signal that nobody puts off.
        workers = active_children()
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join(LAST_WAIT)
        pool.shutdown(wait=False, cancel_futures=True)
        abandoned.append(pool)


def _of_others(told: Callable[[threading.ExceptHookArgs], Any]) -> Callable[[threading.ExceptHookArgs], Any]:
    def tell(fault: threading.ExceptHookArgs) -> None:
        if type(fault.thread).__name__ != "_ExecutorManagerThread":
            told(fault)

    return tell


def leave(code: int) -> NoReturn:
    """End this process now: at its exit Python waits for what workers that were killed cannot say any more."""
    from multiprocessing import util  # noqa: PLC0415 - a pool was there

    # What Python does first at its exit: names that the pool has in the system are given back.
    util._run_finalizers(0)  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public does
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


@contextmanager
def lent(pool: ProcessPoolExecutor) -> Iterator[ProcessPoolExecutor]:
    """The pool, which ends with the context: at once where that fails."""
    try:
        yield pool
    except BaseException:
        end(pool, at_once=True)
        raise
    end(pool, at_once=False)


@contextmanager
def all_alive() -> Iterator[None]:
    """Raises SigmapackError where a worker is gone that nobody here has ended."""
    from concurrent.futures import BrokenExecutor  # noqa: PLC0415 - most runs are of one process

    try:
        yield
    except BrokenExecutor as error:
        raise SigmapackError("a worker process was killed; run it again, with -j 1 if memory is short") from error


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Nothing stops this process within; those that it starts are not told of Ctrl-C: this one is, and ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def outlive_nobody() -> None:
    """Let this worker end with the process that started it, even one that was killed."""
    from multiprocessing import parent_process  # noqa: PLC0415 - a worker has it already

    # How this program ends by itself is nothing for a worker.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def conversions(  # noqa: PLR0913, PLR0917 - each is one fact of the run
    rules: Sequence[Rule],
    targets: Sequence[Target],
    how: How,
    workers: Workers | None = None,
    kept: Kept | None = None,
    watched: Callable[[Sequence[Rule]], Iterable[Rule]] = iter,
) -> Iterator[Outcome]:
    """Convert each rule to each target, in that order, in other processes where that pays; what is `kept` is taken.

    `watched` gives the rules one by one as their turn comes, and may tell somebody how far it is.
    """
    fresh: Iterator[list[Outcome]] = iter(())
    missing: set[int] = set()
    known: dict[int, list[Outcome] | None] = {}
    if workers is not None and workers.are_worth(len(rules)):
        known = {id(rule): _known(rule, targets, how, kept) for rule in rules}
        apart = [rule for rule in rules if known[id(rule)] is None and _stands_alone(rule, how)]
        if workers.are_worth(len(apart)):
            fresh, missing = workers.convert(apart, targets, how), {id(rule) for rule in apart}
    for rule in watched(rules):
        if id(rule) in missing:
            yield from _kept(rule, next(fresh), how, kept)
            continue
        found = known[id(rule)] if id(rule) in known else _known(rule, targets, how, kept)
        yield from _kept(rule, list(convert([rule], targets, how)), how, kept) if found is None else found


def _stands_alone(rule: Rule, how: How) -> bool:
    """Whether what the rule becomes hangs on no other rule."""
    return not rule.is_correlation and (not how.stock or how.unit(rule).written)


def _known(rule: Rule, targets: Sequence[Target], how: How, kept: Kept | None) -> list[Outcome] | None:
    return None if kept is None else kept.outcomes(rule, targets, how)


def _kept(rule: Rule, outcomes: list[Outcome], how: How, kept: Kept | None) -> list[Outcome]:
    if kept is not None:
        kept.keep(rule, outcomes, how)
    return outcomes


def _chunks(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """The rules in pieces, of which each goes with the documents that it was packed with."""
    chunk: list[Rule] = []
    before: object = None
    for rule in rules:
        where = shelf(rule)
        if chunk and (where is not before or (where is None and len(chunk) >= packs.CHUNK)):
            yield chunk
            chunk = []
        chunk.append(rule)
        before = where
    if chunk:
        yield chunk


def _converted(asked: tuple[Sequence[Rule], Sequence[tuple[str, str, str, str, str]], bytes]) -> list[list[Facts]]:
    """What each rule of a chunk became, in another process."""
    rules, kinds, told = asked
    targets, how = [_target(*facts) for facts in kinds], _how(told)
    return [[(outcome.target.name, written(outcome)) for outcome in convert([rule], targets, how)] for rule in rules]


@lru_cache(maxsize=4)
def _how(told: bytes) -> How:
    """What was told, the same each time: backends are found by it."""
    how: How = pickle.loads(told)  # noqa: S301 - from the process that started this one
    return how


@lru_cache(maxsize=64)
def _target(name: str, family: str, language: str, suffix: str, data: str) -> Target:
    """The target of these facts, the same each time: what it has read of its files is read once."""
    made = Target(name, family, language, suffix, data)
    held = TARGETS.get(name)
    return held if held == made else made
