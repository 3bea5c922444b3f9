"""What was made from what: the manifest of an output folder, and how a committed one differs from a fresh one."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from json.encoder import encode_basestring
from operator import itemgetter
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from converter.cache import version
from converter.convert import Query, Refusal
from converter.outputs import Outputs
from converter.packs import Pack, Unread
from converter.targets.target import Target
from converter.tree import encoded
from converter.wellformed import json_text, utf8

NAME = "manifest.json"
PACKAGES = (
    "sigmapack",
    "pysigma",
    "pysigma-backend-elasticsearch",
    "pysigma-backend-kusto",
    "pysigma-backend-splunk",
)
# What names an entry of each section, and what `differences` compares of it.
NAMED_BY = {"queries": ("path", "target"), "refusals": ("path", "target"), "hunting": ("output",)}
COMPARED = {
    "queries": ("output", "rule_sha256", "output_sha256"),
    "refusals": (),
    "hunting": ("pack", "target", "output_sha256"),
}

# A verdict is kept where these are what they were.
SAME = ("output", "output_sha256", "rule_sha256")
# Entries that are put together before they are looked through and written.
TOGETHER = 64
# How an entry begins and ends in the text.
ENTRY, ENTRY_END = "    {\n", "\n    }"
UNJUDGED = f"null{ENTRY_END}"

SECTIONS = ("queries", "refusals", "hunting")

Entry = dict[str, Any]


def manifest(  # noqa: PLR0913, PLR0917 - each is one fact of the folder
    made: Outputs,
    unread: Iterable[Unread],
    targets: Sequence[Target],
    held: str = "",
    encoding: str = "utf-8",
    gone: Collection[str] = (),
) -> str:
    """The manifest of these outputs, as `Listing.pieces` has it."""
    listing = Listing()
    for output, text in made.files.items():
        listing.add(str(output), encoded(text, encoding), made.sources[output])
    return "".join(listing.pieces(made.refusals, unread, targets, held, gone))


class Row(NamedTuple):
    """An entry for a file: what names it, what its verdict hangs on, and its text, without a verdict."""

    of: str
    target: str
    output: str
    output_sha256: str
    rule_sha256: str | None
    text: str

    @property
    def facts(self) -> tuple[str | None, ...]:
        """The values of SAME."""
        return self.output, self.output_sha256, self.rule_sha256

    def judged(self, verdict: object) -> str:
        """Its text with this verdict."""
        return self.text if verdict is None else f"{self.text.removesuffix(UNJUDGED)}{_value(verdict)}{ENTRY_END}"


class Listing:
    """A manifest that grows with each file that is written."""

    def __init__(self) -> None:
        self.queries: list[Row] = []
        self.hunting: list[Row] = []

    def add(self, output: str, content: bytes, source: Query | Pack) -> None:
        """Note that this was written for a rule or a pack."""
        sha256 = hashlib.sha256(content).hexdigest()
        if isinstance(source, Query):
            entry = _query(source, output, sha256)
            row = Row(entry["path"], entry["target"], output, sha256, entry["rule_sha256"], _rendered(entry))
            self.queries.append(row)
        else:
            entry = _hunt(source, output, sha256)
            self.hunting.append(Row(entry["pack"], entry["target"], output, sha256, None, _rendered(entry)))

    def pieces(
        self,
        refusals: Iterable[Refusal],
        unread: Iterable[Unread],
        targets: Sequence[Target],
        held: str = "",
        gone: Collection[str] = (),
    ) -> Iterable[str]:
        """The manifest in the form of docs/manifest.schema.json, piece by piece: the same for the same input.

        Each rule, and each rule file that gave none, stands once for each target, in `queries` or in `refusals`. What
        the `held` manifest of the same folder says of other outputs is kept, since their files are, save those that
        are `gone`.
        """
        refused = list(_refusals(refusals, unread, targets))
        done = {(row.of, row.target) for row in self.queries} | {(entry["path"], entry["target"]) for entry in refused}
        files = {row.output for row in (*self.queries, *self.hunting)}.union(gone)
        kept = _kept(held, done, files)
        names = {target.name for target in targets}
        others = [entry for entry in kept["refusals"] if entry["target"] not in names]
        verdicts = _verdicts(held)
        queries = [((row.of, row.target), row.judged(verdicts.get(row.facts))) for row in self.queries]
        queries += [((entry["path"], entry["target"]), _rendered(entry)) for entry in kept["queries"]]
        hunts = [((row.of, row.target, row.output), row.judged(verdicts.get(row.facts))) for row in self.hunting]
        hunts += [((entry["pack"], entry["target"], entry["output"]), _rendered(entry)) for entry in kept["hunting"]]
        sections = {
            "queries": _in_order(queries),
            "refusals": [*map(_rendered, _sorted([*refused, *others], "path", "target", "reason", "line"))],
            "hunting": _in_order(hunts),
        }
        pieces = [piece for name, texts in sections.items() for piece in _section(name, texts)]
        return map(json_text, ["{\n", *pieces, _versions({package: _version(package) for package in PACKAGES})])


def _in_order(entries: list[tuple[Any, str]]) -> list[str]:
    return [text for _, text in sorted(entries, key=itemgetter(0))]


def _versions(versions: Mapping[str, object]) -> str:
    """The end of the text."""
    told = ",\n".join(f"    {encode_basestring(name)}: {_value(version)}" for name, version in versions.items())
    return f'  "versions": {{\n{told}\n  }}\n}}\n' if told else '  "versions": {}\n}\n'


def _section(name: str, texts: Sequence[str]) -> Iterator[str]:
    """The entries under their name, some together."""
    if not texts:
        yield f'  "{name}": [],\n'
        return
    yield f'  "{name}": [\n'
    for first in range(0, len(texts), TOGETHER):
        end = ",\n" if first + TOGETHER < len(texts) else "\n  ],\n"
        yield ",\n".join(texts[first : first + TOGETHER]) + end


def _rendered(entry: Entry) -> str:
    """An entry as it stands in the text."""
    values = [encode_basestring(value) if type(value) is str else _value(value) for value in entry.values()]
    return _form(tuple(entry)) % tuple(values)


@lru_cache(maxsize=256)
def _form(keys: tuple[str, ...]) -> str:
    """The text of an entry with these keys, with a place for each value."""
    lines = ",\n".join(f"      {encode_basestring(key).replace('%', '%%')}: %s" for key in keys)
    return f"{ENTRY}{lines}{ENTRY_END}"


@lru_cache(maxsize=1024)
def _listed(value: tuple[str, ...]) -> str:
    """A list of texts; most entries have the same few."""
    texts = ",\n        ".join(map(encode_basestring, value))
    return f"[\n        {texts}\n      ]" if value else "[]"


def _value(value: object) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return _listed(tuple(value))
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2).replace("\n", "\n      ")


def entries(held: str) -> Mapping[str, list[Entry]]:
    """The entries of a manifest by section; none where the text is no manifest of this form."""
    document = _read(held)
    return {section: [] if document is None else document[section] for section in SECTIONS}


@lru_cache(maxsize=1)
def _read(held: str) -> Mapping[str, Any] | None:
    """The manifest that the text is; None where it is none of this form."""
    document: Mapping[str, Any] | None = _document(held)
    return None if document is None or _facts(document) is None else document


def _kept(held: str, done: Collection[tuple[str, str]], files: Collection[str]) -> dict[str, list[Entry]]:
    """The entries of a manifest that are of no rule of this run and of no file that it wrote or removed."""
    return {
        section: [
            entry
            for entry in found
            if (entry.get("path"), entry["target"]) not in done and entry.get("output", "") not in files
        ]
        for section, found in entries(held).items()
    }


def _verdicts(held: str) -> Mapping[tuple[str | None, ...], object]:
    """The verdicts of a manifest by what they hang on."""
    known = entries(held)
    return {
        tuple(entry.get(fact) for fact in SAME): entry.get("verdict") for entry in known["queries"] + known["hunting"]
    }


def _query(query: Query, output: str, output_sha256: str) -> Entry:
    return {
        "rule": query.rule.id or None,
        "path": query.rule.file_name,
        "target": query.target.name,
        "output": output,
        "rule_sha256": query.rule.file_sha256,
        "output_sha256": output_sha256,
        "route": query.route.name,
        "pipelines": query.pipelines,
        "marks": sorted(query.marks),
        "repairs": query.repairs,
        "verdict": None,
    }


def _hunt(pack: Pack, output: str, output_sha256: str) -> Entry:
    return {
        "pack": str(pack.place),
        "target": output.partition("/")[0],
        "output": output,
        "output_sha256": output_sha256,
        "verdict": None,
    }


def renewed(held: str, outcomes: Iterable[Query | Refusal]) -> str | None:
    """The manifest with these outcomes in the place of what it holds of the same rules and targets.

    None where it does not hold each of them once, a query under the same output, written as `manifest` writes it.
    """
    changes: list[tuple[int, int, str]] = []
    for path, found in groupby(outcomes, lambda outcome: outcome.rule.file_name):
        # One search through the text for all targets of a rule.
        places = _all_places(held, f'      "path": {encode_basestring(path)},\n')
        for outcome in found:
            change = _renewed(held, outcome, places)
            if change is None:
                return None
            changes.append(change)
    pieces, done = [], 0
    for first, last, text in sorted(changes):
        pieces += [held[done:first], json_text(text)]
        done = last
    return "".join([*pieces, held[done:]])


def _renewed(held: str, outcome: Query | Refusal, places: Sequence[int]) -> tuple[int, int, str] | None:
    """Where the entry of an outcome begins and ends, and what is to stand there; None where that is not sure."""
    if isinstance(outcome, Query):
        content = encoded(f"{outcome.text}\n")
        fresh = _query(outcome, outcome.output, hashlib.sha256(content).hexdigest())
        names: tuple[str, ...] = ("path", "target", "output")
    else:
        fresh = _refused(outcome)
        names = ("path", "target")
    where = "".join(f'      "{name}": {encode_basestring(fresh[name])},\n' for name in names)
    where += "" if isinstance(outcome, Query) else '      "reason": '
    fitting = [place for place in places if held.startswith(where, place)]
    if len(fitting) != 1:
        return None
    first, last = held.rfind(ENTRY, 0, fitting[0]), held.find(ENTRY_END, fitting[0])
    if min(first, last) < 0:
        return None
    try:
        entry = json.loads(held[first:last] + ENTRY_END)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.keys() != fresh.keys() or entry["rule"] != fresh["rule"]:
        return None
    if isinstance(outcome, Query) and all(entry[fact] == fresh[fact] for fact in SAME):
        fresh["verdict"] = entry["verdict"]
    return first, last + len(ENTRY_END), _rendered(fresh)


def _all_places(text: str, part: str) -> list[int]:
    found = []
    at = text.find(part)
    while at >= 0:
        found.append(at)
        at = text.find(part, at + 1)
    return found


def _refusals(refusals: Iterable[Refusal], unread: Iterable[Unread], targets: Sequence[Target]) -> Iterator[Entry]:
    for refusal in refusals:
        yield _refused(refusal)
    for file in unread:
        for target in targets:
            yield _refusal(file.id, str(file.place), target, file.problem.message, file.problem.line)


def _refused(refusal: Refusal) -> Entry:
    return _refusal(refusal.rule.id, refusal.rule.file_name, refusal.target, refusal.reason, refusal.line)


def _refusal(rule: str, path: str, target: Target, reason: str, line: int | None) -> Entry:
    message = " ".join(reason.split())
    return {"rule": rule or None, "path": path, "target": target.name, "reason": message, "line": line}


def judged(held: str, verdicts: Mapping[PurePosixPath, str], files: Mapping[PurePosixPath, bytes]) -> str | None:
    """The manifest with these verdicts, by output; None where it names none, or is no manifest of this form.

    An entry whose file is not what it tells of has no verdict.
    """
    document, found = _read(held), entries(held)
    if document is None or not any(found.values()):
        return None
    by_output = {str(output): verdict for output, verdict in verdicts.items()}
    fresh = {section: [dict(entry) for entry in entries] for section, entries in found.items()}
    for entry in (*fresh["queries"], *fresh["hunting"]):
        output = entry["output"]
        if output in by_output:
            same = hashlib.sha256(files[PurePosixPath(output)]).hexdigest() == entry["output_sha256"]
            entry["verdict"] = by_output[output] if same else None
    pieces = [piece for section in SECTIONS for piece in _section(section, list(map(_rendered, fresh[section])))]
    return "".join(map(json_text, ["{\n", *pieces, _versions(document.get("versions", {}))]))


def _sorted(entries: Iterable[Entry], *keys: str) -> list[Entry]:
    return sorted(entries, key=lambda entry: tuple((entry[key] is not None, entry[key] or 0) for key in keys))


def _version(package: str) -> str:
    return version(package) or "unknown"


def differences(held: str, fresh: str) -> list[str]:
    """How the committed manifest's paths and hashes differ from the fresh one's, a line each; the rest may differ."""
    before, after = _facts(_document(held)), _facts(_document(fresh))
    if before is None or after is None:
        return ["is no manifest of this form; run sigmapack convert"]
    lines = []
    for section, *names in sorted(before.keys() | after.keys()):
        which = f"{section}: {utf8(' on '.join(names))}"
        old, new = before.get((section, *names), []), after.get((section, *names), [])
        if len(old) != len(new):
            lines.append(f"{which} {_excess(len(old), len(new))}")
            continue
        changed = (key for key in COMPARED[section] if [each[key] for each in old] != [each[key] for each in new])
        lines += [f"{which} has another {key} now" for key in changed]
    return lines


def _excess(old: int, new: int) -> str:
    if not old:
        return "is missing"
    return "comes from nothing any more" if not new else f"stands there {old} times, not {new}"


def _document(text: str) -> Any:  # noqa: ANN401 - JSON
    """What the text holds; None where it is no JSON."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _facts(document: Any) -> Mapping[tuple[str, ...], list[dict[str, str]]] | None:  # noqa: ANN401 - JSON
    """The compared values of each entry by section and name; None for what is no manifest."""
    facts = defaultdict(list)
    try:
        for section, names in NAMED_BY.items():
            for entry in document[section]:
                values = {key: entry[key] for key in (*names, *COMPARED[section])}
                if not all(isinstance(value, str) for value in values.values()):
                    return None
                facts[section, *(values[name] for name in names)].append(values)
    except (LookupError, TypeError):
        return None
    for held in facts.values():
        held.sort(key=lambda values: sorted(values.items()))
    return facts
