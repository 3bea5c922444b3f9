"""Where a project's rules and outputs stand."""

from __future__ import annotations

from pathlib import Path

from converter.errors import UsageError

RULES = "sigma_rules"
OUTPUTS = "outputs"


def root(start: Path) -> Path:
    """The nearest folder, from `start` upward, that holds `sigma_rules`; raises UsageError where none does."""
    for folder in (start, *start.parents):
        if (folder / RULES).is_dir():
            return folder
    message = f"no {RULES} folder here or above; name an INPUT, or change into a project"
    raise UsageError(message, start)


def relative(path: Path, start: Path) -> Path:
    """The path as a user in `start` would write it: relative where it lies below, absolute elsewhere."""
    return path.relative_to(start) if path.is_relative_to(start) else path
