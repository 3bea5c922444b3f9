"""The verdict on a hunting query: whether it shows the true events of its rules, each once, in its category."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from converter import schemas
from converter.engines.engine import Engine, Hit, Invalid, Unjudged
from converter.engines.live import Live
from converter.engines.store import Store, Stored
from converter.judge import Known, asked_for
from converter.schemas.forms import Cell, Event, Unwritable
from converter.schemas.layout import Layout, Row, Source
from converter.verdicts import Asked, Verdict, verdict

# The time at which hunting queries are run: any will do, as long as it is always the same.
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
# What events say that show every column, in fields that no rule of the pack asks for.
MARKS: Event = {
    "Computer": "HOST7",
    "User": "EXAMPLE\\carol",
    "ParentImage": "C:\\Vendor\\parent.exe",
    "ParentCommandLine": "parent.exe -k",
    "Hashes": f"SHA256={'A1' * 32}",
}
# Columns of packs are called as in this target's tables.
NAMES = "kusto"
# The first column of these names is the time of the event, which no two rows share.
TIMES = ("Timestamp", "TimeGenerated", "@timestamp", "_time")


@dataclass(frozen=True)
class Hunt:
    """A pack's hunting query on one target: its text, and what of it is promised.

    `categories` are in order of precedence, each with its rule as the oracle reads it; `window` is like `24h`. With
    `plain` the text is a query like that of a rule, which names no category.
    """

    text: str
    window: str
    columns: Sequence[str]
    category_column: str
    categories: Sequence[tuple[str, Known]]
    plain: bool = False


@dataclass(frozen=True)
class _Expected:
    """A row with the category that it should be shown under, None for one that should not be shown.

    `columns` is what it is to show, as far as that is told.
    """

    asked: Asked
    time: datetime
    category: str | None
    columns: Mapping[str, Cell] = field(default_factory=dict)


def judged(hunt: Hunt, layout: Layout, engine: Engine | Live) -> Verdict:
    """The verdict on the hunting query; a running cluster runs it at its own now, which is to be about ours."""
    # To the second: times are told apart by their milliseconds.
    now = datetime.now(UTC).replace(microsecond=0) if isinstance(engine, Live) else NOW
    sources = {each.name: each for _, known in hunt.categories for each in layout.sources_of(known.logsource)}
    expected = list(_expected(hunt, layout, list(sources.values()), engine.name, now))
    store = engine if isinstance(engine, Live) else Store(engine, layout)
    unheld: set[int] = set()
    for source in sources.values():
        rows = [each for each in expected if each.asked.source == source.name]
        unheld |= store.load(source, [Stored(each.asked.number, 0, _at(source, each)) for each in rows])
    expected = [each for each in expected if each.asked.number not in unheld]
    try:
        if isinstance(store, Live):
            hits = store.hunt(hunt.text, list(sources.values()))
        else:
            hits = store.engine.hunt(hunt.text, store.connection, layout, list(sources.values()), now)
    except Invalid as invalid:
        return Verdict("broken", f"is no valid query: {invalid}")
    except Unjudged as unjudged:
        return Verdict("untested", f"{engine.name} cannot judge it: {unjudged}")
    finally:
        if isinstance(store, Store):
            store.close()
    return replace(_compared(hunt, expected, hits), unmade=store.unmade if isinstance(store, Live) else ())


def _compared(hunt: Hunt, expected: Sequence[_Expected], hits: Sequence[Hit]) -> Verdict:
    by_time = {each.time: each for each in expected}
    timed = [(by_time.get(_time(hit)), hit) for hit in hits]
    shown = [(each, hit) for each, hit in timed if each is not None]
    if len(shown) < len(timed):
        return Verdict("broken", "shows a time that no event has")
    told = verdict([each.asked for each in expected], {each.asked.number for each, _ in shown})
    if told.kind != "exact" or hunt.plain:
        return told
    times = [each.time for each, _ in shown]
    if len(set(times)) < len(times):
        return Verdict("wider", "shows an event twice", (), told.events)
    if times != sorted(times, reverse=True):
        return Verdict("broken", "does not show the newest events first", (), told.events)
    faults = (fault for each, hit in shown if (fault := _fault(hunt, each, hit, told.events)) is not None)
    return next(faults, told)


def _fault(hunt: Hunt, each: _Expected, hit: Hit, events: tuple[int, int, int]) -> Verdict | None:
    """What is wrong with one row that is shown: its category, its columns, or what stands in them."""
    category = hit.category or hit.columns.get(hunt.category_column)
    if category != each.category:
        reason = f"shows {each.asked.name!r} as {category}, not as {each.category}"
        return Verdict("mixed", reason, (each.asked,), events)
    names = [name for name in hit.columns if name != hunt.category_column]
    wanted = [name for name in hunt.columns if name != hunt.category_column]
    if hit.category is None and names != wanted:
        return Verdict("broken", f"shows the columns {', '.join(names)}, not {', '.join(wanted)}", (), events)
    if len(names) != len(wanted):
        return Verdict("broken", f"shows {len(names)} columns, not {len(wanted)}", (), events)
    if otherwise := _otherwise(hunt, each, hit):
        return Verdict("broken", otherwise, (each.asked,), events)
    return None


def _otherwise(hunt: Hunt, each: _Expected, hit: Hit) -> str:
    """Which column shows something else than it is called, and what; nothing where all are right."""
    values = [value for name, value in hit.columns.items() if name != hunt.category_column]
    for name, held in zip((name for name in hunt.columns if name != hunt.category_column), values, strict=True):
        wanted = each.columns.get(name)
        value = held[0] if isinstance(held, list | tuple) and held else held
        # A path of Windows in an event of another system is one name.
        unix = each.asked.source.endswith(("_linux", "_macos"))
        ends = f"\\{wanted}".lower() if unix or name.endswith("FileName") else None
        if wanted is None or str(value).lower() == str(wanted).lower():
            continue
        if ends is None or not str(value).lower().endswith(ends):
            return f"shows {value!r} as {name}, not {wanted!r}"
    return ""


def _expected(hunt: Hunt, layout: Layout, sources: Sequence[Source], engine: str, now: datetime) -> Iterator[_Expected]:
    """Every row with what should become of it; every third is older than the window. No two have one time."""
    window = timedelta(**{UNITS[hunt.window[-1]]: int(hunt.window[:-1])})
    events: dict[str, tuple[str, Event]] = {}
    for _, known in hunt.categories:
        for made in (*known.events, *asked_for(hunt.text, engine, known, sources)):
            events.setdefault(repr(sorted(made.event.items(), key=str)), (made.name, made.event))
    number = 0
    for name, event in (*events.values(), *_marked(hunt)):
        for source in sources:
            told, category = _category(hunt, layout, source, event)
            if not told:
                continue
            for row in _rows(source, event):
                old = number % 3 == 2  # noqa: PLR2004 - every third
                # Neither rising nor falling with the number: an engine that keeps the order of insertion does not sort.
                back = timedelta(seconds=number * 7919 % 3571, milliseconds=number % 1000)
                if old:
                    time = now - window - timedelta(minutes=1) - back
                elif number % 3:
                    time = now - window + timedelta(minutes=1) + back
                else:
                    time = now - timedelta(minutes=1) - back
                wanted = category is not None and not old
                asked = Asked(number, source.name, f"{name}{', too old' if old else ''}", event, row, wanted)
                columns = _columns(hunt, event) if MARKS.items() <= event.items() else {}
                yield _Expected(asked, time, None if old else category, columns)
                number += 1


def _marked(hunt: Hunt) -> Iterator[tuple[str, Event]]:
    """The first true event of each category, with a value for every column."""
    named = {name for _, known in hunt.categories for name in known.meaning.fields}
    if named & MARKS.keys():
        return
    for category, known in hunt.categories:
        for made in [made for made in known.events if made.truth][:1]:
            # A row each is within the window, at either end, and before it.
            for number in range(3):
                yield f"all columns of {category} ({number})", {**made.event, **MARKS}


def _columns(hunt: Hunt, event: Event) -> Row:
    """What the event shows in each column that its names' table has."""
    layout = schemas.layout(NAMES)
    sources = (
        [source for _, known in hunt.categories for source in layout.sources_of(known.logsource)] if layout else []
    )
    rows = (row for source in sources for row in _rows(source, event))
    return next(iter(rows), {})


def _rows(source: Source, event: Event) -> Sequence[Row]:
    try:
        return source.rows(event)
    except Unwritable:
        return ()


def _category(hunt: Hunt, layout: Layout, source: Source, event: Event) -> tuple[bool, str | None]:
    """Whether the event proves something in this source, and the first category whose rule it is true for."""
    first = None
    for category, known in hunt.categories:
        truth = known.meaning.truth(event)
        if truth is None or (truth and source not in layout.sources_of(known.logsource)):
            # A rule for one system says nothing of events of another.
            return False, None
        if truth and first is None:
            first = category
    return True, first


def _at(source: Source, each: _Expected) -> Row:
    """The row with its time, as the type of its column asks."""
    kind = source.table.columns[source.time].type
    time: Cell = each.time.isoformat() if kind in {"datetime", "date"} else each.time.timestamp()
    row: Mapping[str, Cell] = {**each.asked.row, source.time: time}
    return row


def _time(hit: Hit) -> datetime:
    held = next(hit.columns[name] for name in TIMES if name in hit.columns)
    if isinstance(held, list | tuple):
        held = held[0]
    time = held if isinstance(held, datetime) else datetime.fromisoformat(str(held))
    return time if time.tzinfo else time.replace(tzinfo=UTC)
