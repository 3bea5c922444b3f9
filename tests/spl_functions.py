"""The evaluation functions that we emit, after the Search Reference's pages on them.

A function is built from its arguments, read or literal, and then gives a value for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tests.spl_pcre import compiled
from tests.spl_reader import RefusedError, Row

# A tuple is a field of several values, a list what a function makes.
Value = str | float | bool | list[str] | tuple[str, ...] | None
Expression = Callable[[Row], Value]

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%3Q%:z"


def truth(value: Value) -> bool | None:
    """The value as a condition; raises RefusedError for what is none."""
    if value is not None and not isinstance(value, bool):
        raise RefusedError(f"{value!r} is no condition")
    return value


def text(value: Value) -> str | None:
    """The value as one text; raises RefusedError for anything else, which we never hand to a function of texts."""
    if value is not None and not isinstance(value, str):
        raise RefusedError(f"{value!r} is no text")
    return value


def _isnull(value: Expression) -> Expression:
    return lambda row: value(row) is None


def _isnotnull(value: Expression) -> Expression:
    return lambda row: value(row) is not None


def _null() -> Expression:
    return lambda _: None


def _if(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    # "Comparison and Conditional functions": the third argument where the condition is not TRUE.
    return lambda row: then(row) if truth(condition(row)) else otherwise(row)


def _case(*arguments: Expression) -> Expression:
    # "Comparison and Conditional functions": the value after the first condition that is TRUE; by default NULL.
    pairs = list(zip(arguments[::2], arguments[1::2], strict=True))
    return lambda row: next((value(row) for condition, value in pairs if truth(condition(row))), None)


def _coalesce(*arguments: Expression) -> Expression:
    # "Comparison and Conditional functions": the first value that is not NULL.
    return lambda row: next((value for argument in arguments if (value := argument(row)) is not None), None)


def _match(value: Expression, regex: str) -> Expression:
    # "Comparison and Conditional functions": TRUE if the regular expression matches any part of the text.
    wanted = compiled(regex)

    def matched(row: Row) -> bool | None:
        held = value(row)
        if isinstance(held, tuple):
            return any(wanted.search(part) for part in held)
        return None if (single := text(held)) is None else wanted.search(single) is not None

    return matched


def _lower(value: Expression) -> Expression:
    def lowered(row: Row) -> str | None:
        held = text(value(row))
        if held is not None and not held.isascii():
            raise RefusedError(f"nobody says what lower() makes of {held!r}")
        return held if held is None else held.lower()

    return lowered


def _replace(value: Expression, regex: str, replacement: str) -> Expression:
    # "Text functions": every part that the regular expression matches.
    wanted = compiled(regex)
    if "\\" in replacement:
        raise RefusedError("we do not emit groups in a replacement")
    return lambda row: None if (held := text(value(row))) is None else wanted.sub(replacement, held)


def _split(value: Expression, delimiter: str) -> Expression:
    # "Multivalue eval functions": the parts between the delimiters.
    if not delimiter:
        raise RefusedError("we do not emit an empty delimiter")
    return lambda row: None if (held := text(value(row))) is None else held.split(delimiter)


def _mvindex(values: Expression, index: int) -> Expression:
    # "Multivalue eval functions": from 0 on, or from -1 backwards; NULL where there is no such value.
    def chosen(row: Row) -> str | None:
        held = values(row)
        if held is None:
            return None
        if not isinstance(held, list):
            raise RefusedError(f"we do not emit mvindex() of {held!r}")
        return held[index] if -len(held) <= index < len(held) else None

    return chosen


def _strftime(value: Expression, layout: str) -> Expression:
    # "Date and time format variables": %3Q is milliseconds, %:z the offset with a colon; the reader's zone here is UTC.
    if layout != TIME_FORMAT:
        raise RefusedError(f"we do not emit the time format {layout}")

    def formatted(row: Row) -> str:
        held = value(row)
        if isinstance(held, bool) or not isinstance(held, float):
            raise RefusedError(f"{held!r} is no time")
        return datetime.fromtimestamp(held, UTC).isoformat(timespec="milliseconds")

    return formatted


# The kinds of the arguments, and at the end of some `*`: as often as wanted, each time all of them.
FUNCTIONS: Mapping[str, tuple[tuple[str, ...], Callable[..., Expression]]] = {
    "case": (("any", "any", "*"), _case),
    "coalesce": (("any", "*"), _coalesce),
    "if": (("any", "any", "any"), _if),
    "isnotnull": (("any",), _isnotnull),
    "isnull": (("any",), _isnull),
    "lower": (("any",), _lower),
    "match": (("any", "text"), _match),
    "mvindex": (("any", "whole"), _mvindex),
    "null": ((), _null),
    "replace": (("any", "text", "text"), _replace),
    "split": (("any", "text"), _split),
    "strftime": (("any", "text"), _strftime),
}
