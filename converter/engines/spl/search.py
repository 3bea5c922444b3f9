"""The command `search` as SQL: true or false for each row, never NULL."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence

from converter.engines.engine import Unjudged
from converter.engines.spl import sql, syntax
from converter.engines.spl.sql import Kind, Typed
from converter.engines.spl.syntax import Node

# Search Reference, "search": these choose data by more than a field that the event holds.
CHOOSING = {"earliest", "latest", "index", "eventtype", "tag", "splunk_server", "savedsearch", "host_tag", "_time"}
# segmenters.conf.spec, [default]: what ends a term of the raw text, major and minor.
BREAKERS = r"\[\]<>(){}|!;,'\x22*\n\r\s\t&?+/:=@.$#%\\_\-"


def condition(node: Node, columns: Mapping[str, Typed], *, subnets: bool = True) -> str:
    """The condition over the columns; a field that is none of them is absent.

    `subnets`: whether a value in CIDR notation is the network, as everywhere but in `tstats`. Raises Unjudged.
    """
    match node:
        case syntax.All(parts):
            return sql.joined([condition(part, columns, subnets=subnets) for part in parts], "AND")
        case syntax.Any(parts):
            return sql.joined([condition(part, columns, subnets=subnets) for part in parts], "OR")
        case syntax.Not(part):
            # Search Manual, "Difference between != and NOT": NOT finds events that lack the field too.
            return f"(NOT {condition(part, columns, subnets=subnets)})"
        case syntax.Group(part):
            return condition(part, columns, subnets=subnets)
        case syntax.Listed(field, values):
            # Search Reference, "search": IN is short for `=` with each value, joined by OR; wildcards included.
            return _holds(_values(field, columns), values, subnets=subnets)
        case syntax.Compared(field, operator, value):
            return _compared(_values(field, columns), operator, value, subnets=subnets)
        case syntax.Moment(sign, seconds):
            return f"coalesce({columns['_time'].sql} {sign} {sql.number(seconds)}, false)"
        case syntax.Keyword(value):
            return _keyword(value, columns)
    raise Unjudged(f"{type(node).__name__} in search")


def test(value: str) -> str:
    """Whether the text `x` is the value: letter case ignored, the whole text, `*` any run of characters.

    Search Reference, "search": `=` compares texts, so "1" is not "1.0"; Search Manual, "Wildcards". Letter case beyond
    ASCII is not documented; here it folds as Unicode's simple mapping to small letters does.
    """
    first, *rest = re.sub(r"\*+", "*", value).split("*")
    if not rest:
        return f"lower(x) = {sql.lowered(first)}"
    *inner, last = rest
    # The wildcard stands for nothing too: `*` alone finds any value, the empty text among them (an open point).
    if inner and not first and not last:
        wanted = [] if inner == [""] else inner
        if len(wanted) <= 1:
            return f"contains(lower(x), {sql.lowered(wanted[0])})" if wanted else "true"
    elif not inner and not (first and last):
        if not first and not last:
            return "true"
        return f"starts_with(lower(x), {sql.lowered(first)})" if first else f"ends_with(lower(x), {sql.lowered(last)})"
    return f"regexp_full_match(lower(x), {_pattern((first, *rest))}, 's')"


def _pattern(parts: Sequence[str]) -> str:
    escaped = [re.sub(r"([^\w\s]|_)", r"\\\1", part, flags=re.ASCII) if part.isascii() else part for part in parts]
    if all(part.isascii() for part in parts):
        return sql.literal(".*".join(escaped).lower())
    return "concat_ws('.*', " + ", ".join(f"regexp_escape({sql.lowered(part)})" for part in parts) + ")"


def _values(field: str, columns: Mapping[str, Typed]) -> str | None:
    if field in CHOOSING and field not in columns:
        raise Unjudged(f"{field} of search, which is no field of the event")
    held = columns.get(field)
    if held is None:
        return None
    if held.kind is not Kind.TEXTS:
        raise Unjudged(f"{field} in search, which holds no text")
    return held.sql


def _compared(values: str | None, operator: str, value: str, *, subnets: bool) -> str:
    if values is None:
        return "false"
    if operator == "=":
        return _holds(values, [value], subnets=subnets)
    if operator == "!=":
        # "Difference between != and NOT": only events that have the field. What it says of several values is open.
        several = sql.refused("!= and several values")
        equal = _holds(values, [value], subnets=subnets)
        return f"({values} IS NOT NULL AND CASE WHEN len({values}) > 1 THEN {several} ELSE NOT {equal} END)"
    if not subnets:
        raise Unjudged("an order in tstats")
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        raise Unjudged(f"the order of {value} among texts")
    # Search Reference, "search": numbers if both are, else the order of texts, which the Search Manual, "sort", says
    # to be that of UTF-8.
    ordered = (
        f"CASE WHEN {sql.numeric('x')} THEN TRY_CAST(x AS DOUBLE) {operator} {sql.number(float(value))}"
        f" ELSE x {operator} {sql.literal(value)} END"
    )
    return sql.found(values, ordered)


def _holds(values: str | None, wanted: Sequence[str], *, subnets: bool) -> str:
    if values is None:
        return "false"
    exact: list[str] = []
    tests: list[str] = []
    for value in dict.fromkeys(wanted):
        if subnets and (network := subnet(value)):
            # Search Reference, "search": a value in CIDR notation finds the addresses of the network.
            tests.append(f"in_subnet({sql.literal(network)}, x)")
        elif "*" in value:
            tests.append(test(value))
        else:
            exact.append(sql.lowered(value))
    if len(exact) > 1:
        tests.append(f"list_contains([{', '.join(exact)}], lower(x))")
    elif exact:
        tests.append(f"lower(x) = {exact[0]}")
    if "true" in tests:
        return f"({values} IS NOT NULL)"
    return sql.found(values, sql.joined(tests, "OR"))


def subnet(value: str) -> str | None:
    """The network that the value names in CIDR notation, of either version, or None."""
    if "/" not in value:
        return None
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        return None


def _keyword(value: str, columns: Mapping[str, Typed]) -> str:
    # Search Manual, "Search with keywords and wildcards": terms of the raw text; `*` alone finds every event.
    if re.fullmatch(r"\*+", value):
        return "true"
    raw = columns.get("_raw")
    if raw is None:
        raise Unjudged(f"the keyword {value!r}: the table has no raw text")
    if not value.strip("* "):
        raise Unjudged(f"the keyword {value!r}")
    # Search Manual, "Event segmentation and searching": a phrase begins and ends where a term of the text does.
    before = "" if value.startswith("*") else rf"(?:\A|(?<=[{BREAKERS}])|(?=[{BREAKERS}]))"
    after = "" if value.endswith("*") else rf"(?:\z|(?=[{BREAKERS}])|(?<=[{BREAKERS}]))"
    text = ".*".join(re.sub(r"([^\w\s]|_)", r"\\\1", part, flags=re.ASCII) for part in value.strip("*").split("*"))
    return sql.found(raw.sql, f"pcre_found({sql.literal(f'(?is){before}{text}{after}')}, x)")
