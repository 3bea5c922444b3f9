"""What the user asks `sigmapack convert` for: without a look at any rule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from converter.cli.wanted import Wanted

NDJSON = "ndjson"


@dataclass(frozen=True)
class Request:
    """What the user asks for, option by option."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    output: Path | None
    form: str
    pipelines: tuple[str, ...]
    filters: tuple[str, ...]
    pattern: str
    levels: tuple[str, ...]
    statuses: tuple[str, ...]
    tags: tuple[str, ...]
    allow_unmapped: bool
    allow_inexact: bool
    without: tuple[str, ...]
    skip: bool
    prune: bool
    method: str | None
    backend_options: tuple[tuple[str, int | str], ...]
    encoding: str
    jobs: int | None
    cached: bool
    stock: bool
    without_pipeline: bool
    pipeline_check: bool
    enable_template_vars: bool
    template_paths: tuple[str, ...]
    reports: tuple[Wanted, ...]
    quiet: bool
    verbose: bool
