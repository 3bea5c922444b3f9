"""`--stock` against what sigma-cli 3.1.0 does with the same files, in process."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from sigma.backends.splunk.splunk import SplunkDeferredORRegularExpression
from sigma.collection import SigmaCollection
from sigma.plugins import InstalledSigmaPlugins

from converter.documents import parse_yaml, read_text
from converter.errors import SigmapackError, UsageError
from converter.stock import Fault, StockBackend, StockOptions, Texts, backend_for, expanded, units
from converter.stock import options as stock_options

ROOT = Path(__file__).parent.parent
CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq"
PIPELINES = {"kusto": "microsoft_xdr", "splunk": "splunk_windows", "lucene": "ecs_windows"}


@cache
def plugins() -> InstalledSigmaPlugins:
    return InstalledSigmaPlugins.autodiscover()


def sigma_cli(target: str, inputs: Sequence[Path], options: StockOptions, filters: Sequence[Path] = ()) -> str | None:
    """The file that `sigma convert -s` writes, without its last newline; None where it refuses one of the rules.

    The statements are those of sigma/cli/convert.py and rules.py.
    """
    SplunkDeferredORRegularExpression.reset()
    pipeline = plugins().get_pipeline_resolver().resolve(list(options.pipelines), target)
    backend_class: Any = plugins().backends[target]
    backend = backend_class(processing_pipeline=pipeline, collect_errors=True, **options.backend_options)
    try:
        collection = SigmaCollection([], [])
        for path in (*inputs, *filters):
            paths: list[str | Path] = list(SigmaCollection.resolve_paths([path]))
            collection = SigmaCollection.merge([collection, SigmaCollection.load_ruleset(paths, collect_errors=True)])
        collection.resolve_rule_references()
        if collection.errors:
            return None
        result = backend.convert(collection, options.format, options.correlation_method)
    except Exception:  # noqa: BLE001 - the command ends, whatever it is
        return None
    if backend.errors:
        return None
    if isinstance(result, str):
        return result
    if all(isinstance(item, str) for item in result):
        return "\n\n".join(result)
    return "\n".join(json.dumps(item, indent=options.json_indent) for item in result)


def options_for(target: str, **others: Any) -> StockOptions:  # noqa: ANN401 - the options' own types
    return StockOptions((PIPELINES[target],), **others)


@cache
def stock(target: str) -> StockBackend:
    return backend_for(target, options_for(target))


def text(outcome: Texts | Fault) -> str | None:
    return outcome.whole if isinstance(outcome, Texts) else None


def reason(outcome: Texts | Fault) -> str:
    assert isinstance(outcome, Fault)
    return outcome.reason


def document(source: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(source)
    return found


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared, which only the developers have")
@pytest.mark.parametrize("target", PIPELINES)
def test_every_rule_of_the_corpus_has_sigma_clis_text_in_any_order(target: str) -> None:
    paths = sorted(CORPUS.glob("rules*/**/*.yml"))
    rules = {path: parse_yaml(read_text(path), path) for path in paths}
    before = copy.deepcopy(rules)
    backend = backend_for(target, options_for(target))
    outcomes = {path: backend.convert(rules[path], path=path) for path in paths}
    backward = {path: backend.convert(rules[path], path=path) for path in reversed(paths)}
    reference = {path: sigma_cli(target, [path], options_for(target)) for path in paths}
    assert [path for path in paths if text(outcomes[path]) != reference[path]] == []
    assert [path for path in paths if outcomes[path] != backward[path]] == []
    assert [path for path in paths if rules[path] != before[path]] == []
