"""Says of queries whether they find what their rules mean: the oracle on one side, an engine on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from converter import correlations, engines, oracle, schemas
from converter.bench import Bench, Embedded, Running
from converter.correlations import Correlating
from converter.engines.engine import Engine, Invalid, Unjudged
from converter.engines.live import CLIENTS, Live
from converter.generate import Generated, foreign, generate, minimised
from converter.logsource import LogSource
from converter.oracle import Meaning, Unmeant
from converter.oracle.tree import And, Node, Not, Or
from converter.schemas.forms import Event
from converter.schemas.layout import Layout, Source
from converter.verdicts import Asked, Verdict, verdict

# A rule of more is not judged: its events would take minutes. The largest of SigmaHQ's has some 5,000.
MOST_VALUES = 10_000
# Each asks the engine once.
MOST_TRIES = 60


@dataclass(frozen=True)
class Given:
    """An event that somebody wrote or recorded; `wanted` is what they say that the rule does, None if they do not."""

    name: str
    event: Event
    wanted: bool | None = None


@dataclass(frozen=True)
class NoQuery:
    """Why a rule has no query on a target: `kind` is that of its verdict."""

    reason: str
    kind: Literal["refused", "broken"] = "refused"

    @property
    def verdict(self) -> Verdict:
        """What is known of the rule then."""
        return Verdict(self.kind, self.reason)


@dataclass(frozen=True)
class Trial:
    """One rule with its queries by target, each a text or why there is none, and the events at hand.

    `document` is the rule's parsed YAML, `filters` are those of the Sigma filters, `placeholders` the values of each.
    `named` are the documents of the rules that a correlation names, by these names.
    """

    document: Mapping[str, Any] = field(repr=False)
    queries: Mapping[str, str | NoQuery]
    filters: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    placeholders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    given: tuple[Given, ...] = ()
    named: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def is_correlation(self) -> bool:
        """Whether it is judged on sequences of events, not on events."""
        return "correlation" in self.document


@dataclass(frozen=True)
class Judged:
    """The verdicts on one rule by target, and the given events of which their author says another truth."""

    verdicts: Mapping[str, Verdict]
    contradictions: tuple[Given, ...] = ()


@dataclass(frozen=True)
class Known:
    """A rule as the oracle reads it, with the events to try; `unproven` is the number of those that prove nothing."""

    meaning: Meaning
    logsource: LogSource
    events: tuple[Generated, ...]
    unproven: int
    contradictions: tuple[Given, ...]


@dataclass(frozen=True)
class _Ready:
    """A query that can be run, by the number of its rule."""

    number: int
    target: str
    query: str
    known: Known
    layout: Layout
    sources: Sequence[Source]


@dataclass
class Judge:
    """Judges rules, a number of them at a time: rows are loaded once for all, each query runs over those of its rule.

    `generated`: also on events made from the rules; `minimise`: show the smallest event that can be found; `analyser`:
    also ask Microsoft's, where it is installed. `engines` are the only ones that judge, all where it is empty: names,
    those of running clusters with their URL.
    """

    generated: bool = True
    minimise: bool = True
    seed: int = 0
    analyser: bool = True
    engines: Mapping[str, str] = field(default_factory=dict, repr=False)
    _benches: dict[str, list[Bench]] = field(default_factory=dict)
    _lives: list[Live] = field(default_factory=list)

    def close(self) -> None:
        """Let the engines' databases go, and remove what running clusters were given."""
        for bench in (each for benches in self._benches.values() for each in benches):
            bench.holder.close()
        self._benches.clear()
        while self._lives:
            self._lives.pop().close()

    def judge(self, trials: Sequence[Trial]) -> list[Judged]:
        """The verdicts on these rules, in order."""
        known = [self.known(trial) for trial in trials]
        verdicts: list[dict[str, Verdict]] = [{} for _ in trials]
        for target in dict.fromkeys(name for trial in trials for name in trial.queries):
            for number, told in self._on(target, trials, known):
                verdicts[number][target] = told
        contradictions = (one.contradictions if isinstance(one, Known) else () for one in known)
        return [Judged(*pair) for pair in zip(verdicts, contradictions, strict=True)]

    def known(self, trial: Trial) -> Known | str:
        """The rule as the oracle reads it, with its events; or why the oracle cannot."""
        try:
            meaning = oracle.read(trial.document, trial.filters, trial.placeholders)
        except Unmeant as unmeant:
            return str(unmeant)
        if (values := _leaves(meaning.condition)) > MOST_VALUES:
            return f"it has {values} values, more than the {MOST_VALUES} that are tried"
        logsource = LogSource.of(trial.document["logsource"])
        events, unproven, contradictions = [], 0, []
        for given in trial.given:
            truth = meaning.truth(given.event)
            if truth is None:
                unproven += 1
                continue
            events.append(Generated(given.name, given.event, truth))
            if given.wanted is not None and truth is not given.wanted:
                contradictions.append(given)
        if self.generated:
            events += generate(meaning, logsource, self.seed)
        return Known(meaning, logsource, tuple(events), unproven, tuple(contradictions))

    def _on(self, target: str, trials: Sequence[Trial], known: Sequence[Known | str]) -> Iterator[tuple[int, Verdict]]:
        """The verdicts on one target, each with the number of its rule."""
        layout = schemas.layout(target)
        ready = []
        for number, (trial, one) in enumerate(zip(trials, known, strict=True)):
            if target in trial.queries and trial.is_correlation:
                yield number, self._correlated(trial, target, layout)
            elif target in trial.queries:
                outcome = _ready(number, target, trial.queries[target], one, layout)
                if isinstance(outcome, Verdict):
                    yield number, outcome
                else:
                    ready.append(outcome)
        if layout is None or not ready:
            return
        told = {bench.holder.name: list(self._by(target, bench, ready)) for bench in self._benches_of(target, layout)}
        for place, each in enumerate(ready):
            yield each.number, self.joint({name: verdicts[place] for name, verdicts in told.items()})

    def _benches_of(self, target: str, layout: Layout) -> list[Bench]:
        if target not in self._benches:
            self._benches[target] = [
                Bench(Running(each) if isinstance(each, Live) else Embedded(layout, each))
                for each in self.judges(target)
            ]
        return self._benches[target]

    def judges(self, target: str) -> list[Engine | Live]:
        """What judges the target's queries: each of the engines that are named and can, else the embedded one."""
        own = engines.JUDGES[target]
        found: list[Engine | Live] = [engines.embedded(target)] if own in (self.engines or {own}) else []
        for name in CLIENTS:
            if name in self.engines and own == "lucene":
                self._lives.append(Live(name, self.engines[name]))
                found.append(self._lives[-1])
        return found

    def joint(self, verdicts: Mapping[str, Verdict]) -> Verdict:
        """Of the verdicts by engine the first that is not exact, which names its engine where the user has named any.

        Else one that is, with what any of them could not show.
        """
        if not verdicts:
            return Verdict("untested", "no engine named for it")
        name, told = next((pair for pair in verdicts.items() if pair[1].kind != "exact"), [*verdicts.items()][-1])
        if self.engines and told.kind != "exact":
            told = replace(told, reason=f"{told.reason} (by {name})".lstrip())
        return replace(told, unmade=tuple(dict.fromkeys(line for each in verdicts.values() for line in each.unmade)))

    def _by(self, target: str, bench: Bench, ready: Sequence[_Ready]) -> Iterator[Verdict]:
        asked = [
            bench.add(each.number, each.sources, self._events(target, each), each.known.meaning.truth) for each in ready
        ]
        for each, rows in zip(ready, asked, strict=True):
            told = self._verdict(bench, each, rows)
            yield replace(told, unmade=(*told.unmade, *bench.holder.unmade))
        bench.forget()

    def _correlated(self, trial: Trial, target: str, layout: Layout | None) -> Verdict:
        query = trial.queries[target]
        if isinstance(query, NoQuery):
            return query.verdict
        if layout is None:
            return Verdict("untested", f"no schema says what {target} stores")
        if not self.generated:
            return Verdict("untested", "sequences of events are made from the rules only")
        if self.engines and engines.JUDGES[target] not in self.engines:
            return self.joint({})
        correlating = Correlating(trial.document, trial.named, trial.filters, trial.placeholders, self.seed)
        engine = engines.embedded(target)
        return correlations.judged(correlating, query, layout, engine, minimise=self.minimise)

    def _events(self, target: str, ready: _Ready) -> Sequence[Generated]:
        """The events to try on one query: those of its rule, and those with what it adds to the rule."""
        engine = engines.JUDGES[target]
        added = asked_for(ready.query, engine, ready.known, ready.sources) if self.generated else ()
        return (*ready.known.events, *added)

    def _verdict(self, bench: Bench, ready: _Ready, asked: Sequence[Asked]) -> Verdict:
        unmade: tuple[str, ...] = ()
        try:
            if self.analyser and engines.JUDGES[ready.target] == "kql":
                faults = engines.engine("kusto_analyser").analyse(ready.query, ready.layout)
                if faults:
                    return Verdict("broken", f"is no valid query to Microsoft's analyser: {faults[0]}")
        except Unjudged as unjudged:
            unmade = (f"kusto_analyser: {unjudged}",)
        try:
            answer = bench.answer(ready.query, ready.sources, ready.number)
        except Invalid as invalid:
            return Verdict("broken", f"is no valid query: {invalid}", unmade=unmade)
        except Unjudged as unjudged:
            return Verdict("untested", f"{bench.holder.name} cannot judge it: {unjudged}", unmade=unmade)
        unproven = ready.known.unproven + sum(row.number in answer.undecided for row in asked)
        told = replace(verdict(answer.decided(asked), answer.found, unproven), unmade=unmade)
        if not self.minimise:
            return told
        return replace(told, shown=tuple(_smallest(bench, ready, shown) for shown in told.shown))


def _leaves(node: Node) -> int:
    """How many values a condition asks for."""
    match node:
        case And(parts) | Or(parts):
            return sum(map(_leaves, parts))
        case Not(part):
            return _leaves(part)
    return 1


def asked_for(query: str, engine: str, known: Known, sources: Sequence[Source]) -> list[Generated]:
    """Events with the values that the query, in the language of this engine, has and the rule has not."""
    cells = (cell for source in sources for reading in source.readings for cell in reading.fixed.values())
    ordinary = {str(part) for cell in cells for part in (cell if isinstance(cell, tuple) else (cell,))}
    names = {name for source in sources for name in source.table.columns}
    ordinary |= names | {f"{name}.caseless" for name in names}
    return foreign(query, known.meaning, known.logsource, ordinary, bare=engine == "lucene")


def _ready(
    number: int, target: str, query: str | NoQuery, known: Known | str, layout: Layout | None
) -> Verdict | _Ready:
    """The query with all that it takes to run it, or the verdict that says what is missing."""
    if isinstance(query, NoQuery):
        return query.verdict
    if isinstance(known, str):
        return Verdict("untested", f"the rule is not judged: {known}")
    if layout is None:
        return Verdict("untested", f"no schema says what {target} stores")
    sources = layout.sources_of(known.logsource)
    if not sources:
        return Verdict("untested", f"no schema says how {target} stores {known.logsource}")
    if unknown := sorted({name for source in sources for name in source.unknown(set(known.meaning.fields))}):
        return Verdict("untested", f"the schema does not say whether {target} keeps {', '.join(unknown)}")
    return _Ready(number, target, query, known, layout, sources)


def _smallest(bench: Bench, ready: _Ready, shown: Asked) -> Asked:
    """The row of a smaller event that shows the same difference."""
    meaning = ready.known.meaning
    truth = meaning.truth(shown.event)
    smallest = shown

    def still(event: Event) -> bool:
        nonlocal smallest
        if truth is None or meaning.truth(event) is not truth:
            return False
        row = bench.shows(ready.query, Generated(shown.name, event, truth), meaning.truth, shown)
        smallest = row or smallest
        return row is not None

    minimised(shown.event, still, MOST_TRIES)
    return smallest
