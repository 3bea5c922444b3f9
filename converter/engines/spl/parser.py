"""A query as commands; what Splunk would reject is Invalid, what is outside the subset is Unjudged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources

from lark import Lark
from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedToken, VisitError

from converter.engines.engine import Invalid, Unjudged
from converter.engines.spl import syntax
from converter.engines.spl.reading import Reading
from converter.engines.spl.syntax import Command

# The start symbols of commands that have another name in the grammar, or the same.
STARTS = {
    "search": "search",
    "where": "where",
    "eval": "evaluation",
    "regex": "regex",
    "rex": "rex",
    "sort": "sort",
    "table": "table",
    "rename": "rename",
    "bin": "bin",
    "stats": "stats",
    "streamstats": "streamstats",
    "dedup": "dedup",
    "head": "head",
    "tstats": "tstats",
}
# Search Manual, "Types of commands": commands that make events, which alone can begin a query after a pipe.
GENERATING = {"search", "tstats", "multisearch"}
PIECE = re.compile(r'"(?:[^"\\]|\\.)*+"|[|\[\]]|[^"|\[\]]++', re.DOTALL)
# The tokens whose lack or surplus leaves an expression without an operand or a parenthesis without its other.
OPERANDS = {"_AND", "_OR", "RPAR", "COMMA", "$END"}


def parse(query: str) -> Sequence[Command]:
    """The query's commands, the first of them `search`, `tstats` or `multisearch`; raises Invalid, Unjudged."""
    first, *others = _split(query)
    commands: list[Command] = []
    if first.strip():
        commands.append(_parsed("search", re.sub(r"^\s*search\s", " ", first)))
    for text in others:
        command = _command(text)
        if not commands and not isinstance(command, syntax.Search | syntax.Tstats | syntax.Multisearch):
            raise Invalid(f"a query cannot begin with {text.split()[0]}, which makes no events")
        commands.append(command)
    if not commands:
        raise Invalid("an empty query")
    return commands


def _command(text: str) -> Command:
    found = re.match(r"\s*([a-z]+)(?=\s|$)", text)
    if found is None:
        raise Unjudged(f"the command {text.strip()[:40]}") if text.strip() else Invalid("nothing after a pipe")
    name, rest = found[1], text[found.end() :]
    if name == "multisearch":
        return syntax.Multisearch(tuple(_subsearches(rest)))
    if name not in STARTS:
        raise Unjudged(f"the command {name}")
    return _parsed(STARTS[name], rest)


def _subsearches(text: str) -> Iterator[Sequence[Command]]:
    found = re.findall(r'\[((?:[^"\[\]]|"(?:[^"\\]|\\.)*+")*+)\]', text, re.DOTALL)
    if re.sub(r"\s", "", text) != re.sub(r"\s", "", "".join(f"[{query}]" for query in found)):
        raise Unjudged("multisearch of anything but searches in brackets")
    for query in found:
        yield parse(query)


def _split(query: str) -> list[str]:
    parts, depth, position = [""], 0, 0
    while position < len(query):
        piece = PIECE.match(query, position)
        if piece is None:
            raise Invalid(f"a quotation without its end: {query[position : position + 40]}")
        position = piece.end()
        depth += {"[": 1, "]": -1}.get(piece[0], 0)
        if piece[0] == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += piece[0]
    return parts


def _parsed(start: str, text: str) -> Command:
    grammar = _grammar()
    try:
        command: Command = grammar.parse(text, start)  # type: ignore[assignment] # by the transformer
    except UnexpectedToken as error:
        where = "its end" if error.token.type == "$END" else f"{text[error.token.start_pos or 0 :][:40]!r}"
        if error.token.type in OPERANDS:
            raise Invalid(f"an operator or a parenthesis lacks its other part at {where}") from None
        raise Unjudged(f"the form at {where}") from None
    except UnexpectedCharacters as error:
        raise Unjudged(f"the form at {text[error.pos_in_stream :][:40]!r}") from None
    except VisitError as error:
        raise error.orig_exc from None
    except LarkError as error:
        raise Unjudged(str(error)) from None
    return command


@cache
def _grammar() -> Lark:
    return Lark(
        resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8"),
        start=sorted(set(STARTS.values())),
        parser="lalr",
        transformer=Reading(),
        maybe_placeholders=False,
    )
