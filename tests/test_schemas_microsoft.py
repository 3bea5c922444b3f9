r"""What Defender and Sentinel hold of an event, by Microsoft's pages."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from converter.schemas import layout
from converter.schemas.forms import FORMS, Cell, Unwritable
from converter.schemas.layout import Layout, Source, read
from tests.sysmon_events import made, sample

LAYOUTS = ("defender", "sentinel")
SOURCES = [(name, source) for name in LAYOUTS for source in read(name).sources]
IDS = [f"{name}-{source.name}" for name, source in SOURCES]
TYPES = {"string", "long", "int", "bool", "real", "datetime", "dynamic"}
# https://learn.microsoft.com/defender-xdr/advanced-hunting-schema-tables
WIDTHS = {
    "DeviceProcessEvents": 66,
    "DeviceRegistryEvents": 42,
    "DeviceFileEvents": 57,
    "DeviceImageLoadEvents": 41,
    "DeviceNetworkEvents": 44,
    "DeviceEvents": 64,
}
SPELLINGS = {"users": "HKEY_CURRENT_USER", "control_set": "", "classes": r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes"}
OTHERS = {"users": "HKEY_USERS", "control_set": "ControlSet001", "classes": "HKEY_CLASSES_ROOT"}


def form(name: str, value: object, **options: object) -> Cell | None:
    return FORMS[name](value, {}, **options)


def source(name: str, of: Layout | None = None) -> Source:
    (found,) = [source for source in (of or read("defender")).sources if source.name == name]
    return found


def test_the_targets_know_their_layouts() -> None:
    assert layout("kusto") is read("defender")
    assert layout("sentinel") is read("sentinel")


@pytest.mark.parametrize("name", LAYOUTS)
def test_sources_of_one_log_source_agree_on_what_is_dropped(name: str) -> None:
    sources = read(name).sources
    for one in sources:
        for other in sources:
            if set(one.logsources) & set(other.logsources):
                assert one.fields.isdisjoint(other.dropped), (one.name, other.name)


@pytest.mark.parametrize(("name", "source"), SOURCES, ids=IDS)
def test_every_source_writes_rows_of_a_recorded_kind_of_event(name: str, source: Source) -> None:
    rows = made(source)
    assert rows, name
    assert all(row["ActionType"] for row in rows)
    assert all(row.keys() <= source.table.columns.keys() for row in rows)
    assert source.time not in set().union(*rows)


@pytest.mark.parametrize(("name", "source"), SOURCES, ids=IDS)
def test_a_field_is_kept_or_dropped(name: str, source: Source) -> None:
    assert source.fields.isdisjoint(source.dropped), name
    assert all(reading.because for reading in source.readings)


@pytest.mark.parametrize(("name", "source"), SOURCES, ids=IDS)
def test_cells_have_the_types_of_their_columns(name: str, source: Source) -> None:
    kinds = {"string": str, "long": int, "int": int, "dynamic": str}
    for row in made(source):
        for column, cell in row.items():
            assert type(cell) is kinds[source.table.columns[column].type], (name, column)


@pytest.mark.parametrize(("name", "source"), SOURCES, ids=IDS)
def test_strangers_are_of_another_kind(name: str, source: Source) -> None:
    held = source.table.name
    assert source.strangers or held in {"DeviceProcessEvents", "DeviceImageLoadEvents"} or "_event_" in source.name
    for row in made(source):
        for other in [kind.of(row) for kind in source.strangers]:
            assert other["ActionType"] not in {reading.fixed["ActionType"] for reading in source.readings}, name


def test_the_tables_are_those_of_the_pages() -> None:
    tables = read("defender").tables
    assert {name: len(table.columns) for name, table in tables.items()} == WIDTHS
    for name in LAYOUTS:
        assert {column.type for table in read(name).tables.values() for column in table.columns.values()} <= TYPES
    for table in read("sentinel").tables.values():
        assert "TimeGenerated" in table.columns
    assert read("sentinel").tables["DeviceEvents"].columns["AdditionalFields"].type == "dynamic"
    assert tables["DeviceEvents"].columns["AdditionalFields"].type == "string"


def test_sentinel_holds_what_defender_holds_but_for_sessions() -> None:
    ours, theirs = read("sentinel").sources, read("defender").sources
    assert [one.name for one in ours] == [one.name for one in theirs]
    for one, other in zip(ours, theirs, strict=True):
        sessions = {"TerminalSessionId"} if "TerminalSessionId" in other.fields else set()
        assert one.fields == other.fields - sessions
        assert one.dropped == other.dropped | sessions
        assert (one.strangers, one.implied, one.logsources) == (other.strangers, other.implied, other.logsources)
        assert [reading.fixed for reading in one.readings] == [reading.fixed for reading in other.readings]
        assert [dict(reading.fields) for reading in one.readings] == [
            {name: parts for name, parts in reading.fields.items() if name not in sessions}
            for reading in other.readings
        ]


def test_a_process_is_as_the_page_says() -> None:
    documented, lower = source("process_creation").rows(sample("process_creation"))
    assert documented == {
        "ActionType": "ProcessCreated",
        "ProcessCommandLine": "certutil.exe  -urlcache -f http://example.com/a.txt a.txt",
        "ProcessVersionInfoCompanyName": "Microsoft Corporation",
        "DeviceName": "pc7.contoso.com",
        "ProcessVersionInfoFileDescription": "CertUtil.exe",
        "MD5": "88df27b6e794e3fd5f93f28b1ca1d3d0",
        "SHA256": "f8810179ab033a9b79cd7006c1a74fbcde6ed0451c92fbb8c7ce15b52499353a",
        "FolderPath": r"C:\Windows\System32\certutil.exe",
        "FileName": "certutil.exe",
        "ProcessIntegrityLevel": "Medium",
        "LogonId": 0x3B5E64,
        "ProcessVersionInfoOriginalFileName": "CertUtil.exe",
        "InitiatingProcessCommandLine": r'"C:\Windows\system32\cmd.exe"',
        "InitiatingProcessFolderPath": r"C:\Windows\System32\cmd.exe",
        "InitiatingProcessFileName": "cmd.exe",
        "InitiatingProcessId": 7972,
        "ProcessId": 10116,
        "ProcessVersionInfoProductName": "Microsoft® Windows® Operating System",
        "CreatedProcessSessionId": 1,
        "AccountDomain": "CONTOSO",
        "AccountName": "kim",
    }
    assert lower == {**documented, "AccountDomain": "contoso"}


def test_an_account_of_linux_has_no_domain() -> None:
    (row,) = source("process_creation_unix").rows(sample("process_creation", "linux"))
    assert row["AccountName"] == "kim"
    assert "AccountDomain" not in row
    # Sysmon's sign for a program without a version resource is no text that Defender could hold.
    assert "ProcessVersionInfoOriginalFileName" not in row
    with pytest.raises(Unwritable, match="domain"):
        source("process_creation_unix").rows({"User": r"CONTOSO\kim"})


def test_a_value_that_is_set_stands_in_both_spellings() -> None:
    first, second = source("registry_set").rows(sample("registry_set"))
    assert first["RegistryKey"] == r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Services\EventLog"
    assert second["RegistryKey"] == r"HKEY_LOCAL_MACHINE\System\ControlSet001\Services\EventLog"
    assert (first["RegistryValueName"], first["RegistryValueData"], first["RegistryValueType"]) == (
        "Start",
        "16",
        "Dword",
    )


def test_deletions_stand_in_the_previous_columns() -> None:
    # Neither a user's hive nor a control set nor a default value: the spellings do not differ.
    first, both = source("registry_delete_value").rows(sample("registry_delete", EventType="DeleteValue"))
    key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tree\Updater"
    assert (first["PreviousRegistryKey"], first["PreviousRegistryValueName"]) == (key, "SD")
    assert first["ActionType"] == "RegistryValueDeleted"
    assert "RegistryKey" not in first
    assert (both["RegistryKey"], both["RegistryValueName"]) == (key, "SD")
    key_gone = source("registry_delete_key").rows(sample("registry_delete", EventType="DeleteKey"))[0]
    assert key_gone["PreviousRegistryKey"] == (
        r"HKEY_CURRENT_USER\S-1-5-21-1-2-3-1001_Classes\exefile\shell\runas\command"
    )


def test_an_event_is_one_of_the_sources_that_can_have_written_it() -> None:
    told = {"TargetObject": r"HKLM\SOFTWARE\A\B"}
    with pytest.raises(Unwritable, match="EventType is SetValue"):
        source("registry_set").rows({**told, "EventType": "DeleteValue"})
    with pytest.raises(Unwritable, match="no value in this field"):
        source("registry_add").rows({**told, "Details": "x"})
    assert source("registry_set").completed(told) == {**told, "EventType": "SetValue", "EventID": 13}


def test_a_renamed_key_has_both_names() -> None:
    row = source("registry_rename").rows(sample("registry_rename"))[0]
    assert (row["PreviousRegistryKey"], row["RegistryKey"]) == (
        r"HKEY_LOCAL_MACHINE\SOFTWARE\Old",
        r"HKEY_LOCAL_MACHINE\SOFTWARE\New",
    )


def test_a_renamed_file_has_its_former_folder_or_path() -> None:
    first, second, folders = source("file_rename").rows(sample("file_rename"))
    assert (first["PreviousFolderPath"], first["PreviousFileName"]) == (r"C:\Docs", "plan.docx")
    assert second["PreviousFolderPath"] == r"C:\Docs\plan.docx"
    assert first["FolderPath"] == r"C:\Docs\plan.docx.locked"
    assert (folders["PreviousFolderPath"], folders["FolderPath"]) == (r"C:\Docs", r"C:\Docs")


def test_a_file_is_created_or_modified() -> None:
    rows = source("file_event").rows(sample("file_event"))
    assert [(row["ActionType"], row["InitiatingProcessAccountName"]) for row in rows] == [
        ("FileCreated", "Kim"),
        ("FileModified", "Kim"),
        ("FileCreated", "kim"),
        ("FileCreated", "Kim"),
    ]


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (r"C:\Docs\a.txt", r"C:\Docs"),
        (r"C:\a.txt", "C:"),
        (r"C:\Docs\\a.txt", "C:\\Docs\\"),
        ("/etc/cron.d/job", "/etc/cron.d"),
        ("/job", "/"),
        ("a.txt", None),
        ("", None),
        (None, None),
    ],
)
def test_a_folder_is_a_path_less_its_last_name(path: str | None, folder: str | None) -> None:
    assert form("folder", path) == folder


@pytest.mark.parametrize("path", [r"C:\Docs/a.txt", "Docs/a.txt", "/etc/a\\b", "C:\\Docs\\", "/etc/", "//etc"])
def test_a_path_has_one_kind_of_separator_and_a_name(path: str) -> None:
    with pytest.raises(Unwritable):
        form("folder", path)


@pytest.mark.parametrize(
    "target", [r"HKLM\SOFTWARE\Classes\x", r"hklm\software\classes\x\y", r"HKLM\SYSTEM\ControlSet001\Services"]
)
def test_sysmon_abbreviates_keys(target: str) -> None:
    with pytest.raises(Unwritable, match="abbreviated"):
        form("registry_path", target, **SPELLINGS)


def test_a_value_set_without_data_says_so() -> None:
    assert form("registry_data", "(Empty)") is None
    with pytest.raises(Unwritable):
        form("registry_data", "")


def test_connections_are_seen_from_the_device() -> None:
    made_out, url, mapped = source("network_connection").rows(sample("network_connection", Initiated="true"))
    assert (made_out["RemoteIP"], made_out["RemotePort"], made_out["LocalPort"]) == ("192.0.2.7", 443, 61722)
    assert (made_out["ActionType"], made_out["Protocol"]) == ("ConnectionSuccess", "Tcp")
    assert (made_out["RemoteUrl"], url["RemoteUrl"]) == ("files.example.com", "https://files.example.com/")
    assert (mapped["RemoteIP"], mapped["LocalIP"]) == ("::ffff:192.0.2.7", "::ffff:10.0.1.14")
    accepted = source("network_connection_accepted").rows(sample("network_connection", Initiated="false"))[0]
    assert (accepted["RemoteIP"], accepted["LocalIP"], accepted["LocalPort"]) == ("192.0.2.9", "10.0.1.14", 3389)
    assert accepted["ActionType"] == "InboundConnectionAccepted"


def test_hosts_are_told_by_the_device_s_own_name() -> None:
    out = source("network_connection").rows({"SourceHostname": "pc7", "DestinationHostname": "a.example"})[0]
    assert (out["DeviceName"], out["RemoteUrl"]) == ("pc7", "a.example")
    accepted = source("network_connection_accepted").rows({"SourceHostname": "b.example", "DestinationHostname": "pc7"})
    assert (accepted[0]["DeviceName"], accepted[0]["RemoteUrl"]) == ("pc7", "b.example")


@pytest.mark.parametrize(("address", "ipv6"), [("10.0.0.1", "true"), ("::1", "false"), (None, "true")])
def test_an_address_is_of_the_family_that_the_event_says(address: str | None, ipv6: str) -> None:
    with pytest.raises(Unwritable):
        source("network_connection").rows({"SourceIp": address, "SourceIsIpv6": ipv6})


def test_what_has_no_column_is_in_additional_fields() -> None:
    held: Mapping[str, tuple[str, Mapping[str, str]]] = {
        "dns_query": ("DnsQueryResponse", {"DnsQueryString": "files.example.com"}),
        "pipe_created": ("NamedPipeEvent", {"PipeName": r"\Device\NamedPipe\MSSE-1516-server"}),
        "antivirus": ("AntivirusDetection", {"ThreatName": "HackTool:Win32/Mimikatz"}),
    }
    for name, (action, fields) in held.items():
        for row in made(source(name)):
            assert row["ActionType"] == action
            assert json.loads(str(row["AdditionalFields"])) == fields


def test_a_remote_thread_has_its_target_as_the_file() -> None:
    path, folder = source("create_remote_thread").rows(sample("create_remote_thread"))
    assert (path["FolderPath"], folder["FolderPath"]) == (r"C:\Windows\System32\lsass.exe", r"C:\Windows\System32")
    assert (path["FileName"], path["InitiatingProcessFileName"], path["ProcessId"]) == ("lsass.exe", "a.exe", 700)


@pytest.mark.parametrize(
    ("target", "first", "second"),
    [
        (r"HKLM\SOFTWARE\A", r"HKEY_LOCAL_MACHINE\SOFTWARE\A", r"HKEY_LOCAL_MACHINE\SOFTWARE\A"),
        (
            r"hklm\SYSTEM\CurrentControlSet\Services",
            r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services",
            r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services",
        ),
        (
            r"HKLM\SYSTEM\CurrentControlSet2\A",
            r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet2\A",
            r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet2\A",
        ),
        (
            r"HKLM\SOFTWARE\System\CurrentControlSet\A",
            r"HKEY_LOCAL_MACHINE\SOFTWARE\System\CurrentControlSet\A",
            r"HKEY_LOCAL_MACHINE\SOFTWARE\System\CurrentControlSet\A",
        ),
        (r"HKU\.DEFAULT\Software", r"HKEY_CURRENT_USER\.DEFAULT\Software", r"HKEY_USERS\.DEFAULT\Software"),
        (
            r"HKCU\Software",
            r"HKEY_CURRENT_USER\S-1-5-21-1004336348-1177238915-682003330-1001\Software",
            r"HKEY_USERS\S-1-5-21-1004336348-1177238915-682003330-1001\Software",
        ),
        (r"HKCR\ms-msdt", r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\ms-msdt", r"HKEY_CLASSES_ROOT\ms-msdt"),
        (r"\REGISTRY\A\{1}\Root", r"\REGISTRY\A\{1}\Root", r"\REGISTRY\A\{1}\Root"),
    ],
)
def test_hives_are_spelled_in_full(target: str, first: str, second: str) -> None:
    assert form("registry_path", target, **SPELLINGS) == first
    assert form("registry_path", target, **OTHERS) == second


@pytest.mark.parametrize("target", ["", "HKLM", "HKLM\\", r"\Software\A", r"HKLMX\A", r"xHKLM\A"])
def test_a_key_begins_with_a_hive(target: str) -> None:
    with pytest.raises(Unwritable):
        form("registry_path", target, **SPELLINGS)


@pytest.mark.parametrize(
    ("target", "key", "name", "unnamed"),
    [
        (r"HKLM\A\B", r"HKEY_LOCAL_MACHINE\A", "B", "B"),
        (r"HKLM\A\(Default)", r"HKEY_LOCAL_MACHINE\A", "(Default)", None),
        (r"HKLM\A\Paths\C:\Temp\x", r"HKEY_LOCAL_MACHINE\A\Paths", r"C:\Temp\x", r"C:\Temp\x"),
    ],
)
def test_the_last_part_is_a_value_s_name(target: str, key: str, name: str, unnamed: str | None) -> None:
    assert form("registry_key", target, **SPELLINGS) == key
    assert form("registry_value_name", target, default="(Default)") == name
    assert form("registry_value_name", target, default="") == unnamed


@pytest.mark.parametrize("target", ["HKLM", r"HKLM\A", "HKLM\\A\\"])
def test_a_value_has_a_key_and_a_name(target: str) -> None:
    with pytest.raises(Unwritable):
        form("registry_value_name", target, default="")


@pytest.mark.parametrize(
    ("details", "data", "kind"),
    [
        ("DWORD (0x00000001)", "1", "Dword"),
        ("DWORD (0xffffffff)", "4294967295", "Dword"),
        ("QWORD (0x01d776fd-0xd724b8c5)", str(0x01D776FDD724B8C5), "QWord"),
        ("Binary Data", None, "Binary"),
        ("(Empty)", None, "String"),
        ("1", "1", "String"),
        (r"%SystemRoot%\a.dll", r"%SystemRoot%\a.dll", "String"),
        (None, None, None),
    ],
)
def test_data_are_texts_and_numbers_decimal(details: str | None, data: str | None, kind: str | None) -> None:
    assert form("registry_data", details) == data
    assert form("registry_type", details, text="String") == kind


@pytest.mark.parametrize("details", ["DWORD (0x1)", "DWORD (0x00000001", "QWORD (0x00000001)", "dword (1)"])
def test_a_number_is_written_whole(details: str) -> None:
    with pytest.raises(Unwritable):
        form("registry_data", details)


@pytest.mark.parametrize(
    ("user", "domain", "name"),
    [(r"NT AUTHORITY\SYSTEM", "NT AUTHORITY", "SYSTEM"), ("-", None, None), ("", None, None), (None, None, None)],
)
def test_an_account_is_split(user: str | None, domain: str | None, name: str | None) -> None:
    assert form("account_domain", user) == domain
    assert form("account", user) == name
    assert form("account", user, lower=True) == (name and name.lower())


@pytest.mark.parametrize("user", ["SYSTEM", "A\\", "\\A", r"A\B\C"])
def test_an_account_of_windows_is_a_pair(user: str) -> None:
    with pytest.raises(Unwritable):
        form("account", user)


@pytest.mark.parametrize(
    ("algorithm", "digest"), [("MD5", "a" * 32), ("SHA1", None), ("SHA256", "b" * 64), ("IMPHASH", None)]
)
def test_digests_stand_in_lower_case(algorithm: str, digest: str | None) -> None:
    assert form("digest", f"MD5={'A' * 32},SHA256={'B' * 64}", algorithm=algorithm) == digest


@pytest.mark.parametrize("hashes", ["MD5=A", "MD5=" + "A" * 31, "SHA512=" + "A" * 128, "A" * 32, "-"])
def test_digests_are_whole(hashes: str) -> None:
    with pytest.raises(Unwritable):
        form("digest", hashes, algorithm="MD5")


@pytest.mark.parametrize(("value", "cell"), [("::1", "::1"), ("10.0.0.1", "::ffff:10.0.0.1"), ("", None)])
def test_addresses_may_be_mapped(value: str, cell: str | None) -> None:
    assert form("address", value, mapped=True) == cell


@pytest.mark.parametrize(
    ("name", "value"), [("address", "10.0.0"), ("address", "host"), ("port", 65536), ("port", -1), ("port", "http")]
)
def test_addresses_and_ports_are_such(name: str, value: object) -> None:
    with pytest.raises(Unwritable):
        form(name, value)


@pytest.mark.parametrize(("path", "held"), [(r"C:\a\b.exe", r"C:\a"), ("/bin/sh", "/bin"), ("a.exe", None), ("", None)])
def test_a_folder_is_a_path_without_its_name(path: str, held: str | None) -> None:
    assert form("folder", path) == held
