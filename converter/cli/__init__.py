"""The command line: parses, delegates, prints, exits. The only code that knows click and rich.

Exit codes: 0 fine · 1 findings, the other rules went through · 2 usage or configuration, or an INPUT that is not there
· 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from converter.cli.check import check
from converter.cli.convert import convert
from converter.cli.init import init
from converter.cli.list import list_
from converter.errors import SigmapackError

INTERRUPTED = 130
BROKEN_PIPE = 141


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sigmapack", prog_name="sigmapack")
def sigmapack() -> None:
    """Convert Sigma rules to KQL, SPL and Lucene, and hold every conversion still."""


for command in (convert, check, list_, init):
    sigmapack.add_command(command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Queries are UTF-8 with plain newlines wherever they are written.
            stream.reconfigure(encoding="utf-8", newline="\n")
    try:
        code = sigmapack.main(arguments, prog_name="sigmapack", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SigmapackError as error:
        click.echo(f"sigmapack: {error}", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("sigmapack: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away, as `head` does; Python must not try to flush once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code if isinstance(code, int) else 0
