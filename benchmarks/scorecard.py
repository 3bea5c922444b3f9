"""Judges every rule of some folders, ours beside the stock backends, and writes the scorecard.

python benchmarks/scorecard.py RULES... [-o benchmarks/scorecard.md]
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from converter import oracle, packs, schemas, testing
from converter.convert import How
from converter.coverage import logsource_of
from converter.jobs import processors
from converter.oracle import Unmeant
from converter.plan import Plan
from converter.rule import Rule
from converter.schemas.layout import Source
from converter.sound import is_sound
from converter.stock import STOCK_PIPELINES, StockOptions
from converter.targets import DEFAULTS, named
from converter.verdicts import KINDS, WRONG, Verdict

# The log sources that the project repairs down to no wrong verdict.
HELD = {
    "process_creation",
    "registry_add",
    "registry_delete",
    "registry_event",
    "registry_set",
    "file_access",
    "file_change",
    "file_delete",
    "file_event",
    "file_rename",
    "image_load",
    "network_connection",
    "dns_query",
    "ps_script",
}


@dataclass(frozen=True)
class Score:
    """One verdict on one rule."""

    rule: Rule
    target: str
    verdict: Verdict

    @property
    def held(self) -> bool:
        """Whether the rule is of a log source that is held to no wrong verdict."""
        return logsource_of(self.rule).category in HELD

    def documented(self, *, words: bool) -> bool:
        """Whether the target's data documents every field of the rule; `words`: one of them as single words only."""
        layout = schemas.layout(self.target)
        try:
            fields = oracle.read(self.rule.document).fields
        except Unmeant:
            return False
        sources = layout.sources_of(logsource_of(self.rule)) if layout else []
        told = [source for source in sources if fields <= source.fields]
        return bool(told) and words is all(any(_is_words(source, name) for name in fields) for source in told)


def _is_words(source: Source, field: str) -> bool:
    """Whether the source keeps the field only as the words of its text, so that what stands between them is lost."""
    kinds = [source.table.columns[part.column].type for part in source.readings[0].fields.get(field, ())]
    return bool(kinds) and set(kinds) <= {"text", "match_only_text"}


def scores(rules: Sequence[Rule], *, stock: bool, jobs: int) -> list[Score]:
    """The verdicts on these rules, as we convert them or as the stock backends do."""
    targets = tuple(named(DEFAULTS))
    referable = tuple(rules)
    hows = {
        target.name: How(options=StockOptions((STOCK_PIPELINES[target.name],)), stock=True, referable=referable)
        if stock
        else How(referable=referable)
        for target in targets
    }
    plan = Plan(targets, hows, minimise=False)
    return [
        Score(rule, target, verdict)
        for rule, judged in testing.tested(rules, plan, jobs)
        for target, verdict in judged.verdicts.items()
    ]


def text(ours: Sequence[Score], stock: Sequence[Score], seconds: float) -> Iterator[str]:
    """The scorecard in Markdown, a line at a time."""
    rules = len({(each.rule.path, each.rule.id) for each in ours})
    yield "# Scorecard"
    yield ""
    yield f"Verdicts on {rules} rules and correlations, made by `python benchmarks/scorecard.py`; what each verdict"
    yield "promises is in [docs/evidence.md](../docs/evidence.md). *Stock* is what sigma-cli converts with the same"
    yield f"backends and the pipelines {', '.join(STOCK_PIPELINES.values())}. Ours took {seconds:.0f} s."
    for title, held in (("Log sources that are held to no wrong verdict", True), ("All other log sources", False)):
        yield ""
        yield f"## {title}"
        yield ""
        if held:
            yield f"{', '.join(sorted(HELD))}."
            yield ""
        yield from _table([each for each in ours if each.held is held], [each for each in stock if each.held is held])
    yield from _bar(ours)
    yield from _wrong(ours)
    yield from _listed("Refused", "refused", ours)
    yield from _listed("Untested", "untested", ours)


def _table(ours: Sequence[Score], stock: Sequence[Score]) -> Iterator[str]:
    yield "| target | | " + " | ".join(reversed(KINDS)) + " |"
    yield "| --- | --- |" + " ---: |" * len(KINDS)
    for target in dict.fromkeys(each.target for each in ours):
        for name, found in (("ours", ours), ("stock", stock)):
            counts = Counter(each.verdict.kind for each in found if each.target == target)
            yield f"| {target} | {name} | " + " | ".join(str(counts[kind]) for kind in reversed(KINDS)) + " |"


def _bar(ours: Sequence[Score]) -> Iterator[str]:
    yield ""
    yield "## Refused although documented"
    yield ""
    yield "Of the rules of the first table whose fields the target's data documents; apart from them those with a field"
    yield "that the data keeps as single words only, so that the text that a rule asks for is not there to be compared:"
    yield ""
    yield "| target | documented | refused | share | words only | refused | share of both |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for target in dict.fromkeys(each.target for each in ours):
        told = [each for each in ours if each.target == target and each.held and each.documented(words=False)]
        words = [each for each in ours if each.target == target and each.held and each.documented(words=True)]
        refused, lost = ([each for each in some if each.verdict.kind == "refused"] for some in (told, words))
        share = 100 * len(refused) / len(told) if told else 0
        both = 100 * (len(refused) + len(lost)) / (len(told) + len(words)) if told else 0
        yield f"| {target} | {len(told)} | {len(refused)} | {share:.1f} % | {len(words)} | {len(lost)} | {both:.1f} % |"


def _wrong(ours: Sequence[Score]) -> Iterator[str]:
    wrong = [each for each in ours if each.verdict.kind in WRONG]
    if wrong:
        yield ""
        yield "## Wrong"
        yield ""
    for each in wrong:
        shown = "; ".join(row.stranger or row.name for row in each.verdict.shown)
        why = " ".join(f"{each.verdict.reason} {shown}".split())
        yield f"- {each.target}, {each.verdict.kind}: `{each.rule.file}`: {why}"


def _listed(title: str, kind: str, ours: Sequence[Score]) -> Iterator[str]:
    reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in ours:
        if each.verdict.kind == kind:
            reasons[each.target, " ".join(each.verdict.reason.split())].append(each.rule.path.stem)
    yield ""
    yield f"## {title}"
    for (target, reason), names in sorted(reasons.items(), key=lambda pair: (pair[0][0], -len(pair[1]), pair[0][1])):
        yield ""
        yield f"- {target}: {reason} ({len(names)}): {', '.join(f'`{name}`' for name in sorted(names))}"


@click.command()
@click.argument("rules", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("-o", "--output", default="benchmarks/scorecard.md", show_default=True, type=click.Path(path_type=Path))
@click.option("-j", "--jobs", default=processors(), show_default=True, type=click.IntRange(1))
def main(rules: tuple[str, ...], output: Path, jobs: int) -> None:
    """Write the scorecard of these rules."""
    reading = packs.read(rules, is_sound=is_sound)
    started = time.perf_counter()
    ours = scores(reading.rules, stock=False, jobs=jobs)
    seconds = time.perf_counter() - started
    lines = text(ours, scores(reading.rules, stock=True, jobs=jobs), seconds)
    output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    click.echo(f"{len(ours)} verdicts in {output}")


if __name__ == "__main__":
    main()
