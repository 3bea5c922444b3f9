"""Events made from a rule: such as it must find, and such as miss it narrowly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from random import Random

from converter.generate.drafts import KEYWORDS, Draft, Impossible, Style, draft
from converter.generate.each import alone, strayed
from converter.generate.edits import Edit, edits, padded
from converter.generate.fills import Fill
from converter.generate.goals import Goal, Want, goal, spread
from converter.generate.pieces import lower, mixed, swapped, upper
from converter.generate.plans import Plan, misses, near_truths, truths
from converter.generate.worlds import World, world
from converter.logsource import LogSource
from converter.oracle import Meaning
from converter.oracle.events import Event

Writable = Callable[[Event], bool]

# How many events a rule gets, beside those of each of its values.
LIMIT = 60
# How many values of one list get events of their own, and how many such events there are at most.
EACH = 100
MOST = 400
# How many are sought at most that are true, missed, nearly missed, edited, and true once more.
SHARES = (16, 12, 8, 200, 30)
# How often a plan is worked out anew where what came of it is not what was planned.
TRIES = 4
# Of how many leaves of one event near-misses are made.
LEAVES = 10
# Beyond this many characters Elastic's keywords of ECS are not indexed (ignore_above).
LONG = 1_024

STYLES = (
    Style(),
    Style("mixed case", mixed, present=True),
    Style("upper case, spaces and quotes in wildcards", upper, Fill("rich"), present=True),
    Style("lower case, nothing in wildcards", lower, Fill("empty")),
    Style("other case, signs of regular expressions in wildcards", swapped, Fill("special"), present=True),
    Style("line breaks in wildcards", fill=Fill("lines")),
    Style("nothing in wildcards", fill=Fill("empty"), present=True),
)
# Those of the events of each value; the second where a log does not hold the first.
SINGLE = (Style("other case", swapped), Style())


@dataclass(frozen=True)
class Generated:
    """An event, what was done to make it, and whether the rule is true of it."""

    name: str
    event: Event
    truth: bool


# An event in the making, with the plan that it is to follow.
Worked = tuple[Plan, Draft]
Candidate = tuple[str, Event, bool]


def generate(
    meaning: Meaning,
    logsource: LogSource,
    seed: int = 0,
    *,
    writable: Writable = lambda _: True,
    limit: int = LIMIT,
) -> list[Generated]:
    """At most `limit` events of all sorts, then those of each value; the same for the same rule and seed.

    Their names differ. Each is one that the log source holds, `writable` allows and the oracle is decided on.
    """
    maker = Maker(meaning, world(logsource), Random(f"{seed}"), writable)  # noqa: S311 - chosen to repeat
    return list(maker.events(limit))


class Maker:
    """Makes events of one rule."""

    def __init__(self, meaning: Meaning, known: World, random: Random, writable: Writable = lambda _: True) -> None:
        self.meaning, self.world, self.random, self.writable = meaning, known, random, writable
        self.whole: Goal = goal(meaning.condition)
        # What near-misses are made of.
        self.worked: list[Worked] = []
        self.exceptions: list[Worked] = []

    def events(self, limit: int) -> Iterator[Generated]:
        """Events from every way of making them, each once."""
        ways = (islice(way, share) for way, share in zip(self._ways(), SHARES, strict=True))
        known: set[tuple[tuple[str, str], ...]] = set()
        names: dict[str, int] = {}
        yield from islice(_fresh(chain.from_iterable(ways), known, names), limit)
        yield from islice(_fresh(self._each(), known, names), MOST)

    def _ways(self) -> Iterator[Iterator[Candidate]]:
        yield self._true()
        yield self._missed()
        yield self._near()
        yield self._edited()
        yield self._more()

    def _true(self) -> Iterator[Candidate]:
        plans = list(truths(self.whole, self.random))
        first = self._pad(plans)
        for number in range(max(len(plans), SHARES[0])):
            plan, style = plans[number % len(plans)], STYLES[number % len(STYLES)]
            if (found := self.work(plan, style, number)) is not None:
                self.worked.append((plan, found[0]))
                yield f"{plan.name}; {_words(style, found[1])}", found[1], True
            if number == 1:
                yield from first

    def _pad(self, plans: Sequence[Plan]) -> Iterator[Candidate]:
        for plan in plans[:3]:
            found = self.work(plan, replace(STYLES[0], fill=Fill("plain", 1)), 1)
            for field in found[0].fields if found is not None else ():
                kind = self.world.kind(field)
                long = padded(found[0], field, LONG) if found is not None and kind.padded else None
                if long is not None and (event := self._event(long)) and self.meaning.truth(event):
                    yield f"{field} of more than {LONG} characters", event, True
                    return

    def _more(self) -> Iterator[Candidate]:
        """True events with other fillings, for a rule that offers few near-misses."""
        plans = list(truths(self.whole, self.random))
        for number in range(SHARES[0], SHARES[0] + SHARES[-1]):
            plan, style = plans[number % len(plans)], STYLES[number // 2 % len(STYLES)]
            if (found := self.work(plan, style, number)) is not None:
                yield f"{plan.name}; {_words(style, found[1])}", found[1], True

    def _each(self) -> Iterator[Candidate]:
        """What shows that a query treats one value of the rule as another."""
        plans = chain(truths(self.whole, self.random, EACH), misses(self.whole, self.random, EACH))
        done: set[Want] = set()
        for number, plan in enumerate(plans):
            fresh = [(at, want) for at, want in enumerate(plan.wants) if want.holds and want not in done]
            works = (self.work(plan, style, number) for style in SINGLE) if fresh else ()
            found = next(filter(None, works), None)
            if found is None:
                continue
            yield f"{plan.name}; other case", found[1], plan.truth
            for at, want in fresh:
                done.add(want)
                long = LONG if self.world.kind(want.leaf.field or KEYWORDS, unix=found[0].unix).padded else None
                yield from self.told(alone(found[0], at, want, long))
        # A first one may have no wildcard that takes more text.
        for _, made in spread(self.worked, 3):
            yield from self.told(strayed(self.whole, made, self.world))

    def told(self, changes: Iterable[Edit]) -> Iterator[Candidate]:
        """The changed events that a log holds and that prove something."""
        for name, changed in changes:
            event = self._event(changed)
            truth = None if event is None else self.meaning.truth(event)
            if event is not None and truth is not None:
                yield name, event, truth

    def _near(self) -> Iterator[Candidate]:
        for number, plan in enumerate(near_truths(self.whole, self.random)):
            style = replace(STYLES[number % 2], present=False)
            if (found := self.work(plan, style, number)) is not None:
                yield plan.name, found[1], True

    def _missed(self) -> Iterator[Candidate]:
        for number, plan in enumerate(misses(self.whole, self.random)):
            style = STYLES[number % 2]
            if (found := self.work(plan, style, number)) is not None:
                if plan.name.startswith("exception"):
                    self.exceptions.append((plan, found[0]))
                yield plan.name, found[1], False

    def _edited(self) -> Iterator[Candidate]:
        """Changes of true events, and of what makes an exception: one of each leaf before the second of any."""
        bases = [(plan, made, frozenset[Want]()) for plan, made in self.worked[:3]]
        # What is true of every event is changed in true ones.
        known = frozenset(self.worked[0][0].wants if self.worked else ())
        bases[1:1] = [(plan, made, known) for plan, made in self.exceptions[:8]]
        leaves = [(made, number, want) for plan, made, known in bases for number, want in _some(plan, known)]
        yield from self.told(_turns([self._changes(*leaf, turn) for turn, leaf in enumerate(leaves)]))

    def _changes(self, made: Draft, number: int, want: Want, turn: int) -> Iterator[Edit]:
        """The changes for a leaf, in an order of its own, so that few of each show every sort."""
        members = self.world.kind(want.leaf.field or KEYWORDS, unix=made.unix).members
        changes = list(edits(made, number, want, members))
        start = turn * 3 % len(changes) if changes else 0
        return iter(changes[start:] + changes[:start])

    def work(self, plan: Plan, style: Style, number: int) -> tuple[Draft, Event] | None:
        """The plan worked out so that the oracle agrees with it; None where it does not come to that."""
        for more in range(TRIES):
            fill = replace(style.fill, variant=number + more)
            try:
                made = draft(plan.wants, replace(style, fill=fill), self.world, self.random)
            except Impossible:
                continue
            event = self._event(made)
            if event is not None and self.meaning.truth(event) is plan.truth:
                return made, event
        return None

    def _event(self, made: Draft) -> Event | None:
        try:
            event = made.event(self.world)
        except Impossible:
            return None
        return event if self.writable(event) else None


def _fresh(
    candidates: Iterable[Candidate], seen: set[tuple[tuple[str, str], ...]], names: dict[str, int]
) -> Iterator[Generated]:
    """Those that were not seen, under names that differ."""
    for name, event, truth in candidates:
        key = tuple(sorted((field, repr(value)) for field, value in event.items()))
        if key not in seen:
            seen.add(key)
            names[name] = count = names.get(name, 0) + 1
            yield Generated(name if count == 1 else f"{name} ({count})", event, truth)


def _words(style: Style, event: Event) -> str:
    """What was done to the values, as far as they allow it."""
    if style.fill.style == "lines" and not any("\n" in str(value) for value in event.values()):
        return STYLES[0].words
    return style.words


def _some(plan: Plan, known: frozenset[Want]) -> list[tuple[int, Want]]:
    """The leaves that the plan holds and that are not known, or some of them, with their numbers."""
    held = [(number, want) for number, want in enumerate(plan.wants) if want.holds and want not in known]
    return spread(held, LEAVES)


def _turns(sources: Sequence[Iterator[Edit]]) -> Iterator[Edit]:
    left = list(sources)
    while left:
        kept = []
        for source in left:
            if (edit := next(source, None)) is not None:
                kept.append(source)
                yield edit
        left = kept
