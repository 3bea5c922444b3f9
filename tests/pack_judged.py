"""The pack's queries on a bench: its rows are loaded once, and a changed query is asked over them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from converter import engines, packs, schemas, testing
from converter.bench import Bench, Embedded
from converter.convert import How
from converter.engines.engine import Invalid, Unjudged
from converter.judge import Judge, Known, asked_for
from converter.packs import Hunting, Pack
from converter.plan import Plan, trial
from converter.rule import Rule
from converter.schemas.layout import Source
from converter.targets import DEFAULTS, named
from converter.verdicts import Asked, Verdict, verdict
from tests.events import ROOT

TARGETS = tuple(named(DEFAULTS))


@cache
def reading() -> packs.Reading:
    """The pack's files."""
    return packs.read((str(ROOT / "sigma_rules"),), b"")


def plan(**more: object) -> Plan:
    """A plan for the project's outputs."""
    return Plan(TARGETS, {each.name: How() for each in TARGETS}, ROOT / "outputs", **more)  # type: ignore[arg-type]


def rule(name: str) -> Rule:
    return next(each for each in reading().rules if each.place.name == name)


@cache
def known(name: str) -> Known:
    """The rule with its events."""
    found = Judge().known(trial(rule(name), plan()))
    assert isinstance(found, Known)
    return found


@dataclass(frozen=True)
class Held:
    """One rule's rows on one target."""

    bench: Bench
    number: int
    sources: tuple[Source, ...]
    asked: tuple[Asked, ...]
    known: Known

    def verdict(self, query: str) -> Verdict:
        """That on a query in the place of the rule's own."""
        engine = self.bench.holder.name
        added = asked_for(query, engine, self.known, self.sources)
        asked = [*self.asked, *self.bench.add(self.number, self.sources, added, self.known.meaning.truth)]
        try:
            answer = self.bench.answer(query, self.sources, self.number)
        except Invalid as invalid:
            return Verdict("broken", str(invalid))
        except Unjudged as unjudged:
            return Verdict("untested", str(unjudged))
        return verdict(answer.decided(asked), answer.found)


@cache
def held(target: str, name: str) -> Held:
    """The rule's rows on the target, loaded once."""
    layout = schemas.layout(target)
    assert layout is not None
    bench = Bench(Embedded(layout, engines.embedded(target)))
    one = known(name)
    sources = tuple(layout.sources_of(one.logsource))
    return Held(bench, 0, sources, tuple(bench.add(0, sources, one.events, one.meaning.truth)), one)


def golden(target: str, name: str) -> str:
    suffix = next(each.suffix for each in TARGETS if each.name == target)
    path = ROOT / "outputs" / target / "t1596_003" / f"{name}.{suffix}"
    return path.read_text(encoding="utf-8").removesuffix("\n")


def pack() -> tuple[Pack, Hunting]:
    found = reading().packs[0]
    assert found.hunting is not None
    return found, found.hunting


def hunted(name: str, text: str, step: int = 1) -> Verdict:
    """The verdict on a text in the place of the pack's hunting query of this file name, by every so many events."""
    _, settings = pack()
    whole = [(each.name, known(each.rule.place.name)) for each in settings.categories]
    categories = [(name, replace(one, events=one.events[::step])) for name, one in whole]
    suffix = name.rpartition(".")[2]
    target = next(each for each in TARGETS if each.suffix == suffix or (suffix == "json" and each.name == "lucene"))
    return testing._hunt(settings, target, text, categories, Judge(), plain=suffix == "lucene")  # noqa: SLF001 - what is tested
