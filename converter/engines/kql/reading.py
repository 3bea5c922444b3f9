"""KQL text as the translator's tree."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from duckdb_kql import ir
from duckdb_kql.errors import KqlError, KqlSyntaxError, KqlUnsupportedError
from duckdb_kql.lower import lower

from converter.engines.engine import Invalid, Unjudged
from converter.engines.kql.literals import respelt

_DEPTH = 20_000


def read(query: str) -> ir.Query:
    """The query's tree; raises Invalid for what is no KQL, Unjudged for what the translator does not read."""
    text = respelt(query)
    if text.lstrip().startswith("."):
        raise Unjudged("a command is not judged")
    with _deep():
        try:
            return lower(text)
        except KqlSyntaxError as error:
            raise Invalid(str(error).splitlines()[0]) from None
        except KqlUnsupportedError as error:
            raise Unjudged(f"{error.construct} is not judged") from None
        except KqlError as error:
            raise Invalid(str(error).splitlines()[0]) from None
        except RecursionError:
            raise Unjudged("the query is nested too deep") from None


@contextmanager
def _deep() -> Iterator[None]:
    """Room for the parser's calls, some twenty a pair of parentheses."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
