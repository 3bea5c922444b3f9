"""Whether a node can afford a pattern: a query that holds one which it cannot is an error as a whole.

Lucene makes a deterministic automaton of each pattern, and gives up once it has looked at too many states: for each
state of that automaton it counts the states of the pattern that it stands for (`Operations.determinize`). Both nodes
allow an effort of 10,000, which Lucene takes ten times.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from converter.engines.engine import Invalid

_LIMIT = 100_000
ANY, ONE = 0, 1
# A character, ANY run of them, or any ONE.
Symbol = str | int
_State = list[tuple[Symbol, int]]
# Without ONE, there are about two states a symbol, each of which stands for at most all of them.
_ALWAYS = 200


@cache
def check_wildcard(text: str, symbols: Sequence[Symbol]) -> None:
    """Raise Invalid if a node cannot afford the wildcard pattern of these symbols."""
    if ONE not in symbols and len(symbols) <= _ALWAYS:
        return
    if _too_dear(_states(symbols), set(symbols) - {ANY, ONE}):
        raise Invalid(f"a pattern that a node cannot afford: {text[:80]!r}")


def _states(symbols: Sequence[Symbol]) -> list[_State]:
    """What each state of the pattern reads, and which follows.

    Where one part ends, Lucene copies the steps of the next part's first state, and that state stays; a run of any
    characters is a part of one state that follows itself.
    """
    states: list[_State] = [[]]
    runs: dict[int, int] = {}
    last = 0
    for number, symbol in enumerate(symbols):
        if symbol == ANY and number == 0:
            states[0].append((ONE, 0))
            continue
        new = len(states)
        states.append([(ONE, new)] if symbol == ANY else [])
        if symbol == ANY:
            runs[last] = new
        else:
            states[last].append((symbol, new))
        last = new
    for state in sorted(runs, reverse=True):
        states[state] += states[runs[state]]
    return states


def _too_dear(states: Sequence[_State], letters: set[Symbol]) -> bool:
    start = frozenset({0})
    seen, waiting, effort = {start}, [start], 0
    while waiting:
        own = waiting.pop()
        effort += len(own)
        if effort >= _LIMIT:
            return True
        for letter in (*letters, ONE):
            after = frozenset(to for state in own for read, to in states[state] if read in {ONE, letter})
            if after and after not in seen:
                seen.add(after)
                waiting.append(after)
    return False
