"""What a set of rules was read as and converted to, for the next run over most of the same rules.

What is kept is found by content: a file by the hash of its text, a conversion by that, its place in the file, and all
that the conversion takes beside. One entry of the cache holds the set, a second one what has been added since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from converter import cache
from converter.convert import How, Outcome, Query, Refusal
from converter.documents import parse_documents
from converter.packs import Piece, Rule
from converter.targets.target import Route, Target

# What is asked of a document before it is converted or judged.
LIGHT = ("id", "title", "name", "level", "status", "tags", "regression_tests_path")
Entries = dict[str, Any]


class NamedRoute(Route):
    """A route of which only the name is kept."""

    def __init__(self, name: str) -> None:
        super().__init__(name, (), (), "", "", {})


class Document(Mapping[str, Any]):
    """A rule's document, parsed when more is asked of it than what is kept."""

    def __init__(self, keys: Sequence[str], light: Mapping[str, Any], parse: Callable[[], Mapping[str, Any]]) -> None:
        self.keys_held, self.light, self.parse = keys, light, parse
        self.whole: Mapping[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - YAML
        if self.whole is None:
            if key in self.light:
                return self.light[key]
            if key not in self.keys_held:
                raise KeyError(key)
            self.whole = self.parse()
        return self.whole[key]

    def __contains__(self, key: object) -> bool:
        return key in self.keys_held

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_held)

    def __len__(self) -> int:
        return len(self.keys_held)

    def __reduce__(self) -> tuple[type, tuple[Mapping[str, Any]]]:
        """What another process is given: the whole document."""
        return dict, (dict(self),)


@dataclass
class Kept:
    """One set: `files` by hash, `outcomes` by key, `outputs` by path; `added` is what this run adds."""

    store: cache.Cache
    key: str
    held: Entries = field(default_factory=dict)
    added: Entries = field(default_factory=dict)
    later: Entries = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    told: tuple[How, str] | None = None

    @classmethod
    def of(cls, asked: Sequence[object]) -> Kept:
        """What was kept of what is asked for, empty where nothing was."""
        made = cls(cache.Cache(cache.folder(), "sets"), cache.key(["set", *asked]))
        made.held = dict(made.store.get(made.key) or {})
        made.later = dict(made.store.get(f"{made.key}-later") or {})
        return made

    def get(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """What is kept under the name, None where nothing is."""
        self.used.add(name)
        found = self.later.get(name)
        return self.held.get(name) if found is None else found

    def put(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        """Keep the value, once the run is over."""
        self.used.add(name)
        self.added[name] = value

    def pieces(self, text: str, path: Path, sha256: str) -> list[Piece] | None:
        """The documents of a text, each parsed when more is asked of it than its id and the like."""
        held = self.get(f"file {sha256}")
        if held is None:
            return None

        def parse(number: int) -> Mapping[str, Any]:
            found: Mapping[str, Any] = parse_documents(text, path)[number].content
            return found

        return [
            (first, last, Document(keys, light, partial(parse, number)))
            for number, (first, last, keys, light) in enumerate(held)
        ]

    def learn(self, sha256: str, pieces: Sequence[Piece]) -> None:
        """Keep what is asked of each rule before it is converted; parts that rules share are read each time."""
        if all("action" not in held and all(isinstance(key, str) for key in held) for _, _, held in pieces):
            told = [
                [first, last, list(held), {key: held[key] for key in LIGHT if _is_light(held.get(key))}]
                for first, last, held in pieces
            ]
            self.put(f"file {sha256}", told)

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
        if len(later) * 8 < len(self.held):
            self.store.put(f"{self.key}-later", later)
            return
        whole = {name: value for name, value in (self.held | later).items() if name in self.used}
        self.store.put(self.key, whole)
        self.store.put(f"{self.key}-later", {})
        self.store.keep_newest(64)


def _is_light(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))


def outcome_key(rule: Rule, target: Target, how: str) -> str:
    """The name of what the rule became: its text and place, the target, and the key of all else."""
    facts = (rule.file_sha256, str(rule.path), rule.first_line, rule.id, target.name, how)
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
    from converter.watched import Watched, content  # noqa: PLC0415 - few have files of their own

    return content(Watched((), (name,)))


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
