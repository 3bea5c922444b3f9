"""How single values stand in a query string: as terms, as regular expressions, as numbers, addresses and words."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError

from converter.targets.lucene.cost import affordable
from converter.targets.strings import ONE, only_text, parts, render, shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from sigma.types import SigmaString

# https://www.elastic.co/docs/reference/query-languages/query-dsl/query-dsl-query-string-query#_reserved_characters,
# and white space of every kind, which would end the value.
RESERVED = re.compile(r"""([+\-=&|!(){}\[\]<>^"~*?:\\/\s])""")
PLAIN = re.compile(r"(?!(?:AND|OR|NOT|TO)\Z)[\w.]+")
# https://www.elastic.co/docs/reference/query-languages/query-dsl/regexp-syntax
REGEX_RESERVED = frozenset('.?+*|{}[]()"#@&<>~^$-/')
MAX_REGEX = 1000
MOST_SIGNS = 4096
OPERATORS = ("AND", "OR", "NOT")
# White space that ends a value even where a space does not.
ENDING = re.compile(r"[^\S ]")
# A character of nobody's, which stands for any digit within a value that is said as a regular expression.
DIGIT = "\ue000"
TOO_LONG = f"a value is over {MAX_REGEX} characters long as a regular expression that ignores letter case"
IGNORE_ABOVE = 1024
WORD = re.compile(r"[A-Za-z0-9_-]+")
# What the stock backend escapes.
STOCK_RESERVED = re.compile(r"""[+\-=&|!(){}\[\]<>^"~*?:\\/ ]""")
OCTETS = re.compile(r"(?:\d{1,3}\.){1,3}")


def either(terms: list[str]) -> str:
    """One term as it is, several as a group of which one must fit."""
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def term(value: SigmaString) -> str:
    """The value as a term with wildcards, quoted where it has none and is no plain word (L6, L7, L8)."""
    text = only_text(value)
    if text is not None:
        return word(text)
    _refuse_costly(value)
    first = parts(value)[0]
    if isinstance(first, str) and first.startswith(("<", ">")):
        # Even escaped, these would open a range.
        return regex(value, _same)
    return render(value, _escaped, "*", "?")


def _escaped(text: str) -> str:
    return RESERVED.sub(_behind_backslash, text) if RESERVED.search(text) else text


def _behind_backslash(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _same(letter: str) -> str:
    return letter


def word(text: str) -> str:
    """The text as one term, quoted where it is no plain word."""
    if PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def stock_term(value: SigmaString) -> str:
    """The value as the stock backend writes it."""
    return render(value, lambda text: STOCK_RESERVED.sub(_behind_backslash, text), "*", "?")


def defects(value: SigmaString) -> list[str]:
    """The repairs that the value needs as a term: a range (L6), an operator (L7), white space that ends it (L8)."""
    pieces = parts(value)
    if not pieces:
        return []
    first = pieces[0]
    found = ["L6"] if isinstance(first, str) and first.startswith(("<", ">")) else []
    found += ["L7"] if len(pieces) == 1 and first in OPERATORS else []
    return found + (["L8"] if any(isinstance(piece, str) and ENDING.search(piece) for piece in pieces) else [])


def is_lettered(value: SigmaString) -> bool:
    """Whether a letter of the value has two cases."""
    return any(_has_letters(part) for part in parts(value) if isinstance(part, str))


def _has_letters(text: str) -> bool:
    if text.isascii():
        return text.lower() != text.upper()
    return any(any_case(letter) != letter for letter in text)


def is_pattern_in_any_case(value: SigmaString) -> bool:
    """Whether only a regular expression says the value in any letter case."""
    return only_text(value) is None or is_lettered(value)


def least_length(value: SigmaString) -> int:
    """How many characters a value has at least that fits."""
    return sum([len(part) if type(part) is str else part is ONE for part in parts(value)])


def regex(value: SigmaString, letters: Callable[[str], str]) -> str:
    """The value as a regular expression of Lucene's dialect, which is anchored at both ends."""
    _refuse_costly(value)
    written = _written(letters)
    return f"/{render(value, lambda part: part.translate(written), '.*', '.')}/"


def expression(text: str) -> str:
    """The text of a regular expression between its slashes; raises where it is longer than a node takes."""
    if is_too_long(f"/{text}/"):
        raise SigmaFeatureNotSupportedByBackendError(TOO_LONG)
    return f"/{text}/"


def is_too_long(text: str) -> bool:
    """Whether a regular expression between slashes is longer than a node takes."""
    # Java counts in UTF-16.
    units = len(text) if text.isascii() else len(text.encode("utf-16-le", errors="surrogatepass")) // 2
    return units - 2 > MAX_REGEX


def _refuse_costly(value: SigmaString) -> None:
    """Raises for a value that is too long, or has too many `?` after a `*`: a node would fail the whole query."""
    if not affordable(parts(value)):
        message = "a value is too costly for Elasticsearch: shorten it, or the run of ? in it"
        raise SigmaFeatureNotSupportedByBackendError(message)


def any_case(letter: str) -> str:
    """One letter as a class of its forms."""
    forms = sorted({form for form in (letter, letter.lower(), letter.upper()) if len(form) == 1}, reverse=True)
    return f"[{''.join(forms)}]" if len(forms) > 1 else letter


def literal(character: str) -> str:
    """One character of a regular expression that stands for itself, or for any digit."""
    if character == DIGIT:
        return "[0-9]"
    if character == "\\":
        # Counted once, so that a backslash never stands before the slash that ends the expression; OpenSearch's
        # wildcard fields find nothing by the class [\\] beside a character that is no letter.
        return r"\\{1}"
    return f"\\{character}" if character in REGEX_RESERVED else character


def number(value: SigmaString, field: str) -> str:
    """The whole number that a value stands for; raises for any other, which would fail the whole query (L9)."""
    wanted = shape(value)
    if wanted.operator != "equals" or not re.fullmatch(r"-?\d+|0[xX][0-9a-fA-F]+", wanted.text):
        raise SigmaFeatureNotSupportedByBackendError(f"{field} holds numbers, which {str(value)!r} is not")
    whole = str(int(wanted.text, 0))
    return f'"{whole}"' if whole.startswith("-") else whole


def boolean(value: SigmaString, field: str) -> str:
    """The truth value that a value spells; raises for any other, which would fail the whole query."""
    wanted = shape(value)
    if wanted.operator != "equals" or wanted.text.lower() not in {"true", "false"}:
        raise SigmaFeatureNotSupportedByBackendError(f"{field} holds true or false, which {str(value)!r} is not")
    return wanted.text.lower()


def address(value: SigmaString, field: str) -> str:
    """The address, or the network of all that start with whole octets; raises for any other pattern (L9)."""
    wanted = shape(value)
    try:
        if wanted.operator == "equals":
            return f'"{ipaddress.ip_address(wanted.text)}"'
        if wanted.operator == "startswith" and OCTETS.fullmatch(wanted.text):
            count = wanted.text.count(".")
            return f'"{ipaddress.ip_network(wanted.text + ".".join(["0"] * (4 - count)) + f"/{8 * count}")}"'
    except ValueError:
        pass
    raise SigmaFeatureNotSupportedByBackendError(f"{field} holds IP addresses, which {str(value)!r} does not name")


def is_address(value: SigmaString) -> bool:
    """Whether the value is one whole address."""
    wanted = shape(value)
    try:
        return wanted.operator == "equals" and bool(ipaddress.ip_address(wanted.text))
    except ValueError:
        return False


def is_part_of_word(value: SigmaString) -> bool:
    """Whether a tokenised text can be asked for the value exactly: no character of it would separate words (L11).

    The words of PowerShell script text are runs of ASCII letters, digits, `_` and `-`, kept in lower case.
    """
    wanted = shape(value)
    return wanted.operator == "contains" and WORD.fullmatch(wanted.text) is not None


def part_of_word(value: SigmaString) -> str:
    """Such a value: words that hold it."""
    return f"*{_escaped(shape(value).text.lower())}*"


def words(value: SigmaString, field: str) -> str:
    """The words of any other value, in order where no wildcard stands between them; raises where it has none."""
    runs = [WORD.findall(part) for part in parts(value) if isinstance(part, str)]
    phrases = [f'"{" ".join(run).lower()}"' for run in runs if run]
    if not phrases:
        raise SigmaFeatureNotSupportedByBackendError(
            f"{field} is kept as single words, of which {str(value)!r} has none"
        )
    return phrases[0] if len(phrases) == 1 else f"({' AND '.join(phrases)})"


class _Written(dict[int, str]):
    """Characters by their codes as a regular expression has them: few, each of which stands in thousands of values."""

    def __init__(self, letters: Callable[[str], str]) -> None:
        super().__init__()
        self.letters = letters

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        said = self.letters(sign) if sign.isalpha() else literal(sign)
        if len(self) < MOST_SIGNS:
            self[code] = said
        return said


@lru_cache(maxsize=8)
def _written(letters: Callable[[str], str]) -> _Written:
    return _Written(letters)
