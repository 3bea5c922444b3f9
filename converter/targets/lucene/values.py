"""How single values stand in a query string: as terms, as regular expressions, as numbers, addresses and words."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError

from converter.targets.lucene.cost import affordable
from converter.targets.strings import parts, render, shape

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
OCTETS = re.compile(r"(?:\d{1,3}\.){1,3}")


def either(terms: list[str]) -> str:
    """One term as it is, several as a group of which one must fit."""
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def term(value: SigmaString) -> str:
    """The value as a term with wildcards, quoted where it has none and is no plain word (L6, L7, L8)."""
    wanted = shape(value)
    if wanted.operator == "equals":
        return word(wanted.text)
    _refuse_costly(value)
    first = parts(value)[0]
    if isinstance(first, str) and first.startswith(("<", ">")):
        # Even escaped, these would open a range.
        return regex(value, lambda letter: letter)
    return render(value, lambda text: RESERVED.sub(r"\\\1", text), "*", "?")


def word(text: str) -> str:
    """The text as one term, quoted where it is no plain word."""
    if PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def any_case_term(value: SigmaString) -> str:
    """The value in any letter case on a field that minds it: a term where no letter has two cases."""
    if shape(value).operator == "equals" and not any(any_case(letter) != letter for letter in shape(value).text):
        return term(value)
    return regex(value, any_case)


def regex(value: SigmaString, letters: Callable[[str], str]) -> str:
    """The value as a regular expression of Lucene's dialect, which is anchored at both ends."""
    _refuse_costly(value)
    return expression(render(value, lambda part: "".join(map(_regex_character(letters), part)), ".*", "."))


def expression(text: str) -> str:
    """The text of a regular expression between its slashes; raises where it is longer than a node takes."""
    # Java counts in UTF-16.
    if len(text.encode("utf-16-le", errors="surrogatepass")) // 2 > MAX_REGEX:
        message = f"a value is over {MAX_REGEX} characters long as a regular expression that ignores letter case"
        raise SigmaFeatureNotSupportedByBackendError(message)
    return f"/{text}/"


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
    """One character of a regular expression that stands for itself."""
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


def words(value: SigmaString, field: str) -> str:
    """A part of one word of a tokenised text, exact only where no character of it would separate words (L11).

    The words of PowerShell script text are runs of ASCII letters, digits, `_` and `-`, kept in lower case.
    """
    wanted = shape(value)
    if wanted.operator != "contains" or not re.fullmatch(r"[A-Za-z0-9_-]+", wanted.text):
        message = f"{field} is kept as single words, so that {str(value)!r} cannot be searched for exactly"
        raise SigmaFeatureNotSupportedByBackendError(message)
    escaped = RESERVED.sub(r"\\\1", wanted.text.lower())
    return f"*{escaped}*"


def _regex_character(letters: Callable[[str], str]) -> Callable[[str], str]:
    return lambda character: letters(character) if character.isalpha() else literal(character)
