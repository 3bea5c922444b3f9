"""How Splunk's add-ons hold a value: as text, and not at all where there is none."""

from __future__ import annotations

from typing import Any

from converter.schemas.forms.form import Cell, Event


def text(value: Any, _event: Event) -> Cell | None:
    """The value as text, a list as several, none where it is empty: Splunk extracts no field without a value."""
    if isinstance(value, list | tuple):
        held = tuple(map(_text, value))
        return held or None
    return None if value is None or value == "" else _text(value)


def _text(value: Any) -> str:
    """As Windows renders it in the event's XML: a truth value in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)
