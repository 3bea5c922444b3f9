"""A target: a query language on one data layout, with its routes and its repaired backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from converter.logsource import LogSource

if TYPE_CHECKING:
    from sigma.processing.pipeline import ProcessingPipeline
    from sigma.rule import SigmaRule

    from converter.packs import Hunting
    from converter.targets.repair import Repair, Repairs


@dataclass(frozen=True)
class Route:
    """Where the events of some log sources lie in a target.

    `data` says it in the target's own words: a table, or the condition that picks the events. `pipelines` are names of
    pySigma pipeline files in the target's folder, applied in order. `docs` is the vendor's page that names the fields.
    `options` are the target's own settings.
    """

    name: str
    logsources: Sequence[LogSource] = field(hash=False)
    pipelines: Sequence[str] = field(hash=False)
    data: str
    docs: str = field(hash=False)
    options: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Homeless:
    """Log sources that a target refuses by decision; `later`: they have a home, which is not mapped yet."""

    logsources: Sequence[LogSource]
    reason: str
    later: bool


@dataclass(frozen=True)
class Arm:
    """One category of a hunting query, as the target says it: `condition` comes from the dialect's `conditions`."""

    category: str
    condition: str
    route: Route


@dataclass(frozen=True)
class Named:
    """A rule that a correlation names: its query, and `column`, which gives what a Sigma field is called there."""

    rule: SigmaRule
    query: str
    column: Callable[[str], str]


class HuntingError(Exception):
    """Why a target cannot say a hunting query."""


class Dialect(Protocol):
    """What the `dialect` module of a target's folder offers.

    `REPAIRS` are the named repairs of the family by id. Where a dialect has `located(route, repairs)`, it gives the
    route with its data source as the repairs leave it; `marks(text, route)` what a reader of a query should know;
    `shown(text, names, route, listed, repairs)` the query with the rule's display list; `naming(logsource)` the repair
    that gives the log source's fields the target's names at all, if one does; `correlation(correlated, named, repairs,
    method)` the query of a correlation over the rules that it names. Where it has `formats`, that module's `ready`
    gives what the backend is to frame in a format; its `offline` gives the backend that does, and its `mended` mends
    what that wrote, where there are such.
    """

    REPAIRS: Mapping[str, Repair]

    def columns(self, route: Route, pipeline: ProcessingPipeline) -> set[str]:
        """Every column that a query on this route may name."""

    def query(self, fresh: Callable[[], SigmaRule], route: Route, repairs: Repairs) -> list[str]:
        """One whole query for each condition of the rule, of which `fresh` gives a copy with the route's names."""

    def conditions(self, fresh: Callable[[], SigmaRule], route: Route, repairs: Repairs) -> list[str]:
        """Each condition of the rule as the hunting query says it, without the data source."""

    def hunting(self, settings: Hunting, arms: Sequence[Arm], known: Mapping[str, str]) -> Mapping[str, str]:
        """The hunting query of these arms, in order of precedence, as texts by suffix.

        `known` says what on the target answers for a column; raises HuntingError where it cannot be said.
        """


@dataclass(frozen=True)
class Target:
    """One row of the table: `suffix` is that of its files, `data` the product and data it is written for.

    `family` is the folder of its language, which several targets share: dialect, pipelines, and a TOML file a target.
    """

    name: str
    family: str
    language: str
    suffix: str
    data: str

    @property
    def folder(self) -> Path:
        """The folder of the target's language."""
        return _folder(self.family)

    @property
    def dialect(self) -> Dialect:
        """The code of the target's language, imported when it is first needed."""
        return _dialect(self.family)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The target's TOML file: `routes`, and in `hunting` what answers for the columns of a hunting query."""
        import tomllib  # noqa: PLC0415 - likewise

        return tomllib.loads((self.folder / f"{self.name}.toml").read_text(encoding="utf-8"))

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """The target's routes in order: the first that takes a log source has it."""
        entries: dict[str, dict[str, Any]] = {}
        for entry in self.settings["routes"]:
            like = entries[entry["like"]] if "like" in entry else {}
            entries[entry["name"]] = like | entry
        return tuple(map(_route, entries.values()))

    @cached_property
    def homeless(self) -> tuple[Homeless, ...]:
        """The log sources that the target refuses by decision."""
        return tuple(
            Homeless(_logsources(entry), entry["reason"], entry.get("later", False))
            for entry in self.settings.get("homeless", ())
        )

    @property
    def repairs(self) -> Mapping[str, Repair]:
        """The named repairs of its language."""
        return self.dialect.REPAIRS

    def located(self, route: Route, repairs: Repairs) -> Route:
        """The route with its data source as the repairs leave it."""
        located: Callable[[Route, Repairs], Route] | None = getattr(self.dialect, "located", None)
        return route if located is None else located(route, repairs)

    def naming(self, logsource: LogSource) -> str:
        """The repair that gives the log source's fields the target's names at all; empty where that is none."""
        naming: Callable[[LogSource], str] = getattr(self.dialect, "naming", lambda _source: "")
        return naming(logsource)

    def limits(self, text: str, route: Route) -> list[str]:
        """The marks of a query that is larger than a service takes."""
        marks: Callable[[str, Route], list[str]] = getattr(self.dialect, "marks", lambda _text, _route: [])
        return marks(text, route)

    def route(self, logsource: LogSource) -> Route | Homeless | None:
        """The first route that takes this log source; the decision to refuse it; None where nothing is decided."""
        return self._homes.get(logsource)

    @cached_property
    def _homes(self) -> Mapping[LogSource, Route | Homeless]:
        # Backwards, so that the first one of several has the log source.
        homes: tuple[Route | Homeless, ...] = (*self.routes, *self.homeless)
        return {source: home for home in reversed(homes) for source in home.logsources}


@lru_cache(maxsize=32)
def _folder(family: str) -> Path:
    return Path(__file__).parent / family


@lru_cache(maxsize=32)
def _dialect(family: str) -> Dialect:
    return cast("Dialect", import_module(f"{__package__}.{family}.dialect"))


def _route(entry: Mapping[str, Any]) -> Route:
    named = {"name", "logsources", "pipelines", "data", "docs", "like"}
    return Route(
        name=entry["name"],
        logsources=_logsources(entry),
        pipelines=tuple(entry["pipelines"]),
        data=entry["data"],
        docs=entry["docs"],
        options={key: value for key, value in entry.items() if key not in named},
    )


def _logsources(entry: Mapping[str, Any]) -> tuple[LogSource, ...]:
    return tuple(LogSource(**source) for source in entry["logsources"])
