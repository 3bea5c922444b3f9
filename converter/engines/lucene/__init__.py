"""Lucene's query strings over documents of a mapping; `Engine` runs them."""

from converter.engines.lucene.engine import Engine

__all__ = ["Engine"]
