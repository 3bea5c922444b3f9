"""An event, and the values of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from converter.oracle.tree import Scalar, Value

Event = Mapping[str, Value]


def values(event: Event, field: str) -> Sequence[Scalar]:
    """The values of the field; none where the field is absent, null or an empty list."""
    value = event.get(field)
    if value is None:
        return ()
    if isinstance(value, str | int | float):
        return (value,)
    # What was read from JSON may hold a null in a list; it is no value.
    return value if None not in value else [one for one in value if one is not None]
