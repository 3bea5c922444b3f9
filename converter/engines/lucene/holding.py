"""How each of Elastic's types is held in DuckDB: in lists, since any field may have several values, or NULL for none.

keyword, wildcard, constant_keyword   VARCHAR[], or STRUCT(v VARCHAR[], c VARCHAR[]) with its `.caseless`
text, match_only_text                 STRUCT(v VARCHAR[], t VARCHAR[], p VARCHAR[]): as written, its terms, and each
                                      value's terms in order, with a space before, between and after them
ip                                    UHUGEINT[], IPv4 as IPv6 holds it
long, date (milliseconds)             BIGINT[]
boolean                               BOOLEAN[]
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from converter.engines.engine import Unjudged
from converter.engines.lucene import dates, terms
from converter.schemas.forms import Cell
from converter.schemas.forms.form import Scalar
from converter.schemas.layout import Column

STRINGS = frozenset({"keyword", "wildcard", "constant_keyword"})
TEXTS = frozenset({"text", "match_only_text"})
CASELESS = ".caseless"
# https://github.com/elastic/endpoint-package: each of these sub-fields is a keyword with this limit.
CASELESS_LIMIT = 1024
_WITH_CASELESS = "STRUCT(v VARCHAR[], c VARCHAR[])"
_TYPES: Mapping[str, str] = {
    **dict.fromkeys(STRINGS, "VARCHAR[]"),
    **dict.fromkeys(TEXTS, "STRUCT(v VARCHAR[], t VARCHAR[], p VARCHAR[])"),
    "ip": "VARCHAR[]",
    "long": "BIGINT[]",
    "date": "BIGINT[]",
    "boolean": "BOOLEAN[]",
}
_V4 = 0xFFFF << 32


def kind(column: Column) -> str:
    """The DuckDB type that holds the column; raises Unjudged for a type that is none of those above."""
    if column.type not in _TYPES:
        raise Unjudged(f"{column.name} is of type {column.type}, which this engine does not hold")
    return _WITH_CASELESS if column.caseless else _TYPES[column.type]


def held(column: Column, value: Cell | None) -> object:
    """The value as its column holds it; raises ValueError for one that a node refuses in such a field."""
    if value is None or value == ():
        return None
    given = value if isinstance(value, tuple) else (value,)
    if column.type in TEXTS:
        return _text([spelled(part) for part in given], column.analyzer)
    if column.type in STRINGS:
        texts = [spelled(part) for part in given]
        own = indexed(texts, column.ignore_above, lowercase=column.lowercase)
        return {"v": own, "c": indexed(texts, CASELESS_LIMIT, lowercase=True)} if column.caseless else own
    return [_typed(column, part) for part in given if part != "" or column.type == "boolean"]


def indexed(texts: Iterable[str], limit: int | None, *, lowercase: bool) -> list[str]:
    """Those of the texts that an index has: none that is longer than the limit, in the letter case that it keeps."""
    kept = [text for text in texts if limit is None or java_length(text) <= limit]
    return [lowered(text) for text in kept] if lowercase else kept


def java_length(text: str) -> int:
    """The length as `ignore_above` counts it, in units of UTF-16."""
    return len(text) + sum(character > "\uffff" for character in text)


def lowered(text: str) -> str:
    """The text as Lucene's lowercase filter leaves it, which takes each character by itself and makes one of it."""
    if text.isascii():
        return text.lower()
    # Python makes two characters of İ, and of a Σ at the end of a word another one than elsewhere.
    return "".join("i" if character == "İ" else character.lower() for character in text)


def spelled(value: Scalar) -> str:
    """A value as JSON spells it, which is what a field of text keeps."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def digits(number: int) -> str:
    """An address as a column of addresses holds it."""
    return f"{number:032x}"


def address(text: str) -> int:
    """An address as a number, IPv4 as IPv6 holds it; raises ValueError for no address."""
    found = ipaddress.ip_address(text)
    return int(found) | _V4 if found.version == 4 else int(found)  # noqa: PLR2004 - the version


def shown(column: Column, value: object) -> object:
    """A held value as a search's `fields` show it: one value, several as a tuple, None for none."""
    own = value["v"] if isinstance(value, dict) else [] if value is None else value
    if not isinstance(own, list):
        raise TypeError(f"{column.name} holds {value!r}")
    parts = tuple(_shown(column, part) for part in own)
    return (parts[0] if len(parts) == 1 else parts) if parts else None


def _shown(column: Column, part: object) -> object:
    if column.type == "ip" and isinstance(part, str):
        found = ipaddress.IPv6Address(int(part, 16))
        return str(found.ipv4_mapped or found)
    return dates.written(part) if column.type == "date" and isinstance(part, int) else part


def _typed(column: Column, value: Scalar) -> object:
    if column.type == "long":
        return _whole(column, value)
    if column.type == "date":
        return dates.moment(spelled(value))
    if column.type == "ip":
        return digits(address(spelled(value)))
    if spelled(value) not in {"true", "false", ""}:
        raise ValueError(f"{value!r} in {column.name} is neither true nor false")
    return spelled(value) == "true"


def _whole(column: Column, value: Scalar) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{value!r} in {column.name} is over 64 bits")
    return number


def _text(texts: list[str], analyzer: str) -> dict[str, list[str]]:
    cut = [terms.terms(text, analyzer) for text in texts]
    return {
        "v": texts,
        "t": sorted({term for found in cut for term in found}),
        "p": [f" {' '.join(found)} " for found in cut],
    }
