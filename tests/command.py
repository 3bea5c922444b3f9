"""The command line as a user meets it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

RULE = """\
title: Something Was Started
id: {id}
status: test
description: Detects something
references:
    - https://example.com/
author: somebody
date: 2026-01-01
tags:
    - attack.reconnaissance
logsource:
    category: process_creation
    product: windows
detection:
    selection:
        {field}: '{value}'
    condition: selection
level: low
"""


def rule(number: int = 1, field: str = "CommandLine|contains", value: str = "something") -> str:
    """A sound rule whose id is made of the number."""
    return RULE.format(id=f"00000000-0000-4000-8000-{number:012}", field=field, value=value)


def sigmapack(
    *arguments: str | Path, cwd: Path, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command; never in a project of ours unless `cwd` lies in it."""
    done = subprocess.run(
        [sys.executable, "-m", "converter", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
        env=os.environ | (environment or {}),
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
