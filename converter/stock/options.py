"""What `--stock` can be told, checked once, in the words of sigma-cli's options."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sigma.exceptions import SigmaPipelineNotAllowedForBackendError, SigmaPipelineNotFoundError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.processing.resolver import ProcessingPipelineResolver

from converter.errors import UsageError
from converter.stock.backend import StockBackend
from converter.stock.state import remembered

if TYPE_CHECKING:
    from sigma.conversion.base import Backend
    from sigma.plugins import InstalledSigmaPlugins

# Where our three backends and their pipelines are, in place of a search that imports all there is (250 ms).
_BACKENDS = {
    "kusto": "sigma.backends.kusto.KustoBackend",
    "splunk": "sigma.backends.splunk.SplunkBackend",
    "lucene": "sigma.backends.elasticsearch.LuceneBackend",
}
_PIPELINES = {
    "kusto": {
        "microsoft_xdr": "sigma.pipelines.microsoftxdr.microsoft_xdr_pipeline",
        "microsoft_365_defender": "sigma.pipelines.microsoft365defender.microsoft_365_defender_pipeline",
        "sentinel_asim": "sigma.pipelines.sentinelasim.sentinel_asim_pipeline",
        "azure_monitor": "sigma.pipelines.azuremonitor.azure_monitor_pipeline",
    },
    "splunk": {
        "splunk_windows": "sigma.pipelines.splunk.splunk_windows_pipeline",
        "splunk_sysmon_acceleration": "sigma.pipelines.splunk.splunk_windows_sysmon_acceleration_keywords",
        "splunk_cim": "sigma.pipelines.splunk.splunk_cim_data_model",
    },
    "lucene": {
        "ecs_windows": "sigma.pipelines.elasticsearch.ecs_windows",
        "ecs_windows_old": "sigma.pipelines.elasticsearch.ecs_windows_old",
        "ecs_zeek_beats": "sigma.pipelines.elasticsearch.ecs_zeek_beats",
        "ecs_zeek_corelight": "sigma.pipelines.elasticsearch.ecs_zeek_corelight",
        "ecs_kubernetes": "sigma.pipelines.elasticsearch.ecs_kubernetes",
        "ecs_macos_esf": "sigma.pipelines.elasticsearch.ecs_macos_esf",
    },
}
# What most users convert Windows rules with.
STOCK_PIPELINES = {"kusto": "microsoft_xdr", "splunk": "splunk_windows", "lucene": "ecs_windows"}
_KNOWN = {name: place for names in _PIPELINES.values() for name, place in names.items()}
_YAML = (".yml", ".yaml")


@dataclass(frozen=True, eq=False)
class StockOptions:
    """The options of `sigma convert` that change its text.

    `pipelines` are names, YAML files, or folders of them, applied by their priority. `json_indent` is for structured
    formats. Template variables run Python code; sigma-cli 3.1.0 has the two options and ignores them, so that it ends
    with an error unless the environment sets PYSIGMA_ALLOW_VARS_EXECUTION. It does not look at the backends that a
    pipeline's file allows either; with `check_files` we do.
    """

    pipelines: tuple[str, ...]
    format: str = "default"
    correlation_method: str | None = None
    backend_options: Mapping[str, int | str | list[int | str]] = field(default_factory=dict)
    without_pipeline: bool = False
    pipeline_check: bool = True
    check_files: bool = False
    enable_template_vars: bool = False
    template_vars_paths: tuple[str, ...] = ()
    json_indent: int | None = None
    # The backends of the same run: a pipeline that ships with one of them is not for the others.
    beside: tuple[str, ...] = ()


def own_pipelines(target: str, options: StockOptions) -> tuple[str, ...]:
    """The pipelines without those that ship with another backend of the same run."""
    others = {name for other in options.beside if other != target for name in _PIPELINES.get(other, ())}
    foreign = others - set(_PIPELINES.get(target, ()))
    return tuple(name for name in options.pipelines if name not in foreign)


def built_in(family: str) -> tuple[str, ...]:
    """The pipelines that ship with the backend of this name."""
    return tuple(_PIPELINES.get(family, ()))


def resolved(names: Sequence[str], target: str, options: StockOptions) -> ProcessingPipeline:
    """The pipelines of these names or files as one, by priority; raises UsageError."""
    return _pipeline(target, replace(options, pipelines=tuple(names)))


def load(targets: Sequence[str], pipelines: Sequence[str]) -> None:
    """Import what the backends and pipelines of these names are made of; names that are none are passed over."""
    for target in targets:
        if target in _BACKENDS:
            _backend_class(target)
    for name in pipelines:
        if name in _KNOWN:
            _imported(_KNOWN[name])


def backend_for(target: str, options: StockOptions) -> StockBackend:
    """The backend that sigma-cli knows by this name, ready for any number of rules; raises UsageError."""
    options = replace(options, pipelines=own_pipelines(target, options))
    backend_class = _backend_class(target)
    if backend_class.requires_pipeline and not options.pipelines and not options.without_pipeline:
        raise UsageError(f"{target} needs a pipeline; have: {_names(target)}, or ask to do without")
    pipeline = _pipeline(target, options)
    backend = _instance(target, backend_class, pipeline, options)
    if options.format not in backend.formats:
        raise UsageError(f"unknown format {options.format} of {target}; have: {', '.join(backend.formats)}, ndjson")
    method, methods = options.correlation_method, backend.correlation_methods or {}
    if method is not None and method not in methods:
        have = f"have: {', '.join(methods)}" if methods else "it converts no correlations"
        raise UsageError(f"unknown correlation method {method} of {target}; {have}")
    backend.init_processing_pipeline(options.format)
    return StockBackend(target, backend, options.format, method, options.json_indent, remembered(backend))


def _backend_class(target: str) -> type[Backend]:
    installed: Mapping[str, Any] = {} if target in _BACKENDS else _plugins().backends
    if target not in installed and target not in _BACKENDS:
        raise UsageError(f"unknown backend {target}; have: {', '.join(installed)}")
    found: type[Backend] = _imported(_BACKENDS[target]) if target in _BACKENDS else installed[target]
    return found


def _pipeline(target: str, options: StockOptions) -> ProcessingPipeline:
    try:
        return _Resolver(options).resolve(list(options.pipelines), target if options.pipeline_check else None)
    except SigmaPipelineNotFoundError as error:
        raise UsageError(
            f"no pipeline {error.spec}; have: {_names(target)}, or name a YAML file or a folder"
        ) from error
    except SigmaPipelineNotAllowedForBackendError as error:
        message = (
            f"the pipeline {error.wrong_pipeline} is not for {target}; have: {_names(target)}, or turn the check off"
        )
        raise UsageError(message) from error
    except Exception as error:
        said = str(error).replace("allow_template_vars=True", "--enable-template-vars")
        raise UsageError(f"the pipeline {_culprit(options)} is not sound: {type(error).__name__}: {said}") from error


def _culprit(options: StockOptions) -> str:
    """The pipeline that cannot be read by itself."""
    resolver = _Resolver(options)
    for name in options.pipelines:
        try:
            resolver.resolve([name], None)
        except Exception:  # noqa: BLE001 - whatever a file holds
            return name
    return ", ".join(options.pipelines)


class _Resolver(ProcessingPipelineResolver):
    """pySigma's resolver, which imports the pipelines that are asked for, and reads files as the options allow."""

    def __init__(self, options: StockOptions) -> None:
        self.options = options
        names = [name for name in options.pipelines if name in _KNOWN]
        if all(name in _KNOWN or _is_path(name) for name in options.pipelines):
            super().__init__({name: _imported(_KNOWN[name]) for name in names})
        else:
            super().__init__(dict(_plugins().pipelines))

    def resolve_pipeline(self, spec: str, target: str | None = None) -> ProcessingPipeline:
        """The pipeline of this name, or of this file; raises SigmaPipelineNotFoundError for neither."""
        if spec in self.pipelines:
            return super().resolve_pipeline(spec, target)
        try:
            text = Path(spec).read_text(encoding="utf-8")
        except OSError as error:
            raise SigmaPipelineNotFoundError(spec) from error
        pipeline = ProcessingPipeline.from_yaml(
            text,
            allow_template_vars=self.options.enable_template_vars,
            vars_allowed_paths=self.options.template_vars_paths or None,
            source_path=spec,
        )
        allowed = pipeline.allowed_backends
        if self.options.check_files and target is not None and allowed and target not in allowed:
            raise SigmaPipelineNotAllowedForBackendError(spec, target)
        return pipeline


def _is_path(name: str) -> bool:
    """Whether no search for a plugin's pipeline of this name is needed: pySigma looks for a folder first."""
    return "/" in name or "\\" in name or name.endswith(_YAML) or Path(name).is_dir()


def _instance(
    target: str, backend_class: type[Backend], pipeline: ProcessingPipeline, options: StockOptions
) -> Backend:
    """The backend with its options. One that it does not name is a variable, which only pipeline files can use."""
    known = _parameters(backend_class)
    if all(name in _KNOWN for name in options.pipelines):
        for name in options.backend_options:
            if name not in known:
                raise UsageError(f"unknown option {name} of {target}; {_listed(known)}")
    values: dict[str, Any] = dict(options.backend_options)
    try:
        return backend_class(processing_pipeline=pipeline, collect_errors=False, **values)
    except TypeError as error:
        raise UsageError(f"an option does not suit {target}: {error}; {_listed(known)}") from error


def _parameters(backend_class: type[Backend]) -> list[str]:
    named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    signature = inspect.signature(backend_class)
    own = {"processing_pipeline", "collect_errors"}
    return [name for name, one in signature.parameters.items() if one.kind in named and name not in own]


def _listed(names: Sequence[str]) -> str:
    return f"have: {', '.join(names)}" if names else "it has none"


def _names(target: str) -> str:
    names = _PIPELINES.get(target)
    return ", ".join(names if names is not None else chain(_plugins().pipelines))


@cache
def _plugins() -> InstalledSigmaPlugins:
    """All that is installed, which takes a quarter of a second: for names that are none of ours."""
    plugins = import_module("sigma.plugins")
    found: InstalledSigmaPlugins = plugins.InstalledSigmaPlugins.autodiscover(include_validators=False)
    return found


def _imported(place: str) -> Any:  # noqa: ANN401 - a backend's class or a pipeline's function
    module, _, name = place.rpartition(".")
    return getattr(import_module(module), name)
