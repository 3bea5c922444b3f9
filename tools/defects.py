"""Write docs/defects.md: each defect of the stock backends with a worked example, carried out afresh.

python tools/defects.py
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from converter.judge import NoQuery
from converter.verdicts import WRONG, Verdict
from tools.worked import Example, Worked, examples, parts, worked

WRITTEN = Path(__file__).parents[1] / "docs" / "defects.md"
LANGUAGES = {"kusto": "KQL", "splunk": "SPL", "lucene": "Lucene"}
# As markdown knows the languages of code.
CODE = {"kusto": "kql", "splunk": "spl", "lucene": "text"}
# Longer queries, reasons and values are cut in the middle.
WIDEST = 300
WIDTH = 120
ABOUT = """\
# Defects of the stock backends

What pySigma's backends get wrong, as measured on pySigma 1.5.1 with pysigma-backend-kusto 1.0.1, -splunk 2.1.0 and
-elasticsearch 2.1.1, and what sigmapack does about it. `python tools/defects.py` writes this page: it converts each
rule, runs both queries over the event and over events made from the rule, and says what comes out. What the verdicts
promise stands in [evidence.md](evidence.md); [repairs.md](repairs.md) says how to leave one repair out.

*Stock* is sigma-cli with the pipeline that is named. Where a query breaks by more than one defect, the column *without*
tells them apart: it is our query with this one repair left out. Long queries are cut in the middle. The first tables
give the verdict on the stock query, or say in words what no verdict on one query does.
"""


def page(told: Sequence[Worked]) -> str:
    """The whole page."""
    return "\n".join([ABOUT, *_contents(told), *_sections(told)]) + "\n"


def status(one: Worked) -> str:
    """What becomes of the rule."""
    return "refused" if isinstance(one.queries["ours"], NoQuery) else "repaired"


def effect(one: Worked) -> str:
    """What the stock backend does to the user, in a word or two."""
    if one.example.effect:
        return one.example.effect
    if isinstance(one.queries["stock"], NoQuery):
        return "no query"
    return "wrong file" if one.example.is_framed else one.verdicts["stock"].kind


def _contents(told: Sequence[Worked]) -> Iterator[str]:
    for family, language in LANGUAGES.items():
        yield f"- [{language}](#{language.lower()})"
        yield ""
        yield "    | | | stock | ours |"
        yield "    | --- | --- | --- | --- |"
        for one in told:
            if one.example.family == family:
                link = f"[{one.example.repair.id}](#{anchor(_heading(one.example))})"
                yield f"    | {link} | {_cell(one.example.repair.title)} | {effect(one)} | {status(one)} |"
        yield ""


def _sections(told: Sequence[Worked]) -> Iterator[str]:
    for family, language in LANGUAGES.items():
        yield f"## {language}"
        yield ""
        for one in told:
            if one.example.family == family:
                yield from _section(one)


def _section(one: Worked) -> Iterator[str]:
    example = one.example
    yield f"### {_heading(example)}"
    yield ""
    yield from _wrapped(example.stock)
    yield ""
    yield from _wrapped(f"**Ours:** {example.ours}")
    yield ""
    yield from _code("yaml", _rule(example))
    yield f"Stock, `-t {example.family} -p {example.options.pipelines[0]}{_format(example)}`:"
    yield ""
    yield from _query(one, "stock")
    options = (_format(example) if one.files else "") + (" --allow-unmapped" if example.unmapped else "")
    yield f"Ours, `-t {example.judged.name}{options}`:"
    yield ""
    yield from _query(one, "ours")
    yield from _verdicts(one)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _format(example: Example) -> str:
    return "" if example.format == "default" else f" -f {example.format}"


def _query(one: Worked, whose: str) -> Iterator[str]:
    query, example = one.queries[whose], one.example
    if isinstance(query, NoQuery):
        yield f"> no query: {cut(' '.join(query.reason.split()))}"
        yield ""
        return
    query = one.files.get(whose, query)
    if example.excerpt and (whose == "stock" or one.files):
        yield from _code("text", cut(query[query.index(example.excerpt) :].rstrip()))
        return
    yield from _code(CODE[example.family], cut(query.strip("\n")))


def _verdicts(one: Worked) -> Iterator[str]:
    """What each query does with each event, and the verdicts; nothing where there is no event or no query to judge."""
    judged = [whose for whose in one.queries if not (whose == "stock" and one.example.is_framed)]
    names = {"stock": "stock", "ours": "ours", "without": f"without {one.example.repair.id}"}
    if all(isinstance(one.queries[whose], NoQuery) for whose in judged):
        return
    yield "| | rule | " + " | ".join(names[whose] for whose in judged) + " |"
    yield "| --- | --- |" + " --- |" * len(judged)
    for given, shown in zip(one.example.given, one.shown, strict=True):
        event = "<br>".join(f"`{name}: {cut(_visible(value), 60)}`" for name, value in given.event.items())
        said = (_said(shown[whose], wanted=one.truths[given.name]) for whose in judged)
        yield f"| {_cell(event)} | {_truth(one.truths[given.name])} | " + " | ".join(said) + " |"
    yield "| verdict | | " + " | ".join(f"**{one.verdicts[whose].kind}**" for whose in judged) + " |"
    yield ""
    for reason, those in _reasons(one, judged).items():
        yield f"{', '.join(those).capitalize()}: {cut(reason.removeprefix('is '))}."
        yield ""


def _reasons(one: Worked, judged: Sequence[str]) -> Mapping[str, list[str]]:
    """Why a query has its verdict where no event above shows it."""
    found: dict[str, list[str]] = {}
    for whose in judged:
        verdict = one.verdicts[whose]
        plain = isinstance(one.queries[whose], str) and verdict.kind != "exact"
        if plain and verdict.reason and not any(shown[whose].shown for shown in one.shown):
            found.setdefault(" ".join(verdict.reason.split()), []).append(whose)
    return found


def _said(verdict: Verdict, *, wanted: bool | None) -> str:
    """What a query does with one event."""
    if verdict.shown:
        (shown, *_) = verdict.shown
        if shown.stranger:
            return f"found, and another kind of row too: {shown.stranger}"
        return "missed" if shown.wanted else "found"
    if verdict.kind == "refused":
        return "–"
    if verdict.kind in WRONG:
        return "error"
    if verdict.kind == "untested" and verdict.events == (0, 0, 0):
        return "not judged"
    return "found" if wanted else "not found"


def _truth(truth: bool | None) -> str:  # noqa: FBT001 - what the oracle says
    return {True: "true", False: "false", None: "open"}[truth]


def _rule(example: Example) -> str:
    """The rule as it is written, with what else the example takes."""
    texts = [example.rule]
    if example.after:
        texts.insert(0, example.after)
    whole = "---\n".join(f"{text.strip()}\n" for text in (*texts, *example.needs))
    return whole.replace("PARTS", cut(parts(example), 60)).rstrip()


def _heading(example: Example) -> str:
    return f"{example.repair.id}: {example.repair.title}"


def anchor(heading: str) -> str:
    """The name by which GitHub links to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def cut(text: str, widest: int = WIDEST) -> str:
    """The text, with … for the middle of a long one."""
    return text if len(text) <= widest else f"{text[: widest // 2]} … {text[-widest // 2 :]}"


def _visible(value: object) -> str:
    return str(value).replace("\t", "\\t") if isinstance(value, str) and value else yaml.safe_dump(value).split("\n")[0]


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _code(language: str, text: str) -> Iterator[str]:
    yield f"```{language}"
    yield from text.splitlines()
    yield "```"
    yield ""


if __name__ == "__main__":
    WRITTEN.write_text(page(worked(examples())), encoding="utf-8", newline="\n")
