"""The table of engines: what runs an emitted query over a vendor's rows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from converter.engines.engine import Engine

# By name, the package whose `ENGINE` it is; imported when asked for, for each brings a library of its own.
ENGINES: Mapping[str, str] = {
    "spl": "converter.engines.spl",
}


def named(name: str) -> Engine:
    """The engine of this name; raises KeyError for none."""
    engine: Engine = import_module(ENGINES[name]).ENGINE
    return engine
