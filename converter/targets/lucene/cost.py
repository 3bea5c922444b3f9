"""Whether a node can afford a pattern: one that it cannot is an error of the whole query."""

from __future__ import annotations

from collections.abc import Sequence

from sigma.types import SpecialChars

from converter.targets.strings import ANY, ONE, Part

# Lucene's Operations.determinize stops at ten times the 10,000 that Elasticsearch allows; it counts, for each state of
# the automaton that it makes, the states of the pattern that this one stands for.
LIMIT = 100_000
# Without `?`, a pattern makes about two states a symbol, each of which stands for at most all symbols.
ALWAYS = 200
# No field that patterns are tried on keeps a value of this length.
NEVER = 33_000


# What a state reads, a letter or ONE for any, and which state follows.
Step = tuple[str | SpecialChars, int]


def affordable(parts: Sequence[Part]) -> bool:
    """Whether the pattern stays within the limit, letter case folded."""
    single = ONE in parts
    # A letter's lower case has three characters at most.
    if not single and 3 * sum([len(part) if type(part) is str else 1 for part in parts]) <= ALWAYS:
        return True
    symbols = [symbol for part in parts for symbol in (part.lower() if isinstance(part, str) else [part])]
    if not single and len(symbols) <= ALWAYS:
        return True
    if len(symbols) > NEVER:
        return False
    # Without `*`, each state of the automaton stands for one of the pattern.
    if ANY not in parts:
        return True
    steps = _steps(symbols)
    start = frozenset({0})
    seen, waiting, effort = {start}, [start], 0
    while waiting:
        states = waiting.pop()
        effort += len(states)
        if effort >= LIMIT:
            return False
        for after in _after(steps, states):
            if after and after not in seen:
                seen.add(after)
                waiting.append(after)
    return True


def _after(steps: Sequence[Sequence[Step]], states: frozenset[int]) -> list[frozenset[int]]:
    """What may follow these states: by each letter that one of them reads, and by all others, which do the same."""
    always: list[int] = []
    lettered: dict[str, list[int]] = {}
    for state in states:
        for read, to in steps[state]:
            if type(read) is str:
                lettered.setdefault(read, []).append(to)
            else:
                always.append(to)
    other = frozenset(always)
    return [other, *(other.union(reached) for reached in lettered.values())]


def _steps(symbols: Sequence[str | SpecialChars]) -> list[list[Step]]:
    """For each state of Lucene's pattern, what it reads and which state follows; `*` is a state that follows itself."""
    steps: list[list[Step]] = [[]]
    loops: dict[int, int] = {}
    last = 0
    for number, symbol in enumerate(symbols):
        if symbol is ANY and number == 0:
            steps[0].append((ONE, 0))
            continue
        new = len(steps)
        steps.append([(ONE, new)] if symbol is ANY else [])
        if symbol is ANY:
            loops[last] = new
        else:
            steps[last].append((symbol, new))
        last = new
    for state in sorted(loops, reverse=True):
        steps[state] += steps[loops[state]]
    return steps
