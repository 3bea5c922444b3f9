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
    letters = {symbol for symbol in symbols if isinstance(symbol, str)} | {""}
    start = frozenset({0})
    seen, waiting, effort = {start}, [start], 0
    while waiting:
        states = waiting.pop()
        effort += len(states)
        if effort >= LIMIT:
            return False
        for letter in letters:
            after = frozenset(to for state in states for read, to in steps[state] if read in {ONE, letter})
            if after and after not in seen:
                seen.add(after)
                waiting.append(after)
    return True


def _steps(symbols: Sequence[str | SpecialChars]) -> list[list[tuple[str | SpecialChars, int]]]:
    """For each state of Lucene's pattern, what it reads and which state follows; `*` is a state that follows itself."""
    steps: list[list[tuple[str | SpecialChars, int]]] = [[]]
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
