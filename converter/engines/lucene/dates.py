"""Dates of the format `strict_date_optional_time||epoch_millis` and their arithmetic, in milliseconds since 1970.

After https://www.elastic.co/docs/reference/elasticsearch/rest-apis/common-options#date-math and the page on the format.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from converter.engines.engine import Invalid, Unjudged

_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:T(?:(?P<hour>\d\d)(?::(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?)?)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
_EPOCH = re.compile(r"-?\d{5,}", re.ASCII)
_NOW = re.compile(r"now(?:([+-])(\d+)([smhHdw]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "H": "hours", "d": "days", "w": "weeks"}
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# What stands for a part that is left out: the first, or in a bound that is rounded up the last.
_FIRST = {"month": "1", "day": "1", "hour": "0", "minute": "0", "second": "0", "part": "0"}
_LAST = {**_FIRST, "hour": "23", "minute": "59", "second": "59", "part": "999"}


def moment(text: str, *, up: bool = False) -> int:
    """The time that a text names, or the last millisecond of what it names if `up`; raises ValueError for no date.

    A month or day that is left out is the first even then, a time that is left out the last.
    """
    if _EPOCH.fullmatch(text):
        return int(text)
    found = _ISO.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no date")
    held = {name: found[name] or filled for name, filled in (_LAST if up else _FIRST).items()}
    zone = _offset(found["zone"])
    hour, minute, second = (int(held[name]) for name in ("hour", "minute", "second"))
    day = datetime(int(found["year"]), int(held["month"]), int(held["day"]), tzinfo=UTC)
    part = int(held["part"].ljust(3, "0")[:3])
    return (day - _START) // _MILLISECOND + ((hour * 60 + minute) * 60 + second) * 1000 + part - zone


def bound(text: str, now: datetime | None, *, up: bool) -> int:
    """A bound of a range, which may be counted from now; raises Invalid for no date, Unjudged without a time of now."""
    if not text.startswith("now") and "||" not in text:
        try:
            return moment(text, up=up)
        except ValueError as error:
            raise Invalid(str(error)) from None
    found = _NOW.fullmatch(text)
    if found is None:
        raise Unjudged(f"{text!r}: this arithmetic of dates")
    if now is None:
        raise Unjudged(f"{text!r} asks for the time of now")
    sign, count, unit = found.groups()
    away = timedelta(**{_UNITS[unit]: int(count)}) if sign else timedelta()
    return (now + (away if sign == "+" else -away) - _START) // _MILLISECOND


def written(milliseconds: int) -> str:
    """The time as a search's `fields` show it."""
    when = _START + milliseconds * _MILLISECOND
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _offset(zone: str | None) -> int:
    """The milliseconds by which the time of a zone is before that of Greenwich."""
    if zone is None or zone == "Z":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    away = (int(digits[:2]) * 60 + int(digits[2:])) * 60_000
    return -away if zone[0] == "-" else away
