"""The tables of Microsoft's two products, their columns, and the columns that we compute from them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converter.targets.target import Route

# What Log Analytics adds to every table says nothing of the event, and `Type` and `TenantId` sound as if it did.
# https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns
STANDARD = {"Type", "TenantId", "SourceSystem"}


@dataclass(frozen=True)
class Computed:
    """A column that a query computes: `never` is a pattern of values that it cannot hold, `because` says why."""

    expression: str
    type: str = "string"
    never: str = ""
    because: str = ""


@cache
def columns_file() -> Mapping[str, Any]:
    """Our own TOML file of columns: by table the ones to compute, and tables that the stock backend does not know."""
    text = Path(__file__).with_name("columns.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def is_sentinel(route: Route) -> bool:
    """Whether the route's table is one of Log Analytics, not of Defender's advanced hunting."""
    return route.options.get("schema") == "sentinel"


def time(route: Route) -> str:
    """The column that says when an event was."""
    return "TimeGenerated" if is_sentinel(route) else "Timestamp"


def stored(route: Route) -> Mapping[str, str]:
    """The Kusto type of every column that the route's table stores."""
    return _stored(route.data, sentinel=is_sentinel(route))


@cache
def _stored(table: str, *, sentinel: bool) -> Mapping[str, str]:
    tables = _tables(sentinel=sentinel)
    if table not in tables:
        return dict(columns_file()["tables"][table])
    # One of the stock names begins with a space.
    kinds = {name.strip(): column["data_type"].lower() for name, column in tables[table].items()}
    dropped = STANDARD if sentinel else set()
    return {
        name: {"boolean": "bool", "double": "real", "bigint": "long", "guid": "string"}.get(kind, kind)
        for name, kind in kinds.items()
        if name not in dropped and not name.startswith("_")
    }


def _tables(*, sentinel: bool) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """The stock backend's tables; those of the one product are 45,000 lines, which the other does without."""
    product, name = ("azuremonitor", "AZURE_MONITOR_TABLES") if sentinel else ("microsoftxdr", "MICROSOFT_XDR_TABLES")
    found: Mapping[str, Mapping[str, Mapping[str, str]]] = getattr(
        import_module(f"sigma.pipelines.{product}.tables"), name
    )
    return found


@lru_cache(maxsize=512)
def computed(route: Route) -> Mapping[str, Computed]:
    """The columns that a query on this route can compute, by name: those of its table, and its own."""
    shared: Mapping[str, Any] = columns_file()["computed"].get(route.data, {})
    # `event_data` names values of an event's own data, which the table keeps in one dynamic column.
    # Brackets, since a name may be no identifier.
    data = {name: f'tostring(EventData["{name}"])' for name in route.options.get("event_data", ())}
    entries = {**shared, **data, **route.options.get("computed", {})}
    return {name: Computed(entry) if isinstance(entry, str) else Computed(**entry) for name, entry in entries.items()}


@lru_cache(maxsize=512)
def types(route: Route) -> Mapping[str, str]:
    """The Kusto type of every column that a query on this route may name."""
    return dict(stored(route)) | {name: column.type for name, column in computed(route).items()}
