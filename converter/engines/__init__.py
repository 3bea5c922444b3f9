"""The table of engines: what runs an emitted query over a vendor's rows, or says whether it is one."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from converter.engines.engine import Engine

# A module of each, which is loaded when it is asked for; it has an ENGINE.
ENGINES = {
    "kql": "converter.engines.kql",
    "spl": "converter.engines.spl",
    "lucene": "converter.engines.lucene",
    "kusto_analyser": "converter.engines.kusto_analyser",
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


def engine(name: str) -> Any:  # noqa: ANN401 - see the module of each
    """The engine of this name; raises KeyError where the table has none."""
    return import_module(ENGINES[name]).ENGINE


def embedded(target: str) -> Engine:
    """The embedded engine that judges the queries of this target."""
    return cast("Engine", engine(JUDGES[target]))
