"""Regular expressions as the stock backend says them, in commands after the search: without S1, S2, S3, S4, S9."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from sigma.backends.splunk.splunk import SplunkBackend as StockBackend
from sigma.backends.splunk.splunk import SplunkDeferredORRegularExpression
from sigma.conditions import ConditionNOT
from sigma.exceptions import SigmaError

from converter.targets.splunk import sources
from converter.targets.splunk.search import SearchBackend, Unsayable

if TYPE_CHECKING:
    from sigma.rule import SigmaRule

    from converter.targets.repair import Repairs
    from converter.targets.target import Route

SEARCH = "\n| search "
# What is wrong with a query in which the stock backend defers regular expressions.
FLAWS: dict[str, Callable[[str], bool]] = {
    "S1": lambda text: f"{SEARCH}OR " in text,
    "S2": lambda text: text.startswith("\n| rex"),
    "S4": lambda text: SEARCH in text and re.search(r'\\"\n\| rex', text) is not None,
    "S9": lambda text: re.search(r"\(\?<\w*[^\w>][^>]*>", text) is not None,
}


class DeferredBackend(SearchBackend):
    """`search` as ours, with the stock backend's commands for regular expressions and references to fields."""

    and_token: ClassVar[str] = " "

    def __init__(self, repairs: Repairs) -> None:
        super().__init__(repairs)
        self.loses_negation = False

    def convert_condition_field_eq_val_re(self, cond: Any, state: Any) -> Any:
        """A regular expression, in a command of its own."""
        self._note(cond)
        return StockBackend.convert_condition_field_eq_val_re(self, cond, state)

    def convert_condition_field_eq_field(self, cond: Any, state: Any) -> Any:
        """A reference to a field, likewise."""
        self._note(cond)
        return StockBackend.convert_condition_field_eq_field(self, cond, state)

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """A negation, which reaches a deferred command only right before it."""
        return StockBackend.convert_condition_not(self, cond, state)

    def _note(self, cond: Any) -> None:
        above = cond.parent_chain()
        if any(isinstance(each, ConditionNOT) for each in above) and not isinstance(above[0], ConditionNOT):
            self.loses_negation = True


def query(fresh: Callable[[], SigmaRule], route: Route, repairs: Repairs) -> list[str]:
    """The rule with deferred commands where a repair that it needs is off; none where all are on, or none is needed."""
    found = _stock(fresh, repairs)
    if found is None:
        return []
    text, loses_negation = found
    needed = [name for name, flaw in FLAWS.items() if flaw(text)]
    needed += ["S3"] if loses_negation and SEARCH not in text else []
    off = [repairs.is_off(name) for name in needed]
    return [_over(text, route)] if any(off) else []


def _stock(fresh: Callable[[], SigmaRule], repairs: Repairs) -> tuple[str, bool] | None:
    """The rule as the stock backend says it, and whether a negation is lost; None for what `search` cannot say."""
    # Counted by class: what one rule leaves there would change the next one (S11).
    SplunkDeferredORRegularExpression.field_counts = {}
    try:
        with repairs.aside():
            backend = DeferredBackend(repairs)
            (text,) = backend.convert_rule(fresh())
    except (Unsayable, SigmaError, NotImplementedError):
        return None
    finally:
        SplunkDeferredORRegularExpression.field_counts = {}
    return str(text), backend.loses_negation


def _over(text: str, route: Route) -> str:
    """The stock query over the route's events."""
    if text.startswith("\n| rex"):
        commands, _, condition = text.removeprefix("\n").rpartition(SEARCH)
        return f"{commands}{SEARCH}{sources.searched(condition, route)}"
    main, line, rest = text.partition("\n")
    return f"{sources.searched(main, route)}{line}{rest}"
