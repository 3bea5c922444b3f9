"""The command line: parses, delegates, prints, exits. The only code that knows click and rich.

Exit codes: 0 fine · 1 findings, the other rules went through · 2 usage or configuration, or an INPUT that is not there
· 130 interrupted · 141 a reader went away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from converter.cli.commands import ClosedPipe, Commands
from converter.errors import SigmapackError

FINDINGS = 1
USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sigmapack", prog_name="sigmapack")
def sigmapack() -> None:
    """Convert Sigma rules to KQL, SPL and Lucene, and hold every conversion still."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; raises KeyboardInterrupt where the user stops it."""
    if sys.stdout is None or sys.stderr is None:
        return USAGE
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Queries are UTF-8 with plain newlines wherever they are written; a path may hold bytes that are not.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    try:
        code = sigmapack.main(arguments, prog_name="sigmapack", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SigmapackError as error:
        click.echo(f"sigmapack: {error}", err=True)
        return USAGE
    except click.Abort:
        # click has ended the line that ^C stands on.
        click.echo("sigmapack: interrupted", err=True)
        return INTERRUPTED
    except (BrokenPipeError, ClosedPipe):
        # The reader went away, as `head` does.
        _forget_output()
        return BROKEN_PIPE
    except OSError as error:
        _forget_output()
        click.echo(f"sigmapack: {error.strerror or error}; mend it, or write elsewhere", err=True)
        return FINDINGS
    return code if isinstance(code, int) else 0


def _forget_output() -> None:
    """Let Python not try to write once more at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
