"""Fresh state for each rule at a tenth of the price of a fresh pipeline.

pySigma's transformations change as they work: Kusto's error text grows with each failure, its field map is that of the
last rule's table, and what a pipeline file declares may be appended to.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from itertools import compress
from types import MappingProxyType
from typing import Any

from sigma.processing.transformations.meta import NestedProcessingTransformation

Container = dict[Any, Any] | list[Any] | set[Any]


Held = list[tuple[Container, Any]]
# Where pySigma's own conditions are, which change nothing when they are asked.
CONDITIONS = ("sigma.processing.", "sigma.pipelines.kusto_common.")


def remembered(backend: Any) -> Callable[[bool], None]:  # noqa: ANN401 - a backend with its pipeline
    """A call that puts a backend, its pipelines, and all that they hold, back to how they are now.

    Told that nothing but one rule was converted since, it looks at what that rule's items can have changed only: those
    that were applied, and the one that failed if one did.
    """
    pipeline = getattr(backend, "last_processing_pipeline", None)
    items = list(getattr(pipeline, "items", ()))
    shared, apart = _parted(backend, pipeline, items) if _is_known(items) else (_containers(backend), [])
    everything = [*shared, *(one for held in apart for one in held)]

    def restore(one_rule: bool = False) -> None:  # noqa: FBT001, FBT002 - one question
        applied = getattr(pipeline, "applied", None)
        if not one_rule or not apart or applied is None or len(applied) > len(items):
            _restore(everything)
            return
        # The item after the last that ended may have begun.
        _restore(shared)
        for held in compress(apart, [*applied, True]):
            _restore(held)

    return restore


def _restore(held: Held) -> None:
    for container, content in held:
        # To compare is half the price of filling, and hardly any has changed.
        if container == content:
            continue
        if isinstance(container, list):
            container[:] = content
        else:
            container.clear()
            container.update(content)


def _is_known(items: list[Any]) -> bool:
    """Whether all conditions of the items are pySigma's, and each counts as one item."""
    if any(isinstance(item.transformation, NestedProcessingTransformation) for item in items):
        return False
    conditions = [
        condition
        for item in items
        for condition in (item.rule_conditions if isinstance(item.rule_conditions, list) else [None])
    ]
    return all(type(condition).__module__.startswith(CONDITIONS) for condition in conditions)


def _parted(backend: Any, pipeline: Any, items: list[Any]) -> tuple[Held, list[Held]]:  # noqa: ANN401
    """What the items do not hold, or several of them; and what each holds for itself."""
    around: dict[int, object] = {id(item): item for item in items}
    outside = _containers(backend, around)
    seen = {id(container) for container, _ in outside} | {id(backend), id(pipeline)}
    found = [_containers(item, {id(pipeline): pipeline, id(backend): backend}) for item in items]
    times = Counter(id(container) for held in found for container, _ in held)
    several: dict[int, tuple[Container, Any]] = {
        id(one[0]): one for held in found for one in held if times[id(one[0])] > 1 and id(one[0]) not in seen
    }
    apart = [[one for one in held if times[id(one[0])] == 1 and id(one[0]) not in seen] for held in found]
    return [*outside, *several.values()], apart


def _containers(root: object, apart: Mapping[int, object] = MappingProxyType({})) -> Held:
    found: Held = []
    seen: dict[int, object] = dict(apart)
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
