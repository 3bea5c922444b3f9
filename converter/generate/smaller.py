"""The smallest event that still shows something."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from converter.oracle.events import Event
from converter.oracle.tree import Value

# How often the question may be asked: each time a query runs.
CALLS = 150


def minimised(event: Event, still: Callable[[Event], bool], calls: int = CALLS) -> Event:
    """The event with fields and parts of texts left out for which `still` says so, asked at most `calls` times."""
    shrunk = dict(event)
    left = calls
    done = False
    while left > 0 and not done:
        done = True
        for smaller in _smaller(shrunk):
            if left <= 0:
                break
            left -= 1
            if still(smaller):
                shrunk, done = smaller, False
                break
    return shrunk


def _smaller(event: dict[str, Value]) -> Iterator[dict[str, Value]]:
    """The event without a field, then with a text shortened: by the most first."""
    for field in event:
        yield {name: value for name, value in event.items() if name != field}
    longest = max((len(value) for value in event.values() if isinstance(value, str)), default=0)
    size = longest // 2
    while size:
        for field, value in event.items():
            if isinstance(value, str) and len(value) > size:
                for start in range(0, len(value), size):
                    yield {**event, field: value[:start] + value[start + size :]}
        size //= 2
