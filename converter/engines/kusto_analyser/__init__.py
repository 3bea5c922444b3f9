"""Microsoft's own analyser of KQL: a second opinion on a query's syntax, names and types.

Its JavaScript runs in PyPI's mini-racer, without node. It passes what our own engine refuses (`isnull` of a string, bad
regular expressions, IPv6 in `ipv4_*`, a number beside a string), so that each sees what the other does not.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING

from converter.engines.engine import Unjudged
from converter.engines.kusto_analyser import package
from converter.schemas.layout import Layout

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

# Bridge.NET's runtime asks the window to tell it when a page is loaded.
_STUB = "var window = this, self = this; window.addEventListener = function () {};"


@dataclass(frozen=True)
class Analyser:
    """The analyser, as the table of engines lists it."""

    name: str = "kusto_analyser"
    language: str = "KQL"
    version: str = f"language-service-next {package.VERSION}"

    def ready(self) -> bool:
        """Whether a query can be analysed: the extra is installed and the package is in the cache."""
        return ready()

    def analyse(self, query: str, layout: Layout) -> list[str]:
        """What is wrong with the query, a line each; raises Unjudged where the analyser is not there."""
        return analyse(query, layout)

    def add(self) -> str:
        """Fetch what it needs, and give where it is kept; raises package.Unfetched."""
        return str(package.add())


def ready() -> bool:
    """Whether a query can be analysed: the extra is installed and the package is in the cache."""
    return installed() and package.kept()


def installed() -> bool:
    """Whether the extra `analyser` is installed."""
    return find_spec("py_mini_racer") is not None


def analyse(query: str, layout: Layout) -> list[str]:
    """What is wrong with the query on the layout's tables, a line each; none where all is well.

    Raises Unjudged where the analyser is not there.
    """
    engine = _engine(os.getpid())
    key = _globals(engine, json.dumps([[table.name, _columns(layout, table.name)] for table in layout.tables.values()]))
    told = json.loads(str(engine.call("sigmapackAnalyse", key, query)))
    errors = [(code, message, start) for severity, code, message, start in told if severity == "Error"]
    return [f"line {query.count(chr(10), 0, start) + 1}: {message} ({code})" for code, message, start in errors]


@cache
def _engine(process: int) -> MiniRacer:  # noqa: ARG001 - a context that was made before a fork hangs after it
    """The analyser loaded in this process, which takes a second."""
    if not installed():
        raise Unjudged("the extra is missing: pip install 'sigmapack[analyser]'")
    if not package.kept():
        raise Unjudged("the analyser is missing: sigmapack engines add kusto-analyser")
    from py_mini_racer import MiniRacer  # noqa: PLC0415 - an extra

    engine = MiniRacer()
    texts = [(package.folder() / name).read_text(encoding="utf-8") for name in package.FILES]
    ours = resources.files(__package__).joinpath("analysis.js").read_text(encoding="utf-8")
    for text in (_STUB, *texts, ours):
        # The last value of a script would be handed to Python.
        engine.eval(f"{text}\n;0")
    return engine


@cache
def _globals(engine: MiniRacer, tables: str) -> str:
    """The name under which the engine has these tables."""
    key = hashlib.sha256(tables.encode()).hexdigest()
    engine.call("sigmapackLayout", key, json.loads(tables))
    return key


def _columns(layout: Layout, table: str) -> list[list[str]]:
    return [[column.name, column.type] for column in layout.tables[table].columns.values()]


ENGINE = Analyser()
