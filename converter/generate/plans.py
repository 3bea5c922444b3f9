"""Ways to make a goal true, and ways to miss it by one part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from converter.generate.goals import Every, Goal, Some, Want, spread, wants
from converter.generate.words import label

# How many members of one list are alternated.
MEMBERS = 14

# Where a node stands: the numbers of the parts from the root.
Place = tuple[int, ...]


@dataclass(frozen=True)
class Route:
    """A way through a goal: which part of each choice; which parts are turned into their opposite.

    `close`: at this place the other parts of those that must not all hold do hold.
    """

    picks: Mapping[Place, int] = field(default_factory=dict)
    turned: frozenset[Place] = frozenset()
    close: Place | None = None


@dataclass(frozen=True)
class Plan:
    """What an event is to be: leaves to hold and not to hold, and whether that makes the rule true."""

    name: str
    wants: tuple[Want, ...]
    truth: bool


def truths(whole: Goal, random: Random, members: int = MEMBERS) -> Iterator[Plan]:
    """Plans that make the goal true: every leaf in at least one, of longer lists first, last and some between."""
    for route in _routes(whole, (), random, members):
        yield Plan(_named(whole, route), tuple(_wants(whole, route, ())), truth=True)


def near_truths(whole: Goal, random: Random) -> Iterator[Plan]:
    """Plans that make the goal true, with one exception of several parts missed by only one of them."""
    first = _routes(whole, (), random)[0]
    choices = [
        (number, place, part)
        for place, some in _broken(whole, first, ())
        for number, part in spread(tuple(enumerate(some.parts)), MEMBERS)
    ]
    # The first part of each exception before the second of any.
    for number, place, part in sorted(choices, key=lambda choice: choice[0]):
        picked = Route({**first.picks, place: number}, close=place)
        yield Plan(f"exception but for {label(part.opposite)}", tuple(_wants(whole, picked, ())), truth=True)


def misses(whole: Goal, random: Random, members: int = MEMBERS) -> Iterator[Plan]:
    """Plans that make the goal false by one of its parts, which every other part allows."""
    if not isinstance(whole, Every):
        nothing = Plan("nothing of it", tuple(_wants(whole.opposite, Route(), ())), truth=False)
        yield from (nothing, nothing)  # with and without its fields
    first = _routes(whole, (), random)[0]
    turns: list[list[Plan]] = []
    for place, part in _parts(whole, first, ()):
        turned = replace(first, turned=frozenset({place}))
        kept = any(want.holds for want in wants(part.opposite)[:50])
        plans = []
        for route in _routes(part.opposite, place, random, members) if kept else [Route()]:
            both = replace(turned, picks={**first.picks, **route.picks})
            chosen = _named(part.opposite, route, place)
            name = f"exception: {chosen}" if kept else f"without {label(part)}"
            plans.append(Plan(name, tuple(_wants(whole, both, ())), truth=False))
        turns.append(plans)
    while turns:  # one of each part before the second of any
        for plans in turns:
            yield plans.pop(0)
        turns = [plans for plans in turns if plans]


def _routes(whole: Goal, place: Place, random: Random, members: int = MEMBERS) -> list[Route]:
    """Routes that together pass every leaf, or every leaf of a sample."""
    if isinstance(whole, Want):
        return [Route()]
    if isinstance(whole, Some):
        picks = [
            Route({place: number, **route.picks})
            for number in _sample(len(whole.parts), random, members)
            for route in _routes(whole.parts[number], (*place, number), random, members)
        ]
        return spread(picks, members)
    sides = [
        _routes(whole.parts[number], (*place, number), random, members)
        for number in whole.needed
        if not isinstance(whole.parts[number], Want)
    ]
    longest = max((len(side) for side in sides), default=1)
    return [
        Route({at: pick for side in sides for at, pick in side[number % len(side)].picks.items()})
        for number in range(longest)
    ]


def _sample(count: int, random: Random, members: int) -> list[int]:
    if count <= members:
        return list(range(count))
    return [0, *sorted(random.sample(range(1, count - 1), members - 2)), count - 1]


def _wants(whole: Goal, route: Route, place: Place) -> Iterator[Want]:
    if place in route.turned:
        whole = whole.opposite
    if isinstance(whole, Want):
        yield whole
    elif isinstance(whole, Every):
        for number in whole.needed:
            yield from _wants(whole.parts[number], route, (*place, number))
    else:
        pick = route.picks.get(place, 0)
        yield from _wants(whole.parts[pick], route, (*place, pick))
        if whole.broken and route.close == place:
            for number, part in enumerate(whole.parts):
                if number != pick:
                    yield from _wants(part.opposite, route, (*place, number))


def _broken(whole: Goal, route: Route, place: Place) -> Iterator[tuple[Place, Some]]:
    """The choices on the route that stand for parts which must not all hold."""
    if isinstance(whole, Every):
        for number in whole.needed:
            yield from _broken(whole.parts[number], route, (*place, number))
    elif isinstance(whole, Some):
        if whole.broken:
            yield place, whole
        else:
            pick = route.picks.get(place, 0)
            yield from _broken(whole.parts[pick], route, (*place, pick))


def _parts(whole: Goal, route: Route, place: Place) -> Iterator[tuple[Place, Goal]]:
    """The parts on the route that are wanted together with others."""
    if isinstance(whole, Every):
        for number in whole.needed:
            part = whole.parts[number]
            if not isinstance(part, Every) or part.avoids:
                yield (*place, number), part
            if not isinstance(part, Want) and not (isinstance(part, Every) and part.avoids):
                yield from _parts(part, route, (*place, number))
    elif isinstance(whole, Some) and not whole.broken:
        pick = route.picks.get(place, 0)
        yield from _parts(whole.parts[pick], route, (*place, pick))


def _named(whole: Goal, route: Route, place: Place = ()) -> str:
    """The leaves that the route picks, in a few words."""
    picked = []
    for at, pick in route.picks.items():
        part: Goal = whole
        for number in (*at[len(place) :], pick):
            part = part if isinstance(part, Want) else part.parts[number]
        if isinstance(part, Want) and part.holds:
            picked.append(label(part))
    return ", ".join(spread(picked, 2)) or label(whole)
