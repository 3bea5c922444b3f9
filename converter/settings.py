"""A TOML table of settings, read key by key with clear errors."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from converter import documents
from converter.errors import SigmapackError


@dataclass(frozen=True)
class Settings:
    """One table of a TOML file; every method raises SigmapackError with path and line where the value is not sound."""

    path: Path
    text: str
    values: Mapping[str, Any]

    def string(self, key: str) -> str:
        """The non-empty string under `key`."""
        value = self.values.get(key)
        if not isinstance(value, str) or not value:
            self.fail(key, f"{key} must be a non-empty string")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """The non-empty list of strings under `key`, each once."""
        value = self.values.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            self.fail(key, f"{key} must be a non-empty list of strings")
        if len(set(value)) != len(value):
            self.fail(key, f"{key} names something twice")
        return tuple(value)

    def choice(self, key: str, values: Collection[str]) -> str:
        """The string under `key`, which must be one of the values."""
        value = self.string(key)
        if value not in values:
            self.fail(key, f"{key} must be one of {', '.join(values)}, not {value}", value)
        return value

    def window(self, key: str) -> str:
        """The span of time under `key`: a positive whole number and `m`, `h` or `d`, like `24h`."""
        value = self.string(key)
        if not re.fullmatch(r"[1-9][0-9]*[mhd]", value):
            self.fail(key, f"{key} must be a number and m, h or d, like 24h, not {value}")
        return value

    def table(self, key: str) -> Settings:
        """The table under `key`."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            self.fail(key, f"{key} must be a table")
        return Settings(self.path, self.text, value)

    def tables(self, key: str) -> list[Settings]:
        """The non-empty array of tables under `key`."""
        value = self.values.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
            self.fail(key, f"{key} must be one table or more, each headed [[…{key}]]")
        return [Settings(self.path, self.text, item) for item in value]

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raise where a key stands that nobody reads, with the nearest that somebody does."""
        for key in self.values:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                self.fail(key, f"unknown key {key}; " + (f"did you mean {near[0]}?" if near else "delete it"))

    def fail(self, key: str, message: str, value: str = "") -> NoReturn:
        """Raise the message with the line of the key, or of the value where that is given."""
        raise SigmapackError(message, self.path, documents.line_of(self.text, key, value))
