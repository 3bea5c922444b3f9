"""The mode `--stock`: what sigma-cli writes for a rule, without our repairs and routes.

For comparison, and for CI jobs that want unchanged text. The reference is `sigma convert -s -t TARGET -p PIPELINE -o
FILE RULE` of sigma-cli 3.1.0, on one rule at a time: what a rule becomes never hangs on the rules before it.
"""

from __future__ import annotations

from converter.stock.backend import Fault, StockBackend, Texts
from converter.stock.documents import Unit, units
from converter.stock.options import STOCK_PIPELINES, StockOptions, backend_for, built_in, load, own_pipelines, resolved

__all__ = [
    "STOCK_PIPELINES",
    "Fault",
    "StockBackend",
    "StockOptions",
    "Texts",
    "Unit",
    "backend_for",
    "built_in",
    "load",
    "own_pipelines",
    "resolved",
    "units",
]
