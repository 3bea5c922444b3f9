"""Sigma's values as KQL says them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaCIDRExpression, SigmaRegularExpression, SigmaRegularExpressionFlag, SigmaString

from converter.targets.strings import Shape, only_text, render

if TYPE_CHECKING:
    from collections.abc import Sequence

# https://learn.microsoft.com/kusto/query/scalar-data-types/string: the escapes of a quoted literal.
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
UNSAID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
RUST = str.maketrans({sign: f"\\{sign}" for sign in r"\.+*?()|[]{}^$#&-~"})
OPERATORS = {"equals": "=~", "startswith": "startswith", "endswith": "endswith", "contains": "contains"}
CASED_OPERATORS = {"equals": "==", "startswith": "startswith_cs", "endswith": "endswith_cs", "contains": "contains_cs"}
# What Python's patterns have and Rust's, which Kusto uses, have not; https://docs.rs/regex/latest/regex/#syntax.
FOREIGN = re.compile(r"\(\?(?:<?[=!]|>|\(|P=)|(?<!\\)(?:\\\\)*\\[1-9Z]|[*+?}]\+")
FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
# The service and its analyser give up on long flat chains of `and` or `or`; brackets keep them parseable.
LONGEST_CHAIN = 100


def literal(text: str) -> str:
    """The text as a quoted KQL string literal; raises for a control character that KQL's escapes do not name."""
    if text.isprintable():
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if found := UNSAID.search(text):
        raise SigmaFeatureNotSupportedByBackendError(f"a value holds the control character {found[0]!r}")
    return f'"{text.translate(ESCAPES)}"'


def chain(parts: Sequence[str], operator: str) -> str:
    """The parts joined by `and` or `or`, in brackets by the hundred where they are many (K10)."""
    while len(parts) > LONGEST_CHAIN:
        starts = range(0, len(parts), LONGEST_CHAIN)
        groups = [parts[start : start + LONGEST_CHAIN] for start in starts]
        parts = [f"({f' {operator} '.join(group)})" for group in groups]
    return f" {operator} ".join(parts)


def compare(column: str, value: SigmaString, wanted: Shape, *, cased: bool) -> str:
    """The KQL comparison of a string column with a value of this shape."""
    if wanted.operator == "anything":
        return f"isnotempty({column})"
    if wanted.operator == "wildcards":
        # https://learn.microsoft.com/kusto/query/regex: (?s) lets `.` match a newline, as Sigma's wildcards do.
        pattern = render(value, rust_escape, ".*", ".")
        return f"{column} matches regex {literal(f'(?s)^{pattern}$' if cased else f'(?is)^{pattern}$')}"
    operator = (CASED_OPERATORS if cased else OPERATORS)[wanted.operator]
    return f"{column} {operator} {literal(wanted.text)}"


def plain_text(value: SigmaString) -> bool:
    """Whether the value is one plain text, without a wildcard."""
    return only_text(value) is not None


def is_number(text: str) -> bool:
    """Whether the text stands for a whole number."""
    return re.fullmatch(r"[+-]?(?:0[xX][0-9a-fA-F]+|\d+)", text.strip()) is not None


def number(text: str) -> int:
    """The whole number that a text stands for."""
    return int(text, 16) if "x" in text.lower() else int(text)


def rust_escape(text: str) -> str:
    """Plain text as a regular expression of Kusto's syntax, which is Rust's."""
    return text.translate(RUST)


def pattern(value: SigmaRegularExpression) -> str:
    """A Sigma pattern in Kusto's syntax, with its flags; raises for what that syntax cannot say."""
    text = str(value.regexp)
    if found := FOREIGN.search(text):
        message = f"a pattern has {found[0]!r}, which KQL's regular expressions lack"
        raise SigmaFeatureNotSupportedByBackendError(message)
    # Python takes a brace that counts nothing as itself, Rust as a mistake.
    text = re.sub(r"\\.|\{(?!\d+(?:,\d*)?\})", lambda found: r"\{" if found[0] == "{" else found[0], text)
    flags = "".join(letter for flag, letter in FLAGS.items() if flag in value.flags)
    return literal(f"(?{flags}){text}" if flags else text)


def fits_nothing(value: SigmaRegularExpression) -> bool:
    """Whether a Sigma pattern fits an empty text, as a column has where the field is absent; True where unknown."""
    flags = "".join(letter for flag, letter in FLAGS.items() if flag in value.flags)
    try:
        return re.search(f"(?{flags}){value.regexp}" if flags else str(value.regexp), "") is not None
    except (re.error, RecursionError, OverflowError):
        return True


def within(column: str, value: SigmaCIDRExpression) -> str:
    """Whether a column holds an address of the block: false, never null, where it holds none of its kind (K7).

    https://learn.microsoft.com/kusto/query/ipv4-is-in-range-function gives null for what is no IPv4 address, and
    https://learn.microsoft.com/kusto/query/ipv6-is-in-range-function takes both kinds.
    """
    version = value.network.version
    return f"coalesce(ipv{version}_is_in_range({column}, {literal(str(value.network))}), false)"
