"""Each query finds what its rule means in rows as the vendors' documentation has them, in every reading of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from converter.convert import Query, Refusal, converted
from converter.judge import Given, Judge, NoQuery, Trial
from converter.targets import TARGETS
from converter.verdicts import Verdict
from tests.repair_cases import Case

USERS_CLASSES = r"HKU\S-1-5-21-1004336348-1177238915-682003330-1001\SOFTWARE\Classes"


@dataclass(frozen=True)
class Mended:
    """A disagreement that was there once: a rule of one category, an event that it finds, and one that it does not.

    `text` is a part of the query that showed it: the judge still sees it where that part says `before`.
    """

    id: str
    category: str
    detection: Mapping[str, Any]
    found: Mapping[str, Any]
    left: Mapping[str, Any]
    text: str
    before: str
    target: str = "kusto"
    product: str = "windows"


MENDED = [
    *(
        Mended(
            f"an absent field {operator or 'equals'} no other that is absent",
            "process_creation",
            {"s": {"|".join(filter(None, ["Image", "fieldref", operator])): "ParentImage"}},
            {"Image": r"C:\a.exe", "ParentImage": r"C:\a.exe"},
            {"CommandLine": "x"},
            "isnotempty(FolderPath) and isnotempty(InitiatingProcessFolderPath) and ",
            "",
        )
        for operator in ("", "startswith", "endswith", "contains")
    ),
    Mended(
        "a pattern that fits an empty text fits no absent field",
        "process_creation",
        {"s": {"CommandLine|re": "^(?:a.*)?$"}},
        {"Image": "x", "CommandLine": "ab"},
        {"Image": "x"},
        "isnotempty(ProcessCommandLine) and ",
        "",
    ),
    Mended(
        "nor does it under not",
        "process_creation",
        {"s": {"Image|endswith": "x"}, "t": {"CommandLine|re": "a*"}, "condition": "s and not t"},
        {"Image": "x"},
        {"Image": "x", "CommandLine": "ab"},
        "isnotempty(ProcessCommandLine) and ",
        "",
    ),
    Mended(
        "the remote side of an accepted connection is the source",
        "network_connection",
        {"s": {"DestinationIp|cidr": "10.0.0.0/8", "DestinationPort": 22, "SourceIp|startswith": "203."}},
        {"DestinationIp": "10.0.0.5", "DestinationPort": 22, "SourceIp": "203.0.113.9", "Initiated": "false"},
        {"DestinationIp": "203.0.113.9", "DestinationPort": 22, "SourceIp": "10.0.0.5", "Initiated": "false"},
        'iff(ActionType =~ "InboundConnectionAccepted", LocalIP, RemoteIP)',
        "RemoteIP",
    ),
    Mended(
        "the device is the destination's host of an accepted connection",
        "network_connection",
        {"s": {"DestinationHostname|endswith": ".example.com"}},
        {"DestinationHostname": "a.example.com", "SourceHostname": "b.example.net", "Initiated": "false"},
        {"DestinationHostname": "b.example.net", "SourceHostname": "a.example.com", "Initiated": "false"},
        'iff(ActionType =~ "InboundConnectionAccepted", DeviceName, RemoteHost)',
        "RemoteHost",
    ),
    Mended(
        "an address that is not there is of no family",
        "network_connection",
        {"s": {"DestinationPort": 5985}, "t": {"SourceIsIpv6": "false"}, "condition": "s and not t"},
        {"DestinationPort": 5985, "Initiated": "true"},
        {"DestinationPort": 5985, "Initiated": "true", "SourceIp": "10.0.0.5", "SourceIsIpv6": "false"},
        'isempty(SourceIp), "", ',
        'isempty(SourceIp), "false", ',
    ),
    Mended(
        "a renamed key is TargetObject under its old name",
        "registry_event",
        {"s": {"EventType": "RenameKey", "TargetObject|endswith": r"\Old"}},
        {
            "EventType": "RenameKey",
            "EventID": 14,
            "TargetObject": r"HKLM\SOFTWARE\Old",
            "NewName": r"HKLM\SOFTWARE\New",
        },
        {
            "EventType": "RenameKey",
            "EventID": 14,
            "TargetObject": r"HKLM\SOFTWARE\New",
            "NewName": r"HKLM\SOFTWARE\Old",
        },
        'ActionType =~ "RegistryKeyRenamed", PreviousRegistryKey, ',
        "",
    ),
    Mended(
        "a renamed key has its new name in NewName",
        "registry_event",
        {"s": {"NewName|contains": r"\Classes\Evil", "TargetObject|startswith": r"HKCR\Good"}},
        {"EventType": "RenameKey", "TargetObject": r"HKCR\Good", "NewName": USERS_CLASSES + r"\Evil"},
        {"EventType": "RenameKey", "TargetObject": r"HKCR\Good", "NewName": r"HKCR\Evil"},
        'iff(ActionType =~ "RegistryKeyRenamed", RegistryKey, "")',
        "PreviousRegistryKey",
    ),
    Mended(
        "a deleted default value is (Default)",
        "registry_event",
        {"s": {"TargetObject|endswith": r"\command\(Default)"}},
        {"EventType": "DeleteValue", "EventID": 12, "TargetObject": r"HKCR\exefile\command\(Default)"},
        {"EventType": "DeleteValue", "EventID": 12, "TargetObject": r"HKCR\exefile\command\Other"},
        'strcat(KeyBefore, "\\\\(Default)")',
        "KeyBefore",
    ),
    Mended(
        "the machine's classes are HKCR",
        "registry_set",
        {"s": {"TargetObject|contains": r"\SOFTWARE\Classes\Evil"}},
        {"TargetObject": USERS_CLASSES + r"\Evil\command"},
        {"TargetObject": r"HKCR\Evil\command"},
        "(?i)^(?:HKEY_CLASSES_ROOT|HKLM\\\\\\\\SOFTWARE\\\\\\\\Classes)",
        "(?i)^(?:HKEY_CLASSES_ROOT)",
    ),
    Mended(
        "a control set is one of SYSTEM's",
        "registry_set",
        {"s": {"TargetObject|contains": r"\ControlSet001\Evil"}},
        {"TargetObject": r"HKLM\SOFTWARE\ControlSet001\Evil\x"},
        {"TargetObject": r"HKLM\SOFTWARE\CurrentControlSet\Evil\x"},
        "(?i)^(HKLM\\\\\\\\SYSTEM\\\\\\\\)ControlSet",
        "(?i)(\\\\\\\\)ControlSet",
    ),
    Mended(
        "an event without data is none of empty data",
        "registry_set",
        {"s": {"TargetObject|endswith": "Evil"}, "t": {"Details": "(Empty)"}, "condition": "s and not t"},
        {"TargetObject": r"HKLM\SOFTWARE\Vendor\Evil"},
        {"TargetObject": r"HKLM\SOFTWARE\Vendor\Evil", "Details": "(Empty)"},
        'isnotempty(RegistryValueType), "(Empty)", ""',
        '"(Empty)"',
    ),
    Mended(
        "an event without a key has no TargetObject",
        "registry_set",
        {"s": {"Image|endswith": r"\x.exe", "TargetObject": None}},
        {"Image": r"C:\x.exe"},
        {"Image": r"C:\x.exe", "TargetObject": r"HKLM\SOFTWARE\Vendor\Evil"},
        "isempty(KeyBefore) or ",
        "",
    ),
    Mended(
        "a file's path may be its folder",
        "file_event",
        {"s": {"TargetFilename|endswith": r"\Temp\debug.bin"}},
        {"TargetFilename": r"C:\Temp\debug.bin"},
        {"TargetFilename": r"C:\Temp\\debug.bin"},
        "| extend TargetPath = ",
        "| extend TargetPath = FolderPath\n| extend Other = ",
    ),
    Mended(
        "a file's folder on Linux ends with a slash",
        "file_event",
        {"s": {"TargetFilename|startswith": ["/etc/cron.d/", "/x"]}},
        {"TargetFilename": "/etc/cron.d/job"},
        {"TargetFilename": "/etc/cron.daily/job"},
        'FolderPath startswith "/", "/", ',
        "",
        product="linux",
    ),
    Mended(
        "a former path may be its folder",
        "file_rename",
        {"s": {"SourceFilename|endswith": r"\a.txt"}, "t": {"SourceFilename": None}, "condition": "s or t"},
        {"SourceFilename": r"C:\Docs\a.txt", "TargetFilename": r"C:\Docs\a.dll"},
        {"SourceFilename": r"C:\Docs\a.txt.x", "TargetFilename": r"C:\Docs\a.dll"},
        "| extend SourceFilename = ",
        "| extend SourceFilename = PreviousFolderPath\n| extend Other = ",
    ),
    Mended(
        "an image's path may be its folder",
        "image_load",
        {"s": {"ImageLoaded|endswith": r"\evil.dll"}},
        {"ImageLoaded": r"C:\Temp\evil.dll", "Image": r"C:\x.exe"},
        {"ImageLoaded": "evil.dll", "Image": r"C:\x.exe"},
        "| extend TargetPath = ",
        "| extend TargetPath = FolderPath\n| extend Other = ",
    ),
    Mended(
        "a target's name alone is no path",
        "create_remote_thread",
        {"s": {"TargetImage|endswith": r"\lsass.exe"}},
        {"TargetImage": r"C:\Windows\System32\lsass.exe", "SourceImage": r"C:\x.exe"},
        {"TargetImage": "lsass.exe", "SourceImage": r"C:\x.exe"},
        "isempty(FolderPath), FileName, FolderPath =~ FileName or ",
        "",
    ),
    Mended(
        "a field without a value is none in Splunk",
        "create_remote_thread",
        {"s": {"TargetImage|endswith": r"\lsass.exe", "StartModule": ["", "-"]}},
        {"TargetImage": r"C:\lsass.exe", "StartModule": ""},
        {"TargetImage": r"C:\lsass.exe", "StartModule": "x.dll"},
        " OR NOT StartModule=*",
        "",
        target="splunk",
    ),
    Mended(
        "a field without a value is none in Splunk's where",
        "create_remote_thread",
        {"s": {"TargetImage|re": "lsass", "StartModule": ["", "-"]}},
        {"TargetImage": r"C:\lsass.exe", "StartModule": ""},
        {"TargetImage": r"C:\lsass.exe", "StartModule": "x.dll"},
        'isnull(StartModule) OR StartModule=""',
        'StartModule=""',
        target="splunk",
    ),
    Mended(
        "a parent's user is told in Splunk",
        "process_creation",
        {"s": {"ParentUser": "root"}},
        {"Image": "/bin/x", "ParentUser": "root"},
        {"Image": "/bin/x", "ParentUser": "kim"},
        'ParentUser="root"',
        'User="root"',
        target="splunk",
        product="linux",
    ),
]


def rule(case: Mended) -> Case:
    logsource = {"category": case.category, "product": case.product}
    return Case("", case.detection, {}, logsource=logsource)


def query(case: Mended) -> str:
    outcome = converted(rule(case).rule, TARGETS[case.target])
    assert isinstance(outcome, Query), outcome
    return outcome.text


def judged(case: Mended, text: str | NoQuery, *, generated: bool) -> Verdict:
    given = (Given("found", dict(case.found), wanted=True), Given("left", dict(case.left), wanted=False))
    trial = Trial(rule(case).rule.document, {case.target: text}, given=given)
    (told,) = Judge(generated=generated, minimise=False).judge([trial])
    assert not told.contradictions
    return told.verdicts[case.target]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in MENDED])
def test_the_query_finds_what_its_rule_means(case: Mended) -> None:
    told = judged(case, query(case), generated=False)
    assert told.kind == "exact", told.shown
    assert min(told.events[:2]) >= 1


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in MENDED])
def test_it_does_so_of_generated_events_too(case: Mended) -> None:
    told = judged(case, query(case), generated=True)
    assert told.kind == "exact", told.shown


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in MENDED])
def test_the_events_show_the_disagreement_where_it_is_back(case: Mended) -> None:
    text = query(case)
    assert case.text in text
    told = judged(case, text.replace(case.text, case.before), generated=False)
    assert told.kind in {"broken", "mixed", "wider", "narrower"}, told


@pytest.mark.parametrize("name", ["kusto", "sentinel"])
def test_a_changed_time_of_creation_has_no_table(name: str) -> None:
    logsource = {"category": "file_change", "product": "windows"}
    outcome = converted(Case("", {"s": {"TargetFilename": "x"}}, {}, logsource=logsource).rule, TARGETS[name])
    assert isinstance(outcome, Refusal)
    assert "time of creation" in outcome.reason


def test_a_key_that_sysmon_calls_otherwise_is_refused() -> None:
    logsource = {"category": "registry_set", "product": "windows"}
    detection = {"s": {"TargetObject|startswith": "HKLM\\SOFTWARE\\Classes\\Evil"}}
    outcome = converted(Case("", detection, {}, logsource=logsource).rule, TARGETS["kusto"])
    assert isinstance(outcome, Refusal)
    assert "HKCR" in outcome.reason


@pytest.mark.parametrize("detection", [{"s": {"Description": "-"}}, {"s": {"Company": ["-", "x"]}}])
def test_a_text_that_a_program_lacks_is_refused(detection: Mapping[str, Any]) -> None:
    logsource = {"category": "process_creation", "product": "windows"}
    outcome = converted(Case("", detection, {}, logsource=logsource).rule, TARGETS["kusto"])
    assert isinstance(outcome, Refusal)
    assert "where Sysmon writes '-'" in outcome.reason


def test_an_account_without_a_domain_is_its_name() -> None:
    logsource = {"category": "file_event", "product": "linux"}
    case = Case("", {"s": {"User": "root", "TargetFilename|startswith": "/etc/"}}, {}, logsource=logsource)
    outcome = converted(case.rule, TARGETS["kusto"])
    assert isinstance(outcome, Query)
    given = (
        Given("found", {"User": "root", "TargetFilename": "/etc/x"}, wanted=True),
        Given("left", {"User": "kim", "TargetFilename": "/etc/x"}, wanted=False),
    )
    trial = Trial(case.rule.document, {"kusto": outcome.text}, given=given)
    (told,) = Judge().judge([trial])
    assert told.verdicts["kusto"].kind == "exact"


@pytest.mark.parametrize("target", ["kusto", "sentinel"])
def test_a_number_in_hexadecimal_is_one_of_a_logon_session(target: str) -> None:
    case = Case("", {"s": {"LogonId": ["0x3e7", "0x5"]}}, {})
    outcome = converted(case.rule, TARGETS[target])
    assert isinstance(outcome, Query)
    assert "LogonId in (999, 5)" in outcome.text
    given = (Given("found", {"LogonId": "0x5"}, wanted=True), Given("left", {"LogonId": "0x6"}, wanted=False))
    (told,) = Judge().judge([Trial(case.rule.document, {target: outcome.text}, given=given)])
    assert told.verdicts[target].kind == "exact"


@pytest.mark.parametrize("value", ["0x5", ["4", "0x5"], ["0x4", "0x5"]])
def test_a_number_that_stands_in_decimal_never_has_a_hexadecimal_spelling(value: str | list[str]) -> None:
    """Sysmon writes ProcessId in decimal: a rule that asks for 0x5 asks for what is never there."""
    case = Case("", {"s": {"ProcessId": value}, "t": {"Image|endswith": "x"}, "condition": "t and not s"}, {})
    refused = converted(Case("", {"s": {"ProcessId": value}}, {}).rule, TARGETS["kusto"])
    assert isinstance(refused, Refusal)
    assert "never as '0x" in refused.reason
    # What is never there takes nothing away.
    outcome = converted(case.rule, TARGETS["kusto"])
    assert isinstance(outcome, Query)
    given = (Given("found", {"ProcessId": 5, "Image": "C:\\x"}, wanted=True),)
    (told,) = Judge().judge([Trial(case.rule.document, {"kusto": outcome.text}, given=given)])
    assert told.verdicts["kusto"].kind == "exact"
