"""The table of engines: what runs an emitted query over a vendor's rows."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from converter.engines.engine import Engine

# By name; each module offers `ENGINE`.
ENGINES = {
    "kql": "converter.engines.kql",
    "spl": "converter.engines.spl",
    "lucene": "converter.engines.lucene",
}
# The embedded engine that judges the queries of a target.
JUDGES = {
    "kusto": "kql",
    "sentinel": "kql",
    "splunk": "spl",
    "splunk_security": "spl",
    "splunk_cim": "spl",
    "lucene": "lucene",
    "lucene_windows": "lucene",
    "lucene_winlogbeat": "lucene",
}


def engine(name: str) -> Engine:
    """The engine of this name, imported when it is first needed."""
    return cast("Engine", import_module(ENGINES[name]).ENGINE)


def embedded(target: str) -> Engine:
    """The embedded engine that judges the queries of this target."""
    return engine(JUDGES[target])
