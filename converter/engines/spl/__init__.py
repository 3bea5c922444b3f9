"""The embedded engine of SPL: the subset that queries consist of, compiled to DuckDB's SQL."""

from __future__ import annotations

from converter.engines.spl.engine import Spl

ENGINE = Spl()
