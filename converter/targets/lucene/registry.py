"""What Sysmon says of the registry, in the words of Elastic Defend."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.types import SigmaCasedString, SigmaExists, SigmaNull, SigmaNumber, SigmaString

from converter.targets.lucene.leaves import Word, is_, refused
from converter.targets.lucene.values import DIGIT
from converter.targets.strings import ANY, ONE, parts, shape, string_like

if TYPE_CHECKING:
    from collections.abc import Mapping

    from converter.targets.strings import Part, Shape

# https://learn.microsoft.com/en-us/sysinternals/downloads/sysmon#event-id-12-registryevent-object-create-and-delete
CONTROL_SET = re.compile(r"(?:Current)?ControlSet(?=\\|\Z)", re.IGNORECASE)
INTEGER = re.compile(r"(?P<size>[DQ])WORD \((?:0x(?P<high>[0-9a-f]{8})-)?0x(?P<low>[0-9a-f]{8})\)", re.IGNORECASE)
DEFAULT_VALUE = "\\(default)"
# Of the keys that Sysmon calls HKCR: Defend's paths hold these words, and Sysmon's do not.
CLASSES = "hklm\\software\\"


def path(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """Sysmon's name of a key or value, with the abbreviations that Elastic Defend does not use written out."""
    if not isinstance(value, SigmaString):
        if isinstance(value, SigmaNull | SigmaExists):
            return is_(made["field"], value)
        raise refused(field, value, "Elastic Defend writes registry paths in another form")
    _refuse_hidden(field, value)
    variants = [list(parts(value))]
    # A term, which minds letter case, has no word for a digit.
    number = ONE if isinstance(value, SigmaCasedString) else DIGIT
    for change in (_hive, partial(_control_set, number=number), _default_value):
        variants = [changed for pieces in variants for changed in change(pieces)]
    conditions = [is_(made["field"], string_like(value, pieces)) for pieces in variants]
    return conditions[0] if len(conditions) == 1 else ConditionOR(conditions)


def _hive(pieces: list[Part]) -> list[list[Part]]:
    at = 1 if pieces[:1] == [ANY] else 0
    first = pieces[at] if len(pieces) > at else ""
    hives = {"HKU\\": "HKEY_USERS\\", "HKCR\\": "HKLM\\SOFTWARE\\Classes\\"}
    for short, long in hives.items():
        if isinstance(first, str) and first.upper().startswith(short):
            # A hive stands at the beginning only, where a wildcard before it stands for nothing.
            return [pieces, [long + first[len(short) :], *pieces[at + 1 :]]]
    return [pieces]


def _control_set(pieces: list[Part], *, number: Part) -> list[list[Part]]:
    r"""Sysmon writes `CurrentControlSet` for every `ControlSet00x`."""
    numbered: list[Part] = []
    for piece in pieces:
        if not isinstance(piece, str):
            numbered.append(piece)
            continue
        between = CONTROL_SET.split(piece)
        for place, text in enumerate(between):
            last = place == len(between) - 1
            whole = text if last else f"{text}ControlSet00"
            numbered += [*([whole] if whole else []), *([] if last else [number])]
    return [pieces] if numbered == pieces else [pieces, _joined(numbered)]


def _joined(pieces: list[Part]) -> list[Part]:
    """The pieces, no two texts side by side."""
    joined: list[Part] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _refuse_hidden(field: str, value: SigmaString) -> None:
    """Raises for a part that every key below HKCR has in Elastic Defend's words, whatever its own path is."""
    hidden = (piece for piece in parts(value) if isinstance(piece, str) and piece != "\\")
    if any(piece.lower() in CLASSES for piece in hidden) and shape(value).operator != "equals":
        raise refused(field, value, "Elastic Defend writes HKLM\\SOFTWARE\\Classes where Sysmon writes HKCR")


def _default_value(pieces: list[Part]) -> list[list[Part]]:
    r"""Sysmon names a key's default value `(Default)`, where Elastic Defend leaves its name empty."""
    opened = pieces[-1:] == [ANY]
    kept = pieces[:-1] if opened else pieces
    last = kept[-1] if kept else ""
    if not isinstance(last, str):
        return [pieces]
    text = last.lower()
    if kept[-2:-1] == [ANY] and text != "\\" and (text in DEFAULT_VALUE if opened else DEFAULT_VALUE.endswith(text)):
        return [pieces, [*kept[:-1], "\\"]]
    whole = len(DEFAULT_VALUE) - 1
    for length in range(whole, 0 if opened else whole - 1, -1):
        if text.endswith(DEFAULT_VALUE[: length + 1]):
            return [pieces, [*kept[:-1], last[:-length]]]
    return [pieces]


def data(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """Sysmon's text of a value's data, which Elastic Defend keeps as its type and strings."""
    if isinstance(value, SigmaNull | SigmaExists):
        # Whatever is written has a type; bytes have no strings.
        return is_(made["type"], value)
    if isinstance(value, SigmaNumber):
        value = SigmaString(str(value))
    if not isinstance(value, SigmaString):
        raise refused(field, value, "Elastic Defend writes registry data in another form")
    wanted = shape(value)
    text = wanted.text.lower()
    if (notation := _notation(made, wanted)) is not None:
        # A text may hold these letters too.
        inner = wanted.operator in {"contains", "endswith"}
        return ConditionOR([notation, is_(made["strings"], value)]) if inner else notation
    if wanted.operator == "equals" and text == "(empty)":
        # No string of one letter or more, and no bytes that are no string.
        filled = ConditionOR(
            [is_(made["strings"], string_like(value, [ONE, ANY])), is_(made["type"], Word("REG_BINARY"))]
        )
        return ConditionAND([is_(made["type"], SigmaExists(exists=True)), ConditionNOT([filled])])
    plain = "".join(piece for piece in parts(value) if isinstance(piece, str)).lower()
    if not plain or "(empty)" in plain or re.search(r"[dq]word|\(0x|0x0000|0000|binary", plain):
        raise refused(field, value, "it is a part of Sysmon's own notation of registry data")
    return is_(made["strings"], value)


def _notation(made: Mapping[str, Any], wanted: Shape) -> Any:
    """What Sysmon's own words for bytes and numbers are in Elastic Defend; None for other words."""
    text = wanted.text.lower()
    if wanted.operator in {"equals", "contains", "startswith"} and text == "binary data":
        return is_(made["type"], Word("REG_BINARY"))
    if wanted.operator in {"contains", "startswith"} and text in {"dword", "qword", "dword (0x", "qword (0x"}:
        return is_(made["type"], Word(f"REG_{text[:5].upper()}"))
    found = INTEGER.fullmatch(text) if wanted.operator != "wildcards" else None
    if found is None:
        return None
    whole = int((found["high"] or "") + found["low"], 16)
    digits = 16 if found["size"] == "q" else 8
    spelled = [is_(made["strings"], SigmaString(form)) for form in (str(whole), f"0x{whole:0{digits}x}")]
    return ConditionAND([is_(made["type"], Word(f"REG_{found['size'].upper()}WORD")), ConditionOR(spelled)])
