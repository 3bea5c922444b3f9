"""Leaves in words, for people who read why a rule is true of an event."""

from __future__ import annotations

from converter.oracle.tree import (
    ANY,
    Boolean,
    Compare,
    Exists,
    Leaf,
    Network,
    Null,
    Number,
    Pattern,
    Reference,
    Test,
    Text,
    Wild,
)

KINDS = {"equals": "is", "startswith": "starts with", "endswith": "ends with", "contains": "contains"}


def spelled(leaf: Leaf) -> str:
    r"""What the leaf asks, as `Image ends with '\cmd.exe'`."""
    return f"{leaf.field or 'the event'} {_asked(leaf.test)}"


def _asked(test: Test) -> str:
    match test:
        case Text():
            return _text(test)
        case Pattern(pattern=pattern, flags=flags):
            return f"matches /{pattern}/{''.join(sorted(flags))}"
        case Number(number=number):
            return f"is {number}"
        case Boolean(truth=truth):
            return f"is {str(truth).lower()}"
        case Null():
            return "is absent"
        case Exists(there=there):
            return "is there" if there else "is not there"
        case Network(block=block):
            return f"is in {block}"
        case Compare(operator=operator, number=number):
            return f"{operator} {number}"
        case Reference(other=other, kind=kind, cased=cased):
            return f"{KINDS[kind]} the value of {other}{_case(cased=cased)}"
    raise TypeError(test)


def _text(text: Text) -> str:
    """The text by its kind; wildcards in its middle stand as a rule writes them."""
    parts = text.parts
    if parts == (ANY,):
        return "is not empty"
    before, after = parts[:1] == (ANY,), parts[-1:] == (ANY,)
    inner = parts[before : len(parts) - after]
    kind = "contains" if before and after else "ends with" if before else "starts with" if after else "is"
    written = "".join(
        part.sign if isinstance(part, Wild) else part.replace("*", r"\*").replace("?", r"\?") for part in inner
    )
    return f"{kind} '{written}'{_case(cased=text.cased)}"


def _case(*, cased: bool) -> str:
    return " in this letter case" if cased else ""
