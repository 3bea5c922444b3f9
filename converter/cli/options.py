"""Kinds of values that options of several commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


class KeyValue(click.ParamType[tuple[str, int | str]]):
    """KEY=VALUE, a whole number where it is one."""

    name = "key=value"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int | str]:
        """The key and the value."""
        key, sign, text = str(value).partition("=")
        if not sign or not key:
            self.fail(f"{value} is not KEY=VALUE", param, ctx)
        return key, int(text) if text.lstrip("-").isdigit() else text


def a_path(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Path | None:
    """The path that an option names; an empty one, as from a variable that is not set, is no path."""
    if value == "":
        raise click.UsageError("-o names no file or folder")
    return None if value is None else Path(value)


def not_taken(*names: str, instead: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option of sigma-cli that we do not take: naming it is wrong usage, and says what to do instead."""

    def refuse(_context: click.Context, parameter: click.Parameter, value: object) -> None:
        if value is not None:
            raise click.UsageError(f"{'/'.join(parameter.opts)} is not taken: {instead}")

    return click.option(*names, hidden=True, expose_value=False, callback=refuse)
