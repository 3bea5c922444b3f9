"""Measures what each stand-in for a method of pySigma's gains, and writes benchmarks/pieces.md.

python -m benchmarks.pieces RULES

RULES is a folder of rules, of which a hundred are converted to each target: with all stand-ins, with all but one, and
with none. Instructions are counted by valgrind's callgrind, which no other process disturbs: some ten seconds for each
stand-in.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.processes import Command, instructions, version
from benchmarks.speed import COUNTED, HERE, TARGETS, stock_arguments, wrapped
from converter import upstream

NONE, ALL = "", "all"
MILLION = 1_000_000


@dataclass(frozen=True)
class Conversion:
    """The conversion of a folder of rules to each target, as sigma-cli would do it."""

    folder: Path
    rules: Path

    def command(self, left_out: str, rules: Path) -> Command:
        """The conversion without that piece."""
        arguments = ("convert", "--no-cache", *stock_arguments(), str(rules))
        environment = (("PYTHONPATH", str(HERE.parent)), ("PYTHONHASHSEED", "0"))
        return Command((sys.executable, str(HERE / "one_less.py"), left_out, *arguments), self.folder, environment)

    def counted(self, left_out: str, rules: Path | None = None) -> int:
        """The instructions that it takes; raises RuntimeError where they cannot be counted."""
        found = instructions(self.command(left_out, rules or self.rules))
        if found is None:
            raise RuntimeError("instructions are counted by valgrind, which is not installed or fails")
        return found

    def text(self, left_out: str) -> bytes:
        """What it prints."""
        command = self.command(left_out, self.rules)
        done = subprocess.run(  # noqa: S603 - ourselves
            command.arguments, cwd=command.cwd, env=command.variables(), capture_output=True, check=False
        )
        return done.stdout + done.stderr


def copied(rules: Path, folder: Path) -> Conversion:
    """So many of the rules, spread evenly over all, in a folder."""
    found = sorted(rules.rglob("*.yml"))
    for number, path in enumerate(found[:: max(1, len(found) // COUNTED)][:COUNTED]):
        place = folder / "rules" / f"{number}.yml"
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, place)
    (folder / "one").mkdir()
    shutil.copyfile(folder / "rules" / "0.yml", folder / "one" / "0.yml")
    return Conversion(folder, folder / "rules")


def report(conversion: Conversion) -> Iterator[str]:
    """The page, a line at a time."""
    number = len(list(conversion.rules.iterdir()))
    # What the first rule takes, the start of Python and imports among it, is no part of a conversion.
    start = conversion.counted(NONE, conversion.folder / "one")
    whole = conversion.counted(NONE)
    bare = conversion.counted(ALL)
    text = conversion.text(NONE)
    each = (number - 1) * len(TARGETS)
    yield "# What each stand-in for a method of pySigma's gains"
    yield ""
    yield from wrapped(
        "Written by `python -m benchmarks.pieces RULES`. [docs/upstream.md](../docs/upstream.md) says what stands in "
        f"for what. Measured on {number} rules, each converted to {', '.join(TARGETS)} with `--stock`, in instructions "
        f"(callgrind, `PYTHONHASHSEED=0`), Python {version()}. Start and imports are left out."
    )
    yield ""
    yield from wrapped(
        f"With all stand-ins a conversion takes {(whole - start) / each / MILLION:.2f} million instructions, with none "
        f"{(bare - start) / each / MILLION:.2f} million: {(bare - start) / (whole - start):.1f} times as many. A line "
        "says how many more one conversion takes when that one is missing and all others stand. What two of them save "
        "together is not the sum: one may spare the calls that another makes cheap."
    )
    yield ""
    yield "| without | more instructions | of a conversion |"
    yield "| --- | --- | --- |"
    gains = []
    for piece in upstream.PIECES:
        if conversion.text(piece.replaces) != text:
            raise RuntimeError(f"without {piece.replaces} other text is printed")
        gains.append((conversion.counted(piece.replaces) - whole, piece))
        click.echo(f"{piece.replaces}: {gains[-1][0]}", err=True)
    for gain, piece in sorted(gains, key=lambda held: (-held[0], held[1].replaces)):
        name = f"`{piece.owner.__name__}.{piece.name}`"
        yield f"| {name} | {gain / each / 1000:+,.1f} thousand | {100 * gain / (whole - start):+.1f} % |"


@click.command()
@click.argument("rules", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", default=HERE / "pieces.md", type=click.Path(path_type=Path))
def main(rules: Path, output: Path) -> None:
    """Measure, and write the page."""
    with TemporaryDirectory(prefix="pieces-") as folder:
        lines = []
        for line in report(copied(rules, Path(folder))):
            click.echo(line)
            lines.append(f"{line}\n")
    output.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
