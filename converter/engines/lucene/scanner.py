"""The words of a query string, as the scanner of Lucene's classic parser cuts them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token
from lark.common import LexerConf
from lark.lexer import Lexer

from converter.engines.engine import Invalid

SPACE = " \t\n\r\u3000"
# What no word holds unless a backslash stands before it; a word may hold `+` and `-` after its first character.
_PLAIN = rf"\\.|[^{SPACE}+\-!():^\[\]\"{{}}~*?\\/]"
_RUN = re.compile(rf"(?:{_PLAIN}|[*?])(?:{_PLAIN}|[*?+\-])*", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
# The longest text in which a backslash stands before each inner slash: also where that backslash is itself escaped.
_REGEX = re.compile(r"/(?:\\/|[^/])*/", re.DOTALL)
_FUZZY = re.compile(rf"~(?:[0-9]+\.[0-9]+)?(?:{_PLAIN}|[+\-])*", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_BLANK = re.compile(rf"[{SPACE}]+")
_COLON = re.compile(rf"[{SPACE}]*:")
_BOUND = re.compile(r"[^ \]}]+")
_BOUND_QUOTED = re.compile(r'"(?:\\"|[^"])+"', re.DOTALL)
_ESCAPED = re.compile(r"\\.", re.DOTALL)

_OPERATORS = {"AND": "AND", "&&": "AND", "OR": "OR", "||": "OR", "NOT": "NOT"}
_SIGNS = {"(": "LPAREN", ")": "RPAREN", "+": "PLUS", "-": "MINUS", "!": "NOT"}
_STARTS = {"[": "IN_START", "{": "OUT_START"}
_ENDS = {"]": "IN_END", "}": "OUT_END"}


class Scanner(Lexer):
    """Cuts a text into the words that the grammar joins; raises Invalid where no word begins."""

    def __init__(self, _conf: LexerConf) -> None:
        pass

    def lex(self, data: str) -> Iterator[Token]:  # type: ignore[override]
        """The words from left to right."""
        at, in_range = 0, False
        while at < len(data):
            if (blank := _BLANK.match(data, at)) is not None and not (in_range and data[at] != " "):
                at = blank.end()
                continue
            for token in self._bound(data, at) if in_range else self._word(data, at):
                yield token
                at = token.end_pos or at
                in_range = token.type in _STARTS.values() or (in_range and token.type not in _ENDS.values())

    def _word(self, data: str, at: int) -> Iterator[Token]:
        sign = data[at]
        if (run := _RUN.match(data, at)) is not None:
            yield _run(data, at, run[0])
        elif sign in "+-!" and data[at + 1 : at + 2] in {*SPACE}:
            yield _token("BARE_OPERATOR", data[at : at + 2], at)
        elif sign in _SIGNS or sign in _STARTS:
            yield _token(_SIGNS.get(sign) or _STARTS[sign], sign, at)
        elif sign == "^":
            number = _need(_NUMBER, data, at + 1)
            yield _token("CARAT", sign, at)
            yield _token("NUMBER", number, at + 1)
        else:
            kind, form = {'"': ("QUOTED", _QUOTED), "/": ("REGEX", _REGEX), "~": ("FUZZY", _FUZZY)}.get(
                sign, ("NONE", _RUN)
            )
            yield _token(kind, _need(form, data, at), at)

    def _bound(self, data: str, at: int) -> Iterator[Token]:
        if data[at] in _ENDS:
            yield _token(_ENDS[data[at]], data[at], at)
            return
        plain, quoted = _BOUND.match(data, at), _BOUND_QUOTED.match(data, at)
        if plain is not None and (quoted is None or len(plain[0]) > len(quoted[0])):
            yield _token("RANGE_TO" if plain[0] == "TO" else "GOOP", plain[0], at)
        else:
            yield _token("RANGE_QUOTED", _need(_BOUND_QUOTED, data, at), at)


def _run(data: str, at: int, text: str) -> Token:
    """The word that a run of characters is."""
    bare = _ESCAPED.sub("x", text)
    plain = "*" not in bare and "?" not in bare
    colon = _COLON.match(data, at + len(text))
    if text in _OPERATORS:
        return _token(_OPERATORS[text], text, at)
    if colon is not None and (plain or text == "*"):
        return _token("FIELD", text, at, colon.end())
    if plain:
        return _token("TERM", text, at)
    if text == "*":
        return _token("STAR", text, at)
    if bare.endswith("*") and not set("*?") & set(bare[:-1]):
        return _token("PREFIX", text, at)
    return _token("WILD", text, at)


def _token(kind: str, text: str, at: int, end: int | None = None) -> Token:
    return Token(kind, text, start_pos=at, end_pos=at + len(text) if end is None else end)


def _need(form: re.Pattern[str], data: str, at: int) -> str:
    found = form.match(data, at)
    if found is None:
        raise Invalid(f"no word begins at {data[at : at + 40]!r}")
    return found[0]
