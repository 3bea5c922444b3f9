"""Holds the calls that a fixed piece of work takes to the bounds in guard.json: a guard that no other process disturbs.

python benchmarks/guard.py [--write]: exits with 1 where the work takes more calls than its bound. With --write, sets
each bound to what the work takes now and a twentieth more.
"""

from __future__ import annotations

import cProfile
import io
import json
import os
import pstats
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from itertools import count as counter
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
BOUNDS = HERE / "guard.json"
RULES = HERE.parent / "sigma_rules"
ROOM = 1.05
STOCK = ["--stock", "-t", "kusto", "-t", "splunk", "-t", "lucene", "-p", "microsoft_xdr", "-p", "splunk_windows"]
STOCK += ["-p", "ecs_windows"]


def calls(work: Callable[[], object]) -> int:
    """How many calls the work takes, once everything is imported and built."""
    work()
    profile = cProfile.Profile()
    with redirect_stdout(_Printed()), redirect_stderr(io.StringIO()):
        profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


class _Printed(io.TextIOWrapper):
    """What is printed, kept out of the way."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")


def command(*arguments: str) -> Callable[[], object]:
    """A run of the command in this process."""
    from converter.cli import main  # noqa: PLC0415 - sys.path is set by then

    def run() -> None:
        with redirect_stdout(_Printed()), redirect_stderr(io.StringIO()):
            main(arguments)

    return run


def one_changed(folder: Path) -> Callable[[], object]:
    """A run over a project of which one rule has changed since the run before."""
    # Without the pack's hunting queries, which are made of all its rules each time.
    shutil.copytree(RULES, folder / "sigma_rules", ignore=shutil.ignore_patterns("pack.toml"))
    path = min((folder / "sigma_rules").rglob("*.yml"))
    text, numbers = path.read_text(encoding="utf-8"), counter()
    convert = within(folder, command("convert"))

    def run() -> None:
        path.write_text(f"{text}# {next(numbers)}\n", encoding="utf-8")
        convert()

    convert()
    return run


def within(folder: Path, work: Callable[[], object]) -> Callable[[], object]:
    """The work, done in the folder."""

    def run() -> None:
        with chdir(folder):
            work()

    return run


def works(folder: Path) -> Mapping[str, Callable[[], object]]:
    """The pieces of work by name; `folder` is one to write into."""
    return {
        "stock": command("convert", "--no-cache", *STOCK, str(RULES)),
        "default": command("convert", "--no-cache", str(RULES)),
        "tree": command("convert", "--no-cache", "-o", f"{folder}/tree/", str(RULES)),
        "warm": command("convert", "-o", f"{folder}/warm/", str(RULES)),
        "changed": one_changed(folder / "changed"),
        "check": within(RULES.parent, command("check")),
        "help": command("--help"),
    }


def main() -> int:
    """Count, and compare or write."""
    with TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        counted = {name: calls(work) for name, work in works(Path(folder)).items()}
    if "--write" in sys.argv[1:]:
        bounds = {name: int(count * ROOM) for name, count in counted.items()}
        BOUNDS.write_text(f"{json.dumps(bounds, indent=2)}\n", encoding="utf-8")
        return 0
    bounds = json.loads(BOUNDS.read_text(encoding="utf-8"))
    over = {name: count for name, count in counted.items() if count > bounds.get(name, 0)}
    for name, count in counted.items():
        sys.stdout.write(f"{name}: {count} calls of {bounds.get(name, 0)}{' - too many' if name in over else ''}\n")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
