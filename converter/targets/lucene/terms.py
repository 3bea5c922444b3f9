"""The values of one field, as the field's type asks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sigma.backends.elasticsearch.elasticsearch_lucene import LuceneBackend as StockBackend
from sigma.types import SigmaString

from converter.targets.lists import FlatLists
from converter.targets.lucene import values
from converter.targets.lucene.empty import is_empty
from converter.targets.strings import is_anything

if TYPE_CHECKING:
    from collections.abc import Callable

    from converter.targets.repair import Repairs
    from converter.targets.target import Route

# What the stock pipeline ecs_windows points at `.caseless`.
STOCK_CASELESS = {"process.executable", "process.parent.executable", "process.parent.name"}
PLAIN = re.compile(r"[\w.@-]+")
PUNCTUATION = re.compile(r"[\s*?:()\[\]{}\"^~/\\]")


class Terms(FlatLists, StockBackend):
    """The fields of a route's data stream: what each holds, and how it is asked."""

    def __init__(self, route: Route, repairs: Repairs) -> None:
        super().__init__(None)
        self.repairs = repairs

        self.caseless, self.unlimited, self.numeric, self.ip, self.text, self.boolean, self.lower = _names(route)
        self.emptied = bool(route.options.get("emptied"))

    def escape_and_quote_field(self, field_name: str) -> str:
        """The field's name, its punctuation escaped (L16)."""
        if PLAIN.fullmatch(field_name):
            # Neither way escapes anything.
            return field_name
        return self.repairs.choose(
            "L16",
            lambda: PUNCTUATION.sub(r"\\\g<0>", field_name),
            lambda: str(super(Terms, self).escape_and_quote_field(field_name)),
        )

    def any_of(self, field: str, wanted: list[SigmaString]) -> str:
        """The field holds one of the values, in any letter case."""
        name = self.escape_and_quote_field(field)
        if any(map(is_anything, wanted)):
            return f"_exists_:{name}"
        if (rest := self.emptied_of(field, wanted)) is not wanted:
            missing = f"(NOT _exists_:{name})"
            return f"({self.any_of(field, rest)} OR {missing})" if rest else missing
        if (typed := self._typed(field, wanted)) is not None:
            return f"{name}:{values.either(typed)}"
        if field not in self.unlimited:
            self._refuse_unkept(field, wanted)
        if field not in self.caseless:
            repair = "L2" if field in STOCK_CASELESS else "L1"
            if self.repairs.is_off(repair, wanted=repair == "L2" or any(map(values.is_lettered, wanted))):
                return f"{self.stock_name(field)}:{self.terms(wanted)}"
            return f"{name}:{values.either([self.any_case_term(value) for value in wanted])}"
        if self.repairs.is_off("L1", wanted=field not in STOCK_CASELESS and any(map(values.is_lettered, wanted))):
            return f"{name}:{self.terms(wanted)}"
        short = f"{name}.caseless:{self.terms(wanted)}"
        if field not in self.unlimited or self.repairs.is_off("L12"):
            return short
        # `.caseless` leaves out what is over its ignore_above; the field itself holds it, in its own letter case.
        long = f"{name}:{values.either([self.regex(value) for value in wanted])}"
        return f"({short} OR (NOT _exists_:{name}.caseless AND {long}))"

    def _typed(self, field: str, wanted: list[SigmaString]) -> list[str] | None:
        """The values as a field that holds no plain words takes them (L9, L11); None for one that does."""
        if field in self.numeric:
            return [self._mended("L9", value, lambda value: values.number(value, field)) for value in wanted]
        if field in self.boolean:
            return [values.boolean(value, field) for value in wanted]
        if field in self.ip:
            return [
                values.address(value, field)
                if values.is_address(value)
                else self._mended("L9", value, lambda value: values.address(value, field))
                for value in wanted
            ]
        if field in self.text:
            return [
                values.part_of_word(value)
                if values.is_part_of_word(value)
                else self._mended("L11", value, lambda value: self._words(value, field))
                for value in wanted
            ]
        if field in self.lower:
            return [self.term(_lower(value)) for value in wanted]
        return None

    def _mended(self, repair: str, value: SigmaString, say: Callable[[SigmaString], str]) -> str:
        return self.repairs.choose(repair, lambda: say(value), lambda: values.stock_term(value))

    def _words(self, value: SigmaString, field: str) -> str:
        self.repairs.inexact(f"{field} is kept as single words, so that {str(value)!r} cannot be searched for exactly")
        return values.words(value, field)

    def emptied_of(self, field: str, wanted: list[SigmaString]) -> list[SigmaString]:
        """The values but for those that the ingest pipeline takes away, as if the field were missing (L17)."""
        gone = [value for value in wanted if is_empty(value)] if self.emptied else []
        if not gone or self.repairs.is_off("L17"):
            return wanted
        if all(str(value) for value in gone):
            self.repairs.inexact(f"{field} {str(gone[0])!r} is taken away on ingest, as if the field were missing")
        return [value for value in wanted if value not in gone]

    def _refuse_unkept(self, field: str, wanted: list[SigmaString]) -> None:
        if any(values.least_length(value) > values.IGNORE_ABOVE for value in wanted):
            self.repairs.inexact(f"{field} keeps no value over {values.IGNORE_ABOVE} characters")

    def stock_name(self, field: str) -> str:
        """The field as the stock pipeline names it."""
        return f"{field}.caseless" if field in STOCK_CASELESS else field

    def terms(self, wanted: list[SigmaString]) -> str:
        """The values as terms in the letter case that they have."""
        return values.either([self.term(value) for value in wanted])

    def term(self, value: SigmaString) -> str:
        """One such term (L6, L7, L8)."""
        for repair in values.defects(value):
            if self.repairs.is_off(repair):
                return values.stock_term(value)
        return values.term(value)

    def any_case_term(self, value: SigmaString) -> str:
        """The value in any letter case on a field that minds it: a term where no letter has two cases."""
        return self.regex(value) if values.is_pattern_in_any_case(value) else self.term(value)

    def regex(self, value: SigmaString) -> str:
        """The value in any letter case as a regular expression; one that is too long, nearly, in its own case."""
        text = values.regex(value, values.any_case)
        if values.is_too_long(text):
            self.repairs.inexact(values.TOO_LONG)
            return self.term(value)
        return text


@lru_cache(maxsize=1024)
def _names(route: Route) -> tuple[frozenset[str], ...]:
    """The fields that the route lists under each of these options."""
    options = ("caseless", "unlimited", "numeric", "ip", "text", "boolean", "lower")
    return tuple(frozenset(route.options.get(option, ())) for option in options)


def _lower(value: SigmaString) -> SigmaString:
    lowered = SigmaString()
    lowered.s = [part.lower() if isinstance(part, str) else part for part in value.s]
    return lowered
