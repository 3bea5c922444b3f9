"""How single values stand in a query string: as terms, as regular expressions, as numbers, addresses and words."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError

from converter.targets.lucene.cost import affordable
from converter.targets.strings import ONE, parts, render, shape

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


def stock_term(value: SigmaString) -> str:
    """The value as the stock backend writes it."""
    return render(value, lambda text: STOCK_RESERVED.sub(r"\\\g<0>", text), "*", "?")


def defects(value: SigmaString) -> list[str]:
    """The repairs that the value needs as a term: a range (L6), an operator (L7), white space that ends it (L8)."""
    pieces = parts(value)
    first = pieces[0] if pieces else ""
    found = ["L6"] if isinstance(first, str) and first.startswith(("<", ">")) else []
    found += ["L7"] if pieces in (["AND"], ["OR"], ["NOT"]) else []
    return found + (["L8"] if any(isinstance(piece, str) and re.search(r"[^\S ]", piece) for piece in pieces) else [])


def is_lettered(value: SigmaString) -> bool:
    """Whether a letter of the value has two cases."""
    return any(any_case(letter) != letter for part in parts(value) if isinstance(part, str) for letter in part)


def is_pattern_in_any_case(value: SigmaString) -> bool:
    """Whether only a regular expression says the value in any letter case."""
    return shape(value).operator != "equals" or is_lettered(value)


def least_length(value: SigmaString) -> int:
    """How many characters a value has at least that fits."""
    return sum(len(part) if isinstance(part, str) else part is ONE for part in parts(value))


def regex(value: SigmaString, letters: Callable[[str], str]) -> str:
    """The value as a regular expression of Lucene's dialect, which is anchored at both ends."""
    _refuse_costly(value)
    return f"/{render(value, lambda part: ''.join(map(_regex_character(letters), part)), '.*', '.')}/"


def expression(text: str) -> str:
    """The text of a regular expression between its slashes; raises where it is longer than a node takes."""
    if is_too_long(f"/{text}/"):
        raise SigmaFeatureNotSupportedByBackendError(TOO_LONG)
    return f"/{text}/"


def is_too_long(text: str) -> bool:
    """Whether a regular expression between slashes is longer than a node takes."""
    # Java counts in UTF-16.
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2 - 2 > MAX_REGEX


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
    escaped = RESERVED.sub(r"\\\1", shape(value).text.lower())
    return f"*{escaped}*"


def words(value: SigmaString, field: str) -> str:
    """The words of any other value, in order where no wildcard stands between them; raises where it has none."""
    runs = [WORD.findall(part) for part in parts(value) if isinstance(part, str)]
    phrases = [f'"{" ".join(run).lower()}"' for run in runs if run]
    if not phrases:
        raise SigmaFeatureNotSupportedByBackendError(
            f"{field} is kept as single words, of which {str(value)!r} has none"
        )
    return phrases[0] if len(phrases) == 1 else f"({' AND '.join(phrases)})"


def _regex_character(letters: Callable[[str], str]) -> Callable[[str], str]:
    return lambda character: letters(character) if character.isalpha() else literal(character)
