"""Values whose encoding pySigma does not write as the Sigma specification means it."""

from __future__ import annotations

import re
from collections.abc import Sequence

UTF16 = {"wide", "utf16be"}
BASE64 = {"base64", "base64offset"}
# Of no other modifier is there anything to say.
MODIFIERS = frozenset({"utf16"} | UTF16 | BASE64)


def fault(modifiers: Sequence[str], value: str) -> str | None:
    """Why pySigma's encoding of the value is none that a log holds; None where it is right."""
    if "utf16" in modifiers:
        return "utf16 begins with the bytes FF FE, which pySigma does not write; use wide, which has no such mark"
    found = BASE64.intersection(modifiers)
    if found and re.search(r"\\[*?]", value):
        return f"{min(found)} of an escaped wildcard, {value!r}, would encode its backslash too; look for a part of it"
    wide = UTF16.intersection(modifiers)
    if wide and not value.isascii():
        return f"{min(wide)} of a value beyond ASCII, {value!r}, is not supported; look for a part of it"
    return _offset_fault(modifiers, value) if "base64offset" in modifiers else None


def _offset_fault(modifiers: Sequence[str], value: str) -> str | None:
    """Why base64offset trims the value wrongly: pySigma counts its characters in place of its bytes."""
    wide = bool(UTF16.intersection(modifiers))
    # Three of the five dashes that windash makes of one lie beyond ASCII; in UTF-16 their bytes are within it.
    dashed = "windash" in modifiers and not wide and re.search(r"\B[-/]\b", value)
    if dashed or not value.isascii():
        of = "windash's dashes beyond ASCII" if dashed else f"a value beyond ASCII, {value!r},"
        return f"base64offset of {of} is not supported; look for a part of it"
    if len(value) <= (0 if wide else 1):
        return f"base64offset of so short a value, {value!r}, leaves nothing to look for; use a longer one"
    return None
