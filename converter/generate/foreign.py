"""Events that hold what a query asks for and its rule does not: they show values that were added to it or changed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from random import Random

from converter.generate.drafts import Style
from converter.generate.each import short, with_text
from converter.generate.edits import Edit
from converter.generate.goals import Goal, spread, wants
from converter.generate.made import LONG, Generated, Maker
from converter.generate.pieces import Filled, Piece, lower
from converter.generate.plans import misses, truths
from converter.generate.worlds import world
from converter.logsource import LogSource
from converter.oracle import Meaning
from converter.oracle.tree import Pattern, Text

# How many values, near-misses to put them into, and events there are at most.
VALUES, BASES, MOST = 12, 8, 150
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'')
BARE = re.compile(r"(?<=[\s(:])(?:\\.|[^\s()\":\\])+(?=[\s)]|$)")
PAIR = re.compile(r"\[([a-z])([A-Z])\]")
# What divides the texts in a pattern: wildcards, groups, alternatives, flags, ends.
DIVIDER = re.compile(r"\(\?[a-z]+\)|\\[zAbB]|\.[*+?]|[*?|()^$]+")
WORDS = frozenset({"and", "or", "not"})


def values(query: str, *, bare: bool = False) -> list[str]:
    """The texts that a query compares with, in order; `bare`: they need no quotes in its language.

    A query in JSON is what strings it holds.
    """
    if query.startswith("{"):
        query, bare = "\n".join(_strings(json.loads(query))), True
    found = [first or second for first, second in QUOTED.findall(query)]
    if bare:
        found += BARE.findall(QUOTED.sub(" ", query))
    texts: list[str] = []
    for written in found:
        # `\\\\{1}` is how a pattern of Lucene counts a backslash.
        whole = PAIR.sub(r"\1", written.strip("/").replace("\\\\{1}", "\\\\") if bare else written)
        # The text of a quoted string has one backslash where a pattern in it has two.
        for form in (whole, whole.replace("\\\\", "\\")):
            texts += [re.sub(r"\\(.)", r"\1", part) for part in DIVIDER.split(form)]
    return [text for text in dict.fromkeys(texts) if text.strip() and lower(text) not in WORDS]


def _strings(held: object) -> Iterator[str]:
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict | list):
        for part in held.values() if isinstance(held, dict) else held:
            yield from _strings(part)


def foreign(
    query: str, meaning: Meaning, logsource: LogSource, ordinary: Collection[str], *, bare: bool
) -> list[Generated]:
    """Events with the values of the query that neither the rule has, nor every row; none where there are no such."""
    maker = Maker(meaning, world(logsource), Random("0"))  # noqa: S311 - chosen to repeat
    known = {lower(text) for text in (*ordinary, *_own(maker.whole))}
    texts = [text for text in values(query, bare=bare) if lower(text) not in known]
    if not texts:
        return []
    candidates = maker.told(_changes(maker, spread(texts, VALUES)))
    return [Generated(name, event, truth) for name, event, truth in islice(candidates, MOST)]


def _own(whole: Goal) -> Iterator[str]:
    """The texts that a rule compares with, and what of them stands between signs that divide a pattern."""
    for want in wants(whole):
        test = want.leaf.test
        parts = [test.pattern] if isinstance(test, Pattern) else test.parts if isinstance(test, Text) else ()
        for part in parts:
            if isinstance(part, str):
                yield part
                yield from (re.sub(r"\\(.)", r"\1", piece) for piece in (part, *DIVIDER.split(part)))


def _changes(maker: Maker, texts: Sequence[str]) -> Iterator[Edit]:
    """True events and near-misses with the texts in a field: all, then each by itself, whole and at the end."""
    plans = (*islice(truths(maker.whole, maker.random), 1), *islice(misses(maker.whole, maker.random), BASES))
    for number, plan in enumerate(plans):
        found = maker.work(plan, Style(), number)
        if found is None:
            continue
        made = found[0]
        named = (want.leaf.field for want in plan.wants if not want.holds)
        for field in dict.fromkeys(filter(None, named)):
            kind = maker.world.kind(field, unix=made.unix)
            if kind.members or kind.number or kind.name in {"hashes", "address"}:
                continue
            fitting = [text for text in texts if not set(text) & set(kind.barred)]
            joined = " ".join(short(fitting))
            yield f"{field} with what only the query names", with_text(made, field, joined, kind)
            if kind.padded:
                long = f"{joined} {'sample text ' * (LONG // 12 + 1)}"
                yield f"{field} with that in more than {LONG} characters", with_text(made, field, long, kind)
            if isinstance(made.fields.get(field), Filled):
                continue
            for text in fitting:
                yield f"{field} with {text!r}, which only the query names", made.put(field, _filled(text))
                yield f"{field} with {text!r} at its end", made.put(field, _filled(f"{kind.plain[0]}{text}"))


def _filled(text: str) -> Filled:
    return Filled((Piece(text),))
