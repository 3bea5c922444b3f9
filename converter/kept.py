"""What a set of rules was read as and converted to, for the next run over most of the same rules.

What is kept is found by content: a file by the hash of its text, a conversion by that, its place in the file, and all
that the conversion takes beside. One entry of the cache holds the set, a second one what has been added since.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from converter import cache, documents
from converter.convert import How, NamedRoute, Outcome, Query, Refusal
from converter.errors import SigmapackError
from converter.packs import File, Found
from converter.rule import LIGHT, Document, InFile, Rule, is_light, lightened
from converter.targets.target import Target

Entries = dict[str, Any]
# So many additions stand beside the set whatever its size.
FEW = 100


@dataclass
class Kept:
    """One set: `files` by hash, `outcomes` by key, `outputs` by path; `added` is what this run adds."""

    store: cache.Cache
    key: str
    added: Entries = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    told: tuple[How, str] | None = None

    @classmethod
    def of(cls, asked: Sequence[object]) -> Kept:
        """What was kept of what is asked for, empty where nothing was."""
        return cls(cache.Cache(cache.folder(), "sets"), cache.key(["set", *asked]))

    @cached_property
    def held(self) -> Entries:
        """What was kept of the whole set."""
        return dict(self.store.get(self.key) or {})

    @cached_property
    def later(self) -> Entries:
        """What was added since."""
        return dict(self.store.get(f"{self.key}-later") or {})

    def get(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """What is kept under the name, None where nothing is."""
        self.used.add(name)
        found = self.later.get(name)
        return self.held.get(name) if found is None else found

    def put(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        """Keep the value, once the run is over."""
        self.used.add(name)
        self.added[name] = value

    def found(self, file: File) -> Found | None:
        """What the file gives, each document parsed when more is asked of it than its id and the like."""
        if file.content is not None:
            return None
        try:
            content = documents.read_bytes(Path(file.path))
        except SigmapackError:
            return None
        sha256 = hashlib.sha256(content.removeprefix(codecs.BOM_UTF8)).hexdigest()
        held = self.get(f"file {sha256}")
        if held is None:
            return None
        path = Path(file.path)
        name = file.place + path.suffix
        source = InFile(file.path)
        several = sum("filter" not in keys for _first, _last, keys, _light in held) > 1
        rules, filters = [], []
        for number, (first, last, keys, light) in enumerate(held):
            document = Document(keys, lightened(dict(zip(LIGHT, light, strict=True))), source, number)
            rule = Rule(file.path, file.place, None, document, first, name, sha256, last)
            if "filter" in keys:
                filters.append(rule)
            else:
                rules.append(rule.placed(f"{file.place}.{rule.id}") if several else rule)
        return Found(rules, filters, [], sha256)

    def learn(self, file: File, found: Found) -> None:
        """Keep what is asked of each rule before it is converted; parts that rules share are read each time."""
        if file.content is None and found.sha256 and not found.unread and not found.shares:
            rules = sorted((*found.rules, *found.filters), key=lambda rule: rule.first_line)
            if not all(is_light(rule.document) for rule in rules):
                return
            told = [[rule.first_line, rule.last_line, list(rule.document), lightened(rule.document)] for rule in rules]
            self.put(f"file {found.sha256}", told)

    def outcomes(self, rule: Rule, targets: Sequence[Target], how: How) -> list[Outcome] | None:
        """What the rule became on each target, None where any of it is not kept."""
        if rule.is_correlation:
            return None
        if how.stock and not how.unit(rule).written:
            return []
        found = []
        for target in targets:
            held = self.get(outcome_key(rule, target, self.how(how)))
            if held is None:
                return None
            found.append(read(held, rule, target))
        return found

    def keep(self, rule: Rule, outcomes: Sequence[Outcome], how: How) -> None:
        """Keep what the rule became; a correlation hangs on other rules, and an unforeseen fault may not last."""
        if not rule.is_correlation:
            for outcome in outcomes:
                if isinstance(outcome, Query) or not outcome.detail:
                    self.put(outcome_key(rule, outcome.target, self.how(how)), written(outcome))

    def how(self, how: How) -> str:
        """The key of all that a conversion takes beside, worked out once."""
        if self.told is None or self.told[0] is not how:
            self.told = (how, how_key(how))
        return self.told[1]

    def save(self) -> None:
        """Keep what was added: by itself, while it is little beside the rest."""
        if not self.added:
            return
        later = self.later | self.added
        if len(later) < FEW or len(later) * 8 < len(self.held):
            self.store.put(f"{self.key}-later", later)
            return
        whole = {name: value for name, value in (self.held | later).items() if name in self.used}
        self.store.put(self.key, whole)
        self.store.put(f"{self.key}-later", {})
        self.store.keep_newest(64)


def outcome_key(rule: Rule, target: Target, how: str) -> str:
    """The name of what the rule became: its text and place, the target, and the key of all else."""
    facts = (rule.file_sha256, rule.path_name, rule.first_line, rule.id, target.name, how)
    return hashlib.sha256(repr(facts).encode(errors="surrogatepass")).hexdigest()


def how_key(how: How) -> str:
    """The key of all that a conversion takes beside its rule and target, the files of pipelines included."""
    pipelines = [[name, _content(name)] for name in how.options.pipelines]
    filters = [[str(each.path), each.text, each.first_line] for each in how.filters]
    rest = [how.stock, sorted(how.placeholders.items()), how.allow_unmapped, how.allow_inexact, sorted(how.without)]
    return cache.key(["how", repr(how.options), pipelines, filters, rest])


def _content(name: str) -> str | None:
    """The hash of what a pipeline's file, or a folder's files, hold; None for a name that is neither."""
    if not Path(name).exists():
        return None
    from converter.watched import Watched, contents, digest  # noqa: PLC0415 - few have files of their own

    return digest(contents(Watched((), (name,))))


def written(outcome: Outcome) -> list[Any]:
    """The outcome as JSON."""
    if isinstance(outcome, Refusal):
        return [outcome.reason, outcome.line, outcome.detail]
    return [
        outcome.text,
        outcome.route.name,
        list(outcome.pipelines),
        list(outcome.marks),
        list(outcome.warnings),
        list(outcome.repairs),
    ]


def read(held: Sequence[Any], rule: Rule, target: Target) -> Outcome:
    """The outcome that was written."""
    if len(held) == len(("reason", "line", "detail")):
        return Refusal(rule, target, *held)
    text, route, pipelines, marks, warnings, repairs = held
    made = map(tuple, (pipelines, marks, warnings, repairs))
    return Query(rule, target, text, NamedRoute(route), *made)
