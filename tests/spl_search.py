"""The `search` command, to the extent that we emit it: fields, their values, and how they are joined.

It compares values as the Search Reference has it, and knows nothing of the index: the Search Manual, "Event
segmentation and searching", warns of wildcards inside a term with punctuation, and values alone cannot show that.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from tests.spl_reader import FIELD, NUMBER, QUOTED, Reader, RefusedError, Row, number, refuse_folding, time, unquoted

Found = Callable[[Row], bool]

COMPARED = re.compile(rf"({FIELD})(!=|<=|>=|=|<|>)(?=\S)")
LISTED = re.compile(rf"({FIELD}) IN \(")
EARLIEST = re.compile(r"earliest=-([0-9]+)([smhdw])(?![A-Za-z0-9@+-])")
LATEST = re.compile(r"latest=now(?![A-Za-z0-9(@+-])")
# Search Reference, "Time modifiers".
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda held, wanted: held < wanted,
    ">": lambda held, wanted: held > wanted,
    "<=": lambda held, wanted: held <= wanted,
    ">=": lambda held, wanted: held >= wanted,
}


def searched(reader: Reader, now: datetime) -> Found:
    """What the search says of a row, read up to the first pipe; raises RefusedError for a form that we do not emit."""
    return _Search(reader, now.timestamp()).conjunction(outermost=True)


class _Search:
    """Reads boolean expressions: parentheses, NOT, OR, AND, in this order.

    Search Manual, "Boolean expressions with logical operators": the search command evaluates OR before AND, and AND is
    implied between terms. Operators are in capitals.
    """

    def __init__(self, reader: Reader, now: float) -> None:
        self.reader, self.now = reader, now

    def conjunction(self, *, outermost: bool = False) -> Found:
        """Parts of which all must hold."""
        parts = [self.part(outermost=outermost)]
        while not self.reader.at(")|"):
            self.reader.take(r"AND\b")
            parts.append(self.part(outermost=outermost))
        return lambda row: all(part(row) for part in parts)

    def part(self, *, outermost: bool) -> Found:
        """A disjunction; or a limit of time, which we set for the whole search only."""
        if outermost and (age := self.reader.take(EARLIEST)):
            # Search Manual, "Specify time modifiers in your search": from the earliest time on, up to the latest.
            earliest = self.now - int(age[1]) * SECONDS[age[2]]
            return lambda row: time(row) >= earliest
        if outermost and self.reader.take(LATEST):
            return lambda row: time(row) < self.now
        return self.disjunction()

    def disjunction(self) -> Found:
        """Parts of which one must hold."""
        parts = [self.negation()]
        while self.reader.take(r"OR\b"):
            parts.append(self.negation())
        return lambda row: any(part(row) for part in parts)

    def negation(self) -> Found:
        """A term, or its opposite: Search Manual, "Difference between NOT and !=", finds absent fields with NOT."""
        if self.reader.take(r"NOT\b"):
            term = self.term()
            return lambda row: not term(row)
        return self.term()

    def term(self) -> Found:
        """A group, a list of values of a field, or one comparison."""
        if self.reader.take(r"\("):
            group = self.conjunction()
            self.reader.need(r"\)")
            return group
        if listed := self.reader.take(LISTED):
            # Search Reference, "search": IN is short for values joined by OR.
            return _holds(listed[1], self.values())
        field, operator = self.reader.need(COMPARED).groups()
        if field in {"earliest", "latest"}:
            raise RefusedError(f"we do not emit this {field}, or not here")
        if operator in ORDERS:
            return _ordered(field, operator, float(self.reader.need(NUMBER)[0]))
        # A bare asterisk, any value at all, finds the field's presence.
        present = self.reader.take(r"\*(?=[\s)]|$)")
        holds = _holds(field, [_wildcards("*") if present else self.value()])
        # "Difference between NOT and !=": an event without the field is not found by !=.
        return holds if operator == "=" else lambda row: _single(row, field) and not holds(row)

    def values(self) -> Sequence[re.Pattern[str]]:
        """The rest of a list of values."""
        values = [self.value()]
        while not self.reader.take(r"\)"):
            self.reader.need(",")
            values.append(self.value())
        return values

    def value(self) -> re.Pattern[str]:
        """What one value finds."""
        if found := self.reader.take(NUMBER):
            return _wildcards(found[0])
        return _wildcards(unquoted(self.reader.need(QUOTED)[0]))


def _wildcards(value: str) -> re.Pattern[str]:
    # Search Reference, "search": letter case is ignored, the whole value counts. Search Manual, "Wildcards": the
    # asterisk is any run of characters; "Backslashes": nothing escapes it.
    if not value:
        raise RefusedError("whether an absent field equals an empty value is open")
    if "/" in value and _is_subnet(value):
        raise RefusedError(f"{value} is a subnet in search, no text")
    refuse_folding(value)
    return re.compile(".*".join(map(re.escape, value.split("*"))), re.IGNORECASE | re.DOTALL | re.ASCII)


def _is_subnet(value: str) -> bool:
    # Search Reference, "search": values in CIDR notation match the addresses in them.
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _holds(field: str, wanted: Sequence[re.Pattern[str]]) -> Found:
    def found(row: Row) -> bool:
        return any(pattern.fullmatch(held) for held in _texts(row, field) for pattern in wanted)

    return found


def _ordered(field: str, operator: str, wanted: float) -> Found:
    def found(row: Row) -> bool:
        return any(ORDERS[operator](_number(field, text), wanted) for text in _texts(row, field))

    return found


def _number(field: str, text: str) -> float:
    if (held := number(text)) is None:
        raise RefusedError(f"{field} holds {text!r}: where texts stand among numbers is open")
    return held


def _single(row: Row, field: str) -> bool:
    if len(held := _texts(row, field)) > 1:
        raise RefusedError(f"{field} holds {held}: whether != is then true is open")
    return len(held) == 1


def _texts(row: Row, field: str) -> Sequence[str]:
    """The field's values, none where it is absent; a term finds a field that has several by any of them."""
    held = row.get(field)
    values = held if isinstance(held, tuple) else () if held is None else (held,)
    for value in values:
        if value == "":
            raise RefusedError(f"{field} is empty: whether it is there is open")
        if not isinstance(value, str | int | float):
            raise TypeError(f"{field} holds a {type(value).__name__}")
    return [str(value) for value in values]
