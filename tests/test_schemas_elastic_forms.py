"""How values stand in Elastic's fields: each form of its schemas on a table of values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from converter.schemas.forms import FORMS, PLAIN, Unwritable

SPELLED = {
    "spelled": {
        "HKU": "HKEY_USERS",
        "HKCR": "HKLM\\SOFTWARE\\Classes",
        "CurrentControlSet": "ControlSet001",
        "(Default)": "",
    }
}
# What each form makes of a value; None: that there is no such event.
FORMED = [
    ("ecs_account_domain", "NT AUTHORITY\\SYSTEM", {}, "NT AUTHORITY"),
    ("ecs_account_domain", "ann", {}, ()),
    ("ecs_account_domain", "A\\B\\C", {}, None),
    ("ecs_account_domain", "A\\", {}, None),
    ("account_name", "NT AUTHORITY\\SYSTEM", {}, "SYSTEM"),
    ("account_name", "ann", {}, "ann"),
    ("account_name", "\\ann", {}, None),
    ("words", "HIGH", {"words": {"High": "high"}}, "high"),
    ("words", True, {"words": {"true": "yes"}}, "yes"),
    ("words", "S-1-16-12288", {"words": {"High": "high"}}, None),
    ("ecs_hexadecimal", "0x3E7", {}, "0x3e7"),
    ("ecs_hexadecimal", "0x03e7", {}, None),
    ("ecs_hexadecimal", 999, {}, None),
    ("host_label", "pc7.example.com", {}, "pc7"),
    ("host_label", "pc7", {}, "pc7"),
    ("after_slash", "/opt/a\\b", {}, "a\\b"),
    ("ecs_address", "2001:db8::1", {}, "2001:db8::1"),
    ("ecs_address", "10.0.0.256", {}, None),
    ("kept", "-", {}, ()),
    ("kept", "", {}, ()),
    ("kept", "{00000000-0000-0000-0000-000000000000}", {}, ()),
    ("kept", 3, {}, "3"),
    ("kept", True, {}, "true"),
    ("kept_digest", "MD5=" + "0" * 32 + ",SHA1=" + "AB" * 20, {"algorithm": "MD5"}, ()),
    ("kept_digest", "MD5=" + "0" * 32 + ",SHA1=" + "AB" * 20, {"algorithm": "SHA1"}, "ab" * 20),
    ("kept_digest", "sha1=" + "AB" * 20, {"algorithm": "SHA1"}, None),
    ("last_name", "C:\\a\\b.exe", {}, "b.exe"),
    ("last_name", "System", {}, ()),
    ("last_token", "HKU\\S-1-5-21-1\\Software\\Key 1", {}, "Key 1"),
    ("sysmon_strings", "DWORD (0x00000004)", {}, ("4",)),
    ("sysmon_type", "DWORD (0x00000004)", {}, "SZ_DWORD"),
    ("sysmon_strings", "QWORD (0x00000000-0x00000005)", {}, ("5",)),
    ("sysmon_strings", "QWORD (0x00000001-0x00000000)", {}, ("256",)),
    ("sysmon_type", "QWORD (0x00000000-0x00000005)", {}, "SZ_QWORD"),
    ("sysmon_strings", "Binary Data", {}, ("Binary Data",)),
    ("sysmon_type", "Binary Data", {}, "REG_BINARY"),
    ("sysmon_strings", "cmd /c start", {}, ("cmd /c start",)),
    ("sysmon_type", "cmd /c start", {}, "REG_SZ"),
    ("trimmed", "  iex $a\n", {}, "iex $a"),
    ("access_codes", "%%4417\n\t\t\t\t%%4418", {}, ("4417", "4418")),
    ("defend_strings", "DWORD (0x0000000a)", {"integer": "decimal"}, ("10",)),
    ("defend_strings", "DWORD (0x0000000a)", {"integer": "hexadecimal"}, ("0x0000000a",)),
    ("defend_strings", "QWORD (0x00000001-0x00000000)", {"integer": "decimal"}, ("4294967296",)),
    ("defend_strings", "Binary Data", {"integer": "decimal"}, ()),
    ("defend_strings", "(Empty)", {"integer": "decimal"}, ()),
    ("defend_strings", "DWORD (0x1)", {"integer": "decimal"}, None),
    ("defend_strings", "DWORD (0x00000001-0x00000000)", {"integer": "decimal"}, None),
    ("defend_type", "DWORD (0x0000000a)", {"text": "REG_SZ"}, "REG_DWORD"),
    ("defend_type", "Binary Data", {"text": "REG_SZ"}, "REG_BINARY"),
    ("defend_type", "a.exe", {"text": "REG_SZ"}, "REG_SZ"),
    (
        "defend_path",
        "HKLM\\System\\CurrentControlSet\\Services\\x",
        SPELLED,
        "HKLM\\SYSTEM\\ControlSet001\\Services\\x",
    ),
    ("defend_path", "HKLM\\System\\CurrentControlSetX\\a", SPELLED, "HKLM\\System\\CurrentControlSetX\\a"),
    ("defend_path", "HKLM\\System\\ControlSet001\\Services\\x", SPELLED, None),
    ("defend_path", "HKU\\S-1-5-18\\Environment\\windir", SPELLED, "HKEY_USERS\\S-1-5-18\\Environment\\windir"),
    ("defend_path", "HKCR\\a\\(Default)", SPELLED, "HKLM\\SOFTWARE\\Classes\\a\\"),
    ("defend_path", "HKU\\S-1-5-18\\Environment\\windir", {**SPELLED, "part": "hive"}, "HKEY_USERS"),
    ("defend_path", "HKU\\S-1-5-18\\Environment\\windir", {**SPELLED, "part": "key"}, "S-1-5-18\\Environment"),
    ("defend_path", "HKU\\S-1-5-18\\Environment\\windir", {**SPELLED, "part": "value"}, "windir"),
]
# What the forms of Security events make of a value, by the event's number.
NUMBERED = [
    ("by_event", "C:\\a.exe", "4688", {"codes": ["4688"], "among": True}, "C:\\a.exe"),
    ("by_event", "C:\\a.exe", 4688, {"codes": ["4688"], "among": False}, ()),
    ("by_event", "C:\\a.exe", 4663, {"codes": ["4688"], "among": False}, "C:\\a.exe"),
    ("by_event", "C:\\a.exe", None, {"codes": ["4688"], "among": True}, None),
    ("by_event", "-", None, {"codes": ["4688"], "among": True}, ()),
    ("number_by_event", "0x3e7", 4688, {"codes": ["4688"], "among": True}, 999),
    ("number_by_event", "x", 4688, {"codes": ["4688"], "among": True}, None),
    ("address_by_event", "::1", 4624, {"codes": ["4624"], "among": True}, "::1"),
    ("address_by_event", "LOCAL", 4624, {"codes": ["4624"], "among": True}, None),
    ("parts_by_event", "SeDebugPrivilege\n\tSeTcb", 4672, {"codes": ["4672"]}, ("SeDebugPrivilege", "SeTcb")),
    ("parts_by_event", "SeDebugPrivilege\n\tSeTcb", 4703, {"codes": ["4672"]}, "SeDebugPrivilege\n\tSeTcb"),
]


@pytest.mark.parametrize(("form", "value", "options", "cell"), FORMED)
def test_a_form(form: str, value: object, options: Mapping[str, Any], cell: object) -> None:
    """It gives the cell of the table, an empty tuple standing for none."""
    if cell is None:
        with pytest.raises(Unwritable):
            FORMS[form](value, {}, **options)
    else:
        assert FORMS[form](value, {}, **options) == (None if cell == () else cell)
        assert FORMS[form](None, {}, **options) is None


@pytest.mark.parametrize(("form", "value", "number", "options", "cell"), NUMBERED)
def test_a_form_that_asks_for_the_number_of_the_event(
    form: str, value: object, number: object, options: Mapping[str, Any], cell: object
) -> None:
    """As above, where the event's number decides."""
    if cell is None:
        with pytest.raises(Unwritable):
            FORMS[form](value, {"EventID": number}, **options)
    else:
        assert FORMS[form](value, {"EventID": number}, **options) == (None if cell == () else cell)


@pytest.mark.parametrize("form", sorted(PLAIN))
def test_a_plain_form_gives_nothing_for_an_absent_field_whatever_else_there_is(form: str) -> None:
    options = {"algorithm": "MD5"} if "digest" in form else {}
    for event in ({}, {"EventID": 1, "Image": "C:\\a.exe", "Hashes": f"MD5={'0' * 32}", "User": "a\\b"}):
        assert FORMS[form](None, event, **options) is None
