"""The engines that a user names, those of running clusters with their URL."""

from __future__ import annotations

from collections.abc import Sequence

from converter.engines import JUDGES
from converter.engines.live import CLIENTS, address
from converter.errors import UsageError


def engines_of(named: Sequence[str]) -> dict[str, str]:
    """The URL of each that is named, empty for an embedded one; raises UsageError."""
    found: dict[str, str] = {}
    embedded = list(dict.fromkeys(JUDGES.values()))
    for each in named:
        name, _, url = each.partition("=")
        if name not in CLIENTS and name not in embedded:
            # What stands behind the name may hold a password.
            raise UsageError(f"no engine is called {name}; have: {', '.join((*embedded, *CLIENTS))}")
        if name in found:
            raise UsageError(f"--engine {name} is given twice")
        if name in embedded and url:
            raise UsageError(f"--engine {name} runs in this process and takes no URL")
        if name in CLIENTS:
            # A fault in the URL is told before any work is done.
            address(url)
        found[name] = url
    return found
