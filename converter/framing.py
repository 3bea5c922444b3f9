"""Queries of ours in a format of their backend, mended where the backend writes a file that its reader misreads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sigma.exceptions import SigmaError

from converter import sound
from converter.convert import How, Query, Refusal, stock_backend
from converter.errors import UsageError
from converter.stock import Fault, StockBackend, StockOptions, Texts
from converter.targets.repair import Repairs, ordered
from converter.targets.target import Target


@dataclass(frozen=True)
class Framed:
    """The text of a format, the queries that it holds, and those that it cannot hold."""

    text: str
    queries: list[Query]
    refusals: list[Refusal]


@dataclass(frozen=True)
class _Held:
    """A query, the rule and the text as the backend is given them, and what has been done to them."""

    query: Query
    document: Mapping[str, Any]
    text: str
    repairs: Repairs


def framing(target: Target, how: How) -> StockBackend:
    """The backend that frames queries of ours in one of its formats; raises UsageError."""
    if how.options.format == "data_model":
        raise UsageError("data_model is the target splunk_cim; --stock has the format of that name")
    return _backend(target, how.options, how.without)


@lru_cache(maxsize=8)
def _backend(target: Target, options: StockOptions, without: frozenset[str]) -> StockBackend:
    stock = stock_backend(target.family, replace(options, pipelines=(), without_pipeline=True))
    offline = getattr(_formats(target), "offline", None)
    if offline is None:
        return stock
    return replace(stock, backend=offline(stock.backend, options.format, Repairs(without)))


def _formats(target: Target) -> Any:  # noqa: ANN401 - a module of the target's folder, if it has one
    return getattr(target.dialect, "formats", None)


def framed(queries: Sequence[Query], how: How) -> Framed:
    """The queries, all of one target, as one text; empty where it can hold none. Raises UsageError for the whole."""
    held: list[_Held] = []
    refusals: list[Refusal] = []
    taken: set[str] = set()
    for query in queries:
        try:
            held.append(_ready(query, how, taken))
        except SigmaError as error:
            refusals.append(Refusal(query.rule, query.target, sound.reason(error)))
    if not held:
        return Framed("", [], refusals)
    whole = framing(held[0].query.target, how).finished([(one.document, one.text) for one in held])
    if isinstance(whole, Fault):
        raise UsageError(f"the format {how.options.format} cannot be made: {whole.reason}")
    mended = _mended(whole, held, how)
    used = [replace(one.query, repairs=ordered({*one.query.repairs, *one.repairs.used})) for one in held]
    return Framed(mended.whole, used, refusals)


def _ready(query: Query, how: How, taken: set[str]) -> _Held:
    """The query as its family wants it framed; raises SigmaError for one that the format cannot hold."""
    repairs = how.repairs
    formats = _formats(query.target)
    document, text = query.rule.document, query.text
    if formats is not None:
        document, text = formats.ready(how.options.format, document, text, repairs, taken)
    return _Held(query, document, text, repairs)


def _mended(whole: Texts, held: Sequence[_Held], how: How) -> Texts:
    """What the backend wrote, each of its objects mended as its family does it."""
    mend = getattr(_formats(held[0].query.target), "mended", None)
    if mend is None or len(whole.texts) != len(held):
        return whole
    pairs = zip(whole.texts, held, strict=True)
    texts = (mend(how.options.format, one.query.rule.document, text, one.repairs) for text, one in pairs)
    return replace(whole, texts=tuple(texts))
