"""What a form takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Scalar = str | int | float | bool
# A value in a column; several are a tuple.
Cell = Scalar | tuple[Scalar, ...]
# Sigma's field names and what they hold; a field that is not there is left out or None.
Event = Mapping[str, "Scalar | Sequence[Scalar] | None"]


class Unwritable(Exception):  # noqa: N818 - no error: there is no such event
    """The source cannot have written such an event; the message says why."""


# How a value stands in a column: the cell, None for none; raises Unwritable.
Form = Callable[..., Cell | None]
