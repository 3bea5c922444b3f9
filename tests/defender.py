"""Defender's DeviceProcessEvents, filled from events and asked in KQL through duckdb-kql.

The columns and what they hold follow Microsoft's description of the table
(https://learn.microsoft.com/defender-xdr/advanced-hunting-deviceprocessevents-table), not our pipelines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import duckdb_kql

from tests.events import Event, base_name

COLUMNS = {
    "Timestamp": "TIMESTAMP",
    "DeviceId": "VARCHAR",
    "DeviceName": "VARCHAR",
    "ActionType": "VARCHAR",
    "FileName": "VARCHAR",
    "FolderPath": "VARCHAR",
    "SHA256": "VARCHAR",
    "ProcessVersionInfoOriginalFileName": "VARCHAR",
    "ProcessId": "BIGINT",
    "ProcessCommandLine": "VARCHAR",
    "AccountDomain": "VARCHAR",
    "AccountName": "VARCHAR",
    "InitiatingProcessFileName": "VARCHAR",
    "InitiatingProcessFolderPath": "VARCHAR",
    "InitiatingProcessCommandLine": "VARCHAR",
}


def row(event: Event) -> Mapping[str, Any]:
    """The event as Defender stores it; `DeviceId` carries the event's identity. A string that is absent is empty."""
    fields = event.fields
    domain, _, account = fields.get("User", "").rpartition("\\")
    image, parent = fields["Image"], fields.get("ParentImage", "")
    return {
        # Kusto's datetime has no zone: it is UTC.
        "Timestamp": event.time.replace(tzinfo=None),
        "DeviceId": event.id,
        "DeviceName": fields.get("Computer", "host.example.com"),
        "ActionType": "ProcessCreated",
        "FileName": base_name(image),
        "FolderPath": image,
        "SHA256": hashlib.sha256(event.id.encode()).hexdigest(),
        "ProcessVersionInfoOriginalFileName": fields.get("OriginalFileName", ""),
        "ProcessId": 4711,
        "ProcessCommandLine": fields.get("CommandLine", ""),
        "AccountDomain": domain,
        "AccountName": account,
        "InitiatingProcessFileName": base_name(parent),
        "InitiatingProcessFolderPath": parent,
        "InitiatingProcessCommandLine": fields.get("ParentCommandLine", ""),
    }


class Defender:
    """A table DeviceProcessEvents that holds these events, and answers KQL."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.connection = duckdb_kql.connect()
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        self.connection.execute(f"CREATE TABLE DeviceProcessEvents ({columns})")
        marks = ", ".join("?" * len(COLUMNS))
        rows = [[row(event)[name] for name in COLUMNS] for event in events]
        self.connection.executemany(f"INSERT INTO DeviceProcessEvents VALUES ({marks})", rows)  # noqa: S608 - marks only

    def find(self, query: str) -> set[str]:
        """The identities of the events that a rule's query finds."""
        return {str(found["DeviceId"]) for found in self.rows(query)}

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query gives: its rows in order, each with its columns in order."""
        relation: duckdb.DuckDBPyRelation = duckdb_kql.query(self.connection, query)
        return [dict(zip(relation.columns, values, strict=True)) for values in relation.fetchall()]
