"""Rules x targets -> queries: pure, and with every failure a value."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial

from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from converter import mapping, sound, upstream
from converter.logsource import LogSource
from converter.refused import Refused
from converter.rule import Rule
from converter.stock import Fault, StockBackend, StockOptions, Unit, backend_for, own_pipelines, units
from converter.targets.repair import Repairs, ordered
from converter.targets.target import Named, Route, Target


@dataclass(frozen=True)
class Query:
    """What one rule became on one target; `text` ends without a newline.

    `marks` say what the reader of the query should know ("unmapped": a field passed through), `warnings` why.
    `repairs` are the named repairs that it would be another query without.
    """

    rule: Rule
    target: Target
    text: str
    route: Route
    pipelines: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()

    @property
    def output(self) -> str:
        """Where its file goes, below the folder of outputs."""
        return f"{self.target.name}/{self.rule.place_name}.{self.target.suffix}"


class NamedRoute(Route):
    """A route of which only the name is known."""

    def __init__(self, name: str) -> None:
        super().__init__(name, (), (), "", "", {})


@dataclass(frozen=True)
class Refusal:
    """Why one rule did not become a query on one target; `line` is the line of its file to blame, if one is.

    `detail` is the trace of an error that nobody foresaw.
    """

    rule: Rule
    target: Target
    reason: str
    line: int | None = None
    detail: str = ""


Outcome = Query | Refusal


@dataclass(frozen=True)
class How:
    """What a conversion takes beside rules and targets.

    `options` are those of sigma-cli, of which the default mode takes the pipelines, beside those of its routes, and the
    correlation method; with `stock` all count, and repairs and routes are off. `filters` are Sigma filters, `referable`
    the rules that a correlation may name, `placeholders` the values of each placeholder. `without` names repairs to
    leave out; `allow_inexact` lets a query out that is only near to what its rule means.
    """

    options: StockOptions = field(default_factory=lambda: StockOptions(()))
    stock: bool = False
    filters: tuple[Rule, ...] = ()
    referable: tuple[Rule, ...] = ()
    placeholders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allow_unmapped: bool = False
    allow_inexact: bool = False
    without: frozenset[str] = frozenset()

    @property
    def repairs(self) -> Repairs:
        """What a conversion is told of repairs, fresh."""
        return Repairs(self.without, self.allow_inexact)

    @cached_property
    def units(self) -> dict[tuple[object, ...], Unit]:
        """Each of the rules that may be named with what it needs, by file, id and line; none without correlations."""
        if not any(rule.is_correlation for rule in self.referable):
            return {}
        found = zip(self.referable, units([rule.document for rule in self.referable]), strict=True)
        return {(rule.file_name, rule.id, rule.first_line): unit for rule, unit in found}

    @cached_property
    def names(self) -> dict[bool, mapping.Names]:
        """What names things beside a route, where the route's own pipelines count and where they do not."""
        values = tuple((name, tuple(listed)) for name, listed in sorted(self.placeholders.items()))
        return {
            routed: mapping.Names(self.options, values, allow_unmapped=self.allow_unmapped or not routed, routed=routed)
            for routed in (False, True)
        }

    def unit(self, rule: Rule) -> Unit:
        """The rule with what it needs: nothing, where nothing correlates."""
        if not self.units:
            return Unit(rule.document, (), written=True)
        return self.units[rule.file_name, rule.id, rule.first_line]


upstream.apply()
AS_ROUTED = How()
# What stands for a route where routes are off.
STOCK = Route("stock", (), (), "", "", {})


def convert(rules: Iterable[Rule], targets: Sequence[Target], how: How = AS_ROUTED) -> Iterator[Query | Refusal]:
    """Convert each rule to each target, in that order: exactly one value each.

    With `stock`, none for a rule that a correlation without `generate` takes up: sigma-cli writes it nowhere else.
    """
    for rule in rules:
        if how.stock and not how.unit(rule).written:
            continue
        for target in targets:
            yield converted(rule, target, how)


def converted(rule: Rule, target: Target, how: How = AS_ROUTED) -> Query | Refusal:
    """The rule on the target. Whatever goes wrong, here or in a library, becomes a refusal of this rule alone."""
    try:
        if how.stock:
            return _stock(rule, target, how)
        return _correlation(rule, target, how) if rule.is_correlation else _query(rule, target, how)
    except Refused as refused:
        return Refusal(rule, target, refused.reason, refused.line)
    except RecursionError:
        return Refusal(rule, target, "is nested too deeply; flatten its condition", rule.line("condition"))
    except SigmaError as error:
        return Refusal(rule, target, sound.reason(error), sound.line(rule, error) or rule.line("detection"))
    except Exception as error:  # noqa: BLE001 - a fault of a library in one rule must not stop the others
        reason = f"cannot be converted: {type(error).__name__}: {error}"
        return Refusal(rule, target, reason, detail=traceback.format_exc())


def mapped(rule: Rule, target: Target, route: Route, how: How = AS_ROUTED) -> SigmaRule:
    """The rule in the target's field names, fresh; raises Refused for a field that no pipeline of the route maps."""
    sigma = sound.filtered(rule, how.filters)
    return mapping.mapped(sigma, rule, target, route, _names(how, target.naming(_source(sigma)))).rule


def conditions(rule: Rule, target: Target, route: Route, how: How = AS_ROUTED) -> list[str]:
    """Each condition of the rule as a hunting query on the target says it."""
    return target.dialect.conditions(lambda: mapped(rule, target, route, how), route, how.repairs)


def _query(rule: Rule, target: Target, how: How) -> Query:
    sigma = sound.filtered(rule, how.filters)
    repairs = how.repairs
    source = _source(sigma)
    naming = target.naming(source)
    repairs.is_off(naming, wanted=bool(naming))
    route = target.located(_routed(source, rule, target), repairs)
    listed = tuple(sigma.fields)
    renamed = mapping.mapped(sigma, rule, target, route, _names(how, naming))
    ready = [renamed.rule]

    def fresh() -> SigmaRule:
        # A dialect that tries a second form needs a second copy, which costs as much as the first.
        return ready.pop() if ready else mapped(rule, target, route, how)

    texts = target.dialect.query(fresh, route, repairs)
    if not texts:
        raise Refused("converts to no query; give it a condition that can be true", rule.line("condition"))
    (text,) = texts
    show = getattr(target.dialect, "shown", None)
    if show is not None and listed:
        text = show(text, renamed.shown, route, listed, repairs)
    text = mapping.finished(text, renamed)
    return Query(
        rule,
        target,
        text,
        route,
        renamed.pipelines,
        (*(("unmapped",) if renamed.unmapped else ()), *_marks(text, target, route, repairs)),
        (*renamed.warnings, *_said(repairs)),
        ordered(repairs.used),
    )


def _marks(text: str, target: Target, route: Route, repairs: Repairs) -> list[str]:
    """What a reader of the query should know of it."""
    without = [f"without {name}" for name in ordered(repairs.off & target.repairs.keys())] if repairs.off else []
    return [*(["inexact"] if repairs.inexactness else []), *without, *target.limits(text, route)]


def _correlation(rule: Rule, target: Target, how: How) -> Query:
    """A correlation over the queries of the rules that it names."""
    correlate = getattr(target.dialect, "correlation", None)
    if correlate is None:
        raise Refused(f"is a correlation, which has no form in {target.language} yet", rule.line("correlation"))
    repairs = how.repairs
    unmapped: list[str] = []
    queries = [_referred(rule, other, target, how) for other in sound.referred(rule, how.referable)]

    def column(query: Query, name: str) -> str:
        try:
            found = _column(query, target, how, name)
        except Refused as refused:
            reason = f"asks for {name} of the rule {query.rule.title!r}: {refused.reason}"
            raise Refused(reason, rule.line_with(name)) from None
        unmapped.extend([] if found else ["unmapped"])
        return found or name

    named = [Named(sound.parsed(query.rule), query.text, partial(column, query)) for query in queries]
    try:
        text = correlate(sound.correlation(rule), named, repairs, how.options.correlation_method)
    except SigmaError as error:
        raise Refused(sound.reason(error), rule.line("correlation")) from error
    own = _marks(text, target, queries[0].route, repairs)
    marks = tuple(dict.fromkeys([*unmapped, *(mark for query in queries for mark in query.marks), *own]))
    warnings = (*(each for query in queries for each in query.warnings), *_said(repairs))
    used = ordered({*repairs.used, *(name for query in queries for name in query.repairs)})
    return Query(
        rule, target, text, queries[0].route, queries[0].pipelines, marks, tuple(dict.fromkeys(warnings)), used
    )


def _column(query: Query, target: Target, how: How, name: str) -> str | None:
    """What the target calls a Sigma field of the query's events; None for one that no pipeline maps, if such may pass.

    Raises Refused where it may not, and for a field that becomes several.
    """
    sigma = mapping.asking(sound.parsed(query.rule), name)
    names = _names(how, target.naming(_source(sigma)))
    found = mapping.mapped(sigma, query.rule, target, query.route, replace(names, allow_unmapped=False))
    if not found.shown and not names.allow_unmapped:
        raise Refused(mapping.closest(name, found.pipeline))
    if len(found.shown) > 1:
        raise Refused(f"the field {name} is several in {target.name}: {', '.join(found.shown)}")
    return found.shown[0] if found.shown else None


def _referred(rule: Rule, other: Rule, target: Target, how: How) -> Query:
    """The query of a rule that a correlation names, without a table, after which no time would be left to count in."""
    document = {key: value for key, value in other.document.items() if key != "fields"}
    outcome = converted(other.with_document(document), target, how)
    if isinstance(outcome, Refusal):
        raise Refused(f"the rule {other.title!r} that it names is refused: {outcome.reason}", rule.line("rules"))
    if "by" in outcome.route.options:
        raise Refused(f"is a correlation, which {target.name} has no events for", rule.line("correlation"))
    return outcome


def _said(repairs: Repairs) -> list[str]:
    return [f"is not exact: {reason}" for reason in repairs.inexactness]


def _stock(rule: Rule, target: Target, how: How) -> Query:
    """The rule as sigma-cli converts it, in a fresh state."""
    unit = how.unit(rule)
    filters = [each.document for each in how.filters]
    outcome = stock_backend(target.name, how.options).convert(rule.document, unit.needs, filters, rule.path_name)
    if isinstance(outcome, Fault):
        raise Refused(outcome.reason, sound.line_of_fault(rule, outcome.error))
    if not outcome.texts:
        raise Refused("converts to no query")
    return Query(rule, target, outcome.whole, STOCK, own_pipelines(target.name, how.options), ("stock",))


@lru_cache(maxsize=32)
def stock_backend(target: str, options: StockOptions) -> StockBackend:
    """The backend of this name with these options, ready for any number of rules; raises UsageError."""
    return backend_for(target, options)


def _source(sigma: SigmaRule) -> LogSource:
    """What the rule says of its data."""
    held = sigma.logsource
    return _log_source(held.category, held.product, held.service)


@lru_cache(maxsize=4096, typed=True)
def _log_source(*parts: object) -> LogSource:
    """The log source of these parts: rules have few of them."""
    return LogSource(*(part if part is None else str(part) for part in parts))


def _routed(source: LogSource, rule: Rule, target: Target) -> Route:
    """The route that takes the log source on the target; raises Refused where none does."""
    route = target.route(source)
    if isinstance(route, Route):
        return route
    reason = "nothing is decided for it yet" if route is None else route.reason
    raise Refused(f"no route for the log source {source}: {reason}", rule.line("logsource"))


def _names(how: How, naming: str) -> mapping.Names:
    return how.names[naming not in how.without]
