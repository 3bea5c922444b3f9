"""pySigma's templates without the library for them, until one is made: its import is a seventh of a short run.

In place of `from jinja2 import FileSystemLoader` and `from jinja2.sandbox import SandboxedEnvironment` at the head of
`sigma.processing.templates`, which every pipeline imports and hardly any uses.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from converter.upstream.versions import known

TEMPLATES = "sigma.processing.templates"
# What the module takes from where.
TAKEN = {"jinja2": "FileSystemLoader", "jinja2.sandbox": "SandboxedEnvironment"}


def put_off() -> None:
    """Import pySigma's templates with names that load jinja2 when they are called.

    Nothing is done where jinja2 is loaded already, or with a pySigma that nobody has looked at.
    """
    if not known() or TEMPLATES in sys.modules or any(name in sys.modules for name in TAKEN):
        return
    try:
        for module, name in TAKEN.items():
            sys.modules[module] = _stand_in(module, name)
        import_module(TEMPLATES)
    finally:
        for module in TAKEN:
            del sys.modules[module]


def _stand_in(module: str, name: str) -> ModuleType:
    """A module with this name only, which is what the true module has when it is called."""

    def called(*arguments: Any, **named: Any) -> Any:
        return getattr(import_module(module), name)(*arguments, **named)

    made = ModuleType(module)
    setattr(made, name, called)
    return made
