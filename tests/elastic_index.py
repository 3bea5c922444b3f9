"""The index of Elastic Defend's process events: its template's types for the fields that the tests fill.

They follow `data_stream/process/fields/fields.yml` of https://github.com/elastic/endpoint-package at 19941229e4e6, not
our pipelines. Each field's `.text`, which no query of ours names, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Properties = Mapping[str, Any]

KEYWORD: Properties = {"type": "keyword", "ignore_above": 1024}
CASELESS: Properties = {"fields": {"caseless": {**KEYWORD, "normalizer": "lowercase"}}}
PATH: Properties = {**KEYWORD, **CASELESS}
COMMAND_LINE: Properties = {"type": "wildcard", **CASELESS}

PROPERTIES: Mapping[str, Properties] = {
    "@timestamp": {"type": "date"},
    "data_stream.dataset": {"type": "constant_keyword"},
    "event.dataset": {"type": "keyword"},
    "data_stream.namespace": {"type": "constant_keyword"},
    "data_stream.type": {"type": "constant_keyword"},
    "event.action": KEYWORD,
    "event.category": KEYWORD,
    "event.type": KEYWORD,
    "host.name": KEYWORD,
    "host.os.type": KEYWORD,
    "process.command_line": COMMAND_LINE,
    "process.executable": PATH,
    "process.hash.sha256": KEYWORD,
    "process.name": PATH,
    "process.parent.command_line": COMMAND_LINE,
    "process.parent.executable": PATH,
    "process.parent.name": PATH,
    "process.parent.pid": {"type": "long"},
    "process.pe.original_file_name": KEYWORD,
    "process.pid": {"type": "long"},
    "process.working_directory": PATH,
    "user.domain": KEYWORD,
    "user.name": KEYWORD,
}


def body(wildcard: Properties) -> dict[str, Any]:
    """The index for a node whose closest type to Elastic's `wildcard` is this one; it refuses a field that it lacks."""
    # A constant_keyword holds one value for the whole index; no query asks for one.
    instead: Mapping[str, Properties] = {"wildcard": wildcard, "constant_keyword": KEYWORD}
    properties = {name: {**held, **instead.get(held["type"], {})} for name, held in PROPERTIES.items()}
    # As Fleet sets it. With a list of any fields, a word on a number fails the query; the default of * would hide it.
    words = [name for name, held in PROPERTIES.items() if held["type"] in {"keyword", "wildcard"}]
    settings = {"index.query.default_field": words}
    return {"settings": settings, "mappings": {"dynamic": "strict", "properties": properties}}
