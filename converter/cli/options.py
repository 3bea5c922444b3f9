"""Kinds of values that options of several commands take."""

from __future__ import annotations

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
