"""The worked examples of defects: a rule each, what it becomes, and what that does with an event."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any
from unittest import mock

import yaml
from sigma.collection import SigmaCollection
from sigma.data import mitre_attack
from sigma.exceptions import SigmaError

from converter import oracle
from converter.convert import How, Query, Refusal, converted
from converter.framing import framed
from converter.judge import Given, Judge, NoQuery, Trial
from converter.rule import Rule
from converter.stock import STOCK_PIPELINES, StockOptions, backend_for
from converter.stock.state import forget_counters
from converter.targets import DEFAULTS, TARGETS
from converter.targets.repair import Repair
from converter.targets.target import Target
from converter.verdicts import Verdict

EXAMPLES = Path(__file__).parents[1] / "docs" / "defects.toml"
# Which the format of rule files asks the network for; what it writes of a rule without tags does not depend on them.
FETCHED: Mapping[str, Any] = {"mitre_attack_tactics": {}, "mitre_attack_techniques": {}}


@dataclass(frozen=True)
class Example:
    """The example of one defect as it stands in the data, whose comment says what each key holds."""

    repair: Repair
    family: str
    stock: str
    ours: str
    rule: str
    events: Sequence[Mapping[str, Any]] = ()
    target: str = ""
    pipeline: str = ""
    format: str = "default"
    excerpt: str = ""
    needs: Sequence[str] = ()
    after: str = ""
    parts: int = 0
    padding: int = 0
    effect: str = ""
    unmapped: bool = False

    @property
    def is_framed(self) -> bool:
        """Whether the example shows a file that holds the query, which no engine reads."""
        return bool(self.excerpt)

    @property
    def judged(self) -> Target:
        """The target whose queries are judged."""
        return TARGETS[self.target or self.family]

    @property
    def options(self) -> StockOptions:
        """How the stock backend converts."""
        return StockOptions((self.pipeline or STOCK_PIPELINES[self.family],), format=self.format)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rule, and behind it those that it needs."""
        return tuple(_rule(text, number, self) for number, text in enumerate((self.rule, *self.needs)))

    @property
    def given(self) -> Iterator[Given]:
        """The events whole."""
        for number, event in enumerate(self.events):
            padded = {
                name: value.replace("PADDING", "x" * self.padding) if isinstance(value, str) else value
                for name, value in event.items()
            }
            yield Given(str(number), padded)


@dataclass(frozen=True)
class Worked:
    """An example, carried out: by whose they are, queries, verdicts, and what is shown of each event alone.

    `files` are ours in the format of the example, with the repair and without, where the repair is one of the format.
    """

    example: Example
    queries: Mapping[str, str | NoQuery]
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    shown: Sequence[Mapping[str, Verdict]] = ()
    truths: Mapping[str, bool | None] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def examples() -> list[Example]:
    """Every example, in the order of the tables of repairs; raises KeyError for a repair that has none."""
    data = tomllib.loads(EXAMPLES.read_text(encoding="utf-8"))
    repairs = [(repair, name) for name in DEFAULTS for repair in TARGETS[name].repairs.values()]
    if unknown := data.keys() - {repair.id for repair, _ in repairs}:
        raise KeyError(f"no repairs: {', '.join(sorted(unknown))}")
    return [Example(repair, family, **data[repair.id]) for repair, family in repairs]


def worked(chosen: Sequence[Example]) -> list[Worked]:
    """The examples, carried out."""
    plain = [Worked(example, queries(example)) for example in chosen]
    asked = [(number, whose) for number, one in enumerate(plain) for whose in one.queries]
    whole = Judge(minimise=False, analyser=False).judge([_trial(plain[number], whose) for number, whose in asked])
    verdicts: list[dict[str, Verdict]] = [{} for _ in plain]
    for (number, whose), judged in zip(asked, whole, strict=True):
        verdicts[number][whose] = judged.verdicts[plain[number].example.judged.name]
    return [
        Worked(one.example, one.queries, told, shown, _truths(one.example), files(one.example))
        for one, told, shown in zip(plain, verdicts, _alone(plain), strict=True)
    ]


def _alone(plain: Sequence[Worked]) -> list[list[dict[str, Verdict]]]:
    """By example and event what each query does with this event and no other."""
    asked = [
        (number, given, whose)
        for number, one in enumerate(plain)
        for given in one.example.given
        for whose in one.queries
    ]
    judge = Judge(generated=False, minimise=False, analyser=False)
    trials = [_trial(plain[number], whose, (given,)) for number, given, whose in asked]
    found: list[list[dict[str, Verdict]]] = [[{} for _ in one.example.events] for one in plain]
    for (number, given, whose), judged in zip(asked, judge.judge(trials), strict=True):
        found[number][int(given.name)][whose] = judged.verdicts[plain[number].example.judged.name]
    return found


def _truths(example: Example) -> dict[str, bool | None]:
    """What the rule says of each event."""
    if not example.events:
        return {}
    meaning = oracle.read(example.rules[0].document)
    return {given.name: meaning.truth(given.event) for given in example.given}


def queries(example: Example) -> dict[str, str | NoQuery]:
    """The stock query, ours, and ours without the repair where it can be left out."""
    rule, target = example.rules[0], example.judged
    how = How(referable=example.rules, allow_unmapped=example.unmapped)
    found = {"stock": _stock(example), "ours": _text(converted(rule, target, how))}
    if not example.repair.inseparable and not example.is_framed:
        found["without"] = _text(converted(rule, target, replace(how, without=frozenset([example.repair.id]))))
    return found


def files(example: Example) -> dict[str, str]:
    """Our query in the format of the example, with the repair and without; none where the repair is of the query."""
    if not example.is_framed or example.repair.inseparable:
        return {}
    found = {}
    for whose, without in (("ours", frozenset[str]()), ("without", frozenset([example.repair.id]))):
        how = How(StockOptions((), format=example.format), without=without)
        query = converted(example.rules[0], example.judged, how)
        with mock.patch.dict(vars(mitre_attack), FETCHED if whose == "without" else {}):
            found[whose] = framed([query] if isinstance(query, Query) else [], how).text
    return found


def _stock(example: Example) -> str | NoQuery:
    if example.after:
        return _after(example)
    how = How(example.options, stock=True, referable=example.rules)
    with mock.patch.dict(vars(mitre_attack), FETCHED):
        return _text(converted(example.rules[0], TARGETS[example.family], how))


def _after(example: Example) -> str:
    """The stock query of a rule that is converted after another one by the same backend, as sigma-cli does it."""
    backend = backend_for(example.family, example.options).backend
    texts: list[str] = []
    for rule in (_rule(example.after, 1, example), example.rules[0]):
        with suppress(SigmaError):
            texts = backend.convert(SigmaCollection.from_dicts([dict(rule.document)]))
    forget_counters()
    return texts[0]


def _text(outcome: Query | Refusal) -> str | NoQuery:
    return NoQuery(outcome.reason) if isinstance(outcome, Refusal) else outcome.text


def _trial(one: Worked, whose: str, given: tuple[Given, ...] | None = None) -> Trial:
    example = one.example
    events = tuple(example.given) if given is None else given
    named = {str(rule.document.get("name")): rule.document for rule in example.rules[1:]}
    return Trial(example.rules[0].document, {example.judged.name: one.queries[whose]}, named=named, given=events)


def _rule(text: str, number: int, example: Example) -> Rule:
    whole = text.replace("PARTS", parts(example))
    document = {"title": example.repair.title} | yaml.safe_load(whole)
    return Rule(Path(f"{number}.yml"), PurePosixPath(str(number)), whole, document, file=PurePosixPath(f"{number}.yml"))


def parts(example: Example) -> str:
    """The list that the word PARTS stands for."""
    return f"[{', '.join(f'part{number}' for number in range(example.parts))}]"
