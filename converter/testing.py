"""Tests rules: has what is planned judged, in several processes, or takes what is remembered."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from converter import schemas
from converter.errors import Problem
from converter.hunting import NAME as HUNTING
from converter.hunting import hunting
from converter.hunts import Hunt, judged
from converter.jobs import all_alive, lent, outlive_nobody, uninterrupted
from converter.judge import Judge, Judged, Known, NoQuery
from converter.packs import Hunting, Pack
from converter.plan import Plan, trial
from converter.remembered import Hunted, Remembered
from converter.rule import Rule
from converter.targets.target import Target
from converter.verdicts import Verdict

# Rules whose rows are loaded at once, and the characters of their texts, which tell roughly how much work they are:
# enough that loading pays, few enough that the tables stay small and no process waits long for the last one.
CHUNK, HEAVIEST = 50, 125_000
# Below this many rules, a second process takes longer to start than the first one to be done.
WORTH_A_WORKER = 20
# So many more objects than before are worth a look for garbage.
COLLECTED = 100_000
# A hunting query in the language of single queries, which name no category.
PLAIN = "lucene"


def tested(
    rules: Sequence[Rule],
    plan: Plan,
    jobs: int = 1,
    remembered: Remembered | None = None,
    watched: Callable[[Sequence[Rule]], Iterable[Rule]] = iter,
) -> Iterator[tuple[Rule, Judged]]:
    """Each rule with its verdicts, in order; `watched` gives the rules one by one as they are done."""
    if plan.live:
        # What a cluster said yesterday is not what it says today.
        remembered = None
    known = {id(rule): remembered.rule(rule) for rule in rules} if remembered else {}
    missing = [rule for rule in rules if known.get(id(rule)) is None]
    fresh = _judged(missing, plan, jobs)
    for rule in watched(rules):
        judged = known.get(id(rule))
        if judged is None:
            judged = next(fresh)
            if remembered:
                remembered.keep_rule(rule, judged)
        yield rule, judged


def _judged(rules: Sequence[Rule], plan: Plan, jobs: int) -> Iterator[Judged]:
    chunks = list(_chunks(rules, min(CHUNK, -(-len(rules) // jobs))))
    # What a cluster was given is removed by this process, which hears of every way to be stopped but SIGKILL.
    if jobs == 1 or len(rules) < WORTH_A_WORKER or plan.live:
        with closing(_judge(plan)) as judge:
            for chunk in chunks:
                yield from judge.judge([trial(rule, plan) for rule in chunk])
        return
    # A forked process would share the engines' threads, which do not live on in it.
    with lent(ProcessPoolExecutor(jobs, get_context("spawn"), _start, (plan,))) as pool, all_alive():
        with uninterrupted():
            found = pool.map(_work, chunks)
        for judged in found:
            yield from judged


def _chunks(rules: Sequence[Rule], most: int) -> Iterator[Sequence[Rule]]:
    """The rules in pieces of at most so many, in order."""
    chunk: list[Rule] = []
    weight = 0
    for rule in rules:
        if chunk and (len(chunk) == most or weight + len(rule.text) > HEAVIEST):
            yield chunk
            chunk, weight = [], 0
        chunk.append(rule)
        weight += len(rule.text)
    if chunk:
        yield chunk


def _judge(plan: Plan) -> Judge:
    return Judge(generated=plan.generated, minimise=plan.minimise, seed=plan.seed, engines=plan.engines)


# What a worker process works with; set once, when it starts.
_worker: dict[str, Any] = {}


def seldom_collect() -> None:
    """Look for garbage in circles seldom: judging makes hundreds of thousands of rows, and next to no circles."""
    gc.set_threshold(COLLECTED)


def _start(plan: Plan) -> None:
    outlive_nobody()
    seldom_collect()
    _worker.update(plan=plan, judge=_judge(plan))


def _work(rules: Sequence[Rule]) -> list[Judged]:
    judged: list[Judged] = _worker["judge"].judge([trial(rule, _worker["plan"]) for rule in rules])
    return judged


def hunts(pack: Pack, plan: Plan, remembered: Remembered | None = None) -> Hunted:
    """The verdict on each of the pack's hunting queries, with its target and the name of its file."""
    if pack.hunting is None or any(how.stock for how in plan.hows.values()):
        return []
    if plan.live:
        remembered = None
    found = remembered.pack(pack) if remembered else None
    if found is None:
        with closing(_judge(plan)) as judge:
            found = list(_hunts(pack, pack.hunting, plan, judge))
        if remembered:
            remembered.keep_pack(pack, found)
    return found


def _hunts(pack: Pack, settings: Hunting, plan: Plan, judge: Judge) -> Iterator[tuple[Target, str, Verdict]]:
    known = [(each.name, judge.known(trial(each.rule, plan))) for each in settings.categories]
    for target in plan.targets:
        texts = _hunting_texts(pack, target, plan)
        if isinstance(texts, Problem):
            yield target, f"{HUNTING}.{target.suffix}", Verdict("refused", texts.message)
            continue
        for name, text in texts.items():
            if isinstance(text, NoQuery):
                yield target, name, Verdict("broken", text.reason)
                continue
            yield target, name, _hunt(settings, target, text, known, judge, plain=name.endswith(f".{PLAIN}"))


def _hunting_texts(pack: Pack, target: Target, plan: Plan) -> Mapping[str, str | NoQuery] | Problem:
    """The pack's hunting queries by the name of their file: as they stand, or converted afresh."""
    texts = hunting(pack, target, plan.hows[target.name])
    made = {} if isinstance(texts, Problem) else {path.name: text for path, text in texts.items()}
    if plan.outputs is None:
        return texts if isinstance(texts, Problem) else made
    folder = plan.outputs / target.name / pack.place
    names = sorted({*made, *(path.name for path in folder.glob(f"{HUNTING}.*"))})
    return {name: _hunting_text(folder / name) for name in names} if names or not isinstance(texts, Problem) else texts


def _hunting_text(path: Path) -> str | NoQuery:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except FileNotFoundError:
        return NoQuery(f"{path.as_posix()} is missing; run sigmapack convert", "broken")
    except (OSError, UnicodeDecodeError) as error:
        return NoQuery(f"{path.as_posix()} cannot be read: {error}", "broken")


def _hunt(  # noqa: PLR0913 - what it takes
    settings: Hunting, target: Target, text: str, known: Sequence[tuple[str, Known | str]], judge: Judge, *, plain: bool
) -> Verdict:
    layout = schemas.layout(target.name)
    if layout is None:
        return Verdict("untested", f"no schema says what {target.name} stores")
    categories = []
    for name, one in known:
        if isinstance(one, str):
            return Verdict("untested", f"what {name} means is not settled: {one}")
        if not layout.sources_of(one.logsource):
            return Verdict("untested", f"no schema says how {target.name} stores {one.logsource}")
        categories.append((name, one))
    hunt = Hunt(text, settings.window, settings.columns, settings.category_column, categories, plain=plain)
    return judge.joint({each.name: judged(hunt, layout, each) for each in judge.judges(target.name)})
