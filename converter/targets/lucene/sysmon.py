"""Data of a registry value as Sysmon says it, in the words of the ingest pipelines that take it apart.

Both pipelines, that of the Windows integration and that of Winlogbeat, keep `DWORD (0x0000000a)` as the type SZ_DWORD
and the text 10, and any other text as it is: `Set registry fields` in
packages/windows/data_stream/sysmon_operational/elasticsearch/ingest_pipeline/default.yml of
https://github.com/elastic/integrations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.types import SigmaExists, SigmaNull, SigmaNumber, SigmaString

from converter.targets.lucene.leaves import Word, is_, refused
from converter.targets.strings import parts, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from converter.targets.strings import Shape

DWORD, QWORD = "SZ_DWORD", "SZ_QWORD"
NUMBER = re.compile(r"(?P<size>[dq])word \(0x(?P<high>[0-9a-f]{8})(?:-0x(?P<low>[0-9a-f]{8}))?\)")
# `#` stands for any hexadecimal digit.
NOTATIONS = ("dword (0x########)", "qword (0x########-0x########)")
BEGINNINGS = {
    "dword": DWORD,
    "dword (": DWORD,
    "dword (0x": DWORD,
    "qword": QWORD,
    "qword (": QWORD,
    "qword (0x": QWORD,
}
# The pipeline shifts the upper half of a QWORD by 8 bits only, so that greater sums stand for several numbers.
SURE = 256


def data(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """The condition on the type and the text that says the same; raises where there is none."""
    strings, kind = made["strings"], made["type"]
    if isinstance(value, SigmaNull | SigmaExists):
        return is_(strings, value)
    if isinstance(value, SigmaNumber):
        value = SigmaString(str(value))
    if not isinstance(value, SigmaString):
        raise refused(field, value, "the ingest pipeline writes numbers in another form")
    wanted = shape(value)
    text = wanted.text.lower()
    numbers = ConditionOR([is_(kind, Word(name)) for name in (DWORD, QWORD)])
    if wanted.operator == "equals" and text.isdecimal():
        return ConditionAND([is_(strings, value), ConditionNOT([numbers])])
    if wanted.operator in {"contains", "startswith"} and text in BEGINNINGS:
        return ConditionOR([is_(kind, Word(BEGINNINGS[text])), is_(strings, value)])
    if wanted.operator != "wildcards" and (found := NUMBER.fullmatch(text)):
        number = _number(made, field, value, found)
        return number if wanted.operator == "equals" else ConditionOR([number, is_(strings, value)])
    pieces = [piece.lower() for piece in parts(value) if isinstance(piece, str)]
    if _of_number(wanted, pieces):
        raise refused(field, value, "it may be a part of Sysmon's own notation of numbers")
    return is_(strings, value)


def _number(made: Mapping[str, Any], field: str, value: SigmaString, found: re.Match[str]) -> Any:
    """The type and the decimal number; raises for a QWORD that is not told apart from others."""
    whole = int(found["high"], 16)
    if found["size"] == "q":
        whole = (whole << 32) + int(found["low"] or "0", 16)
        if whole >= SURE:
            raise refused(field, value, "the ingest pipeline keeps several numbers as this one")
    kind = is_(made["type"], Word(DWORD if found["size"] == "d" else QWORD))
    return ConditionAND([kind, is_(made["strings"], SigmaString(str(whole)))])


def _of_number(wanted: Shape, pieces: list[str]) -> bool:
    """Whether each piece may stand in the notation of a number, so that the pattern may match one."""
    if wanted.operator in {"equals", "anything"}:
        return False
    return all(any(_stands_in(piece, notation) for notation in NOTATIONS) for piece in pieces)


def _stands_in(piece: str, notation: str) -> bool:
    spots = range(len(notation) - len(piece) + 1)
    return any(all(map(_fits, piece, notation[spot:])) for spot in spots)


def _fits(letter: str, sign: str) -> bool:
    return letter in "0123456789abcdef" if sign == "#" else letter == sign
