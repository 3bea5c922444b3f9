"""Lucene's query strings over documents of a mapping; `ENGINE` runs them."""

from converter.engines.lucene.engine import Engine

ENGINE = Engine()

__all__ = ["ENGINE", "Engine"]
