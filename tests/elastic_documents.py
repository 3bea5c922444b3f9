"""Events as Elastic Defend writes them on every OS: flat, in dotted ECS names.

What each field holds follows Elastic's description (https://www.elastic.co/docs/reference/ecs/ecs-process) and the
sample event of https://github.com/elastic/endpoint-package, not our pipelines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from tests.events import Event, base_name

Document = Mapping[str, object]

# Where Defend keeps what Sigma has under these names; Image, ParentImage and User become two fields each.
COPIED = {
    "CommandLine": "process.command_line",
    "Computer": "host.name",
    "CurrentDirectory": "process.working_directory",
    "OriginalFileName": "process.pe.original_file_name",
    "ParentCommandLine": "process.parent.command_line",
}
NUMBERS = {"ProcessId": "process.pid", "ParentProcessId": "process.parent.pid"}
SPLIT = {"Image", "ParentImage", "User", "os"}


def document(event: Event) -> Document:
    """The event as one document; raises ValueError for a Sigma field that has no place here."""
    fields = event.fields
    if unknown := sorted(fields.keys() - COPIED.keys() - NUMBERS.keys() - SPLIT):
        raise ValueError(f"{event.id}: what does Elastic Defend make of the Sigma field {unknown[0]}?")
    domain, _, account = fields.get("User", "").rpartition("\\")
    held: dict[str, object] = {
        "@timestamp": event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data_stream.dataset": "endpoint.events.process",
        "event.dataset": "endpoint.events.process",
        "data_stream.namespace": "default",
        "data_stream.type": "logs",
        # A program that starts is a new process on Windows, and one that replaces its fork elsewhere.
        "event.action": "start" if fields["os"] == "windows" else "exec",
        "event.category": ["process"],
        "event.type": ["start"],
        "host.name": "host.example.com",
        "host.os.type": fields["os"],
        "process.executable": fields["Image"],
        "process.hash.sha256": hashlib.sha256(event.id.encode()).hexdigest(),
        "process.name": base_name(fields["Image"]),
    }
    if "ParentImage" in fields:
        held["process.parent.executable"] = fields["ParentImage"]
        held["process.parent.name"] = base_name(fields["ParentImage"])
    if account:
        held["user.name"] = account
    if domain:
        held["user.domain"] = domain
    held |= {name: fields[sigma] for sigma, name in COPIED.items() if sigma in fields}
    held |= {name: int(fields[sigma]) for sigma, name in NUMBERS.items() if sigma in fields}
    return held


def documents(events: Iterable[Event]) -> dict[str, Document]:
    """The events as documents by the events' ids."""
    return {event.id: document(event) for event in events}
