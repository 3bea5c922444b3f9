"""What values look like in the logs that a rule is about."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any

from converter.logsource import LogSource


@dataclass(frozen=True)
class Kind:
    """A kind of values; worlds.toml says what each word means."""

    name: str
    plain: tuple[str, ...] = ()
    start: tuple[str, ...] = ("a",)
    inner: tuple[str, ...] = ("b",)
    end: tuple[str, ...] = ("c",)
    rich: tuple[str, ...] = ()
    special: tuple[str, ...] = ()
    separator: str = ""
    begun: re.Pattern[str] | None = None
    real: re.Pattern[str] | None = None
    kept: re.Pattern[str] | None = None
    members: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    lines: bool = False
    padded: bool = False
    number: bool = False
    barred: str = ""


@dataclass(frozen=True)
class World:
    """The kinds of a log source's fields; for a source of unknown system, paths and accounts are of either."""

    known: Mapping[str, str]
    system: bool | None

    def kind(self, field: str, *, unix: bool = False) -> Kind:
        """The kind of this field's values, on a system of that sort."""
        name = self.known.get(field, "text")
        if name in {"path", "account"}:
            windows = "windows_path" if name == "path" else "account"
            return _kinds()[f"unix_{name}" if unix else windows]
        return _kinds()[name]

    def path(self, field: str | None) -> bool:
        """Whether the field holds paths."""
        return field is not None and self.known.get(field) == "path"


def world(logsource: LogSource) -> World:
    """What is known of the values in this log source."""
    document = _document()
    sysmon = logsource.category in document["categories"] and logsource.product in {None, *document["products"]}
    table = document["fields" if sysmon else "elsewhere"]
    unix = None if logsource.product is None else logsource.product in {"linux", "macos"}
    return World({field: kind for kind, named in table.items() for field in named}, unix)


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads((resources.files(__package__) / "worlds.toml").read_text(encoding="utf-8"))


@cache
def _kinds() -> Mapping[str, Kind]:
    patterns = {"begun", "real", "kept"}
    names = {field.name for field in fields(Kind)}
    kinds = {}
    for name, entry in _document()["kinds"].items():
        told = {**_document()["kinds"].get(entry.get("like"), {}), **entry}
        told.pop("like", None)
        if unknown := sorted(told.keys() - names):
            raise ValueError(f"worlds.toml: a kind has no {unknown[0]}")
        shaped: dict[str, Any] = {
            key: re.compile(value) if key in patterns else tuple(value) if isinstance(value, list) else value
            for key, value in told.items()
        }
        kinds[name] = Kind(name, **shaped)
    return kinds
