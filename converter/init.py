"""A project to start from: its file, and a pack with one rule and its cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from uuid import uuid4

from converter import config

PACK = PurePosixPath(config.RULES, "my_pack")

PROJECT = """\
# The project file of sigmapack: found from any folder below it. Everything on the command line overrides it.
# Paths are relative to this file.

packs = ["sigma_rules"]
targets = ["kusto", "splunk", "lucene"]
outputs = "outputs"

# pySigma pipelines beside those of the targets' routes, by name or file:
# pipelines = ["pipelines/our_fields.yml"]

# Sigma filters, which every rule of their log source gets:
# filters = ["filters"]

# Values of the placeholders that rules name with the modifier `expand`:
# [placeholders]
# administrators = ["alice", "bob"]
"""
PACK_SETTINGS = """\
title = "My first pack"
description = "What these rules are about."
technique = "T1087.001"
"""
RULE = """\
title: Local Accounts Listed Via Net.EXE
id: {id}
status: experimental
description: Detects the listing of a Windows computer's local accounts with net.exe.
references:
    - https://attack.mitre.org/techniques/T1087/001/
author: your name
date: {date}
tags:
    - attack.discovery
    - attack.t1087.001
logsource:
    category: process_creation
    product: windows
detection:
    selection_img:
        Image|endswith:
            - '\\net.exe'
            - '\\net1.exe'
    selection_cli:
        CommandLine|endswith: ' user'
    condition: all of selection_*
falsepositives:
    - Administrators
level: low
"""
CASES = """\
must_match:
    - name: the accounts of this computer
      event: &listing
          Image: 'C:\\Windows\\System32\\net.exe'
          CommandLine: 'net user'
must_not_match:
    - name: another object
      event: { <<: *listing, CommandLine: 'net group' }
    - name: the same words, another program
      event: { <<: *listing, Image: 'C:\\Windows\\System32\\cmd.exe' }
"""


def files(date: str, new_id: Callable[[], object] = uuid4) -> dict[PurePosixPath, str]:
    """The files of a new project by path below its folder; `date` is today's, like 2026-11-24."""
    rule = PACK / "proc_creation_win_net_user.yml"
    return {
        PurePosixPath(config.FILE): PROJECT,
        PACK / "pack.toml": PACK_SETTINGS,
        rule: RULE.format(id=new_id(), date=date),
        rule.with_suffix(".cases.yaml"): CASES,
    }


def in_the_way(folder: Path) -> Path | None:
    """What stands where the new project's file or pack would, None if nothing does."""
    places = (folder / config.FILE, folder / PACK)
    return next((place for place in places if place.exists() or place.is_symlink()), None)
