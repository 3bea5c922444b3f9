"""The commands by name: each is imported when it is run, since most of a short run is imports."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

# Where each command is, and the beginning of its help, which the list of commands shows.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "check": ("check", "Check that the project's rules are sound and its outputs what they convert to."),
    "convert": ("convert", "Convert rules to queries."),
    "engines": ("engines", "List the engines that prove queries: their versions, and whether each is ready."),
    "init": (
        "init",
        "Start a project in FOLDER (default: here): sigmapack.toml, and a pack with one rule and its cases.",
    ),
    "list": (
        "list_",
        "List the targets, packs, rules, routes, pipelines or formats; without a word, targets and packs.",
    ),
    "test": ("test", "Run each query over events, and say whether it finds what its rule means."),
}


class ClosedPipe(Exception):  # noqa: N818 - nobody's fault
    """Says that whoever read the output does not read on."""


class Commands(click.Group):
    """A group whose commands are imported one by one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(*args, **kwargs)
        self.commands = {name: click.Command(name, help=said) for name, (_, said) in COMMANDS.items()}

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's
        """Run the command; raises ClosedPipe where a reader went away."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # click would end with 1, as if something had been found.
            raise ClosedPipe from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        return loaded(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """List the commands by the beginning of their help, none of them imported."""
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        rows = [(name, held.get_short_help_str(limit)) for name, held in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def loaded(name: str) -> click.Command:
    """The command of this name."""
    command: click.Command = getattr(import_module(f"converter.cli.{name}"), COMMANDS[name][0])
    return command
