"""The evaluation functions of the subset, after the pages of the Search Reference that they are grouped by."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence

from converter.engines.engine import Invalid, Unjudged
from converter.engines.spl import regex, sql, syntax
from converter.engines.spl.sql import Kind, Typed
from converter.engines.spl.syntax import Node

Read = Callable[[Node], Typed]
Function = Callable[[Sequence[Node], Read], Typed]

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%3Q%:z"


def call(name: str, arguments: Sequence[Node], read: Read) -> Typed:
    """What the function gives of its arguments; raises Invalid for a wrong number of them, Unjudged for others."""
    if name not in FUNCTIONS:
        raise Unjudged(f"the function {name}()")
    least, most, function = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        raise Invalid(f"{name}() with {len(arguments)} arguments")
    return function(arguments, read)


def _isnull(arguments: Sequence[Node], read: Read) -> Typed:
    # "Informational functions".
    return Typed(f"({read(arguments[0]).sql} IS NULL)", Kind.TRUTH)


def _isnotnull(arguments: Sequence[Node], read: Read) -> Typed:
    # "Informational functions".
    return Typed(f"({read(arguments[0]).sql} IS NOT NULL)", Kind.TRUTH)


def _null(_arguments: Sequence[Node], _read: Read) -> Typed:
    return Typed(sql.NOTHING, Kind.TEXTS)


def _case(arguments: Sequence[Node], read: Read) -> Typed:
    # "Comparison and conditional functions": the value after the first condition that is TRUE, by default NULL.
    if len(arguments) % 2:
        raise Invalid("case() with a condition that has no value")
    conditions = [_truth(node, read) for node in arguments[::2]]
    values = _alike([read(node) for node in arguments[1::2]])
    pairs = zip(conditions, values, strict=True)
    whens = " ".join(f"WHEN {condition} THEN {value.sql}" for condition, value in pairs)
    return Typed(f"(CASE {whens} END)", values[0].kind)


def _if(arguments: Sequence[Node], read: Read) -> Typed:
    # "Comparison and conditional functions": the last argument where the condition is not TRUE.
    condition = _truth(arguments[0], read)
    then, otherwise = _alike([read(node) for node in arguments[1:]])
    return Typed(f"(CASE WHEN {condition} THEN {then.sql} ELSE {otherwise.sql} END)", then.kind)


def _coalesce(arguments: Sequence[Node], read: Read) -> Typed:
    # "Comparison and conditional functions": the first value that is not NULL.
    values = _alike([read(node) for node in arguments])
    return Typed(f"coalesce({', '.join(value.sql for value in values)})", values[0].kind)


def _match(arguments: Sequence[Node], read: Read) -> Typed:
    # "Comparison and conditional functions": whether the regular expression finds any part of the text.
    pattern = _literal("match", arguments[1])
    regex.compiled(pattern)
    return Typed(sql.some(_texts(arguments[0], read), f"pcre_found({sql.literal(pattern)}, x)"), Kind.TRUTH)


def _cidrmatch(arguments: Sequence[Node], read: Read) -> Typed:
    # "Comparison and conditional functions": whether the address belongs to the network; what is no address does not.
    network = _literal("cidrmatch", arguments[0])
    try:
        ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise Unjudged(f"cidrmatch() of {network}, which is no network") from None
    return Typed(sql.some(_texts(arguments[1], read), f"in_subnet({sql.literal(network)}, x)"), Kind.TRUTH)


def _lower(arguments: Sequence[Node], read: Read) -> Typed:
    # "Text functions". Beyond ASCII as Unicode maps single letters: not documented.
    return Typed(f"list_transform({_texts(arguments[0], read)}, lambda x: lower(x))", Kind.TEXTS)


def _replace(arguments: Sequence[Node], read: Read) -> Typed:
    # "Text functions": every part that the regular expression finds.
    pattern, replacement = (_literal("replace", node) for node in arguments[1:])
    if "\\" in replacement or regex.found(pattern, ""):
        raise Unjudged("replace() with groups, or with a regular expression that finds the empty text")
    called = f"pcre_replaced({sql.literal(pattern)}, {sql.literal(replacement)}, x)"
    return Typed(f"list_transform({_texts(arguments[0], read)}, lambda x: {called})", Kind.TEXTS)


def _split(arguments: Sequence[Node], read: Read) -> Typed:
    # "Multivalue eval functions": the parts between the delimiters.
    delimiter = _literal("split", arguments[1])
    if not delimiter:
        raise Unjudged("split() with an empty delimiter")
    parts = f"list_transform({_texts(arguments[0], read)}, lambda x: string_split(x, {sql.literal(delimiter)}))"
    return Typed(f"flatten({parts})", Kind.TEXTS)


def _mvindex(arguments: Sequence[Node], read: Read) -> Typed:
    # "Multivalue eval functions": counted from 0, or from -1 backwards; NULL where there is no such value.
    index = arguments[1]
    if not isinstance(index, syntax.Number) or index.value != int(index.value):
        raise Unjudged("mvindex() with an index that is no whole number")
    position = int(index.value)
    chosen = f"{_texts(arguments[0], read)}[{position + 1 if position >= 0 else position}]"
    return Typed(f"(CASE WHEN {chosen} IS NOT NULL THEN [{chosen}] END)", Kind.TEXTS)


def _strftime(arguments: Sequence[Node], read: Read) -> Typed:
    # "Date and time format variables": %3Q milliseconds, %:z the offset with a colon. The reader's zone here is UTC.
    moment = read(arguments[0])
    if moment.kind is not Kind.NUMBER or _literal("strftime", arguments[1]) != TIME_FORMAT:
        raise Unjudged("strftime() of anything but a time, or in another format")
    made = f"make_timestamp(CAST(round({moment.sql} * 1000) AS BIGINT) * 1000)"
    return Typed(
        f"(CASE WHEN {moment.sql} IS NOT NULL THEN [strftime({made}, '%Y-%m-%dT%H:%M:%S.%g+00:00')] END)", Kind.TEXTS
    )


def _truth(node: Node, read: Read) -> str:
    held = read(node)
    if held.kind is not Kind.TRUTH:
        raise Unjudged(f"a value that is no condition: {node}")
    return held.sql


def _texts(node: Node, read: Read) -> str:
    held = read(node)
    if held.kind is not Kind.TEXTS:
        raise Unjudged(f"a value that is no text: {node}")
    return held.sql


def _literal(name: str, node: Node) -> str:
    if not isinstance(node, syntax.Text):
        raise Unjudged(f"{name}() with an argument that is not written out")
    return node.value


def _alike(values: Sequence[Typed]) -> Sequence[Typed]:
    if len({value.kind for value in values}) > 1 or values[0].kind is Kind.TRUTH:
        raise Unjudged("values of different kinds, or conditions, as alternatives")
    return values


MANY = 1_000
# The least and the greatest number of arguments.
FUNCTIONS: Mapping[str, tuple[int, int, Function]] = {
    "case": (2, MANY, _case),
    "cidrmatch": (2, 2, _cidrmatch),
    "coalesce": (1, MANY, _coalesce),
    "if": (3, 3, _if),
    "isnotnull": (1, 1, _isnotnull),
    "isnull": (1, 1, _isnull),
    "lower": (1, 1, _lower),
    "match": (2, 2, _match),
    "mvindex": (2, 2, _mvindex),
    "null": (0, 0, _null),
    "replace": (3, 3, _replace),
    "split": (2, 2, _split),
    "strftime": (2, 2, _strftime),
}
