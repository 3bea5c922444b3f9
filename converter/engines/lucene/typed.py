"""What one value finds in a field that holds no strings: ip, long, date, boolean."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from converter.engines.engine import Invalid, Unjudged
from converter.engines.lucene import dates, holding
from converter.engines.lucene.fields import Field
from converter.engines.lucene.predicates import NEVER, VALUE, Predicate, Some, literal
from converter.engines.lucene.syntax import Range

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LEAST, _MOST = -(2**63), 2**63 - 1
_BLOCK = re.compile(r"(?P<address>[0-9A-Fa-f.:]+)/(?P<length>\d{1,3})", re.ASCII)
_V4_BITS, _ALL_BITS = 32, 128


def term(field: Field, text: str, now: datetime | None) -> Predicate:
    """The field holds this value, an address of this network, a time of this day; raises Invalid for any other word."""
    match field.type:
        case "ip":
            return _address(field, text)
        case "long":
            number = _number(field, text)
            return NEVER if number != number.to_integral_value() else _test(field, f"{VALUE} = {_whole(field, number)}")
        case "boolean":
            if text not in {"true", "false"}:
                raise Invalid(f"{text!r} is neither true nor false, which {field.name} holds")
            return _test(field, f"{VALUE} = {text}")
        case _:
            return between(field, Range(text, text, with_low=True, with_high=True), now)


def between(field: Field, wanted: Range, now: datetime | None) -> Predicate:
    """The field holds a value between two others; raises Invalid for bounds that are none of its type."""
    tests = []
    if wanted.low is not None:
        tests.append(f"{VALUE} >= {_low(field, wanted.low, now, inside=wanted.with_low)}")
    if wanted.high is not None:
        tests.append(f"{VALUE} <= {_high(field, wanted.high, now, inside=wanted.with_high)}")
    return _test(field, " AND ".join(tests) or "true")


def pattern(field: Field, what: str) -> Invalid:
    """The error of a wildcard, a prefix or a regular expression on such a field."""
    return Invalid(f"a {what} on {field.name}, which is of type {field.type}: a node refuses the whole query")


def _low(field: Field, text: str, now: datetime | None, *, inside: bool) -> str:
    """The least value that the range holds."""
    match field.type:
        case "long":
            number = _number(field, text)
            whole = number.to_integral_value(ROUND_CEILING)
            return str(int(whole) + (not inside and whole == number))
        case "date":
            return str(dates.bound(text, now, up=not inside) + (not inside))
        case "ip":
            return _digits(_one(field, text) + (not inside))
        case _:
            raise Unjudged(f"a range on {field.name}, which is of type {field.type}")


def _high(field: Field, text: str, now: datetime | None, *, inside: bool) -> str:
    """The greatest value that the range holds."""
    match field.type:
        case "long":
            number = _number(field, text)
            whole = number.to_integral_value(ROUND_FLOOR)
            return str(int(whole) - (not inside and whole == number))
        case "date":
            return str(dates.bound(text, now, up=inside) - (not inside))
        case "ip":
            return _digits(_one(field, text) - (not inside))
        case _:
            raise Unjudged(f"a range on {field.name}, which is of type {field.type}")


def _test(field: Field, test: str) -> Predicate:
    return Some(field.values, tests=(f"({test})",))


def _number(field: Field, text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise Invalid(f"{text!r} is no number, which {field.name} holds")
    return Decimal(text)


def _whole(field: Field, number: Decimal) -> int:
    if not _LEAST <= number <= _MOST:
        raise Unjudged(f"{number} on {field.name}: Elasticsearch finds nothing and OpenSearch refuses the query")
    return int(number)


def _one(field: Field, text: str) -> int:
    try:
        return holding.address(text)
    except ValueError:
        raise Invalid(f"{text!r} is no address, which {field.name} holds") from None


def _digits(number: int) -> str:
    return literal(holding.digits(max(number, 0)))


def _address(field: Field, text: str) -> Predicate:
    if "/" not in text:
        return _test(field, f"{VALUE} = {_digits(_one(field, text))}")
    block = _BLOCK.fullmatch(text)
    if block is None:
        raise Invalid(f"{text!r} is no network, which {field.name} is asked for")
    number, length = _one(field, block["address"]), int(block["length"])
    bits = _V4_BITS if ipaddress.ip_address(block["address"]).version == 4 else _ALL_BITS  # noqa: PLR2004 - the version
    if length > bits:
        raise Invalid(f"{text!r} is no network: its length is over {bits}")
    size = 1 << (bits - length)
    low = number // size * size
    return _test(field, f"{VALUE} BETWEEN {_digits(low)} AND {_digits(low + size - 1)}")
