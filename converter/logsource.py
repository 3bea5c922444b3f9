"""What a Sigma rule says of its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LogSource:
    """What a Sigma rule says of its data; `definition`, which is for people, is left out."""

    category: str | None = None
    product: str | None = None
    service: str | None = None

    @classmethod
    def of(cls, logsource: Mapping[str, Any]) -> LogSource:
        """What a rule's `logsource` says, as it stands in its YAML."""
        parts = (logsource.get(key) for key in ("category", "product", "service"))
        return cls(*(None if part is None else str(part) for part in parts))

    def __str__(self) -> str:
        parts = {"category": self.category, "product": self.product, "service": self.service}
        return ", ".join(f"{key} {value}" for key, value in parts.items() if value is not None)
