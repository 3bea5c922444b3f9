"""What a vendor stores of an event: tables with typed columns, and per log source a map from Sigma's fields to them.

All of it is data in the TOML files of this folder, after the vendors' documentation, never after the pipelines of
targets: rows made by it are what emitted queries are judged on. A file has

    [[tables]]   name, docs, columns = { <column> = "<type>" or { type = …, ignore_above = …, … } }, or, shorter,
                 types = { <type> = [columns] }; `like` names a table of the same file whose columns it takes over
    [[sources]]  name, logsources, table, docs, time, fixed, dropped, implied (what every event of the source says of
                 itself in Sigma's fields: EventType = "SetValue"), always (fields that no event of it is
                 without), usual (such fields with the value of an event that does not name them); `like` names a
                 source of the same file, which it takes all else from, but for the fields that it drops; then
      [sources.fields]      <Sigma field> = a column, or { column, form, … }, or a list of these; an empty list
                            takes the field of `like` away
      [sources.kept]        form, names: Sigma fields that stand in the column of their own name, in this form
      [[sources.readings]]  because, and `fixed` and `fields` that replace those of the source: where the documentation
                            leaves a layout open, an event has one row more for each
      [[sources.strangers]] because, set: a row of another kind of event, which no rule of this log source may find;
                            `set` holds columns to replace, an empty list takes a column away
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any

from converter.logsource import LogSource
from converter.schemas.forms import FORMS, PLAIN, Cell, Event, Form, Unwritable
from converter.schemas.forms.form import Scalar

Row = Mapping[str, Cell]


@dataclass(frozen=True)
class Column:
    """A column or field as the vendor types it.

    `type` is the vendor's own word: string, long, int, bool, real, datetime, dynamic, guid (Kusto) · string (Splunk) ·
    keyword, wildcard, text, match_only_text, ip, long, date, boolean, constant_keyword (Elastic). `lowercase`: a
    keyword with a lowercase normalizer. `ignore_above`: longer values, in characters, are stored and not indexed.
    `caseless`: it has a sub-field `<name>.caseless`, a keyword with a lowercase normalizer and `ignore_above` 1024.
    `analyzer`: how text is cut into terms, `standard` or `powershell_script` (Winlogbeat's, at all but ASCII letters,
    digits, `_` and `-`).
    """

    name: str
    type: str
    ignore_above: int | None = None
    lowercase: bool = False
    caseless: bool = False
    analyzer: str = "standard"


@dataclass(frozen=True)
class Table:
    """A table, or the fields of an index, with the vendor's page that names its columns."""

    name: str
    docs: str
    columns: Mapping[str, Column]


@dataclass(frozen=True)
class Part:
    """Where one Sigma field goes: a column, in which form (one of FORMS), with what the form has to be told."""

    column: str
    form: str = "same"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """One way to read the documentation of a source: what each of its rows holds, and where each Sigma field goes."""

    because: str
    fixed: Mapping[str, Cell]
    fields: Mapping[str, Sequence[Part]]

    @cached_property
    def steps(self) -> Sequence[tuple[str, Form, Part, bool]]:
        """Each part with its Sigma field and form, and whether an absent field leaves its column empty."""
        return [
            (name, FORMS[part.form], part, part.form in PLAIN) for name, parts in self.fields.items() for part in parts
        ]


@dataclass(frozen=True)
class Stranger:
    """A change that makes a row one of another kind of event."""

    because: str
    change: Mapping[str, Cell]

    def of(self, row: Row) -> Row:
        """The row as this other kind of event has it, which no rule of the row's log source may find."""
        return {name: cell for name, cell in {**row, **self.change}.items() if cell != ()}


@dataclass(frozen=True)
class Source:
    """What a vendor stores of the events of some log sources.

    `dropped` are Sigma fields that it documents not to keep. `time` is the column of the event's time, which rows
    leave to who loads them. `implied` is what every event of it says in Sigma's fields, named or not;
    `always` are fields that each fills, with one value or another, `usual` such fields with the value that is taken
    for an event that leaves them out.
    """

    name: str
    logsources: Sequence[LogSource]
    table: Table
    docs: str
    time: str
    dropped: frozenset[str]
    readings: Sequence[Reading]
    strangers: Sequence[Stranger]
    implied: Mapping[str, Scalar]
    always: frozenset[str] = frozenset()
    usual: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def fields(self) -> frozenset[str]:
        """The Sigma fields that this source keeps, by its documentation."""
        return frozenset({*self.readings[0].fields, *self.implied})

    def unknown(self, fields: set[str]) -> set[str]:
        """Those of the fields of which the schema does not say whether and where they are kept."""
        return fields - self.fields - self.dropped

    def completed(self, event: Event) -> Event:
        """The event with what every event of this source says: what is to be judged, for the rows hold it.

        Raises Unwritable for an event that says otherwise, or lacks what each has.
        """
        event = {**self.usual, **event}
        for name in (*self.always, *self.usual):
            if event.get(name) is None or event.get(name) == "":
                raise Unwritable(f"no event of {self.name} is without {name}")
        for name, value in self.implied.items():
            if name in event and str(event[name]).casefold() != str(value).casefold():
                raise Unwritable(f"{name} is {value} in every event of {self.name}, not {event[name]!r}")
        return {**event, **{name: value for name, value in self.implied.items() if name not in event}}

    def rows(self, event: Event) -> list[Row]:
        """The event as this source holds it, a row for each reading; a column without a value is left out.

        Raises Unwritable for an event that the source cannot have written. Fields that it does not keep are left out.
        """
        rows: list[Row] = []
        completed = self.completed(event)
        for reading in self.readings:
            row = dict(_row(reading, completed))
            if row not in rows:
                rows.append(row)
        return rows


@dataclass(frozen=True)
class Layout:
    """All that one data layout stores, by a vendor's documentation."""

    name: str
    tables: Mapping[str, Table]
    sources: Sequence[Source]

    def sources_of(self, logsource: LogSource) -> list[Source]:
        """The sources that hold events of the log source: several where it does not say which system they are of."""
        return [source for source in self.sources if logsource in source.logsources]


@cache
def read(name: str) -> Layout:
    """The layout of this name: that of `<name>.toml` in this folder."""
    document = tomllib.loads((resources.files(__package__) / f"{name}.toml").read_text(encoding="utf-8"))
    tables = {table.name: table for table in _tables(document["tables"])}
    return Layout(name, tables, tuple(_sources(document["sources"], tables)))


def _row(reading: Reading, event: Event) -> Iterator[tuple[str, Cell]]:
    yield from reading.fixed.items()
    for name, form, part, is_plain in reading.steps:
        value = event.get(name)
        # Most fields are absent from most events.
        if value is None and is_plain:
            continue
        cell = form(value, event, **part.options)
        if cell is not None:
            yield part.column, cell


def _tables(entries: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    done: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        listed = {name: told for told, names in entry.get("types", {}).items() for name in names}
        columns = {**(done[entry["like"]] if "like" in entry else {}), **listed, **entry.get("columns", {})}
        done[entry["name"]] = columns
        typed = {name: {"type": told} if isinstance(told, str) else told for name, told in columns.items()}
        yield Table(entry["name"], entry["docs"], {name: Column(name, **told) for name, told in typed.items()})


def _sources(entries: Sequence[Mapping[str, Any]], tables: Mapping[str, Table]) -> Iterator[Source]:
    done: dict[str, dict[str, Any]] = {}
    for written in entries:
        like = dict(done[written["like"]]) if "like" in written else {}
        # What the one keeps and the other drops is dropped.
        kept = like.get("fields", {}).items()
        like["fields"] = {name: told for name, told in kept if name not in written.get("dropped", ())}
        entry = {**like, **written}
        kept = written.get("kept", {"names": ()})
        own = {name: {"column": name, "form": kept["form"]} for name in kept["names"]}
        entry["fixed"] = {**like.get("fixed", {}), **written.get("fixed", {})}
        entry["fields"] = {**like.get("fields", {}), **own, **written.get("fields", {})}
        done[entry["name"]] = entry
        yield _source(entry, tables[entry["table"]])


def _source(entry: Mapping[str, Any], table: Table) -> Source:
    first = Reading("documented", _cells(entry["fixed"]), _fields(entry["fields"]))
    others = tuple(
        Reading(
            told["because"],
            {**first.fixed, **_cells(told.get("fixed", {}))},
            {**first.fields, **_fields(told.get("fields", {}))},
        )
        for told in entry.get("readings", ())
    )
    source = Source(
        name=entry["name"],
        logsources=tuple(LogSource(**named) for named in entry["logsources"]),
        table=table,
        docs=entry["docs"],
        time=entry["time"],
        dropped=frozenset(entry.get("dropped", ())),
        readings=(first, *others),
        strangers=tuple(Stranger(told["because"], _cells(told["set"])) for told in entry.get("strangers", ())),
        implied=dict(entry.get("implied", {})),
        always=frozenset(entry.get("always", ())),
        usual=dict(entry.get("usual", {})),
    )
    _check(source)
    return source


def _fields(entries: Mapping[str, Any]) -> dict[str, tuple[Part, ...]]:
    listed = {name: told if isinstance(told, list) else [told] for name, told in entries.items()}
    return {name: tuple(map(_part, told)) for name, told in listed.items() if told}


def _part(told: str | Mapping[str, Any]) -> Part:
    if isinstance(told, str):
        return Part(told)
    options = {key: value for key, value in told.items() if key not in {"column", "form"}}
    return Part(told["column"], told.get("form", "same"), options)


def _cells(told: Mapping[str, Any]) -> dict[str, Cell]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}


def _check(source: Source) -> None:
    """Raise ValueError for a column that the source's table does not have."""
    named = {source.time}
    for reading in source.readings:
        named |= reading.fixed.keys() | {part.column for parts in reading.fields.values() for part in parts}
    for stranger in source.strangers:
        named |= stranger.change.keys()
    if unknown := sorted(named - source.table.columns.keys()):
        raise ValueError(f"{source.name}: {source.table.name} has no column {unknown[0]}")


__all__ = ["Column", "Layout", "Row", "Source", "Table", "Unwritable", "read"]
