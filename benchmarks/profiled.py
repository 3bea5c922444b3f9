"""Runs one command under cProfile, and prints which functions of ours take more than a twentieth of it.

python benchmarks/profiled.py ARGUMENT...
"""

from __future__ import annotations

import contextlib
import cProfile
import io
import pstats
import sys
from pathlib import Path

PACKAGE = str(Path(__file__).parent.parent / "converter")
LEAST = 5.0


def shares(profile: cProfile.Profile) -> list[tuple[float, str]]:
    """The percentage of each function of ours of all own time, the largest first."""
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(held[2] for held in stats.values())
    found = [
        (100 * held[2] / total, f"{Path(file).relative_to(Path(PACKAGE).parent)} {name}")
        for (file, _, name), held in stats.items()
        if file.startswith(PACKAGE)
    ]
    return sorted(found, reverse=True)


def main() -> None:
    """Profile the command, and print."""
    from converter.cli import main as run  # noqa: PLC0415 - imports are no part of the profile

    profile = cProfile.Profile()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        profile.runcall(run, sys.argv[1:])
    for share, place in shares(profile):
        if share > LEAST:
            sys.stdout.write(f"{share:.1f}\t{place}\n")


if __name__ == "__main__":
    main()
