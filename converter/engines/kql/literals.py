"""String literals of KQL, written again in the one spelling that the translator's reader knows.

The forms and escapes are those of Microsoft's own reader (Kusto.Language, TokenParser) and of the string data type's
page, https://learn.microsoft.com/kusto/query/scalar-data-types/string
"""

from __future__ import annotations

import re
import sys

from converter.engines.engine import Invalid

_TOKENS = re.compile(
    r"""
      (?P<comment> //[^\n]* )
    | (?P<fenced> (?<!\w)[hH]?(?P<fence>```|~~~) (?P<inner>.*?) (?P=fence) )
    | (?P<verbatim> (?<!\w)[hH]?@ (?: "(?:[^"\n]|"")*" | '(?:[^'\n]|'')*' ) )
    | (?P<plain> (?:(?<!\w)[hH])? (?: "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' ) )
    | (?P<stray> ["'] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"""\\(?:
      (?P<one>[abfnrtv'"\\]) | u(?P<four>[0-9A-Fa-f]{4}) | U(?P<eight>[0-9A-Fa-f]{8})
    | x(?P<two>[0-9A-Fa-f]{2}) | (?P<octal>[0-3][0-7]{2}|[0-7]{1,2}) | (?P<bad>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ONE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SPELT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def respelt(query: str) -> str:
    """The query with each string literal in double quotes and plain escapes, and without comments.

    Raises Invalid for an escape that KQL does not have and for a string without an end.
    """
    written, last = [], 0
    for found in _TOKENS.finditer(query):
        line = query.count("\n", 0, found.start()) + 1
        written += [query[last : found.start()], _respelt(found, line)]
        last = found.end()
    return "".join([*written, query[last:]])


def _respelt(found: re.Match[str], line: int) -> str:
    if found["comment"] is not None:
        return ""
    if found["stray"] is not None:
        raise Invalid(f"line {line}: a string has no end")
    # The newlines inside are spelt out, and stand after it, for the lines of errors to be those of the query.
    text = found[0].lstrip("hH")
    if found["fenced"] is not None:
        value = found["inner"]
    elif found["verbatim"] is not None:
        value = text[2:-1].replace(text[1] * 2, text[1])
    else:
        value = _ESCAPE.sub(lambda escape: _unescaped(escape, line), text[1:-1])
    return quoted(value) + "\n" * text.count("\n")


def quoted(value: str) -> str:
    """The value as a literal of the reader's."""
    return '"' + "".join(_SPELT.get(sign, sign) for sign in value) + '"'


def _unescaped(escape: re.Match[str], line: int) -> str:
    if escape["bad"] is not None:
        raise Invalid(f"line {line}: a string has the escape \\{escape['bad']}, which KQL does not know")
    if escape["one"] is not None:
        return _ONE.get(escape["one"], escape["one"])
    digits = escape["four"] or escape["eight"] or escape["two"]
    code = int(digits, 16) if digits else int(escape["octal"], 8)
    if code > sys.maxunicode:
        raise Invalid(f"line {line}: a string has the escape {escape[0]}, which is no character")
    return chr(code)
