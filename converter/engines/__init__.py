"""The table of engines: what runs an emitted query over a vendor's rows, or says whether it is one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# A module of each, which is loaded when it is asked for; it has an ENGINE.
ENGINES = {
    "kql": "converter.engines.kql",
    "kusto_analyser": "converter.engines.kusto_analyser",
}


def engine(name: str) -> Any:  # noqa: ANN401 - see the module of each
    """The engine of this name; raises KeyError where the table has none."""
    return import_module(ENGINES[name]).ENGINE
