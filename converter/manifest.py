"""What was made from what: the manifest of an output folder, and how a committed one differs from a fresh one."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from converter.cache import version
from converter.convert import Query
from converter.outputs import Outputs
from converter.packs import Pack, Unread
from converter.targets.target import Target
from converter.wellformed import json_document, utf8

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
# How an entry begins and ends in the text.
ENTRY, ENTRY_END = "    {\n", "\n    }"

Entry = dict[str, Any]


def manifest(  # noqa: PLR0913, PLR0917 - each is one fact of the folder
    made: Outputs,
    unread: Iterable[Unread],
    targets: Sequence[Target],
    held: str = "",
    encoding: str = "utf-8",
    gone: Collection[PurePosixPath] = (),
) -> str:
    """The manifest of these outputs, in the form of docs/manifest.schema.json: the same for the same input.

    Each rule, and each rule file that gave none, stands once for each target, in `queries` or in `refusals`. What the
    `held` manifest of the same folder says of other outputs is kept, since their files are, save those that are `gone`.
    """
    refusals = list(_refusals(made, unread, targets))
    queries, hunts = list(_queries(made, encoding)), list(_hunting(made, encoding))
    kept = _kept(held, {(entry["path"], entry["target"]) for entry in [*queries, *refusals]}, {*made.files, *gone})
    _keep_verdicts([*queries, *hunts], held)
    names = {target.name for target in targets}
    others = [entry for entry in kept["refusals"] if entry["target"] not in names]
    return json_document(
        {
            "queries": _sorted([*queries, *kept["queries"]], "path", "target"),
            "refusals": _sorted([*refusals, *others], "path", "target", "reason", "line"),
            "hunting": _sorted([*hunts, *kept["hunting"]], "pack", "target", "output"),
            "versions": {package: _version(package) for package in PACKAGES},
        }
    )


@lru_cache(maxsize=2)
def entries(held: str) -> Mapping[str, list[Entry]]:
    """The entries of a manifest by section; none where the text is no manifest of this form."""
    document = json.loads(held) if held and _facts(held) is not None else {}
    return {section: document.get(section, []) for section in NAMED_BY}


def _kept(held: str, done: Collection[tuple[str, str]], files: Collection[PurePosixPath]) -> dict[str, list[Entry]]:
    """The entries of a manifest that are of no rule of this run and of no file that it wrote or removed."""
    return {
        section: [
            entry
            for entry in found
            if (entry.get("path"), entry["target"]) not in done and PurePosixPath(entry.get("output", "")) not in files
        ]
        for section, found in entries(held).items()
    }


def _queries(made: Outputs, encoding: str) -> Iterator[Entry]:
    for output, query in made.sources.items():
        if isinstance(query, Query):
            yield _query(query, str(output), _sha256(made.files[output], encoding))


def _query(query: Query, output: str, output_sha256: str) -> Entry:
    return {
        "rule": query.rule.id or None,
        "path": query.rule.file_name,
        "target": query.target.name,
        "output": output,
        "rule_sha256": query.rule.file_sha256,
        "output_sha256": output_sha256,
        "route": query.route.name,
        "pipelines": list(query.pipelines),
        "marks": sorted(query.marks),
        "repairs": list(query.repairs),
        "verdict": None,
    }


def renewed(held: str, queries: Iterable[Query]) -> str | None:
    """The manifest with these queries in the place of what it holds of the same rules and targets.

    None where it does not hold each of them once, under the same output, written as `manifest` writes it.
    """
    for query in queries:
        fresh = _query(query, str(query.output), _sha256(f"{query.text}\n", "utf-8"))
        where = "".join(
            f'      "{name}": {json.dumps(fresh[name], ensure_ascii=False)},\n' for name in ("path", "target", "output")
        )
        at = held.find(where)
        first, last = held.rfind(ENTRY, 0, at), held.find(ENTRY_END, at)
        if min(at, first, last) < 0 or held.find(where, at + 1) >= 0:
            return None
        try:
            entry = json.loads(held[first:last] + ENTRY_END)
        except ValueError:
            return None
        if not isinstance(entry, dict) or entry.keys() != fresh.keys() or entry["rule"] != fresh["rule"]:
            return None
        if all(entry[fact] == fresh[fact] for fact in SAME):
            fresh["verdict"] = entry["verdict"]
        text = json_document(fresh).rstrip("\n").replace("\n", "\n    ")
        held = held[: first + len("    ")] + text + held[last + len(ENTRY_END) :]
    return held


def _refusals(made: Outputs, unread: Iterable[Unread], targets: Sequence[Target]) -> Iterator[Entry]:
    for refusal in made.refusals:
        yield _refusal(refusal.rule.id, refusal.rule.file_name, refusal.target, refusal.reason, refusal.line)
    for file in unread:
        for target in targets:
            yield _refusal(file.id, str(file.place), target, file.problem.message, file.problem.line)


def _refusal(rule: str, path: str, target: Target, reason: str, line: int | None) -> Entry:
    message = " ".join(reason.split())
    return {"rule": rule or None, "path": path, "target": target.name, "reason": message, "line": line}


def _hunting(made: Outputs, encoding: str) -> Iterator[Entry]:
    for output, pack in made.sources.items():
        if isinstance(pack, Pack):
            yield {
                "pack": str(pack.place),
                "target": output.parts[0],
                "output": str(output),
                "output_sha256": _sha256(made.files[output], encoding),
                "verdict": None,
            }


def _keep_verdicts(fresh: Iterable[Entry], held: str) -> None:
    """Put the verdict of the held manifest into each entry whose rule and output are as they were."""
    known = entries(held)
    verdicts = {
        tuple(entry.get(fact) for fact in SAME): entry.get("verdict") for entry in known["queries"] + known["hunting"]
    }
    for entry in fresh:
        entry["verdict"] = verdicts.get(tuple(entry.get(fact) for fact in SAME))


def judged(held: str, verdicts: Mapping[PurePosixPath, str], files: Mapping[PurePosixPath, bytes]) -> str:
    """The manifest with these verdicts, by output; an entry whose file is not what it tells of has none."""
    document = json.loads(held)
    for section in ("queries", "hunting"):
        for entry in document[section]:
            output = PurePosixPath(entry["output"])
            if output in verdicts:
                same = hashlib.sha256(files[output]).hexdigest() == entry["output_sha256"]
                entry["verdict"] = verdicts[output] if same else None
    return json_document(document)


def _sorted(entries: Iterable[Entry], *keys: str) -> list[Entry]:
    return sorted(entries, key=lambda entry: tuple((entry[key] is not None, entry[key] or 0) for key in keys))


def _sha256(text: str, encoding: str) -> str:
    return hashlib.sha256(text.encode(encoding, errors="backslashreplace")).hexdigest()


def _version(package: str) -> str:
    return version(package) or "unknown"


def differences(held: str, fresh: str) -> list[str]:
    """How the committed manifest's paths and hashes differ from the fresh one's, a line each; the rest may differ."""
    before, after = _facts(held), _facts(fresh)
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


def _facts(text: str) -> Mapping[tuple[str, ...], list[dict[str, str]]] | None:
    """The compared values of each entry by section and name; None where the text is no manifest."""
    facts = defaultdict(list)
    try:
        document = json.loads(text)
        for section, names in NAMED_BY.items():
            for entry in document[section]:
                values = {key: entry[key] for key in (*names, *COMPARED[section])}
                if not all(isinstance(value, str) for value in values.values()):
                    return None
                facts[section, *(values[name] for name in names)].append(values)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    for entries in facts.values():
        entries.sort(key=lambda values: sorted(values.items()))
    return facts
