"""teragrep's published grammar of Splunk's language (Maven, com.teragrep:pth_03), as a check of syntax."""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.events import ROOT

FOLDER = ROOT / "tests" / "data" / "dpl"
TOOLS = {name: shutil.which(name) for name in ("java", "mvn")}


def errors(queries: Sequence[str]) -> list[str | None]:
    """The first error of syntax of each query, or None."""
    lines = "\n".join(base64.b64encode(query.strip().encode()).decode() for query in queries)
    done = subprocess.run(
        [_tool("java"), "-cp", _classpath(), str(FOLDER / "Syntax.java")],
        input=lines,
        text=True,
        capture_output=True,
        check=True,
        timeout=300,
    )
    found = done.stdout.splitlines()
    if len(found) != len(queries):
        raise RuntimeError(done.stderr)
    return [None if line == "ok" else line for line in found]


@cache
def _classpath() -> str:
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "classpath"
        goal = ("dependency:build-classpath", f"-Dmdep.outputFile={written}")
        subprocess.run([_tool("mvn"), "-q", "-B", *goal, "-f", str(FOLDER)], check=True, timeout=300)
        return written.read_text(encoding="utf-8").strip()


def _tool(name: str) -> str:
    found: str | None = TOOLS[name]
    if found is None:
        raise RuntimeError(f"{name} is not installed")
    return found
