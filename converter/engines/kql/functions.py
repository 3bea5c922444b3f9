"""KQL's scalar functions as SQL: those that are judged, by name.

What each gives is on its page under https://learn.microsoft.com/kusto/query/; where a page leaves something open, a
comment says what decided it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from converter.engines.engine import Invalid, Unjudged
from converter.engines.kql import addresses, regexes
from converter.engines.kql.expression import Context, Expression, boolean, common_type, quoted, text
from converter.engines.kql.values import as_text, moment

Arguments = Sequence[Expression]
Function = Callable[[Arguments, Context], Expression]


def call(name: str, arguments: Arguments, context: Context) -> Expression:
    """What the function gives; raises Invalid, and Unjudged for one that is not judged."""
    if name not in _FUNCTIONS:
        raise Unjudged(f"the function {name}() is not judged")
    counts, function = _FUNCTIONS[name]
    if len(arguments) not in counts:
        raise Invalid(f"{name}() does not take {len(arguments)} arguments")
    return function(arguments, context)


def _not(arguments: Arguments, _: Context) -> Expression:
    return boolean(f"(NOT {condition(arguments[0], 'not()')})")


def condition(operand: Expression, what: str) -> str:
    """The operand's SQL, where it is a condition; raises Invalid where it is none."""
    if operand.type != "bool":
        raise Invalid(f"{what} takes a condition, and {operand.what} is of type {operand.type}")
    return operand.sql


def _is_empty(negated: bool) -> Function:  # noqa: FBT001 - of the table below
    def function(arguments: Arguments, _: Context) -> Expression:
        value = arguments[0]
        if value.type in {"string", "dynamic"}:
            return boolean(f"({text(value, 'isempty()').sql} {'<>' if negated else '='} '')")
        return boolean(f"({value.sql} IS {'NOT ' if negated else ''}NULL)")

    return function


def _is_null(negated: bool) -> Function:  # noqa: FBT001
    def function(arguments: Arguments, _: Context) -> Expression:
        value = arguments[0]
        if value.type == "string":
            raise Invalid(f"isnull() of {value.what}: a string is never null, and isempty() is meant")
        if value.type == "dynamic":
            null = f"({value.sql} IS NULL OR {value.sql}::VARCHAR = 'null')"
            return boolean(f"(NOT {null})" if negated else null)
        return boolean(f"({value.sql} IS {'NOT ' if negated else ''}NULL)")

    return function


def _concatenated(arguments: Arguments, _: Context) -> Expression:
    return Expression(f"concat({', '.join(as_text(argument).sql for argument in arguments)})", "string", "strcat()")


def _tostring(arguments: Arguments, _: Context) -> Expression:
    return as_text(arguments[0])


def _cased(function: str) -> Function:
    return lambda arguments, _: Expression(f"{function}({_text(arguments[0])})", "string", f"{function}()")


def _length(arguments: Arguments, _: Context) -> Expression:
    return Expression(f"length({_text(arguments[0])})", "long", "strlen()")


def _coalesced(arguments: Arguments, _: Context) -> Expression:
    kind = common_type(list(arguments), "coalesce()")
    values = [argument.sql for argument in arguments]
    if kind == "string":
        # An empty string counts as missing, measured on the Kusto emulator by the authors of duckdb-kql.
        filled = ", ".join(f"nullif({value}, '')" for value in values)
        return Expression(f"coalesce({filled}, '')", kind, "coalesce()")
    if kind == "dynamic":
        raise Unjudged("coalesce() of dynamic values is not judged")
    return Expression(f"coalesce({', '.join(values)})", kind, "coalesce()")


def _case(arguments: Arguments, _: Context) -> Expression:
    if len(arguments) % 2 == 0:
        raise Invalid("case() takes pairs of a condition and a value, and a last value")
    values = [*arguments[1::2], arguments[-1]]
    kind = common_type(values, "case()")
    pairs = zip(arguments[:-1:2], values, strict=False)
    whens = " ".join(f"WHEN {condition(asked, 'case()')} THEN {value.sql}" for asked, value in pairs)
    return Expression(f"CASE {whens} ELSE {values[-1].sql} END", kind, "case()")


def _substring(arguments: Arguments, _: Context) -> Expression:
    numbers = [argument.number for argument in arguments[1:]]
    if any(number is None or number < 0 for number in numbers):
        raise Unjudged("substring() with anything but literal numbers from 0 on is not judged")
    start, *length = (number for number in numbers if number is not None)
    listed = ", ".join(map(str, (start + 1, *length)))
    return Expression(f"substring({_text(arguments[0])}, {listed})", "string", "substring()")


def _replaced(arguments: Arguments, _: Context) -> Expression:
    source, old, new = (_text(argument) for argument in arguments)
    if not arguments[1].text:
        raise Unjudged("replace_string() of anything but a literal text is not judged")
    return Expression(f"replace({source}, {old}, {new})", "string", "replace_string()")


def _replaced_regex(arguments: Arguments, context: Context) -> Expression:
    source, pattern, new = (text(argument, "replace_regex()") for argument in arguments)
    found, groups = regexes.checked(pattern, source, context, "replace_regex()")
    if new.text is None or re.search(r"\$|\\(?!\d)", new.text):
        raise Unjudged("replace_regex() by anything but plain text and \\<number> is not judged")
    if any(int(number) > groups for number in re.findall(r"\\(\d)", new.text)):
        raise Invalid(f"replace_regex() asks for a group that {pattern.text} does not have")
    sql = f"regexp_replace({source.sql}, {quoted(found)}, {new.sql}, 'g')"
    return Expression(sql, "string", "replace_regex()")


def _extracted(arguments: Arguments, context: Context) -> Expression:
    pattern, group, source = arguments[0], arguments[1].number, text(arguments[2], "extract()")
    found, groups = regexes.checked(pattern, source, context, "extract()")
    if group is None:
        raise Unjudged("extract() of a group that is no literal number is not judged")
    if not 0 <= group <= groups:
        raise Invalid(f"extract() asks for group {group} of {pattern.text}, which has {groups}")
    return Expression(f"regexp_extract({source.sql}, {quoted(found)}, {group})", "string", "extract()")


def _number(kind: str) -> Function:
    sql_type = {"long": "BIGINT", "int": "INTEGER"}[kind]

    def function(arguments: Arguments, _: Context) -> Expression:
        value = arguments[0]
        if value.type in {kind, "int"} or (value.number is not None and abs(value.number) < _SMALL):
            return Expression(f"{value.sql}::{sql_type}", kind, f"to{kind}()")
        if value.type != "string":
            raise Unjudged(f"to{kind}() of a value of type {value.type} is not judged")
        # Decimal or hexadecimal digits, blanks around them: measured on the emulator, as above.
        shape = quoted(r"^\s*[+-]?(?:[0-9]+|0[xX][0-9a-fA-F]+)\s*$")
        cast = f"TRY_CAST(trim({value.sql}) AS {sql_type})"
        return Expression(f"CASE WHEN regexp_matches({value.sql}, {shape}) THEN {cast} END", kind, f"to{kind}()")

    return function


# What every type of whole numbers holds.
_SMALL = 1 << 31


def _hexadecimal(arguments: Arguments, _: Context) -> Expression:
    value = arguments[0]
    if value.type not in {"int", "long"}:
        raise Invalid(f"tohex() takes a whole number, and {value.what} is of type {value.type}")
    width = arguments[1].number if len(arguments) > 1 else 1
    if width is None:
        raise Unjudged("tohex() with a length that is no literal number is not judged")
    # A negative number is written by the size of its type, 32 bits for an int.
    digits = f"lower(to_hex({value.sql}{'::BIGINT & 4294967295' if value.type == 'int' else ''}))"
    padded = f"CASE WHEN length({digits}) < {width} THEN lpad({digits}, {min(width, 16)}, '0') ELSE {digits} END"
    return Expression(f"coalesce({padded}, '')", "string", "tohex()")


def _parsed(arguments: Arguments, _: Context) -> Expression:
    value = arguments[0]
    if value.type == "dynamic":
        return value
    told = text(value, "parse_json()").sql
    # What is no JSON is a dynamic string.
    return Expression(f"coalesce(TRY_CAST({told} AS JSON), to_json({told}))", "dynamic", "parse_json()")


def _in_range4(arguments: Arguments, _: Context) -> Expression:
    address, network = (text(argument, "ipv4_is_in_range()") for argument in arguments)
    _check4("ipv4_is_in_range", (address, network))
    return boolean(f"kql_in_range4({address.sql}, {network.sql})")


def _in_range6(arguments: Arguments, _: Context) -> Expression:
    address, network = (text(argument, "ipv6_is_in_range()") for argument in arguments)
    for literal in (address, network):
        if literal.text is not None and not addresses.is_network(literal.text):
            raise Invalid(f"ipv6_is_in_range() has {literal.what}, which is no address")
    return boolean(f"kql_in_range6({address.sql}, {network.sql})")


def _compared4(arguments: Arguments, _: Context) -> Expression:
    one, other = (text(argument, "ipv4_compare()") for argument in arguments[:2])
    _check4("ipv4_compare", (one, other))
    prefix = arguments[2].sql if len(arguments) > 2 else "32"  # noqa: PLR2004 - the optional third argument
    return Expression(f"kql_compare4({one.sql}, {other.sql}, {prefix})", "long", "ipv4_compare()")


def _matched4(arguments: Arguments, context: Context) -> Expression:
    return boolean(f"({_compared4(arguments, context).sql} = 0)")


def _check4(name: str, literals: Arguments) -> None:
    for literal in literals:
        if literal.text is not None and addresses.parsed4(literal.text) is None:
            kind = "an IPv6 address" if addresses.is_address6(literal.text) else "no address"
            raise Invalid(f"{name}() has {literal.what}, which is {kind}")


def _now(arguments: Arguments, context: Context) -> Expression:
    shift = f" + {_span(arguments[0], 'now()')}" if arguments else ""
    return Expression(f"({moment(context)}{shift})", "datetime", "now()")


def _ago(arguments: Arguments, context: Context) -> Expression:
    return Expression(f"({moment(context)} - {_span(arguments[0], 'ago()')})", "datetime", "ago()")


def _span(operand: Expression, what: str) -> str:
    if operand.type != "timespan":
        raise Invalid(f"{what} takes a span of time, and {operand.what} is of type {operand.type}")
    return operand.sql


def _text(operand: Expression) -> str:
    return text(operand, "a function of strings").sql


_MANY = range(1, 65)
_FUNCTIONS: dict[str, tuple[Sequence[int], Function]] = {
    "not": ((1,), _not),
    "isempty": ((1,), _is_empty(negated=False)),
    "isnotempty": ((1,), _is_empty(negated=True)),
    "notempty": ((1,), _is_empty(negated=True)),
    "isnull": ((1,), _is_null(negated=False)),
    "isnotnull": ((1,), _is_null(negated=True)),
    "notnull": ((1,), _is_null(negated=True)),
    "strcat": (_MANY, _concatenated),
    "tostring": ((1,), _tostring),
    "tolower": ((1,), _cased("lower")),
    "toupper": ((1,), _cased("upper")),
    "strlen": ((1,), _length),
    "coalesce": (range(2, 65), _coalesced),
    "case": (range(3, 10_000), _case),
    "iif": ((3,), _case),
    "iff": ((3,), _case),
    "substring": ((2, 3), _substring),
    "replace_string": ((3,), _replaced),
    "replace_regex": ((3,), _replaced_regex),
    "extract": ((3,), _extracted),
    "tolong": ((1,), _number("long")),
    "toint": ((1,), _number("int")),
    "tohex": ((1, 2), _hexadecimal),
    "parse_json": ((1,), _parsed),
    "todynamic": ((1,), _parsed),
    "ipv4_is_in_range": ((2,), _in_range4),
    "ipv6_is_in_range": ((2,), _in_range6),
    "ipv4_compare": ((2, 3), _compared4),
    "ipv4_is_match": ((2, 3), _matched4),
    "now": ((0, 1), _now),
    "ago": ((1,), _ago),
}
