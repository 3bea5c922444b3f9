"""Rules × targets → queries: pure, and with every failure a value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaDetection, SigmaRule

from converter.packs import Rule
from converter.targets.target import LogSource, Route, Target


@dataclass(frozen=True)
class Query:
    """What one rule became on one target; `text` ends without a newline.

    `marks` are words for what a reader of the query should know, like `unmapped`.
    """

    rule: Rule
    target: Target
    text: str
    route: Route
    marks: Sequence[str] = ()


@dataclass(frozen=True)
class Refusal:
    """Why one rule did not become a query on one target; `line` is the rule's line to blame, if one is."""

    rule: Rule
    target: Target
    reason: str
    line: int | None = None


def convert(rules: Iterable[Rule], targets: Sequence[Target]) -> Iterator[Query | Refusal]:
    """Convert each rule to each target, in that order: exactly one value each."""
    for rule in rules:
        for target in targets:
            yield converted(rule, target)


def converted(rule: Rule, target: Target) -> Query | Refusal:
    """The rule on the target. Whatever goes wrong, here or in a library, becomes a refusal of this rule alone."""
    try:
        route = routed(rule, target)
        texts = target.dialect.query(lambda: mapped(rule, target, route), route)
        if not texts:
            return Refusal(
                rule, target, "converts to no query; give it a condition that can be true", rule.line("condition")
            )
        if len(texts) > 1:
            message = f"has {len(texts)} conditions; give each a rule of its own"
            return Refusal(rule, target, message, rule.line("condition"))
        return Query(rule, target, texts[0], route)
    except Refused as refused:
        return Refusal(rule, target, refused.reason, refused.line)
    except RecursionError:
        return Refusal(rule, target, "is nested too deeply; flatten its condition", rule.line("condition"))
    except SigmaError as error:
        return Refusal(rule, target, _reason(error), _line(rule, error))
    except Exception as error:  # noqa: BLE001 - a fault of a library in one rule must not stop the others
        return Refusal(rule, target, f"cannot be converted: {type(error).__name__}: {error}")


class Refused(Exception):  # noqa: N818 - no error of the program: an answer
    """Carries the reason of a refusal up to the one place that makes it a value."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason, self.line = reason, line
        super().__init__(reason)


def parsed(rule: Rule) -> SigmaRule:
    """The rule as pySigma reads it, fresh, since pipelines change it; raises Refused with every fault found."""
    sigma = SigmaRule.from_dict(dict(rule.document), collect_errors=True)
    if sigma.errors:
        reasons = "; ".join(dict.fromkeys(_reason(error) for error in sigma.errors))
        raise Refused(f"is no sound Sigma rule: {reasons}", _line(rule, sigma.errors[0]))
    return sigma


def routed(rule: Rule, target: Target) -> Route:
    """The route that takes the rule on the target; raises Refused where none does."""
    logsource = parsed(rule).logsource
    source = LogSource(logsource.category, logsource.product, logsource.service)
    route = target.route(source)
    if isinstance(route, Route):
        return route
    reason = "nothing is decided for it yet" if route is None else route.reason
    raise Refused(f"no route for the log source {source}: {reason}", rule.line("logsource"))


def mapped(rule: Rule, target: Target, route: Route) -> SigmaRule:
    """The rule in the target's field names; raises Refused for a field that no pipeline of the route maps."""
    sigma = parsed(rule)
    pipeline = _pipeline(target, tuple(route.pipelines))
    pipeline.apply(sigma)
    known = target.dialect.columns(route, pipeline)
    for name in _fields(sigma):
        if name not in known:
            raise Refused(_unmapped(name, pipeline), rule.line(name))
    return sigma


@cache
def _pipeline(target: Target, names: tuple[str, ...]) -> ProcessingPipeline:
    texts = ((target.folder / "pipelines" / name).read_text(encoding="utf-8") for name in names)
    return sum((ProcessingPipeline.from_yaml(text) for text in texts), ProcessingPipeline())


def _fields(sigma: SigmaRule) -> Iterator[str]:
    """Every field name of the rule's detections, in order, each once."""

    def within(detection: SigmaDetection) -> Iterator[str]:
        for item in detection.detection_items:
            if isinstance(item, SigmaDetection):
                yield from within(item)
            elif item.field is not None:
                yield item.field

    yield from dict.fromkeys(name for detection in sigma.detection.detections.values() for name in within(detection))


def _unmapped(name: str, pipeline: ProcessingPipeline) -> str:
    sources = {source for item in pipeline.items for source in getattr(item.transformation, "mapping", {})}
    near = difflib.get_close_matches(name, sources, 1)
    return f"no pipeline maps the field {name}" + (f"; the closest mapped name is {near[0]}" if near else "")


def _reason(error: SigmaError) -> str:
    """What pySigma says, without the path that it adds."""
    return " ".join(map(str, error.args)) or type(error).__name__


def _line(rule: Rule, error: SigmaError) -> int | None:
    kind = type(error).__name__.lower()
    keys = ("logsource", "condition", "detection", "modifier", "identifier", "title", "date", "status", "level")
    for key in keys:
        if key in kind:
            return rule.line({"identifier": "id"}.get(key, key))
    return None
