"""Queries of the pack with their meaning changed at one place: what the judging must notice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# One place of a query, what it becomes, and what was done.
Edit = tuple[int, int, str, str]


@dataclass(frozen=True)
class Mutant:
    """A changed query; `name` says what was done and where."""

    name: str
    text: str
    at: int


def _letter(value: str) -> str | None:
    """The value with a letter in its middle changed, in the classes of both cases too."""
    pairs = list(re.finditer(r"\[([a-z])([A-Z])\]", value))
    if pairs:
        pair = pairs[len(pairs) // 2]
        other = "q" if pair[1] != "q" else "k"
        return value[: pair.start()] + f"[{other}{other.upper()}]" + value[pair.end() :]
    letters = [at for at, sign in enumerate(value) if sign.isascii() and sign.isalpha()]
    letters = [at for at in letters if at == 0 or value[at - 1] != "\\" or value[at - 2 : at] == "\\\\"]
    if not letters:
        return None
    at = letters[len(letters) // 2]
    return value[:at] + ("q" if value[at] not in "qQ" else "k") + value[at + 1 :]


def _words(text: str, word: str, other: str, told: str) -> Iterator[Edit]:
    for number, found in enumerate(re.finditer(rf"(?<= ){re.escape(word)}(?= )", text), 1):
        yield found.start(), found.end(), other, f"{told} {number}"


def _groups(text: str, negation: Callable[[str], str]) -> Iterator[Edit]:
    """Each group in parentheses that is none of a function or list, negated."""
    opened: list[int] = []
    quoted = ""
    number = 0
    at = 0
    while at < len(text):
        sign = text[at]
        if quoted:
            if sign == "\\":
                at += 1
            elif sign == quoted:
                quoted = ""
        elif sign == '"' or (sign == "/" and text[at - 1 : at] in {"(", " "}):
            quoted = sign
        elif sign == "\\":
            at += 1
        elif sign == "(":
            opened.append(at)
        elif sign == ")" and opened:
            start = opened.pop()
            if text[start - 1 : start] in {" ", "("} and not text.endswith("IN ", 0, start):
                number += 1
                yield start, at + 1, negation(text[start : at + 1]), f"negate group {number}"
        at += 1


def _list(text: str, item: str, divider: str, told: Callable[[str], str]) -> Iterator[Edit]:
    """Each item of a list of several left out."""
    for found in re.finditer(item, text):
        start, end = found.span()
        if text.startswith(divider, end):
            yield start, end + len(divider), "", f"drop {told(found[0])}"
        elif text.endswith(divider, 0, start):
            yield start - len(divider), end, "", f"drop {told(found[0])}"


KQL_LEAF = r'(\w+) (contains|endswith|startswith) "((?:[^"\\]|\\.)*)"'
OTHER_COLUMNS = {"FolderPath": "ProcessCommandLine", "ProcessCommandLine": "FolderPath"}


def kql(text: str) -> Iterator[Edit]:
    yield from _list(text, KQL_LEAF, " or ", str)
    for found in re.finditer(KQL_LEAF, text):
        column, operator, value = found.groups()
        start, end = found.span()
        if (changed := _letter(value)) is not None:
            yield start, end, f'{column} {operator} "{changed}"', f"letter of {found[0]}"
        for other in {"contains": ("startswith", "endswith", "has", "contains_cs")}.get(operator, ("contains",)):
            yield start, end, f'{column} {other} "{value}"', f"{found[0]} as {other}"
        yield start, end, f'{OTHER_COLUMNS[column]} {operator} "{value}"', f"{found[0]} in {OTHER_COLUMNS[column]}"
        yield start, end, f"not({found[0]})", f"negate {found[0]}"
    yield from _words(text, "and", "or", "and as or")
    yield from _words(text, "or", "and", "or as and")
    yield from _groups(text, lambda group: f"not{group}")
    yield from ((0, len("DeviceProcessEvents"), table, table) for table in ("DeviceImageLoadEvents", "DeviceEvents"))


SPL_ITEM = r'"(?:[^"\\]|\\.)*"'
OTHER_FIELDS = {"Image": "CommandLine", "CommandLine": "Image"}


def spl(text: str) -> Iterator[Edit]:
    yield from _list(text, SPL_ITEM, ", ", str)
    yield from _list(text, rf"(?:source|sourcetype)={SPL_ITEM}", " OR ", str)
    for found in re.finditer(SPL_ITEM, text):
        value = found[0][1:-1]
        start, end = found.span()
        if (changed := _letter(value)) is not None:
            yield start, end, f'"{changed}"', f"letter of {found[0]}"
        if not value.startswith("*"):
            continue
        yield start, end, f'"{value[1:]}"', f"no * before {found[0]}"
        other = value[:-1] if value.endswith("*") else f"{value}*"
        yield start, end, f'"{other}"', f'{found[0]} as "{other}"'
    for found in re.finditer(r"(Image|CommandLine)(?= IN )", text):
        yield *found.span(), OTHER_FIELDS[found[0]], f"{found[0]} as {OTHER_FIELDS[found[0]]} at {found.start()}"
    for found in re.finditer(r" AND EventCode=1", text):
        yield *found.span(), "", "no EventCode"
        yield from ((*found.span(), f" AND EventCode={code}", f"EventCode={code}") for code in (2, 3, 5, 11))
    yield from _words(text, "AND", "OR", "AND as OR")
    yield from _words(text, "OR", "AND", "OR as AND")
    yield from _groups(text, lambda group: f"(NOT {group})")
    yield from _source(text, " AND EventCode")


LUCENE_ITEM = r"(?<=[( ])(?:\*(?:[^\s()\\]|\\.)+|/(?:[^/\\]|\\.)+/)(?=[ )])"
LUCENE_FIELDS = {
    "process.executable.caseless": "process.command_line.caseless",
    "process.command_line.caseless": "process.executable.caseless",
    "process.command_line": "process.executable",
}


def lucene(text: str) -> Iterator[Edit]:
    yield from _list(text, LUCENE_ITEM, " OR ", str)
    for found in re.finditer(LUCENE_ITEM, text):
        value = found[0]
        start, end = found.span()
        if (changed := _letter(value)) is not None:
            yield start, end, changed, f"letter of {value}"
        if value.startswith("/"):
            yield start, end, value.replace("/.*", "/", 1), f"no .* before {value}"
            yield start, end, value[:-3] + "/", f"no .* after {value}"
        else:
            yield start, end, value[1:], f"no * before {value}"
            other = value[:-1] if value.endswith("*") else f"{value}*"
            yield start, end, other, f"{value} as {other}"
    for found in re.finditer(r"([\w.]+)(?=:\()", text):
        yield *found.span(), LUCENE_FIELDS[found[0]], f"{found[0]} as {LUCENE_FIELDS[found[0]]} at {found.start()}"
    for number, found in enumerate(re.finditer(r"NOT (?=_exists_)", text)):
        yield *found.span(), "", f"no NOT before _exists_ {number}"
    for part in ("event.dataset:endpoint.events.process AND ", "event.type:start AND ", "host.os.type:windows AND "):
        for number, found in enumerate(re.finditer(re.escape(part), text)):
            yield *found.span(), "", f"no {part} {number}"
    for part, other in (("event.type:start", "event.type:end"), ("events.process", "events.file")):
        for number, found in enumerate(re.finditer(re.escape(part), text)):
            yield *found.span(), other, f"{part} as {other} {number}"
    yield from _words(text, "AND", "OR", "AND as OR")
    yield from _words(text, "OR", "AND", "OR as AND")
    yield from _groups(text, lambda group: f"(NOT {group})")


def _source(text: str, end: str) -> Iterator[Edit]:
    """The data source left out."""
    at = text.index(end)
    yield 0, at + len(" AND "), "", "no source"


LANGUAGES = {"kusto": kql, "splunk": spl, "lucene": lucene}


def mutants(target: str, text: str) -> Iterator[Mutant]:
    """Every change of the query, each at one place, each once."""
    seen = {text}
    for start, end, into, name in LANGUAGES[target](text):
        changed = text[:start] + into + text[end:]
        if changed not in seen:
            seen.add(changed)
            yield Mutant(f"{name} (at {start})", changed, start)
