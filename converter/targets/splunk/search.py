"""Sigma conditions in the `search` command: whole values, `*` as the only wildcard, letter case ignored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from sigma.backends.splunk.splunk import SplunkBackend as StockBackend
from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.types import SigmaCasedString, SigmaNull, SigmaString

from converter.targets.lists import FlatLists
from converter.targets.strings import ONE, parts, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sigma.conversion.state import ConversionState

    from converter.targets.repair import Repairs
    from converter.targets.strings import Part


# `search` reads such a text as the subnet that it names, quoted or not.
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SUBNET = re.compile(r"[0-9a-fA-F:.]+/[0-9]+")


class Unsayable(Exception):  # noqa: N818 - no error: the rule is said in `where` instead
    """`search` has no words for a value: `?`, a literal `*`, a control character, a regular expression, letter case."""

    def __init__(self) -> None:
        # pySigma adds to the first argument of whatever passes through it.
        super().__init__("said in where instead")


class SearchBackend(FlatLists, StockBackend):
    """pySigma's Splunk backend, with explicit parentheses (S15) and no value that `search` would read otherwise."""

    parenthesize = True
    # With AND above OR everywhere, a condition means the same in `search` and in `where`.
    precedence: ClassVar[Any] = (ConditionNOT, ConditionAND, ConditionOR)
    and_token: ClassVar[str] = "AND"

    def __init__(self, repairs: Repairs) -> None:
        super().__init__(None)
        self.repairs = repairs

    def convert_value_str(self, s: SigmaString, state: ConversionState) -> str:
        """The value in double quotes; raises Unsayable for what no quoting keeps (S5, S6)."""
        return quoted(s, self.repairs.off)

    def convert_condition_field_eq_val_str(self, cond: Any, state: Any) -> Any:
        """The field and its whole value; none, where that is empty (S19)."""
        if _is_empty(cond.value) and not self.repairs.is_off("S19"):
            return self.nothing(cond.field)
        return f"{self.escape_and_quote_field(cond.field)}={self.convert_value_str(cond.value, state)}"

    def convert_condition_as_in_expression(self, cond: Any, state: Any) -> Any:
        """A list of values; an empty one beside it (S19)."""
        filled = [arg for arg in cond.args if not _is_empty(arg.value)]
        if self.repairs.is_off("S19", wanted=len(filled) < len(cond.args)) or len(filled) == len(cond.args):
            return super().convert_condition_as_in_expression(cond, state)
        nothing = self.nothing(cond.args[0].field)
        if not filled:
            return nothing
        if len(filled) == 1:
            return f"({self.convert_condition(filled[0], state)} OR {nothing})"
        return f"({super().convert_condition_as_in_expression(ConditionOR(filled), state)} OR {nothing})"

    def nothing(self, field: str) -> str:
        """Whether the field holds nothing: Splunk extracts no field without a value."""
        name = self.escape_and_quote_field(field)
        return f'({name}="" OR NOT {name}=*)'

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """A negation; that of an absent field is the field's presence (S18)."""
        arg = cond.args[0]
        if isinstance(arg, ConditionFieldEqualsValueExpression) and isinstance(arg.value, SigmaNull):
            field = self.escape_and_quote_field(arg.field)
            return f"NOT NOT {field}=*" if self.repairs.is_off("S18") else f"{field}=*"
        return f"NOT ({self.convert_condition(arg, state)})"

    def unsayable(self, cond: Any, state: Any) -> Any:
        """Say the rule in `where`: deferred commands lose negations and alternatives (S1, S2, S3, S4, S9, S10)."""
        raise Unsayable

    convert_condition_field_eq_val_re = unsayable
    convert_condition_field_eq_field = unsayable
    convert_condition_field_eq_val_str_case_sensitive = unsayable


def _is_empty(value: object) -> bool:
    return isinstance(value, SigmaString) and not parts(value)


def quoted(value: SigmaString, off: frozenset[str]) -> str:
    """The value as a quoted word of `search`, wildcards in place; raises Unsayable where it would mean another.

    `off` names repairs that are switched off.
    """
    pieces = parts(value)
    single = ONE in pieces and "S6" not in off
    if isinstance(value, SigmaCasedString) or single or _is_subnet(pieces):
        raise Unsayable
    return f'"{render(value, lambda text: _escaped(text, off), "*", "*")}"'


def _is_subnet(pieces: Sequence[Part]) -> bool:
    return len(pieces) == 1 and isinstance(pieces[0], str) and SUBNET.fullmatch(pieces[0]) is not None


def _escaped(text: str, off: frozenset[str]) -> str:
    # Search Reference, "search": in quotes a backslash escapes itself and the quote; the asterisk cannot be escaped.
    if CONTROL.search(text) or ("*" in text and "S5" not in off):
        raise Unsayable
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
