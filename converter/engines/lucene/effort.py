"""Whether a node can afford a pattern: a query that holds one which it cannot is an error as a whole.

Lucene makes a deterministic automaton of each pattern, and gives up once it has looked at too many states: for each
state of that automaton it counts the states of the pattern that it stands for (`Operations.determinize`). Both nodes
allow an effort of 10,000, which Lucene takes ten times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise

from converter.engines.engine import Invalid
from converter.engines.lucene.automaton import Automaton, automaton
from converter.engines.lucene.regex_tree import ANY, Characters, Concat, Ranges, Regex, Repeat

_LIMIT = 100_000
# A pattern of single characters and runs of any has about two states a part, each of which stands for at most all.
_ALWAYS = 200
RUN = Repeat(Characters(ANY), 0, None)


@cache
def check(tree: Regex, text: str) -> None:
    """Raise Invalid if a node cannot afford the expression, whose text is that."""
    if _cheap(tree):
        return
    if not _affordable(automaton(tree)):
        raise Invalid(f"a pattern that a node cannot afford: {text[:80]!r}")


def _cheap(tree: Regex) -> bool:
    parts = tree.parts if isinstance(tree, Concat) else (tree,)
    if len(parts) > _ALWAYS:
        return False
    read = {part.ranges for part in parts if isinstance(part, Characters)}
    return all(part == RUN or isinstance(part, Characters) for part in parts) and _apart(read)


def _apart(read: Iterable[Ranges]) -> bool:
    """Whether no character is in two of these."""
    held = sorted(pair for ranges in read for pair in ranges)
    return all(low[1] < high[0] for low, high in pairwise(held))


def _affordable(pattern: Automaton) -> bool:
    """Whether the deterministic automaton is made within the limit."""
    if not pattern.steps:
        return True
    reads = _numbered(pattern)
    start = frozenset({0})
    seen, waiting, effort = {start}, [start], 0
    while waiting:
        own = waiting.pop()
        effort += len(own)
        if effort >= _LIMIT:
            return False
        for after in _after(own, reads):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return True


# Of a state: the states that follow any character, and those that follow characters of each class of the alphabet.
_Reads = tuple[frozenset[int], Mapping[int, frozenset[int]]]


def _after(own: Iterable[int], reads: Sequence[_Reads]) -> set[frozenset[int]]:
    always = frozenset().union(*(reads[state][0] for state in own))
    classes: dict[int, set[int]] = {}
    for state in own:
        for number, after in reads[state][1].items():
            classes.setdefault(number, {*always}).update(after)
    found = {frozenset(after) for after in classes.values()}
    return found | {always} if always else found


def _numbered(pattern: Automaton) -> Sequence[_Reads]:
    """What each state reads, in numbers of classes: runs of code points that no step tells apart."""
    edges = {edge for state in pattern.steps for ranges, _ in state for low, high in ranges for edge in (low, high + 1)}
    number = {edge: place for place, edge in enumerate(sorted(edges))}
    found = []
    for state in pattern.steps:
        classes: dict[int, set[int]] = {}
        for ranges, to in state:
            for low, high in ranges if ranges != ANY else ():
                for place in range(number[low], number[high + 1]):
                    classes.setdefault(place, set()).add(to)
        always = frozenset(to for ranges, to in state if ranges == ANY)
        found.append((always, {place: frozenset(after) for place, after in classes.items()}))
    return found
