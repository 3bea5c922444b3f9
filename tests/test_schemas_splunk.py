"""What Splunk holds of an event, by the samples and pages of its add-ons."""

from __future__ import annotations

import pytest

from converter.logsource import LogSource
from converter.schemas import layout
from converter.schemas.forms import FORMS, Cell, Unwritable
from converter.schemas.layout import Source, read
from tests.sysmon_events import made, sample

LAYOUTS = ("splunk_addons", "splunk_security", "splunk_cim")
SOURCES = [(name, source) for name in LAYOUTS for source in read(name).sources]
INDEXED = [(name, source) for name, source in SOURCES if name != "splunk_cim"]
SYSMON = "Microsoft-Windows-Sysmon/Operational"


def ids(sources: list[tuple[str, Source]]) -> list[str]:
    return [f"{name}-{source.name}" for name, source in sources]


def form(name: str, value: object, **options: object) -> Cell | None:
    return FORMS[name](value, {}, **options)


def source(layout_name: str, name: str) -> Source:
    (found,) = [source for source in read(layout_name).sources if source.name == name]
    return found


def test_the_targets_know_their_layouts() -> None:
    assert layout("splunk") is read("splunk_addons")
    assert layout("splunk_security") is read("splunk_security")
    assert layout("splunk_cim") is read("splunk_cim")


@pytest.mark.parametrize("name", LAYOUTS)
def test_sources_of_one_log_source_agree_on_what_is_dropped(name: str) -> None:
    sources = read(name).sources
    for one in sources:
        for other in sources:
            if set(one.logsources) & set(other.logsources):
                assert one.fields.isdisjoint(other.dropped), (one.name, other.name)


@pytest.mark.parametrize(("name", "source"), SOURCES, ids=ids(SOURCES))
def test_every_source_writes_rows_of_a_recorded_kind_of_event(name: str, source: Source) -> None:
    rows = made(source)
    assert rows, name
    for row in rows:
        assert row.keys() <= source.table.columns.keys()
        assert all(isinstance(cell, str) and cell for cell in row.values()), row


@pytest.mark.parametrize(("name", "source"), SOURCES, ids=ids(SOURCES))
def test_a_field_is_kept_or_dropped(name: str, source: Source) -> None:
    assert source.fields.isdisjoint(source.dropped), name
    assert {column.type for column in source.table.columns.values()} == {"string"}


@pytest.mark.parametrize(("name", "source"), INDEXED, ids=ids(INDEXED))
def test_a_row_says_where_it_is_from(name: str, source: Source) -> None:
    for row in made(source):
        assert row["source"], name
        assert row["sourcetype"]
        assert source.name == "auditd" or row["EventCode"]


@pytest.mark.parametrize(("name", "source"), INDEXED, ids=ids(INDEXED))
def test_strangers_are_of_another_source_or_number(name: str, source: Source) -> None:
    def mark(row: object) -> tuple[object, ...]:
        assert isinstance(row, dict)
        return tuple(row.get(column) for column in ("source", "EventCode", "EventType"))

    rows = made(source)
    for row in rows:
        others = [kind.of(row) for kind in source.strangers]
        assert others, name
        assert {mark(dict(other)) for other in others}.isdisjoint(mark(dict(own)) for own in rows)
        # One of them has the number of the event itself, in another log.
        assert any(other.get("EventCode") == row.get("EventCode") for other in others)


def test_a_process_of_windows_is_as_in_the_sample() -> None:
    event = sample("process_creation")
    documented, older = source("splunk_addons", "process_creation").rows(event)
    assert documented == {
        "source": f"XmlWinEventLog:{SYSMON}",
        "sourcetype": "XmlWinEventLog",
        "Channel": SYSMON,
        "Name": "Microsoft-Windows-Sysmon",
        "host": "host.example.com",
        "EventCode": "1",
        "EventID": "1",
        **{name: str(value) for name, value in event.items()},
        "MD5": "88DF27B6E794E3FD5F93F28B1CA1D3D0",
        "SHA256": "F8810179AB033A9B79CD7006C1A74FBCDE6ED0451C92FBB8C7CE15B52499353A",
        "IMPHASH": "F34D5F2D4577ED6D9CEEC516C1F5A744",
    }
    assert older == {
        **documented,
        "source": f"WinEventLog:{SYSMON}",
        "sourcetype": f"XmlWinEventLog:{SYSMON}",
    }


def test_a_process_of_linux_is_as_in_the_sample() -> None:
    event = {**sample("process_creation", "linux"), "Hashes": f"SHA256={'A' * 64}"}
    (row,) = source("splunk_addons", "process_creation_linux").rows(event)
    assert (row["source"], row["sourcetype"]) == ("Syslog:Linux-Sysmon/Operational", "sysmon:linux")
    assert row["Hashes"] == f"SHA256={'A' * 64}"
    assert "SHA256" not in row
    assert row["LogonId"] == "1000"


def test_a_rule_of_no_system_is_for_both() -> None:
    both = {source.name for source in read("splunk_addons").sources_of(source_of_no_system())}
    assert both == {"process_creation", "process_creation_linux"}


def source_of_no_system() -> LogSource:
    return next(s for s in source("splunk_addons", "process_creation").logsources if s.product is None)


def test_a_field_without_a_value_is_not_extracted() -> None:
    row = source("splunk_addons", "process_creation").rows({"CommandLine": "", "User": None, "Image": "-"})[0]
    assert "CommandLine" not in row
    assert "User" not in row
    assert row["Image"] == "-"


@pytest.mark.parametrize(
    ("category", "wanted", "code"),
    [
        ("registry_add", {"EventType": "CreateKey"}, "12"),
        ("registry_delete", {"EventType": "DeleteKey"}, "12"),
        ("registry_delete", {"EventType": "DeleteValue"}, "12"),
        ("registry_set", {"EventType": "SetValue"}, "13"),
        ("registry_rename", {"EventType": "RenameKey"}, "14"),
        ("registry_event", {"EventType": "RenameKey"}, "14"),
        ("pipe_created", {"EventType": "CreatePipe"}, "17"),
        ("pipe_created", {"EventType": "ConnectPipe"}, "18"),
        ("wmi_event", {"EventType": "WmiConsumerEvent"}, "20"),
    ],
)
def test_the_type_of_an_event_says_its_number(category: str, wanted: dict[str, str], code: str) -> None:
    event = sample(category, **wanted)
    found: list[tuple[Cell, Cell]] = []
    for held in read("splunk_addons").sources:
        if any(logsource.category == category for logsource in held.logsources):
            try:
                found += [(row["EventCode"], row["EventType"]) for row in held.rows(event)]
            except Unwritable:
                continue
    assert set(found) == {(code, wanted["EventType"])}


def test_numbers_of_the_system_log_are_event_codes_only() -> None:
    (row,) = made(source("splunk_addons", "system"))
    assert (row["EventCode"], row["Name"], row["ServiceName"]) == ("7045", "Service Control Manager", "KrbSCM")
    assert "EventID" not in row
    # The event's own process, of which rules ask, is in the block of what every event has.
    (row,) = source("splunk_addons", "system").rows(
        {"EventID": 7045, "ProcessId": 0, "Provider_Name": "Service Control Manager"}
    )
    assert row["ProcessID"] == "0"


def test_names_of_defender_s_events_have_underscores() -> None:
    row = made(source("splunk_addons", "windefend"))[0]
    assert str(row["New_Value"]).endswith("= 0x0")
    assert row["EventCode"] == "5007"


def test_security_knows_the_image_and_not_its_version() -> None:
    looked_up, raw = source("splunk_security", "process_creation").rows(sample("process_creation"))
    assert looked_up["NewProcessName"] == r"C:\Windows\System32\certutil.exe"
    assert looked_up["CommandLine"] == looked_up["Process_Command_Line"]
    assert (looked_up["NewProcessId"], looked_up["ProcessId"], looked_up["SubjectLogonId"]) == (
        "0x2784",
        "0x1f24",
        "0x3b5e64",
    )
    assert (looked_up["SubjectUserSid"], looked_up["MandatoryLabel"]) == (
        r"CONTOSO\kim",
        r"Mandatory Label\Medium Mandatory Level",
    )
    assert raw["MandatoryLabel"] == "S-1-16-8192"
    assert {"OriginalFileName", "Hashes", "CurrentDirectory"} <= source("splunk_security", "process_creation").dropped


def test_localsystem_is_called_by_the_host_s_account() -> None:
    rows = source("splunk_security", "process_creation").rows({"User": r"NT AUTHORITY\SYSTEM"})
    assert [(row["SubjectUserName"], row["SubjectUserSid"]) for row in rows] == [
        ("HOST$", r"NT AUTHORITY\SYSTEM"),
        ("HOST$", "S-1-5-18"),
    ]


def test_a_data_model_has_the_names_of_its_datasets() -> None:
    whole, bare = source("splunk_cim", "process_creation").rows(sample("process_creation"))
    assert whole["Processes.process_path"] == r"C:\Windows\System32\certutil.exe"
    assert whole["Processes.process_name"] == "certutil.exe"
    assert (whole["Processes.user"], bare["Processes.user"]) == (r"CONTOSO\kim", "kim")
    value = source("splunk_cim", "registry_set").rows(sample("registry_set"))[0]
    assert (value["Registry.registry_value_data"], value["Registry.registry_value_name"]) == ("0x00000010", "Start")


def test_what_a_data_model_recommends_is_never_missing() -> None:
    (row,) = source("splunk_cim", "process_creation").rows({"Image": r"C:\a.exe", "IntegrityLevel": "High"})
    assert row["Processes.process"] == row["Processes.original_file_name"] == row["Processes.user"] == "unknown"
    assert "Processes.parent_process_path" not in row
    assert row["Processes.process_integrity_level"] == "high"


@pytest.mark.parametrize(
    ("value", "cell"),
    [(1, "1"), (True, "true"), ("", None), (None, None), ([], None), (["a", 2], ("a", "2")), ("-", "-")],
)
def test_all_is_text(value: object, cell: Cell | None) -> None:
    assert form("text", value) == cell


@pytest.mark.parametrize(("value", "cell"), [(0, "0x0"), ("0x3E7", "0x3e7"), ("4", "0x4"), ("", None)])
def test_security_s_numbers_are_hexadecimal(value: object, cell: str | None) -> None:
    assert form("hexadecimal", value) == cell


@pytest.mark.parametrize(("level", "number"), [("system", 16384), ("S-1-16-16384", 16384), ("High", 12288)])
def test_levels_are_labels(level: str, number: int) -> None:
    assert form("mandatory_label", level, sid=True) == f"S-1-16-{number}"
    assert str(form("mandatory_label", level)).startswith("Mandatory Label\\")


@pytest.mark.parametrize(("name", "value"), [("mandatory_label", "Highest"), ("hexadecimal", "a lot")])
def test_what_security_cannot_hold_is_refused(name: str, value: str) -> None:
    with pytest.raises(Unwritable):
        form(name, value)
