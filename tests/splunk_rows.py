"""Events as Splunk's add-ons for Sysmon index them, on Windows and on Linux.

Sources, source types and fields follow Splunk's own samples (`data_sources/sysmon_eventid_1.yml` and
`sysmon_for_linux_eventid_1.yml` of https://github.com/splunk/security_content at b13b314aed0e), not our pipelines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from tests.events import Event

ROUTES: Mapping[str, Mapping[str, str]] = {
    "windows": {
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "source": "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational",
        "sourcetype": "xmlwineventlog",
    },
    "linux": {
        "Channel": "Linux-Sysmon/Operational",
        "source": "Syslog:Linux-Sysmon/Operational",
        "sourcetype": "sysmon:linux",
    },
}
# Both add-ons keep the names that Sysmon gives the fields of its event 1, and these are Sigma's.
SAME = {
    "CommandLine",
    "Company",
    "Computer",
    "CurrentDirectory",
    "Description",
    "FileVersion",
    "Image",
    "IntegrityLevel",
    "LogonGuid",
    "LogonId",
    "OriginalFileName",
    "ParentCommandLine",
    "ParentImage",
    "ParentProcessGuid",
    "ParentProcessId",
    "ProcessGuid",
    "ProcessId",
    "Product",
    "RuleName",
    "TerminalSessionId",
    "User",
    "UtcTime",
}


def row(event: Event) -> Mapping[str, object] | None:
    """The event as one row; None for macOS, which has no Sysmon; raises ValueError for a field that Sysmon lacks.

    `_id` is the event's identity, `_time` UNIX time. A field without a value is not extracted.
    """
    fields = event.fields
    if unknown := sorted(fields.keys() - SAME - {"os"}):
        raise ValueError(f"{event.id}: what does Sysmon make of the Sigma field {unknown[0]}?")
    if fields["os"] == "macos":
        return None
    digest = sha256(event)
    held: dict[str, object] = {
        **ROUTES[fields["os"]],
        "Computer": "host.example.com",
        "EventCode": "1",
        "Hashes": f"MD5={digest[:32]},SHA256={digest}",
        # What Sysmon writes where the program has no version resource.
        "OriginalFileName": "-",
        "_id": event.id,
        "_time": event.time.timestamp(),
    }
    if fields["os"] == "windows":
        # Here the add-on extracts each digest too.
        digests = {"MD5": digest[:32], "SHA256": digest, "IMPHASH": digest[32:]}
        held |= {"Hashes": ",".join(f"{name}={value}" for name, value in digests.items())} | digests
    return held | {name: value for name, value in fields.items() if name != "os" and value}


def rows(events: Iterable[Event]) -> list[Mapping[str, object]]:
    """The rows of those events that Sysmon collects."""
    return [held for held in map(row, events) if held is not None]


def sha256(event: Event) -> str:
    """The digest of the event's program, of which no two events have one."""
    return hashlib.sha256(event.id.encode()).hexdigest().upper()
