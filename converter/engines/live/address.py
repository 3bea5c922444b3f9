"""Where a cluster is asked, and as whom; what is shown of it never names the password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from converter.errors import SigmapackError, UsageError

_PORTS = {"http": 80, "https": 443}


class Unreachable(SigmapackError):  # noqa: N818 - what became of the question
    """The cluster gives no answer: it is not there, refuses who asks, or has a fault of its own."""


@dataclass(frozen=True)
class Address:
    """A URL taken apart; its text is without user and password."""

    scheme: str
    host: str
    port: int
    path: str
    account: tuple[str, str] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def address(url: str) -> Address:
    """The URL taken apart; raises UsageError for what is none of http or https."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        parts, port, host = urlsplit(""), None, None
    if parts.scheme not in _PORTS or not host:
        # The text may hold a password, so it is not repeated.
        raise UsageError("an engine's URL is like http://127.0.0.1:9200 or https://user:password@host:9200")
    account = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"), account)
