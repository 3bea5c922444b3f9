"""Runs one command without some of the stand-ins for pySigma's methods.

python benchmarks/one_less.py LEFT_OUT ARGUMENT...: LEFT_OUT is "", the full name of a method, or "all".
"""

from __future__ import annotations

import sys


def main(left_out: str, arguments: list[str]) -> int:
    """Leave it out, and run."""
    from converter import upstream  # noqa: PLC0415 - part of what is measured

    upstream.PIECES = tuple(piece for piece in upstream.PIECES if left_out not in {piece.replaces, "all"})
    # This applies them.
    from converter.cli import main as run  # noqa: PLC0415 - after the choice

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
