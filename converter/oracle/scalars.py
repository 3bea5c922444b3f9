"""What each test of a field says of one value of it, whatever the value's type."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping

from converter.oracle.addresses import within
from converter.oracle.letters import ascii_folded
from converter.oracle.matching import Matcher
from converter.oracle.patterns import readings
from converter.oracle.tree import Boolean, Compare, Network, Number, Pattern, Scalar, Test, Text

Ask = Callable[[Scalar], "bool | None"]
# Up to here every whole number is a number of double precision, in which some engines compare.
EXACT = 2**53
# Longer texts of digits are no numbers to anyone.
MOST_DIGITS = 400
WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
DECIMAL = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
HEXADECIMAL = re.compile(r"\s*[+-]?0[xX]([0-9A-Fa-f]+)\s*")
ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def ask(test: Test) -> Ask:
    """The test as a question to one value that is there."""
    match test:
        case Text():
            return _text(Matcher(test))
        case Pattern():
            found = readings(test).found
            return lambda value: _agree([found(form) for form in forms(value)])
        case Number(number=number):
            return lambda value: is_number(number, value)
        case Boolean(truth=truth):
            return lambda value: is_truth(truth, value)
        case Compare():
            return lambda value: _compared(test, value)
        case Network(block=block):
            return lambda value: within(block, value)
    raise TypeError(f"{test} is not asked of a value")


def forms(value: Scalar) -> list[str]:
    """How a value may be written as text."""
    match value:
        case bool():
            return [str(value).lower(), str(value), str(int(value))]
        case float() if value.is_integer():
            return [repr(value), str(int(value))]
    return [str(value)]


def _agree(answers: list[bool | None]) -> bool | None:
    return answers[0] if all(answer is answers[0] for answer in answers) else None


def _text(matcher: Matcher) -> Ask:
    def answer(value: Scalar) -> bool | None:
        if isinstance(value, str):
            return matcher.matches(value)
        if matcher.empty or matcher.anything:
            return matcher.anything
        literal = matcher.literal
        if literal is not None:
            return is_truth(value, literal) if isinstance(value, bool) else is_number(value, literal)
        return _agree([matcher.matches(form) for form in forms(value)])

    return answer


def is_number(number: float, value: Scalar) -> bool | None:
    """Whether the value is the number; a text is it where written as the number is, and open where only read as it.

    `0x10`, ` 4688`, `04688` and `4688.0` are such texts.
    """
    if isinstance(value, bool):
        return None if number == int(value) else False
    if isinstance(value, str):
        if value in forms(number)[:1]:
            return True
        return None if numeral(value) == number else False
    if number == value:
        return True
    return None if abs(number) > EXACT and _double(number) == _double(value) else False


def numeral(text: str) -> float | None:
    """The number that a text may be read as, None if none."""
    if found := HEXADECIMAL.fullmatch(text):
        value = int(found[1], 16)
        return -value if "-" in text else value
    if len(text) > MOST_DIGITS or not DECIMAL.fullmatch(text):
        return None
    return int(text) if WHOLE.fullmatch(text) else float(text)


def _double(number: float) -> float:
    """The number in double precision."""
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


def is_truth(truth: bool, value: Scalar) -> bool | None:  # noqa: FBT001 - the value compared with
    """Whether the value is the truth value, by itself or as a word; 1 and 0 may be."""
    if isinstance(value, bool):
        return value == truth
    if isinstance(value, str):
        word = ascii_folded(value)
        if word in {"true", "false"}:
            return word == str(truth).lower()
        return None if word == str(int(truth)) else False
    return None if value == int(truth) else False


def _compared(test: Compare, value: Scalar) -> bool | None:
    """How a value compares with a number; a text compares where it is written as a number is."""
    if test.operator == "!=":
        same = is_number(test.number, value)
        return None if same is None else not same
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        read = numeral(value)
        if read is None:
            return False
        if value not in forms(read)[:1]:
            return None
        value = read
    if abs(value) > EXACT and _double(value) == _double(test.number):
        return None
    return ORDERS[test.operator](value, test.number)
