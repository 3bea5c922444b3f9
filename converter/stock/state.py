"""Fresh state for each rule at a tenth of the price of a fresh pipeline.

pySigma's transformations change as they work: Kusto's error text grows with each failure, its field map is that of the
last rule's table, and what a pipeline file declares may be appended to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

Container = dict[Any, Any] | list[Any] | set[Any]


def remembered(root: object) -> Callable[[], None]:
    """A call that puts pySigma's objects below `root`, and all that they hold, back to how they are now."""
    held = list(_containers(root))

    def restore() -> None:
        for container, content in held:
            # To compare is half the price of filling, and hardly any has changed.
            if container == content:
                continue
            if isinstance(container, list):
                container[:] = content
            else:
                container.clear()
                container.update(content)

    return restore


def _containers(root: object) -> list[tuple[Container, Any]]:
    found: list[tuple[Container, Any]] = []
    seen: dict[int, object] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        # Kept, so that no other object gets its id meanwhile.
        seen[id(one)] = one
        if isinstance(one, dict | list | set):
            found.append((one, one.copy()))
            waiting.extend(one.values() if isinstance(one, dict) else one)
        elif isinstance(one, tuple | frozenset):
            waiting.extend(one)
        elif _is_of_pysigma(one):
            waiting.append(vars(one))
    return found


def _is_of_pysigma(one: object) -> bool:
    """Whether the object is one of pySigma's or a plugin's; those of other libraries look after themselves."""
    return type(one).__module__.startswith("sigma.") and hasattr(one, "__dict__") and not isinstance(one, Enum | type)


def forget_counters() -> None:
    """Set back what Splunk's backend counts in a class: a rule that fails leaves its count to the next."""
    splunk = sys.modules.get("sigma.backends.splunk.splunk")
    if splunk is not None:
        splunk.SplunkDeferredORRegularExpression.reset()
