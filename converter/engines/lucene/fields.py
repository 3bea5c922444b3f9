"""The fields that a query may name, under the mapping of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from converter.engines.engine import Unjudged
from converter.engines.lucene.holding import CASELESS, STRINGS, TEXTS
from converter.engines.store import quoted
from converter.schemas.layout import Column, Table

# Fields that every index has; nothing is known of what they hold.
METADATA = frozenset(
    {"_id", "_index", "_source", "_type", "_routing", "_ignored", "_tier", "_doc_count", "_field_names"}
)


@dataclass(frozen=True)
class Field:
    """A field of the mapping: its type, the SQL of the list of its values, and what the values are like.

    The values of text are its terms; `written` are then the texts themselves, and `phrases` their terms in order.
    """

    name: str
    type: str
    values: str
    lowercase: bool = False
    written: str = ""
    phrases: str = ""
    analyzer: str = ""


def named(table: Table, name: str) -> Field | None:
    """The field of this name, None where the mapping has none; raises Unjudged for a pattern of names."""
    if "*" in name or name in METADATA:
        raise Unjudged(f"the field {name}")
    parent = table.columns.get(name.removesuffix(CASELESS))
    if name in table.columns:
        return _own(table.columns[name])
    if parent is not None and parent.caseless and name.endswith(CASELESS):
        return Field(name, "keyword", f"struct_extract({quoted(parent.name)}, 'c')", lowercase=True)
    return None


def defaults(table: Table) -> Sequence[Field]:
    """The fields in which a word without a field is looked for.

    Fleet sets `index.query.default_field` to the fields of these types, and so do the Beats; sub-fields are not among
    them: `QUERY_DEFAULT_FIELD_TYPES` in Fleet's `default_settings.ts` of https://github.com/elastic/kibana.
    """
    return [_own(column) for column in table.columns.values() if column.type in {"keyword", "wildcard", *TEXTS}]


def below(table: Table, name: str) -> Sequence[Field]:
    """The fields of the object of this name."""
    return [_own(column) for column in table.columns.values() if column.name.startswith(f"{name}.")]


def _own(column: Column) -> Field:
    sql = quoted(column.name)
    if column.type in TEXTS:
        return Field(
            column.name,
            "text",
            f"struct_extract({sql}, 't')",
            lowercase=True,
            written=f"struct_extract({sql}, 'v')",
            phrases=f"struct_extract({sql}, 'p')",
            analyzer=column.analyzer,
        )
    if column.type in STRINGS:
        values = f"struct_extract({sql}, 'v')" if column.caseless else sql
        return Field(column.name, column.type, values, column.lowercase)
    return Field(column.name, column.type, sql)
