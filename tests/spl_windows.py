"""Rows one after the other: `streamstats` over a window of time, `dedup` and `head`, as far as we emit them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tests.spl_reader import FIELD, Reader, RefusedError, Row, time

Rows = list[dict[str, object]]
Command = Callable[[Rows], Rows]
Counting = Callable[[Sequence[Row]], int]
# Search Reference, "Time modifiers".
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# limits.conf, `max_stream_window`.
MOST = 10_000


def streamstats(reader: Reader) -> Command:
    """`streamstats`: each row counts itself and the rows of its group before it, as far back as the window goes."""
    number, unit = reader.need(r"time_window=([0-9]+)([smhd])\b").groups()
    span, counting = int(number) * SECONDS[unit], _counting(reader)
    name = reader.need(rf"as ({FIELD})")[1]
    by = _names(reader) if reader.take(r"by\b") else []

    def counted(rows: Rows) -> Rows:
        _refuse_disorder(rows)
        for last, row in enumerate(rows):
            key = _key(row, by)
            group = [other for other in rows[: last + 1] if _key(other, by) == key]
            if any(time(other) + span == time(row) for other in group):
                raise RefusedError("whether a row exactly as old as the window is long is in it is open")
            window = [other for other in group if time(other) + span > time(row)]
            if len(window) > MOST:
                raise RefusedError(f"a window holds {MOST} rows")
            row[name] = str(counting(window))
        return rows

    return counted


def dedup(reader: Reader) -> Command:
    """`dedup`: the first row of each combination of values, of those that have all the fields."""
    fields = _names(reader)

    def kept(rows: Rows) -> Rows:
        _refuse_disorder(rows)
        first: dict[Sequence[object], dict[str, object]] = {}
        for row in rows:
            key = [row.get(field) for field in fields]
            if None not in key:
                first.setdefault(tuple(key), row)
        return list(first.values())

    return kept


def head(reader: Reader) -> Command:
    """`head`: the first rows."""
    number = int(reader.need(r"[0-9]+(?=\s|$)")[0])

    def kept(rows: Rows) -> Rows:
        _refuse_disorder(rows)
        return rows[:number]

    return kept


def _counting(reader: Reader) -> Counting:
    if reader.take(r"count\b(?!\()"):
        return len
    field = reader.need(rf"dc\(({FIELD})\)")[1]
    return lambda window: len({value for row in window for value in _values(row, field)})


def _values(row: Row, field: str) -> Sequence[object]:
    held = row.get(field)
    return held if isinstance(held, tuple) else () if held is None else (held,)


def _names(reader: Reader) -> Sequence[str]:
    names = [reader.need(FIELD)[0]]
    while found := reader.take(FIELD):
        names.append(found[0])
    return names


def _key(row: Mapping[str, object], by: Sequence[str]) -> Sequence[object]:
    key = [row.get(name) for name in by]
    if not all(isinstance(value, str) for value in key):
        raise RefusedError(f"which groups a row with {key!r} is in is open")
    return key


def _refuse_disorder(rows: Rows) -> None:
    times = [time(row) for row in rows]
    if times != sorted(times):
        raise RefusedError("rows that are not in order of time")
