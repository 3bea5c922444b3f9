"""Lets `python -m converter` be `sigmapack`."""

import sys

from converter.cli import run

if __name__ == "__main__":
    sys.exit(run())
