"""The table of targets: what rules can be converted to. To add one: one folder, one line."""

from __future__ import annotations

from collections.abc import Iterable

from converter.errors import UsageError
from converter.targets.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("kusto", "kusto", "KQL", "kql", "Microsoft Defender XDR advanced hunting: devices and clouds"),
        Target("sentinel", "kusto", "KQL", "kql", "Microsoft Sentinel: Log Analytics tables, with Defender's copies"),
        Target("splunk", "splunk", "SPL", "spl", "Splunk add-ons: raw events of Sysmon, Windows, Linux and clouds"),
        Target("splunk_security", "splunk", "SPL", "spl", "Splunk add-on for Windows: its own logs, event 4688"),
        Target("splunk_cim", "splunk", "SPL", "spl", "Splunk's Common Information Model: tstats over its data models"),
        Target("lucene", "lucene", "Lucene query string", "lucene", "Elastic Defend, and integrations beside it"),
        Target(
            "lucene_windows", "lucene", "Lucene query string", "lucene", "Elastic's integrations for Windows and Sysmon"
        ),
        Target(
            "lucene_winlogbeat", "lucene", "Lucene query string", "lucene", "Winlogbeat with its modules: winlogbeat-*"
        ),
    )
}


# What is converted to where nobody chooses.
DEFAULTS = ("kusto", "splunk", "lucene")


def named(names: Iterable[str]) -> list[Target]:
    """The targets of these names in the order of the table; raises UsageError for a name that is not in it."""
    wanted = set(names)
    if unknown := sorted(wanted - TARGETS.keys()):
        raise UsageError(f"unknown target {unknown[0]}; have: {', '.join(TARGETS)}")
    return [target for name, target in TARGETS.items() if name in wanted]
