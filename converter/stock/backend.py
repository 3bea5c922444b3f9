"""One rule on one stock backend: pySigma's text, or why there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any

# First, since it puts off what the others would import.
from converter import upstream  # noqa: F401

# isort: split
from sigma.collection import SigmaCollection
from sigma.conversion.base import Backend
from sigma.conversion.state import ConversionState
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaCorrelationRuleError, SigmaError, SigmaRuleLocation
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule

from converter.rule import whole
from converter.stock.state import forget_counters
from converter.upstream import applied
from converter.upstream.rules import Originals

Document = Mapping[str, Any]
Parsed = SigmaRule | SigmaCorrelationRule | SigmaFilter


@dataclass(frozen=True)
class Texts:
    """What sigma-cli writes for one rule: a text for each query, none where it writes an empty file.

    Texts end as the backend ends them. Structured formats are JSON; bytes, which no backend of ours gives, are UTF-8
    with `surrogateescape`.
    """

    texts: tuple[str, ...]
    separator: str = "\n\n"

    @property
    def whole(self) -> str:
        """The file that sigma-cli writes, without the newline that it adds."""
        return self.separator.join(self.texts)


@dataclass(frozen=True)
class Fault:
    """Why a rule has no text: the error, without its traceback, and what it says in one sentence."""

    reason: str
    error: Exception = field(compare=False, repr=False)


@dataclass(frozen=True)
class StockBackend:
    """A backend of pySigma with its pipelines, checked by `backend_for`; not to be shared between threads.

    `restore` puts the backend and its pipelines back to how they were before any rule.
    """

    target: str
    backend: Backend = field(repr=False)
    format: str
    correlation_method: str | None
    json_indent: int | None
    restore: Callable[[bool], None] = field(repr=False)
    # Whether nothing was done since but one rule by itself.
    clean: list[bool] = field(default_factory=lambda: [False], compare=False, repr=False)

    def convert(
        self,
        document: Document,
        needs: Sequence[Document] = (),
        filters: Sequence[Document] = (),
        path: str | PathLike[str] = "",
    ) -> Texts | Fault:
        """The texts that sigma-cli writes for this rule, or the fault of this rule alone: nothing is raised.

        `document` is the rule's YAML, `path` its file, which templates can name. `needs` holds the rules that a
        correlation refers to, and those that these refer to, in any order: `units` finds them. A correlation among
        them that refers to the rule itself takes its text away, as in sigma-cli. `filters` are applied in order, each
        as often as it is given: once is what `--filter FOLDER` does, while filters among sigma-cli's INPUTs count
        double. A filter as the rule has no text.
        """
        try:
            self.restore(self.clean[0])
            self.clean[0] = False
            forget_counters()
            rule = _parsed(document, fspath(path))
            if needs or filters or not isinstance(rule, SigmaRule):
                others = [_parsed(one, needed=True) for one in (*needs, *filters)]
                SigmaCollection([rule, *others])
            self.clean[0] = isinstance(rule, SigmaRule) and applied()
            return self._rendered(self.backend.finalize(self._queries(rule), self.format))
        except _Unsound as unsound:
            return Fault(unsound.reason, unsound.error)
        except Exception as error:  # noqa: BLE001 - a fault of a library in one rule must not stop the others
            return Fault(_reason(error), error.with_traceback(None))
        finally:
            forget_counters()

    def finished(self, queries: Sequence[tuple[Document, str]]) -> Texts | Fault:
        """These queries of rules as the backend's format frames them, all as one output."""
        try:
            state = ConversionState()
            rules = ((_parsed(rule), text) for rule, text in queries)
            framed = [
                self.backend.finalize_query(rule, text, 0, state, self.format)
                for rule, text in rules
                if not isinstance(rule, SigmaFilter)
            ]
            return self._rendered(self.backend.finalize(framed, self.format))
        except _Unsound as unsound:
            return Fault(unsound.reason, unsound.error)
        except Exception as error:  # noqa: BLE001 - a fault of a library in one rule must not stop the others
            return Fault(_reason(error), error.with_traceback(None))

    def _queries(self, rule: Parsed) -> list[Any]:
        """The rule's queries; the rules that it refers to are converted first, whatever order they came in."""
        queries: list[Any] = []
        for one in _ordered(rule):
            if isinstance(one, SigmaRule):
                queries = self.backend.convert_rule(one, self.format)
            elif isinstance(one, SigmaCorrelationRule):
                queries = self.backend.convert_correlation_rule(one, self.format, self.correlation_method)
        return queries

    def _rendered(self, output: Any) -> Texts:  # noqa: ANN401 - a backend's output may be anything
        """The output of a backend as sigma-cli's convert.py writes it."""
        if isinstance(output, list) and all(isinstance(item, str) for item in output):
            return Texts(tuple(output))
        if isinstance(output, list) and all(isinstance(item, dict) for item in output):
            return Texts(tuple(json.dumps(item, indent=self.json_indent) for item in output), "\n")
        if isinstance(output, dict):
            return Texts((json.dumps(output, indent=self.json_indent),))
        if isinstance(output, bytes):
            return Texts((output.decode(errors="surrogateescape"),))
        if isinstance(output, str):
            return Texts((output,))
        raise TypeError(f"the backend returned the unexpected format {type(output)}")


class _Unsound(Exception):  # noqa: N818 - no error of the program: an answer
    """Carries what pySigma found in reading a rule up to the one place that makes it a value."""

    def __init__(self, reason: str, error: SigmaError) -> None:
        self.reason, self.error = reason, error
        super().__init__(reason)


_originals = Originals()


def _parsed(document: Document, path: str = "", *, needed: bool = False) -> Parsed:
    """The document as pySigma reads it, fresh, since pipelines change it; raises _Unsound with every fault found."""
    kind: type[Parsed] = SigmaRule
    if "correlation" in document:
        kind = SigmaCorrelationRule
    elif "filter" in document:
        kind = SigmaFilter

    def read() -> Any:  # noqa: ANN401 - one of the kinds
        source = SigmaRuleLocation(Path(path)) if path else None
        return kind.from_dict(_copied(document), collect_errors=True, source=source)

    rule: Parsed = _originals.copy(document, path, read) if kind is SigmaRule else read()
    if rule.errors:
        reasons = "; ".join(dict.fromkeys(map(_message, rule.errors)))
        whose = f"needs {document.get('title')}, which" if needed else ""
        raise _Unsound(f"{whose} is no sound Sigma rule: {reasons}".strip(), rule.errors[0])
    return rule


def _copied(document: Document) -> dict[str, Any]:
    """A copy as deep as what pySigma keeps of a document, and pipelines and filters change: its lists."""
    return {
        key: {name: one.copy() if isinstance(one, list) else one for name, one in value.items()}
        if isinstance(value, dict)
        else value.copy()
        if isinstance(value, list)
        else value
        for key, value in whole(document).items()
    }


def _ordered(rule: Parsed) -> list[Parsed]:
    """The rules that a rule refers to, each after those that it refers to itself; last, the rule.

    pySigma sorts by pairs, which is no order where correlations refer to correlations. Raises SigmaError for a circle.
    """
    found: dict[int, Parsed] = {}
    begun = set()

    def visit(one: Parsed) -> None:
        if id(one) in found:
            return
        if id(one) in begun:
            raise SigmaCorrelationRuleError("refers to itself through the rules that it names; break the circle")
        begun.add(id(one))
        for reference in one.referenced_rules if isinstance(one, SigmaCorrelationRule) else ():
            visit(reference.rule)
        found[id(one)] = one

    visit(rule)
    return list(found.values())


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "is nested too deeply; flatten its condition"
    if isinstance(error, SigmaError | NotImplementedError):
        return _message(error)
    return f"cannot be converted: {type(error).__name__}: {_message(error)}"


def _message(error: Exception) -> str:
    """What pySigma says, without the paths that it adds."""
    said = re.sub(r" \(while [\w ]+ rule .*\)$", "", " ".join(map(str, error.args)), flags=re.DOTALL)
    return said or type(error).__name__
