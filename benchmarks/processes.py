"""Whole processes and what they cost: user and system time, wall time, and the largest of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

MEGABYTE = 1024
# Users have their modules compiled and their output buffered.
LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")


@dataclass(frozen=True)
class Cost:
    """What one process and its children cost: seconds, seconds, and megabytes of the largest."""

    cpu: float
    wall: float
    memory: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cpu + other.cpu, self.wall + other.wall, max(self.memory, other.memory))


@dataclass(frozen=True)
class Command:
    """A command line, where it runs, and what it finds in its environment."""

    arguments: tuple[str, ...]
    cwd: Path
    environment: tuple[tuple[str, str], ...] = ()

    def variables(self) -> dict[str, str]:
        """The whole environment that it runs in."""
        held = {name: held for name, held in os.environ.items() if name not in LEFT_OUT}
        return held | dict(self.environment)

    def run(self) -> Cost:
        """Run it to its end; raises RuntimeError where it does not do its work."""
        started = time.perf_counter()
        with Path(os.devnull).open("wb") as nowhere:
            process = subprocess.Popen(  # noqa: S603 - what the benchmark is for
                self.arguments,
                cwd=self.cwd,
                env=self.variables(),
                stdout=nowhere,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
            )
            said = process.stderr.read() if process.stderr else b""
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.stderr:
            process.stderr.close()
        wall = time.perf_counter() - started
        if process.returncode not in (0, 1) or b"Traceback" in said:
            raise RuntimeError(f"{' '.join(self.arguments)} ended with {process.returncode}: {said[-2000:].decode()}")
        return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / MEGABYTE)


Work = Callable[[], Cost]


def together(commands: Sequence[Command]) -> Work:
    """All of the commands, one after the other, as one piece of work."""

    def run() -> Cost:
        costs = [command.run() for command in commands]
        total = costs[0]
        for cost in costs[1:]:
            total += cost
        return total

    return run


@dataclass(frozen=True)
class Pair:
    """Medians of interleaved runs: of each side, and of the ratios theirs / ours."""

    ours: Cost
    theirs: Cost
    cpu: float
    wall: float


def interleaved(ours: Work, theirs: Work, times: int) -> Pair:
    """Ours, theirs, ours, theirs."""
    runs = [(ours(), theirs()) for _ in range(times)]
    return Pair(
        middle([mine for mine, _ in runs]),
        middle([other for _, other in runs]),
        median(other.cpu / mine.cpu for mine, other in runs),
        median(other.wall / mine.wall for mine, other in runs),
    )


def middle(costs: Sequence[Cost]) -> Cost:
    """The medians of each figure."""
    return Cost(
        median(cost.cpu for cost in costs), median(cost.wall for cost in costs), max(cost.memory for cost in costs)
    )


def several(work: Work, times: int) -> Cost:
    """The medians of several runs."""
    return middle([work() for _ in range(times)])


def instructions(command: Command) -> int | None:
    """How many instructions a command takes, by valgrind's callgrind; None where that is not installed."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    with TemporaryDirectory() as folder:
        arguments = [valgrind, "--tool=callgrind", f"--callgrind-out-file={folder}/out", *command.arguments]
        done = subprocess.run(  # noqa: S603 - likewise
            arguments,
            cwd=command.cwd,
            env=command.variables() | {"PYTHONHASHSEED": "0"},
            capture_output=True,
            check=False,
        )
    found = re.search(rb"Collected : (\d+)", done.stderr)
    return int(found[1]) if found else None


def machine() -> str:
    """The processors, the system and the Python that the figures are of."""
    model = ""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        found = re.search(r"model name\s*: (.*)", facts.read_text(encoding="utf-8"))
        model = found[1].strip() if found else ""
    return f"{os.cpu_count()} processors ({model or os.uname().machine}), Python {version()}"


def version() -> str:
    """The version of Python."""
    return ".".join(map(str, sys.version_info[:3]))
