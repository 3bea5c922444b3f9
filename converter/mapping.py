"""A rule in a target's field names: the pipelines of its route, then those that the user adds."""

from __future__ import annotations

import difflib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

# First, since it puts off what the others would import.
from converter import upstream  # noqa: F401

# isort: split
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation
from sigma.rule import SigmaDetection, SigmaDetections, SigmaRule
from sigma.types import SigmaFieldReference

from converter.documents import parse_yaml
from converter.refused import Refused
from converter.rule import Rule
from converter.stock import StockOptions, built_in, resolved
from converter.targets.target import Route, Target


@dataclass(frozen=True)
class Names:
    """What beside the route names things: the user's pipelines, and the values of placeholders.

    Where not `routed`, the route's own pipelines are left out.
    """

    options: StockOptions
    placeholders: tuple[tuple[str, tuple[str, ...]], ...] = ()
    allow_unmapped: bool = False
    routed: bool = True


@dataclass(frozen=True)
class Mapped:
    """A rule in the target's field names, its display list `shown` taken out of it.

    `unmapped` are the fields that passed through under Sigma's names.
    """

    rule: SigmaRule
    pipeline: ProcessingPipeline
    pipelines: tuple[str, ...]
    unmapped: tuple[str, ...]
    shown: tuple[str, ...]
    warnings: tuple[str, ...]


def mapped(sigma: SigmaRule, rule: Rule, target: Target, route: Route, names: Names) -> Mapped:
    """Rename the rule's fields in place; raises Refused for one that no pipeline maps, unless such may pass."""
    ready = _ready(target, tuple(route.pipelines) if names.routed else (), names)
    pipeline = ready.pipeline
    before = {*_fields(sigma), *sigma.fields}
    pipeline.apply(sigma)
    after = _fields(sigma)
    known = ready.columns(target, route)
    sources = ready.sources

    def maps(name: str) -> bool:
        """Whether a pipeline gave the name: one that the rule itself uses must be both mapped and the target's.

        On a route with `own_names`, whose vendor documents columns under the events' own names, such a name is mapped.
        """
        if name not in before:
            return True
        own = name in sources or name in pipeline.field_mappings or bool(route.options.get("own_names"))
        return own and name in known

    # Most pipelines rename every field.
    unmapped = () if before.isdisjoint(after) else tuple(name for name in after if not maps(name))
    if unmapped and not names.allow_unmapped:
        # The field that a fieldref names stands as a value.
        line = rule.line(unmapped[0]) or rule.line_with(unmapped[0])
        raise Refused(closest(unmapped[0], pipeline), line)
    shown = tuple(name for name in sigma.fields if maps(name) or names.allow_unmapped)
    left_out = [name for name in sigma.fields if name not in shown]
    sigma.fields = []
    warnings = tuple(f"{closest(name, pipeline)}; left out of fields" for name in left_out)
    return Mapped(sigma, pipeline, (*route.pipelines, *names.options.pipelines), unmapped, shown, warnings)


def asking(sigma: SigmaRule, field: str) -> SigmaRule:
    """The rule's events alone, with one field to be shown; changes the rule."""
    sigma.detection = SigmaDetections.from_dict({"any": ["*"], "condition": "any"})
    sigma.fields = [field]
    return sigma


def sigma_fields(target: Target, route: Route) -> set[str]:
    """Every Sigma field that the route's pipelines map."""
    return set(_ready(target, tuple(route.pipelines), ROUTED).sources)


def finished(text: str, renamed: Mapped) -> str:
    """The query after the postprocessing of the user's pipelines."""
    return str(renamed.pipeline.postprocess_query(renamed.rule, text))


ROUTED = Names(StockOptions(()))
# Several routes share their pipelines, and each may be put somewhere else by a repair that is left out.
MOST_ROUTES = 64


@dataclass(frozen=True)
class _Ready:
    """A pipeline, with what it says of names as long as its items stay what they are."""

    pipeline: ProcessingPipeline
    fixed: bool
    _known: dict[Route, AbstractSet[str]] = field(default_factory=dict)

    @property
    def sources(self) -> AbstractSet[str]:
        """Every field name that the pipeline maps."""
        return self._own_sources if self.fixed else _sources(self.pipeline)

    @cached_property
    def _own_sources(self) -> AbstractSet[str]:
        return frozenset(_sources(self.pipeline))

    def columns(self, target: Target, route: Route) -> AbstractSet[str]:
        """Every column that a query on the route may name."""
        if not self.fixed:
            return target.dialect.columns(route, self.pipeline)
        found = self._known.get(route)
        if found is None:
            if len(self._known) >= MOST_ROUTES:
                self._known.clear()
            found = self._known[route] = target.dialect.columns(route, self.pipeline)
        return found


@lru_cache(maxsize=256)
def _ready(target: Target, routed: tuple[str, ...], names: Names) -> _Ready:
    # What the user's pipelines are made of may change as it works.
    return _Ready(_pipeline(target, routed, names), fixed=not names.options.pipelines)


def _pipeline(target: Target, routed: tuple[str, ...], names: Names) -> ProcessingPipeline:
    texts = ((target.folder / "pipelines" / name).read_text(encoding="utf-8") for name in routed)
    own = sum((ProcessingPipeline.from_dict(parse_yaml(text, Path())) for text in texts), ProcessingPipeline())
    values = {name: list(listed) for name, listed in names.placeholders}
    expand = [ProcessingItem(ValueListPlaceholderTransformation())] if values else []
    return ProcessingPipeline(items=expand, vars=values) + own + added(names.options, target.family)


def added(options: StockOptions, family: str) -> ProcessingPipeline:
    """The user's pipelines by priority; raises UsageError for one that is not there or not for this language.

    Those that ship with the language's backend are left out: a route does their work.
    """
    names = [name for name in options.pipelines if name not in built_in(family)]
    if not names:
        return ProcessingPipeline()
    # Fresh for each pipeline that it becomes a part of: its items know the one that they belong to.
    pipeline = resolved(names, family, options)
    pipeline.finalizers = []
    return pipeline


def _fields(sigma: SigmaRule) -> dict[str, None]:
    """Every field name of the rule's detections, in order, each once."""
    names: dict[str, None] = {}
    for detection in sigma.detection.detections.values():
        _add_fields(detection, names)
    return names


def _add_fields(detection: SigmaDetection, names: dict[str, None]) -> None:
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            _add_fields(item, names)
            continue
        if item.field is not None:
            names[item.field] = None
        if SigmaFieldReference in map(type, item.value):
            names.update((value.field, None) for value in item.value if isinstance(value, SigmaFieldReference))


def _sources(pipeline: ProcessingPipeline) -> set[str]:
    """Every field name that a pipeline maps."""
    return {source for item in pipeline.items for source in getattr(item.transformation, "mapping", {})}


def closest(name: str, pipeline: ProcessingPipeline) -> str:
    """That no pipeline maps the field, and the closest name that one does."""
    near = difflib.get_close_matches(name, _sources(pipeline), 1)
    return f"no pipeline maps the field {name}" + (f"; the closest mapped name is {near[0]}" if near else "")
