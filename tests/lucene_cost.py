"""Whether a node can afford a pattern: a query that holds one which it cannot is an error as a whole.

After Lucene's `Operations.determinize` and the effort of 10,000 that both nodes allow it; real nodes refuse at exactly
these lengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

# Lucene takes a limit of 10,000 and allows ten times as many states of the pattern within those of its automaton.
LIMIT = 100_000
ANY, ONE = "any run", "any one"
Step = tuple[str, int]


@cache
def affordable(pattern: Sequence[str]) -> bool:
    """Whether a node can afford a pattern of characters, ANY and ONE; the forms of one letter must be one character."""
    # Without ONE, the states are about twice as many as the characters, and each holds at most all of them.
    if ONE not in pattern and len(pattern) <= 200:
        return True
    steps = _steps(pattern)
    letters = set(pattern) - {ANY, ONE} | {ONE}
    start = frozenset({0})
    seen, waiting, effort = {start}, [start], 0
    while waiting:
        states = waiting.pop()
        effort += len(states)
        if effort >= LIMIT:
            return False
        for letter in letters:
            after = frozenset(state for before in states for read, state in steps[before] if read in {ONE, letter})
            if after and after not in seen:
                seen.add(after)
                waiting.append(after)
    return True


def _steps(pattern: Sequence[str]) -> Sequence[Sequence[Step]]:
    """For each state of the pattern, what it reads and the state that follows."""
    own: list[list[Step]] = [[]]
    # Lucene joins parts by copying the steps of the next one's first state, which is a state of its own for an ANY.
    loops: dict[int, int] = {}
    last = 0
    for number, part in enumerate(pattern):
        if part != ANY:
            own.append([])
            own[last].append((part, len(own) - 1))
            last = len(own) - 1
        elif number == 0:
            own[0].append((ONE, 0))
        else:
            own.append([(ONE, len(own))])
            loops[last] = last = len(own) - 1

    def all_of(state: int) -> Iterator[Step]:
        yield from own[state]
        if state in loops:
            yield from all_of(loops[state])

    return [list(all_of(state)) for state in range(len(own))]
