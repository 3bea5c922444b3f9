"""Sigma correlations as SPL: the searches of the rules that they name, counted in windows of time by `stats`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sigma.backends.splunk.splunk import SplunkBackend
from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingPipeline

if TYPE_CHECKING:
    from sigma.correlations import SigmaCorrelationRule
    from sigma.rule import SigmaRule


def correlation(
    correlated: SigmaCorrelationRule, named: Sequence[tuple[SigmaRule, str]], method: str | None = None
) -> str:
    """The correlation over the rules that it names, each with its query.

    The fields that it groups by and counts keep Sigma's names, as the add-ons do.
    """
    for rule, query in named:
        rule.set_conversion_result([query])
    SigmaCollection([*(rule for rule, _ in named), correlated])
    backend = SplunkBackend(ProcessingPipeline())
    backend.init_processing_pipeline()
    (text,) = backend.convert_correlation_rule(correlated, method=method)
    return str(text)
