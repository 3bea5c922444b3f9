"""The entry of the command: imports the rest where an interrupt is already one line."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

# How many new objects are looked through for circles at a time: a short run makes next to nothing but what it keeps.
COLLECTED = 100_000
INTERRUPTED = 130
TERMINATED = 143


def run() -> int:
    """Run one command and give its exit code, whatever interrupts it."""
    code = _code()
    jobs = sys.modules.get("converter.jobs")
    if jobs is not None and jobs.abandoned:
        jobs.leave(code)
    return code


def _code() -> int:
    try:
        # A stop asked for by a job's runner lets files that are half-written go, as Ctrl-C does.
        signal.signal(signal.SIGTERM, _terminate)
        gc.set_threshold(COLLECTED)
        from converter.cli import main  # noqa: PLC0415 - takes most of a short run

        return main()
    except KeyboardInterrupt:
        os.write(2, b"\nsigmapack: interrupted\n")
        return INTERRUPTED
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        return ended.code


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


if __name__ == "__main__":
    sys.exit(run())
