"""Runs one command under cProfile, and prints whose code takes its time, and which functions of ours take most.

python benchmarks/profiled.py RULE ARGUMENT...: prints lines of a percentage, "whose" or "function", and a name. RULE is
converted before, so that what is imported on the way is no part of it.
"""

from __future__ import annotations

import contextlib
import cProfile
import io
import pstats
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "converter"
OURS, PYSIGMA, REST = "ours", "pySigma and its backends", "Python's own library, and other packages"
# cProfile does not see libyaml: its time is that of the functions which call it.
YAML = "reading YAML: libyaml, and what of ours calls it"
# A file, a line and a name; of a function written in C, a sign and a name.
Function = tuple[str, int, str]
# Calls, own seconds, seconds, and the own seconds that each caller's calls took.
Facts = tuple[int, int, float, float, Mapping[Function, tuple[int, int, float, float]]]


def whose(function: Function) -> str:
    """Whose code a function is."""
    file = function[0]
    if "/yaml/" in file or file == str(PACKAGE / "documents.py"):
        return YAML
    if file.startswith(str(PACKAGE)):
        return OURS
    return PYSIGMA if "/sigma/" in file else REST


def shares(profile: cProfile.Profile) -> tuple[dict[str, float], dict[str, float]]:
    """The percentage of all time by whose code it is, and by function of ours.

    What functions written in C take, such as joining texts, belongs to those that call them.
    """
    stats: Mapping[Function, Facts] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(facts[2] for facts in stats.values())
    owners: defaultdict[str, float] = defaultdict(float)
    functions: defaultdict[str, float] = defaultdict(float)
    for function, (_, _, own, _, callers) in stats.items():
        is_builtin = function[0] == "~" and whose(function) == REST and callers
        parts = {caller: facts[2] for caller, facts in callers.items()} if is_builtin else {function: own}
        for part, seconds in parts.items():
            owners[whose(part)] += 100 * seconds / total
            if part[0].startswith(str(PACKAGE)):
                functions[name(part)] += 100 * seconds / total
    return owners, functions


def name(function: Function) -> str:
    """A function of ours by its module and name."""
    module = ".".join(Path(function[0]).relative_to(PACKAGE.parent).with_suffix("").parts)
    return f"{module.removesuffix('.__init__')}:{function[2]}"


def main() -> None:
    """Profile the command, and print."""
    from converter.cli import main as run  # noqa: PLC0415 - imports are no part of the profile

    profile = cProfile.Profile()
    streams = (io.TextIOWrapper(io.BytesIO()), io.StringIO())
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        run(["convert", "--no-cache", sys.argv[1]])
        profile.runcall(run, sys.argv[2:])
    for kind, found in zip(("whose", "function"), shares(profile), strict=True):
        for each, share in sorted(found.items(), key=lambda held: -held[1]):
            sys.stdout.write(f"{share:.2f}\t{kind}\t{each}\n")


if __name__ == "__main__":
    main()
