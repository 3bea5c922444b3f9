"""The table of targets: what rules can be converted to. To add one: one folder, one line."""

from __future__ import annotations

from collections.abc import Iterable

from converter.errors import UsageError
from converter.targets.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("kusto", "kusto", "KQL", "kql", "Microsoft Defender XDR advanced hunting: devices and clouds"),
        Target(
            "sentinel", "kusto", "KQL", "kql", "Microsoft Sentinel: tables of Log Analytics, with Defender's copies"
        ),
        Target(
            "splunk", "splunk", "SPL", "spl", "Splunk add-ons for Sysmon: raw events of Sysmon on Windows and on Linux"
        ),
        Target("lucene", "lucene", "Lucene query string", "lucene", "Elastic Defend: logs-endpoint.events.process-*"),
    )
}


def named(names: Iterable[str]) -> list[Target]:
    """The targets of these names in the order of the table, or all; raises UsageError for a name that is not in it."""
    wanted = set(names)
    if unknown := sorted(wanted - TARGETS.keys()):
        raise UsageError(f"unknown target {unknown[0]}; have: {', '.join(TARGETS)}")
    return [target for name, target in TARGETS.items() if not wanted or name in wanted]
