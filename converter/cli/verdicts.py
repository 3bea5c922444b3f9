"""How verdicts look on standard output: a line a rule, what shows a difference, and how many of each there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import click

from converter.reports.report import Tested, one_line
from converter.verdicts import KINDS, WRONG, Asked

# Rules up to this number are all listed; of more, only those that are not exact on every target.
LISTED = 50
COLOURS = {"exact": "green", "untested": "yellow", "refused": "yellow"} | dict.fromkeys(WRONG, "red")
# Longer values are cut in the middle: what matters of a padded command line stands at its ends.
WIDEST = 300


def lines(found: Sequence[Tested], *, whole: bool) -> Iterator[str]:
    """What is told of these verdicts; `whole`: of the exact ones too, however many."""
    yield from _table(found, whole=whole)
    yield from _details(found)
    yield from _summary(found)


def _table(found: Sequence[Tested], *, whole: bool) -> Iterator[str]:
    """A line for each rule with its verdict on each target."""
    rules: dict[str, dict[str, Tested]] = defaultdict(dict)
    for each in found:
        rules[str(each.place)][each.target] = each
    targets = list(dict.fromkeys(each.target for each in found))
    if len(rules) > LISTED and not whole:
        rules = {place: row for place, row in rules.items() if any(_word(each) != "exact" for each in row.values())}
    if not rules:
        return
    widths = [max(len("rule"), *map(len, rules))]
    widths += [max(len(name), *(len(_word(row[name])) for row in rules.values() if name in row)) for name in targets]
    yield "  ".join(text.ljust(width) for text, width in zip(("rule", *targets), widths, strict=True)).rstrip()
    for place, row in rules.items():
        words = [_word(row[name]) if name in row else "" for name in targets]
        line = "  ".join(text.ljust(width) for text, width in zip((place, *words), widths, strict=True)).rstrip()
        for word in dict.fromkeys(filter(None, words)):
            line = line[: widths[0]] + line[widths[0] :].replace(word, click.style(word, fg=_colour(word)))
        yield line


def _details(found: Sequence[Tested]) -> Iterator[str]:
    """Why each verdict that is not exact is none, with the event that shows it."""
    for each in found:
        if each.verdict.kind != "exact" or each.todo:
            yield f"\n{each.headline()}"
            for line in _lines(each):
                yield f"    {line}"


def _summary(found: Sequence[Tested]) -> Iterator[str]:
    """How many verdicts of each kind each target has."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in found:
        counts[each.target][each.verdict.kind] += 1
    if counts:
        yield ""
    for target, kinds in counts.items():
        yield f"{target}: " + ", ".join(f"{kinds[kind]} {kind}" for kind in reversed(KINDS) if kinds[kind])


def _lines(each: Tested) -> Iterator[str]:
    if each.todo:
        yield f"known gap: {one_line(each.todo)}"
    for shown in each.verdict.shown:
        yield from _row(shown)


def _row(shown: Asked) -> Iterator[str]:
    what = "does not find" if shown.wanted else "finds"
    why = f"a row that is none of this log source ({shown.stranger})" if shown.stranger else shown.name
    yield f"{what}: {one_line(why)}"
    for name, value in sorted(shown.event.items()):
        if value is not None:
            yield f"  event  {name}: {_cut(value)}"
    for column, cell in sorted(shown.row.items()):
        yield f"  row    {column}: {_cut(cell)}"


def _cut(value: object) -> str:
    text = one_line(str(value)) if not isinstance(value, str) else value.replace("\r", "\\r").replace("\n", "\\n")
    if len(text) <= WIDEST:
        return text
    return f"{text[: WIDEST // 2]} … {text[-WIDEST // 2 :]} ({len(text)} characters)"


def _word(each: Tested) -> str:
    return f"{each.verdict.kind} (known)" if each.todo and each.verdict.kind != "exact" else each.verdict.kind


def _colour(word: str) -> str | None:
    return COLOURS.get(word.split(" ", maxsplit=1)[0])
