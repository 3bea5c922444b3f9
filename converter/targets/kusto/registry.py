r"""Registry fields as the stock pipeline `microsoft_xdr` has them: what a query is without the repairs K2 and K16."""

from __future__ import annotations

import re

from sigma.types import SigmaString

from converter.targets.strings import ONE, parts, render, string_like

TABLE = "DeviceRegistryEvents"
COLUMNS = {"TargetObject": "RegistryKey", "Details": "RegistryValueData"}
# Only what Sysmon spells otherwise than Defender does is another comparison in the other column.
NOTATION = re.compile(r"[dq]word|\(0x|0x0|binary|\(empty\)", re.IGNORECASE)
# Without such a pair a text is read as it is.
ESCAPING = re.compile(r"\\[\\*?]")
REPLACED = (
    (re.compile(r"(?i)^HKLM\\SYSTEM\\CurrentControlSet"), r"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet001"),
    (re.compile(r"(?i)^HKLM"), "HKEY_LOCAL_MACHINE"),
    (re.compile(r"(?i)^HKU"), "HKEY_USERS"),
    (re.compile(r"(?i)^HKCR"), r"HKEY_LOCAL_MACHINE\\CLASSES"),
)


def rereads(field: str, value: SigmaString) -> bool:
    """Whether reading the value anew after a replacement makes another of it (K2)."""
    if field != "TargetObject" or ESCAPING.search(render(value, _starless, "*", "?")) is None:
        return False
    return parts(reread(value)) != parts(value)


def _starless(text: str) -> str:
    """The text with every sign that would be read as a wildcard behind a backslash, so that it is looked at."""
    return text.replace("*", "\\*").replace("?", "\\?")


def reread(value: SigmaString) -> SigmaString:
    """The value as the stock pipeline's replacement of texts leaves it: a backslash before a wildcard escapes that."""
    return type(value)(render(value, str, "*", "?"))


def differs(field: str, value: SigmaString) -> bool:
    """Whether the stock pipeline's column compares otherwise with this value (K16)."""
    if field == "Details":
        return bool(NOTATION.search(render(value, str, "*", "?"))) or ONE in parts(value)
    return field in COLUMNS


def stock(field: str, value: SigmaString) -> tuple[str, SigmaString]:
    """The stock pipeline's column and value."""
    pieces = parts(value)
    if field == "TargetObject" and pieces and isinstance(pieces[0], str):
        first = pieces[0]
        for pattern, replacement in REPLACED:
            first = pattern.sub(replacement, first)
        pieces = [first, *pieces[1:]]
    return COLUMNS[field], string_like(value, pieces)
