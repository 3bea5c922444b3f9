"""The index that holds rows of one table: its mapping, as the table's columns say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from converter.engines.engine import OWNER, ROW
from converter.schemas.layout import Column, Table

# What begins the name of each index of ours.
PREFIX = "sigmapack-test-"
# Types of fields and of an analyser that a cluster may lack, each with the one that stands for it.
INSTEAD: Mapping[str, str] = {"wildcard": "keyword", "match_only_text": "text", "pattern": "standard"}
# One value in a whole index, in which our rows differ. It takes the queries of a keyword:
# https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/keyword#constant-keyword-field-type
_CONSTANT = "constant_keyword"
# https://github.com/elastic/endpoint-package: each `.caseless` is such a field.
_CASELESS = {"type": "keyword", "ignore_above": 1024, "normalizer": "lowercase"}
# The types of the fields that a word without a field is looked for in: `QUERY_DEFAULT_FIELD_TYPES` in Fleet's
# `default_settings.ts` of https://github.com/elastic/kibana.
_WORDS = frozenset({"keyword", "match_only_text", "text", "wildcard"})
# The analyser of `powershell.file.script_block_text`, the only `text` of the layouts: `powershell_script_analyzer` of
# https://github.com/elastic/integrations and of https://github.com/elastic/beats.
_SCRIPTS = "powershell_script_analyzer"
SCRIPTS_LACK = "pattern"
_ANALYSIS = {"analyzer": {_SCRIPTS: {"type": SCRIPTS_LACK, "pattern": r"[\W&&[^-]]+"}}}


def body(table: Table, lacking: Collection[str]) -> dict[str, Any]:
    """What creates the index, on a cluster that lacks these types."""
    properties = {column.name: _property(column, lacking) for column in table.columns.values()}
    # A list, as Elastic's templates set it: with one, a word on a number fails the query; `*` would hide that.
    words = [column.name for column in table.columns.values() if column.type in _WORDS]
    scripts = SCRIPTS_LACK not in lacking and any(column.type == "text" for column in table.columns.values())
    return {
        "settings": {"index.query.default_field": words, **({"analysis": _ANALYSIS} if scripts else {})},
        "mappings": {
            "dynamic": "strict",
            "properties": {**properties, ROW: {"type": "long"}, OWNER: {"type": "long"}},
        },
    }


def lacks(table: Table, lacking: Collection[str]) -> set[str]:
    """Those of the lacking types that the table asks for."""
    asked = {SCRIPTS_LACK if column.type == "text" else column.type for column in table.columns.values()}
    return asked & set(lacking)


def uncut(table: Table, lacking: Collection[str], query: str) -> str | None:
    """A text that the query names and that the cluster would cut into other words than the vendor's."""
    if SCRIPTS_LACK not in lacking:
        return None
    return next(
        (column.name for column in table.columns.values() if column.type == "text" and column.name in query), None
    )


def _property(column: Column, lacking: Collection[str]) -> dict[str, Any]:
    kind = "keyword" if column.type == _CONSTANT else column.type
    told: dict[str, Any] = {"type": INSTEAD[kind] if kind in lacking else kind}
    if column.ignore_above is not None:
        told["ignore_above"] = column.ignore_above
    if column.lowercase:
        told["normalizer"] = "lowercase"
    if kind == "text" and SCRIPTS_LACK not in lacking:
        told["analyzer"] = _SCRIPTS
    if column.caseless:
        told["fields"] = {"caseless": _CASELESS}
    return told
