"""Each Lucene query finds what its rule means in rows as the vendors document them, in every reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from converter.convert import Query, Refusal, converted
from converter.judge import Given, Judge, Trial
from converter.targets import TARGETS
from converter.verdicts import WRONG, Verdict
from tests.repair_cases import Case


@dataclass(frozen=True)
class Mended:
    """A disagreement that was there once: a rule, an event that it finds, and one that it does not.

    `text` is a part of the query that mended it: the judge still sees it where that part says `before`.
    """

    id: str
    logsource: Mapping[str, str]
    detection: Mapping[str, Any]
    found: Mapping[str, Any]
    left: Mapping[str, Any]
    text: str
    before: str
    target: str = "lucene"


def windows(category: str) -> Mapping[str, str]:
    return {"category": category, "product": "windows"}


SECURITY = {"product": "windows", "service": "security"}
SET, SYSMON = windows("registry_set"), "lucene_windows"
RUN = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run\x"
RULE = {"TargetObject|endswith": r"\Run\x"}
FOUND = {"TargetObject": RUN, "Image": r"C:\x.exe"}
MENDED = [
    Mended(
        "bytes are data, which null is not",
        SET,
        {"s": RULE, "t": {"Details": None}, "condition": "s and not t"},
        FOUND | {"Details": "Binary Data"},
        FOUND,
        "_exists_:registry.data.type",
        "_exists_:registry.data.strings",
    ),
    Mended(
        "an empty text is data, which a missing one is not",
        SET,
        {"s": RULE | {"Details": "(Empty)"}},
        FOUND | {"Details": "(Empty)"},
        FOUND,
        "_exists_:registry.data.type AND ",
        "",
    ),
    Mended(
        "a default value has no name",
        SET,
        {"s": {"TargetObject|contains": r"\MyComputer", "TargetObject|endswith": "(Default)"}},
        {"TargetObject": r"HKLM\SOFTWARE\MyComputer\x\(Default)"},
        {"TargetObject": r"HKLM\SOFTWARE\MyComputer\x\Mode"},
        r" OR /.*\\{1}/",
        "",
    ),
    Mended(
        "a text may hold a number in Sysmon's notation",
        SET,
        {"s": RULE | {"Details|contains": "DWORD (0x00000001)"}},
        FOUND | {"Details": "a DWORD (0x00000001)"},
        FOUND | {"Details": "a DWORD (0x00000002)"},
        " OR registry.data.strings:",
        " OR registry.data.bytes:",
    ),
    *(
        Mended(
            f"numbers are decimal in the data of {target}",
            SET,
            {"s": RULE | {"Details": "DWORD (0x0000000a)"}},
            FOUND | {"Details": "DWORD (0x0000000a)"},
            FOUND | {"Details": "10"},
            "registry.data.type:SZ_DWORD AND registry.data.strings:10",
            r'winlog.event_data.Details:"DWORD (0x0000000a)"',
            target=target,
        )
        for target in (SYSMON, "lucene_winlogbeat")
    ),
    Mended(
        "codes of access rights stand one by one in some releases",
        SECURITY,
        {"s": {"EventID": 5145, "AccessList|contains": "%%4417"}},
        {"EventID": 5145, "AccessList": "%%4416 %%4417"},
        {"EventID": 5145, "AccessList": "%%4416"},
        " OR 4417",
        "",
    ),
    Mended(
        "an empty value is taken away on ingest",
        windows("create_remote_thread"),
        {"s": {"TargetImage|endswith": r"\lsass.exe", "StartModule": ""}},
        {"TargetImage": r"C:\lsass.exe", "StartModule": ""},
        {"TargetImage": r"C:\lsass.exe", "StartModule": "x.dll"},
        "(NOT _exists_:winlog.event_data.StartModule)",
        'winlog.event_data.StartModule:""',
    ),
    Mended(
        "a hyphen is taken away on ingest, and missing where it may be",
        SECURITY,
        {
            "s": {"EventID": 4738},
            "t": {"SidHistory": ["-", "%%1793"]},
            "u": {"SidHistory": None},
            "condition": "s and not t and not u",
        },
        {"EventID": 4738, "SidHistory": "S-1-5-21-1"},
        {"EventID": 4738, "SidHistory": "-"},
        "_exists_:winlog.event_data.SidHistory",
        "_exists_:winlog.event_data.Other",
    ),
    Mended(
        "a hyphen joins words of a script",
        windows("ps_script"),
        {"s": {"ScriptBlockText|contains": "Get-ADUser"}},
        {"ScriptBlockText": "$x = get-aduser -Filter *"},
        {"ScriptBlockText": "get aduser"},
        "*get\\-aduser*",
        "*aduser*",
    ),
    Mended(
        "a network of version 6 holds its first and last addresses",
        windows("network_connection"),
        {"s": {"DestinationPort": 443}, "t": {"DestinationIp|cidr": "fe80::/10"}, "condition": "s and not t"},
        {"DestinationPort": 443, "DestinationIp": "fec0::1", "Initiated": "true"},
        {"DestinationPort": 443, "DestinationIp": "fe80::1", "Initiated": "true"},
        "fe80::/10",
        "fc00::/7",
    ),
    Mended(
        "an account of Linux has no domain",
        {"category": "process_creation", "product": "linux"},
        {"s": {"User": r"a\b"}},
        {"User": r"a\b", "Image": "/bin/x"},
        {"User": "b", "Image": "/bin/x"},
        r"user.name:/[aA]\\{1}[bB]/",
        "user.domain:/[aA]/ AND user.name:/[bB]/",
    ),
]
REFUSED = [
    ({"category": "process_creation", "product": "macos"}, {"OriginalFileName": "x"}, "OriginalFileName"),
    ({"category": "process_creation", "product": "macos"}, {"CurrentDirectory": "/x"}, "CurrentDirectory"),
    ({"category": "process_creation", "product": "linux"}, {"OriginalFileName": "x"}, "OriginalFileName"),
    ({"category": "process_creation", "product": "linux"}, {"Hashes": "IMPHASH=" + "ab" * 16}, "that is kept"),
    (windows("registry_delete"), {"TargetObject": "x"}, "deleted"),
    (SET, {"TargetObject|contains|all": ["\\SOFTWARE\\", "\\Office\\"]}, "where Sysmon writes HKCR"),
    (SECURITY, {"EventID": 4624, "WorkstationName": "-"}, "taken away on ingest"),
    (SECURITY, {"AccessList": "%%4417"}, "one by one"),
]


def rule(case: Mended) -> Case:
    return Case("", case.detection, {}, logsource=case.logsource)


def query(case: Mended) -> str:
    outcome = converted(rule(case).rule, TARGETS[case.target])
    assert isinstance(outcome, Query), outcome
    return outcome.text


def judged(case: Mended, text: str, *, generated: bool) -> Verdict:
    given = (Given("found", dict(case.found), wanted=True), Given("left", dict(case.left)))
    trial = Trial(rule(case).rule.document, {case.target: text}, given=given)
    (told,) = Judge(generated=generated, minimise=False).judge([trial])
    assert not told.contradictions
    return told.verdicts[case.target]


BY_ID = [pytest.param(case, id=case.id) for case in MENDED]


@pytest.mark.parametrize("case", BY_ID)
def test_the_query_finds_what_its_rule_means(case: Mended) -> None:
    told = judged(case, query(case), generated=False)
    assert told.kind == "exact", (told, query(case))


@pytest.mark.parametrize("case", BY_ID)
def test_it_does_so_of_generated_events_too(case: Mended) -> None:
    told = judged(case, query(case), generated=True)
    assert told.kind == "exact", (told.shown, query(case))


@pytest.mark.parametrize("case", BY_ID)
def test_the_events_show_the_disagreement_where_it_is_back(case: Mended) -> None:
    text = query(case)
    assert case.text in text
    assert judged(case, text.replace(case.text, case.before), generated=True).kind in WRONG


@pytest.mark.parametrize(("logsource", "selection", "reason"), REFUSED)
def test_what_has_no_exact_form_is_refused(
    logsource: Mapping[str, str], selection: Mapping[str, Any], reason: str
) -> None:
    outcome = converted(Case("", {"s": selection}, {}, logsource=logsource).rule, TARGETS["lucene"])
    assert isinstance(outcome, Refusal)
    assert reason in outcome.reason
