"""Verdicts of earlier runs: what they depend on, and where they are kept.

Each stands in an entry of its own, written when it is there, so that a run that is stopped has not worked for nothing;
and all of one set of rules in one entry, which is read at once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

from converter import cache as caches
from converter import engines
from converter.hunting import NAME as HUNTING
from converter.judge import Given, Judged
from converter.kept import Kept, how_key
from converter.packs import Pack
from converter.plan import Plan, recordings, referred
from converter.rule import Rule
from converter.schemas.layout import Row
from converter.targets.target import Target
from converter.verdicts import Asked, Verdict

# The oldest entries beyond so many are removed.
MOST = 50_000
# So many fresh verdicts are worth a look at how many entries there are.
WORTH_A_LOOK = 100
Hunted = list[tuple[Target, str, Verdict]]
Found = TypeVar("Found")


class Remembered:
    """The verdicts of one plan: `singles` has each in an entry of its own, `kept` those of the set of rules."""

    def __init__(self, plan: Plan, singles: caches.Cache, kept: Kept | None = None) -> None:
        self.plan, self.singles, self.kept = plan, singles, kept
        self.key = Keys(plan)
        self._asked: dict[int, str] = {}
        self._fresh = 0

    def rule(self, rule: Rule) -> Judged | None:
        """The verdicts on the rule, None where they are not known."""
        names = {target.name for target in self.plan.targets}
        key = self._asked[id(rule)] = self.key.rule(rule)
        found = self._get(key, _judged)
        return found if found is not None and found.verdicts.keys() == names else None

    def keep_rule(self, rule: Rule, judged: Judged) -> None:
        """Keep the verdicts on the rule, which has been asked for."""
        self._put(rule, self.key.rule(rule), asdict(judged))

    def pack(self, pack: Pack) -> Hunted | None:
        """The verdicts on the pack's hunting queries, None where they are not known."""
        key = self._asked[id(pack)] = self.key.pack(pack)
        return self._get(key, partial(_hunted, {each.name: each for each in self.plan.targets}))

    def keep_pack(self, pack: Pack, found: Hunted) -> None:
        """Keep the verdicts on the pack's hunting queries, which have been asked for."""
        told = [[target.name, name, asdict(verdict)] for target, name, verdict in found]
        self._put(pack, self.key.pack(pack), {"hunted": told})

    def save(self) -> None:
        """Keep the set, and let no more entries stand than there may be."""
        if self.kept is not None:
            self.kept.save()
        if self._fresh >= WORTH_A_LOOK:
            self.singles.keep_newest(MOST)

    def _get(self, key: str, revived: Callable[[Mapping[str, Any]], Found]) -> Found | None:
        held = self.kept.get(f"verdict {key}") if self.kept is not None else None
        is_new = held is None
        if is_new:
            held = self.singles.get(key)
        try:
            found = None if held is None else revived(held)
        except (AttributeError, LookupError, TypeError, ValueError):
            # An entry of another form than ours is none.
            return None
        if is_new and found is not None and self.kept is not None:
            self.kept.put(f"verdict {key}", held)
        return found

    def _put(self, about: Rule | Pack, key: str, told: Mapping[str, Any]) -> None:
        if key != self._asked.get(id(about)):
            # What was judged has been written meanwhile, before or after it was read.
            return
        self._fresh += 1
        self.singles.put(key, told)
        if self.kept is not None:
            self.kept.put(f"verdict {key}", told)


class Keys:
    """What the verdicts of one plan depend on, beside our own code and the packages that it uses."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        hows = [[target.name, how_key(plan.hows[target.name])] for target in plan.targets]
        ready = engines.engine("kusto_analyser").ready()
        facts = [plan.generated, plan.minimise, plan.seed, ready, sorted(plan.engines)]
        self._plan = caches.key([hows, *facts, plan.outputs is None])
        self._given = {name: _digest(events) for name, events in plan.given.items()}

    def rule(self, rule: Rule) -> str:
        """What the verdicts on the rule depend on."""
        return _digest([self._plan, *self._rule(rule), self._outputs(rule)])

    def pack(self, pack: Pack) -> str:
        """What the verdicts on the pack's hunting queries depend on."""
        rules = [[*self._rule(rule), str(rule.path)] for rule in pack.rules]
        texts = {}
        if self.plan.outputs is not None:
            for target in self.plan.targets:
                folder = self.plan.outputs / target.name / pack.place
                texts[target.name] = [(path.name, _content(str(path))) for path in sorted(folder.glob(f"{HUNTING}.*"))]
        where = [str(self.plan.outputs), str(pack.path), str(pack.place)]
        return _digest([self._plan, *where, _content(str(pack.path)), rules, texts])

    def _rule(self, rule: Rule) -> Iterator[object]:
        """The rule with its events, and what a correlation names."""
        yield rule.text
        yield [each.text for each in referred(rule, self.plan).values()]
        yield str(rule.place)
        cases = str(rule.cases_path)
        yield _content(cases) if os.path.isfile(cases) else None  # noqa: PTH113 - thousands of them
        yield _recordings(rule)
        yield [self._given.get(rule.id), self._given.get("")]

    def _outputs(self, rule: Rule) -> list[object]:
        folder, targets = self.plan.outputs, self.plan.targets
        if folder is None:
            return []
        return [_content(f"{folder}/{target.name}/{rule.place}.{target.suffix}") for target in targets]


def _recordings(rule: Rule) -> list[object]:
    """What is recorded for the rule: every file below the folder of its events."""
    place = recordings(rule)[-1:]
    if not place:
        return []
    files = sorted(str(path) for path in place[0].rglob("*") if path.is_file())
    return [[path[len(str(place[0])) :], _content(path)] for path in files]


def _content(path: str) -> bytes | str:
    """What a file holds, or why that cannot be said."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - thousands of them
            return file.read()
    except OSError as error:
        return str(error)


def _digest(parts: Sequence[object]) -> str:
    return hashlib.sha256(repr(parts).encode(errors="surrogatepass")).hexdigest()


def _judged(held: Mapping[str, Any]) -> Judged:
    verdicts = {name: _verdict(told) for name, told in held["verdicts"].items()}
    return Judged(verdicts, tuple(Given(**given) for given in held["contradictions"]))


def _hunted(targets: Mapping[str, Target], held: Mapping[str, Any]) -> Hunted:
    return [(targets[target], name, _verdict(told)) for target, name, told in held["hunted"]]


def _verdict(told: Mapping[str, Any]) -> Verdict:
    return Verdict(
        told["kind"],
        told["reason"],
        tuple(Asked(**shown | {"row": _row(shown["row"])}) for shown in told["shown"]),
        tuple(told["events"]),
        tuple(told["unmade"]),
    )


def _row(held: Mapping[str, Any]) -> Row:
    """The row with its lists as they were before they were written as JSON."""
    return {name: tuple(cell) if isinstance(cell, list) else cell for name, cell in held.items()}
