"""Windows that slide: the embedded engine of SPL finds the groups that the evaluator written in Python alone finds."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from converter.engines.engine import Invalid, Unjudged
from converter.engines.spl import ENGINE
from converter.schemas.forms import Cell
from tests import spl
from tests.spl_reader import RefusedError
from tests.splunk_store import layout, store

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)
FIELDS = ("_time", "a", "b", "c")
COUNTED = {"count": "count", "dc(c)": "value_count"}
WINDOW = (
    "a=*\n| sort 0 _time\n| streamstats time_window=10s count as n by a\n| where n >= 2\n| dedup a\n| table _time, a, n"
)


def correlated(query: str, rows: Sequence[Mapping[str, Cell]]) -> list[dict[str, object]]:
    held = store(rows, layout(FIELDS))
    return ENGINE.correlate(query, held.connection, held.layout, held.layout.sources)


def groups(rows: Sequence[Mapping[str, object]], by: Sequence[str]) -> set[tuple[object, ...]]:
    """The groups, and when each met the condition: of events of one time any may be the one that is shown."""
    return {(row["_time"], *(row[name] for name in by)) for row in rows}


def drawn(luck: random.Random, *, whole: bool) -> list[dict[str, Cell]]:
    rows: list[dict[str, Cell]] = []
    for _ in range(luck.randint(1, 30)):
        moment = float(luck.randint(0, 60)) if whole else luck.uniform(0, 60)
        row: dict[str, Cell] = {"_time": moment, "a": luck.choice("xyX"), "b": luck.choice("uv")}
        match luck.randrange(6):
            case 0:
                row["c"] = tuple(luck.sample("pqrs", 2))
            case 1:
                pass
            case _:
                row["c"] = luck.choice("pqrs")
        if luck.random() < 0.1:
            del row["a"]
        rows.append(row)
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_both_find_the_same_groups(seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - no secret
    judged = some = 0
    for number in range(50):
        function, name = luck.choice(list(COUNTED.items()))
        by = luck.choice([["a"], ["b"], ["a", "b"], []])
        present = f"\n| where {' AND '.join(f'isnotnull({field})' for field in by)}" if by else ""
        kept = f"dedup {' '.join(by)}" if by else "head 1"
        grouped = f" by {' '.join(by)}" if by else ""
        query = (
            f"(a=* OR b=*){present}\n| sort 0 _time\n| streamstats time_window={luck.choice(['7s', '20s', '1m'])} "
            f"{function} as {name}{grouped}\n| where {name} {luck.choice(['>', '>='])} {luck.randint(1, 6)}\n"
            f"| {kept}\n| table {', '.join(['_time', *by, name])}"
        )
        rows = drawn(luck, whole=number % 3 == 0)
        try:
            wanted = groups(spl.run(query, [dict(row) for row in rows], NOW), by)
        except RefusedError:
            with pytest.raises(Unjudged):
                correlated(query, rows)
            continue
        assert groups(correlated(query, rows), by) == wanted, (query, rows)
        judged += 1
        some += bool(wanted)
    assert judged > 25
    assert some > 5


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ([100.0, 109.9], [{"_time": 109.9, "a": "x", "n": "2"}]),
        ([109.9, 100.0], [{"_time": 109.9, "a": "x", "n": "2"}]),
        ([100.0, 110.1], []),
        ([99.8, 100.1, 109.9], [{"_time": 100.1, "a": "x", "n": "2"}]),
        ([100.0, 200.0, 205.0, 300.0, 305.0], [{"_time": 205.0, "a": "x", "n": "2"}]),
    ],
)
def test_a_window_ends_with_each_event(times: Sequence[float], wanted: list[dict[str, object]]) -> None:
    assert correlated(WINDOW, [{"_time": time, "a": "x"} for time in times]) == wanted


@pytest.mark.parametrize(
    ("query", "rows", "reason"),
    [
        (WINDOW, [{"_time": 100.0, "a": "x"}, {"_time": 110.0, "a": "x"}], "exactly as old"),
        (WINDOW, [{"_time": 100.0, "a": ("x", "y")}], "not of one value"),
        (
            WINDOW.replace("a=*", "b=*"),
            [{"_time": 1.0, "b": "x"}, {"_time": 2.0, "a": "x", "b": "x"}],
            "not of one value",
        ),
        (WINDOW.replace("| sort 0 _time\n", ""), [{"_time": 100.0, "a": "x"}], "no order of time"),
        (WINDOW.replace("sort 0 _", "sort 0 - _"), [{"_time": 100.0, "a": "x"}], "no order of time"),
        (WINDOW.replace("0 _time", "0 a"), [{"_time": 100.0, "a": "x"}], "sort by a"),
        (WINDOW.replace("count as", "max(b) as"), [{"_time": 100.0, "a": "x"}], "the function max"),
        (WINDOW.replace("10s", "1mon"), [{"_time": 100.0, "a": "x"}], "the span 1mon"),
        (WINDOW.replace("time_window=10s", "window=5"), [{"_time": 100.0, "a": "x"}], "the form"),
    ],
)
def test_what_no_manual_settles_is_unjudged(query: str, rows: Sequence[Mapping[str, Cell]], reason: str) -> None:
    with pytest.raises(Unjudged, match=reason):
        correlated(query, rows)


def test_half_a_row_is_invalid() -> None:
    with pytest.raises(Invalid):
        correlated(WINDOW.replace("dedup a", "head 1.5"), [{"_time": 100.0, "a": "x"}])
