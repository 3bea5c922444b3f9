"""Tests rules: gathers each one's queries and events, has them judged, in several processes and with a cache."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import cached_property
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import Any

from converter import cache as caches
from converter import cases, engines, records, schemas, sound
from converter.convert import How, Refusal, converted
from converter.errors import Problem, SigmapackError
from converter.hunting import NAME as HUNTING
from converter.hunting import hunting
from converter.hunts import Hunt, judged
from converter.judge import Given, Judge, Judged, Known, NoQuery, Trial
from converter.packs import Hunting, Pack
from converter.refused import Refused
from converter.rule import Rule
from converter.schemas.layout import Row
from converter.targets.target import Target
from converter.verdicts import Asked, Verdict

# Rules whose rows are loaded at once: enough that loading pays, few enough that the tables stay small.
CHUNK = 100
# A hunting query in the language of single queries, which name no category.
PLAIN = "lucene"
# The key under which a published rule names its recorded events, https://github.com/SigmaHQ/sigma/tree/master/regression_data.
REGRESSION = "regression_tests_path"


@dataclass(frozen=True)
class Plan:
    """What is tested, and how.

    `hows` says for each target how rules are converted afresh. With `outputs` the query that stands in that folder is
    judged, and a rule is converted only to say why it has none. `given` are events by the rule's id; those under the
    empty id are for all rules. `engines` are as Judge takes them.
    """

    targets: tuple[Target, ...]
    hows: Mapping[str, How]
    outputs: Path | None = None
    given: Mapping[str, tuple[Given, ...]] = field(default_factory=dict)
    generated: bool = True
    minimise: bool = True
    seed: int = 0
    engines: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def live(self) -> bool:
        """Whether a running cluster judges, of which nothing is known in advance."""
        return any(self.engines.values())

    @cached_property
    def key(self) -> str:
        """What of the plan verdicts depend on, whatever the rule."""
        hows = [
            [
                name,
                repr(how.options),
                how.stock,
                how.allow_inexact,
                sorted(how.without),
                [each.text for each in how.filters],
                repr(how.placeholders),
            ]
            for name, how in self.hows.items()
        ]
        ready = engines.engine("kusto_analyser").ready()
        return json.dumps([hows, self.generated, self.minimise, self.seed, ready, sorted(self.engines)])


def tested(
    rules: Sequence[Rule],
    plan: Plan,
    jobs: int = 1,
    cache: caches.Cache | None = None,
    watched: Callable[[Sequence[Rule]], Iterable[Rule]] = iter,
) -> Iterator[tuple[Rule, Judged]]:
    """Each rule with its verdicts, in order; `watched` gives the rules one by one as they are done."""
    if plan.live:
        # What a cluster said yesterday is not what it says today.
        cache = None
    known = {id(rule): _kept(cache, rule, plan) for rule in rules} if cache else {}
    missing = [rule for rule in rules if known.get(id(rule)) is None]
    fresh = _judged(missing, plan, jobs)
    for rule in watched(rules):
        judged = known.get(id(rule))
        if judged is None:
            judged = next(fresh)
            if cache:
                cache.put(_key(rule, plan), asdict(judged))
        yield rule, judged


def _judged(rules: Sequence[Rule], plan: Plan, jobs: int) -> Iterator[Judged]:
    size = min(CHUNK, -(-len(rules) // jobs) or 1)
    chunks = [rules[start : start + size] for start in range(0, len(rules), size)]
    # What a cluster was given is removed by this process, which hears of every way to be stopped but SIGKILL.
    if jobs == 1 or len(chunks) < 2 or plan.live:  # noqa: PLR2004 - one chunk needs no second process
        with closing(_judge(plan)) as judge:
            for chunk in chunks:
                yield from judge.judge([trial(rule, plan) for rule in chunk])
        return
    # A forked process would share the engines' threads, which do not live on in it.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start, (plan,)) as pool:
        try:
            for judged in pool.map(_work, chunks):
                yield from judged
        except BaseException:
            # Without this, leaving would wait until each worker has done its chunk.
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in active_children():
                worker.terminate()
            raise


def _judge(plan: Plan) -> Judge:
    return Judge(generated=plan.generated, minimise=plan.minimise, seed=plan.seed, engines=plan.engines)


# What a worker process works with; set once, when it starts.
_worker: dict[str, Any] = {}


def _outlive_nobody() -> None:
    """Let this worker end with the process that started it, even one that was killed."""
    parent = parent_process()

    def end() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=end, daemon=True).start()


def _start(plan: Plan) -> None:
    _outlive_nobody()
    _worker.update(plan=plan, judge=_judge(plan))


def _work(rules: Sequence[Rule]) -> list[Judged]:
    judged: list[Judged] = _worker["judge"].judge([trial(rule, _worker["plan"]) for rule in rules])
    return judged


def trial(rule: Rule, plan: Plan) -> Trial:
    """The rule with its queries and events."""
    how = next(iter(plan.hows.values()))
    return Trial(
        rule.document,
        {target.name: _query(rule, target, plan) for target in plan.targets},
        tuple(each.document for each in how.filters),
        how.placeholders,
        (*_cases(rule), *_recorded(rule), *plan.given.get(rule.id, ()), *plan.given.get("", ())),
        {name: other.document for name, other in _named(rule, how).items()},
    )


def _named(rule: Rule, how: How) -> dict[str, Rule]:
    """The rules that a correlation names, by these names; none where it names one that is not there."""
    if not rule.is_correlation:
        return {}
    try:
        names = [str(reference.reference) for reference in sound.correlation(rule).rules or ()]
        return dict(zip(names, sound.referred(rule, how.referable), strict=True))
    except Refused:
        return {}


def _query(rule: Rule, target: Target, plan: Plan) -> str | NoQuery:
    if plan.outputs is not None:
        path = plan.outputs / output(rule, target)
        try:
            return path.read_text(encoding="utf-8").removesuffix("\n")
        except FileNotFoundError:
            outcome = converted(rule, target, plan.hows[target.name])
            if isinstance(outcome, Refusal):
                return NoQuery(outcome.reason)
            return NoQuery(f"{path.as_posix()} is missing; run sigmapack convert", "broken")
        except (OSError, UnicodeDecodeError) as error:
            return NoQuery(f"{path.as_posix()} cannot be read: {error}", "broken")
    outcome = converted(rule, target, plan.hows[target.name])
    return NoQuery(outcome.reason) if isinstance(outcome, Refusal) else outcome.text


def hunts(pack: Pack, plan: Plan) -> Iterator[tuple[Target, str, Verdict]]:
    """The verdict on each of the pack's hunting queries, with its target and the name of its file."""
    if pack.hunting is None or any(how.stock for how in plan.hows.values()):
        return
    with closing(_judge(plan)) as judge:
        yield from _hunts(pack, pack.hunting, plan, judge)


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


def output(rule: Rule, target: Target) -> PurePosixPath:
    """Where the rule's query stands below the folder of outputs."""
    return PurePosixPath(target.name, f"{rule.place}.{target.suffix}")


def _cases(rule: Rule) -> tuple[Given, ...]:
    """The rule's cases as events; none where it has no file of cases, or a bad one, which `gaps` tells of."""
    if not rule.cases_path.is_file():
        return ()
    try:
        found = cases.read(rule)
    except SigmapackError:
        return ()
    return tuple(Given(f"case: {case.name}", case.event, case.verb == "must_match") for case in found)


def _recorded(rule: Rule) -> tuple[Given, ...]:
    """The events that the rule was published with: below the nearest folder that has what it names, if any has."""
    named = rule.document.get(REGRESSION)
    if not isinstance(named, str) or not named:
        return ()
    for folder in rule.path.absolute().parents:
        place = (folder / named).parent
        if place.is_dir():
            try:
                return given(place).get(rule.id, ())
            except SigmapackError:
                return ()
    return ()


def given(path: Path) -> dict[str, tuple[Given, ...]]:
    """The events of a file or folder by the rule's id, under the empty id those of no rule; raises SigmapackError."""
    found: dict[str, list[Given]] = {}
    for recorded in records.read(path):
        event = Given(f"recorded: {recorded.name}", recorded.event, recorded.expected)
        for name in recorded.rules or ("",):
            found.setdefault(name, []).append(event)
    return {name: tuple(events) for name, events in found.items()}


def gaps(rule: Rule) -> Mapping[str, str] | Problem:
    """Why the rule's query is known not to be exact, by target; a problem where its file of cases is bad."""
    if not rule.cases_path.is_file():
        return {}
    try:
        return cases.todo(rule)
    except SigmapackError as error:
        return error.problem


def _key(rule: Rule, plan: Plan) -> str:
    """What the verdicts on the rule depend on, beside our own code."""
    texts = (
        [_text(plan.outputs / output(rule, target)) for target in plan.targets] if plan.outputs is not None else None
    )
    given = [*_recorded(rule), *plan.given.get(rule.id, ()), *plan.given.get("", ())]
    named = [each.text for each in _named(rule, next(iter(plan.hows.values()))).values()]
    return caches.key(
        [rule.text, named, str(rule.place), _text(rule.cases_path), texts, list(map(repr, given)), plan.key]
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="backslashreplace")
    except OSError:
        return None


def _kept(cache: caches.Cache, rule: Rule, plan: Plan) -> Judged | None:
    held = cache.get(_key(rule, plan))
    try:
        judged = None if held is None else _revived(held)
    except (AttributeError, LookupError, TypeError):
        # An entry of another form than ours is none.
        return None
    return judged if judged is not None and {target.name for target in plan.targets} == judged.verdicts.keys() else None


def _revived(held: Mapping[str, Any]) -> Judged:
    verdicts = {
        name: Verdict(
            told["kind"],
            told["reason"],
            tuple(Asked(**shown | {"row": _row(shown["row"])}) for shown in told["shown"]),
            tuple(told["events"]),
            tuple(told["unmade"]),
        )
        for name, told in held["verdicts"].items()
    }
    return Judged(verdicts, tuple(Given(**given) for given in held["contradictions"]))


def _row(held: Mapping[str, Any]) -> Row:
    """The row with its lists as they were before they were written as JSON."""
    return {name: tuple(cell) if isinstance(cell, list) else cell for name, cell in held.items()}


def processors() -> int:
    """How many processes may run side by side."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
