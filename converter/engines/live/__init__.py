"""Running clusters: Elasticsearch and OpenSearch, asked over HTTP through their vendors' clients."""

from __future__ import annotations

from converter.engines.live.address import Unreachable, address
from converter.engines.live.clients import CLIENTS
from converter.engines.live.index import PREFIX
from converter.engines.live.live import Live

__all__ = ["CLIENTS", "PREFIX", "Live", "Unreachable", "address"]
