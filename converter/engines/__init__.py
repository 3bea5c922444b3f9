"""The table of engines: what runs an emitted query over a vendor's rows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from converter.engines.engine import Engine

# The module of each engine; its class there is `Engine`, made without arguments.
ENGINES: Mapping[str, str] = {
    "lucene": "converter.engines.lucene",
}


def engine(name: str) -> Engine:
    """The engine of this name, imported only now: each brings its own libraries."""
    made: Engine = import_module(ENGINES[name]).Engine()
    return made
