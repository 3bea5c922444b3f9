"""What Elastic stores of an event: each source of its layouts on a whole record, and each form on its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from converter.logsource import LogSource
from converter.schemas import layout
from converter.schemas.forms import FORMS, Unwritable
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
# What each form makes of a value; None: that there is no such event.
FORMED = [
    ("account_domain", "NT AUTHORITY\\SYSTEM", {}, "NT AUTHORITY"),
    ("account_domain", "ann", {}, ()),
    ("account_domain", "A\\B\\C", {}, None),
    ("account_domain", "A\\", {}, None),
    ("account_name", "NT AUTHORITY\\SYSTEM", {}, "SYSTEM"),
    ("account_name", "ann", {}, "ann"),
    ("account_name", "\\ann", {}, None),
    ("words", "HIGH", {"words": {"High": "high"}}, "high"),
    ("words", True, {"words": {"true": "yes"}}, "yes"),
    ("words", "S-1-16-12288", {"words": {"High": "high"}}, None),
    ("hexadecimal", "0x3E7", {}, "0x3e7"),
    ("hexadecimal", "0x03e7", {}, None),
    ("hexadecimal", 999, {}, None),
    ("host_label", "pc7.example.com", {}, "pc7"),
    ("host_label", "pc7", {}, "pc7"),
    ("after_slash", "/opt/a\\b", {}, "a\\b"),
]


def source(target: str, name: str) -> Source:
    """The source of this name of the target's layout."""
    held = layout(target)
    assert held is not None
    return next(source for source in held.sources if source.name == name)


@pytest.mark.parametrize(("form", "value", "options", "cell"), FORMED)
def test_a_form(form: str, value: object, options: Mapping[str, Any], cell: object) -> None:
    """It gives the cell of the table, an empty tuple standing for none."""
    if cell is None:
        with pytest.raises(Unwritable):
            FORMS[form](value, {}, **options)
    else:
        assert FORMS[form](value, {}, **options) == (None if cell == () else cell)
        assert FORMS[form](None, {}, **options) is None


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
        assert {other["host.os.type"] for other in each.others(row)} == {row["host.os.type"]}


def test_a_user_of_linux_has_no_domain() -> None:
    """The name is all, and the digest of imports has no field."""
    (row, *_) = source("lucene", "process_creation_linux").rows({"User": "root", "Hashes": PROCESS["Hashes"]})
    assert row["user.name"] == "root"
    assert row["process.hash.sha256"] == "cd" * 32
    assert row.keys().isdisjoint({"user.domain", "process.pe.imphash"})
