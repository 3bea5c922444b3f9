"""What Elastic stores of an event: each source of its layouts on a whole record, and each form on its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from converter.logsource import LogSource
from converter.schemas import layout
from converter.schemas.forms import Event
from converter.schemas.layout import Source

PROCESS: Mapping[str, Any] = {
    "CommandLine": "curl.exe  -H X http://example.com",
    "Computer": "PC7.example.com",
    "CurrentDirectory": "C:\\Users\\ann\\",
    "Description": "The curl executable",
    "Hashes": "MD5=" + "AB" * 16 + ",SHA256=" + "CD" * 32 + ",IMPHASH=" + "EF" * 16,
    "Image": "C:\\Windows\\System32\\curl.exe",
    "IntegrityLevel": "High",
    "LogonId": "0x3144C",
    "OriginalFileName": "curl.exe",
    "ParentCommandLine": '"C:\\WINDOWS\\system32\\cmd.exe"',
    "ParentImage": "C:\\Windows\\System32\\cmd.exe",
    "ParentProcessId": 3476,
    "ProcessId": "6400",
    "User": "NT AUTHORITY\\SYSTEM",
}


def source(target: str, name: str) -> Source:
    """The source of this name of the target's layout."""
    held = layout(target)
    assert held is not None
    return next(source for source in held.sources if source.name == name)


def test_a_process_of_defend() -> None:
    """User and Hashes are split, digests and integrity in lower case, and what Defend does not see is left out."""
    rows = source("lucene", "process_creation_windows").rows(PROCESS)
    expected = {
        "host.name": "PC7",
        "host.os.type": "windows",
        "process.command_line": "curl.exe  -H X http://example.com",
        "process.executable": "C:\\Windows\\System32\\curl.exe",
        "process.name": "curl.exe",
        "process.hash.md5": "ab" * 16,
        "process.hash.sha256": "cd" * 32,
        "process.pe.imphash": "ef" * 16,
        "process.pe.original_file_name": "curl.exe",
        "process.Ext.token.integrity_level_name": "high",
        "process.Ext.authentication_id": "0x3144c",
        "process.parent.executable": "C:\\Windows\\System32\\cmd.exe",
        "process.parent.name": "cmd.exe",
        "process.parent.pid": 3476,
        "process.pid": 6400,
        "process.working_directory": "C:\\Users\\ann\\",
        "user.domain": "NT AUTHORITY",
        "user.name": "SYSTEM",
    }
    assert expected.items() <= rows[0].items()
    assert rows[0].keys().isdisjoint({"process.pe.description", "process.hash.sha1"})
    assert [(row["event.action"], row["event.type"], row["host.name"]) for row in rows] == [
        ("start", ("start",), "PC7"),
        (("start", "end"), ("start", "end"), "PC7.example.com"),
    ]


def test_a_rule_without_a_product_asks_every_system() -> None:
    """A source for each, and no stranger that is only of another system."""
    held = layout("lucene")
    assert held is not None
    sources = held.sources_of(LogSource("process_creation"))
    systems = [source.rows({})[0]["host.os.type"] for source in sources]
    assert systems == ["windows", "linux", "macos"]
    for each in sources:
        (row, *_) = each.rows({})
        assert {other["host.os.type"] for other in [kind.of(row) for kind in each.strangers]} == {row["host.os.type"]}


def test_a_user_of_linux_has_no_domain() -> None:
    """The name is all, and the digest of imports has no field."""
    (row, *_) = source("lucene", "process_creation_linux").rows({"User": "root", "Hashes": PROCESS["Hashes"]})
    assert row["user.name"] == "root"
    assert row["process.hash.sha256"] == "cd" * 32
    assert row.keys().isdisjoint({"user.domain", "process.pe.imphash"})


SYSMON: Mapping[str, tuple[Event, Mapping[str, object]]] = {
    "registry_set": (
        {
            "Computer": "vagrant",
            "Details": "DWORD (0x00000004)",
            "EventType": "SetValue",
            "Image": "C:\\Windows\\regedit.exe",
            "ProcessId": 6072,
            "TargetObject": "HKU\\S-1-5-21-1\\Software\\Key 1",
        },
        {
            "event.action": "RegistryEvent (Value Set)",
            "event.code": "13",
            "process.executable": "C:\\Windows\\regedit.exe",
            "process.name": "regedit.exe",
            "process.pid": 6072,
            "registry.data.strings": ("4",),
            "registry.data.type": "SZ_DWORD",
            "registry.path": "HKU\\S-1-5-21-1\\Software\\Key 1",
            "registry.value": "Key 1",
            "winlog.computer_name": "vagrant",
            "winlog.event_data.EventType": "SetValue",
        },
    ),
    "file_delete": (
        {
            "Hashes": "MD5=" + "AB" * 16 + ",IMPHASH=" + "CD" * 16,
            "TargetFilename": "C:\\Temp\\test.test.exe",
            "User": "VAGRANT\\ann",
        },
        {
            "event.code": "23",
            "file.name": "test.test.exe",
            "file.path": "C:\\Temp\\test.test.exe",
            "process.hash.md5": "ab" * 16,
            "process.pe.imphash": "cd" * 16,
            "user.domain": "VAGRANT",
            "user.name": "ann",
        },
    ),
    "image_load": (
        {
            "Company": "Microsoft Corporation",
            "Hashes": "SHA1=" + "AB" * 20,
            "ImageLoaded": "C:\\Windows\\System32\\IDStore.dll",
            "OriginalFileName": "IdStore.dll",
            "Signature": "-",
            "SignatureStatus": "Valid",
            "Signed": "true",
        },
        {
            "event.code": "7",
            "file.code_signature.status": "Valid",
            "file.hash.sha1": "ab" * 20,
            "file.name": "IDStore.dll",
            "file.pe.company": "Microsoft Corporation",
            "file.pe.original_file_name": "IdStore.dll",
            "winlog.event_data.Company": "Microsoft Corporation",
            "winlog.event_data.Signed": "true",
        },
    ),
    "dns_query": (
        {"Image": "C:\\Program Files\\Internet Explorer\\iexplore.exe", "QueryName": "go.example.com"},
        {"event.code": "22", "dns.question.name": "go.example.com", "process.name": "iexplore.exe"},
    ),
    "network_connection_accepted": (
        {"DestinationIp": "192.0.2.7", "DestinationPort": "443", "Initiated": "false", "SourceIsIpv6": "false"},
        {
            "destination.ip": "192.0.2.7",
            "destination.port": 443,
            "network.direction": "ingress",
            "network.type": "ipv4",
        },
    ),
}


@pytest.mark.parametrize("target", ["lucene_windows", "lucene_winlogbeat"])
@pytest.mark.parametrize("name", SYSMON)
def test_a_sysmon_event(target: str, name: str) -> None:
    """What the vendors' own tests say of such records: ECS fields, no empty values, winlog.event_data for the rest."""
    event, expected = SYSMON[name]
    for row in source(target, name).rows(event)[:1]:
        assert expected.items() <= row.items()
        assert row.keys().isdisjoint({"file.code_signature.subject_name", "winlog.event_data.Hashes"})


def test_where_details_are_kept() -> None:
    """In both layouts as registry.data.strings, and as Sysmon wrote them in some releases alone."""
    for target, first in (("lucene_windows", True), ("lucene_winlogbeat", False)):
        rows = source(target, "registry_set").rows(SYSMON["registry_set"][0])
        assert ("winlog.event_data.Details" in rows[0]) is first
        assert {"winlog.event_data.Details" in row for row in rows} == {True, False}
        assert all(row["registry.data.strings"] == ("4",) for row in rows)


def test_how_defend_may_spell_the_registry() -> None:
    """Each reading that the documentation leaves open, and no number of a control set that Sysmon does not write."""
    path = "HKLM\\System\\CurrentControlSet\\Services\\x\\(Default)"
    rows = source("lucene", "registry_set").rows({"TargetObject": path, "Details": "DWORD (0x00000001)"})
    assert [(row["registry.path"], row["registry.data.strings"]) for row in rows] == [
        ("HKLM\\SYSTEM\\ControlSet001\\Services\\x\\", ("1",)),
        ("HKLM\\SYSTEM\\CurrentControlSet\\Services\\x\\", ("0x00000001",)),
        ("HKLM\\SYSTEM\\ControlSet002\\Services\\x\\(Default)", ("1",)),
    ]


def test_a_security_event_goes_where_its_number_says() -> None:
    """4688 names the new process in ECS fields; 4663 leaves what opened the file in winlog.event_data."""
    held = source("lucene", "security")
    (started, *_) = held.rows({"EventID": 4688, "NewProcessName": "C:\\a.exe", "ProcessId": "0x10"})
    assert (started["process.executable"], started["process.parent.pid"]) == ("C:\\a.exe", 16)
    (opened, *_) = held.rows({"EventID": 4663, "ProcessName": "C:\\a.exe"})
    assert "process.executable" not in opened
    assert opened["winlog.event_data.ProcessName"] == "C:\\a.exe"


CASELESS = {
    "process.command_line",
    "process.executable",
    "process.name",
    "process.parent.command_line",
    "process.parent.executable",
    "process.parent.name",
    "process.parent.working_directory",
    "process.working_directory",
}
SHORT = {"process.executable", "process.name"}


def test_which_fields_have_caseless() -> None:
    """Of each table, as its mapping says."""
    found = {}
    for target in ("lucene", "lucene_windows", "lucene_winlogbeat"):
        held = layout(target)
        assert held is not None
        for table in held.tables.values():
            found[target, table.name] = {column.name for column in table.columns.values() if column.caseless}
    integrations = {
        (target, f"logs-{name}-*"): SHORT
        for target in ("lucene", "lucene_windows")
        for name in ("windows.sysmon_operational", "windows.powershell_operational", "system.security")
    }
    raw = {(target, f"logs-system.{name}-*"): set[str]() for target in ("lucene", "lucene_windows") for name in RAW}
    assert found == {
        ("lucene", "logs-endpoint.events.process-*"): CASELESS,
        ("lucene", "logs-endpoint.events.registry-*"): SHORT,
        ("lucene", "logs-endpoint.events.file-*"): SHORT | {"file.path", "process.command_line"},
        ("lucene", "logs-endpoint.events.library-*"): SHORT,
        ("lucene", "logs-endpoint.events.network-*"): SHORT | {"process.command_line"},
        **integrations,
        **raw,
        ("lucene_winlogbeat", "winlogbeat-*"): set[str](),
    }


RAW = ("system", "application")
EVERY = [
    pytest.param(each, id=f"{target}-{each.name}")
    for target in ("lucene", "lucene_windows", "lucene_winlogbeat")
    for each in getattr(layout(target), "sources", ())
]


@pytest.mark.parametrize("each", EVERY)
def test_every_source(each: Source) -> None:
    """It keeps none of what it drops, its rows are told apart from strangers, and each cell suits its column."""
    assert each.fields.isdisjoint(each.dropped)
    assert each.strangers
    for row in each.rows({name: {"EventID": "4688"}.get(name, "Example") for name in each.always}):
        assert all(other != row for other in [kind.of(row) for kind in each.strangers])
        for name, cell in row.items():
            suited = {"long": int, "boolean": bool}.get(each.table.columns[name].type, str)
            assert all(isinstance(value, suited) for value in (cell if isinstance(cell, tuple) else (cell,)))
