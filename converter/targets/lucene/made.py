"""Sigma fields that a data stream keeps in several fields, or in other words: what a condition on one becomes there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaBool, SigmaExists, SigmaNull, SigmaNumber, SigmaString, SpecialChars

from converter.targets.strings import parts, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from converter.targets.strings import Part

LENGTHS = {32: ("md5", "imphash"), 40: ("sha1",), 64: ("sha256",)}
HASH = re.compile(r"(?:(?P<algorithm>MD5|SHA1|SHA256|IMPHASH)=)?(?P<digits>[0-9a-f]+),?", re.IGNORECASE)
# https://learn.microsoft.com/en-us/sysinternals/downloads/sysmon#event-id-12-registryevent-object-create-and-delete
CONTROL_SET = re.compile(r"(?:Current)?ControlSet(?=\\|\Z)", re.IGNORECASE)
INTEGER = re.compile(r"(?P<size>[DQ])WORD \((?:0x(?P<high>[0-9a-f]{8})-)?0x(?P<low>[0-9a-f]{8})\)", re.IGNORECASE)
DEFAULT_VALUE = "\\(Default)"
MANY = SpecialChars.WILDCARD_MULTI


def expanded(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """The condition on the real fields that says the same; raises where there is none."""
    kinds: dict[str, Callable[[Mapping[str, Any], str, Any], Any]] = {
        "account": _account,
        "hashes": _hashes,
        "either": _either,
        "words": _words,
        "registry_path": _registry_path,
        "registry_data": _registry_data,
    }
    return kinds[made["kind"]](made, field, value)


def _is(field: str, value: Any) -> Any:
    return ConditionFieldEqualsValueExpression(field, value)


def _string(like: SigmaString, pieces: Sequence[Part]) -> SigmaString:
    """A string of these pieces, which minds letter case if `like` does."""
    made = type(like)()
    made.s = list(pieces)
    return made


def _refused(field: str, value: Any, why: str) -> SigmaFeatureNotSupportedByBackendError:
    return SigmaFeatureNotSupportedByBackendError(f"{field} {str(value)!r} cannot be said: {why}")


def _presence(field: str, name: str, value: Any) -> Any:
    """A condition on whether the field is there, which one of its parts answers; raises for any other."""
    if isinstance(value, SigmaNull | SigmaExists):
        return _is(name, value)
    raise _refused(field, value, "the data stream keeps its parts in fields of their own")


def _account(made: Mapping[str, Any], field: str, value: Any) -> Any:
    r"""`DOMAIN\name`, which the data stream keeps as two fields without the backslash (L10)."""
    domain, name = made["domain"], made["name"]
    if not isinstance(value, SigmaString):
        return _presence(field, name, value)
    pieces = parts(value)
    slashes = sum(piece.count("\\") for piece in pieces if isinstance(piece, str))
    if slashes == 1:
        return _two_parts(made, field, value, pieces)
    if slashes:
        raise _refused(field, value, "an account has one backslash")
    alone = ConditionAND([ConditionNOT([_is(domain, SigmaExists(exists=True))]), _is(name, value)])
    match shape(value).operator:
        case "anything":
            return _is(name, value)
        case "equals":
            return alone
        case "contains":
            return ConditionOR([_is(domain, value), _is(name, value)])
        case "startswith":
            return ConditionOR([_is(domain, value), alone])
        case "endswith":
            return _is(name, value)
    raise _refused(field, value, "its wildcard could stand for the backslash between domain and name")


def _two_parts(made: Mapping[str, Any], field: str, value: SigmaString, pieces: Sequence[Part]) -> Any:
    """The pattern before the backslash on the domain, the one behind it on the name."""
    at = next(number for number, piece in enumerate(pieces) if isinstance(piece, str) and "\\" in piece)
    before, after = str(pieces[at]).split("\\")
    left = [*pieces[:at], *([before] if before else [])]
    right = [*([after] if after else []), *pieces[at + 1 :]]
    if not left or not right:
        raise _refused(field, value, "it has an empty domain or an empty name")
    sides = [
        _is(made[side], _string(value, half)) for side, half in (("domain", left), ("name", right)) if half != [MANY]
    ]
    if not sides:
        return _is(made["domain"], _string(value, left))
    return sides[0] if len(sides) == 1 else ConditionAND(sides)


def _hashes(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """Sysmon's list `SHA1=…,MD5=…`, of which each algorithm has a field of its own (L10)."""
    if isinstance(value, SigmaNull | SigmaExists):
        raise _refused(field, value, "each algorithm has a field of its own")
    wanted = shape(value) if isinstance(value, SigmaString) else None
    found = HASH.fullmatch(wanted.text) if wanted and wanted.operator in {"contains", "equals"} else None
    if wanted is None or found is None:
        raise _refused(field, value, "it is no whole hash")
    algorithm, digits = found["algorithm"], found["digits"]
    possible = LENGTHS.get(len(digits), ())
    algorithms = [name for name in possible if algorithm is None or name == algorithm.lower()]
    if not algorithms or any(name not in made for name in algorithms):
        raise _refused(field, value, "it is no whole hash of an algorithm that is kept")
    if wanted.operator == "equals" and algorithm:
        raise _refused(field, value, "whether it is the only hash of its event is not kept")
    hashes = [_is(made[name], _string(value, [digits.lower()])) for name in algorithms]
    return hashes[0] if len(hashes) == 1 else ConditionOR(hashes)


def _either(made: Mapping[str, Any], _field: str, value: Any) -> Any:
    """One of several fields, according to the event."""
    conditions = [_is(name, value) for name in made["fields"]]
    absent = isinstance(value, SigmaNull) or (isinstance(value, SigmaExists) and not value.exists)
    return ConditionAND(conditions) if absent else ConditionOR(conditions)


def _words(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """A field with other words for the same: `words` says which, and all that it does not list is refused."""
    if isinstance(value, SigmaNull | SigmaExists):
        return _is(made["field"], value)
    text = str(value).lower() if isinstance(value, SigmaString | SigmaNumber | SigmaBool) else ""
    if text not in made["words"]:
        raise _refused(field, value, f"{made['field']} has no word for it")
    return _is(made["field"], SigmaString(made["words"][text]))


def _registry_path(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """Sysmon's name of a key or value, with the abbreviations that Elastic Defend does not use written out."""
    if not isinstance(value, SigmaString):
        if isinstance(value, SigmaNull | SigmaExists):
            return _is(made["field"], value)
        raise _refused(field, value, "Elastic Defend writes registry paths in another form")
    variants = [parts(value)]
    for change in (_hive, _control_set, _default_value):
        variants = [changed for pieces in variants for changed in change(pieces)]
    conditions = [_is(made["field"], _string(value, pieces)) for pieces in variants]
    return conditions[0] if len(conditions) == 1 else ConditionOR(conditions)


def _hive(pieces: list[Part]) -> list[list[Part]]:
    first = pieces[0] if pieces else ""
    hives = {"HKU\\": "HKEY_USERS\\", "HKCR\\": "HKLM\\SOFTWARE\\Classes\\"}
    for short, long in hives.items():
        if isinstance(first, str) and first.upper().startswith(short):
            return [pieces, [long + first[len(short) :], *pieces[1:]]]
    return [pieces]


def _control_set(pieces: list[Part]) -> list[list[Part]]:
    r"""Sysmon writes `CurrentControlSet` for every `ControlSet00x`."""
    numbered: list[Part] = []
    for piece in pieces:
        if not isinstance(piece, str):
            numbered.append(piece)
            continue
        between = CONTROL_SET.split(piece)
        for number, text in enumerate(between):
            last = number == len(between) - 1
            whole = text if last else f"{text}ControlSet00"
            numbered += [*([whole] if whole else []), *([] if last else [SpecialChars.WILDCARD_SINGLE])]
    return [pieces] if numbered == pieces else [pieces, numbered]


def _default_value(pieces: list[Part]) -> list[list[Part]]:
    r"""Sysmon names a key's default value `(Default)`, where Elastic Defend leaves its name empty."""
    last = pieces[-1] if pieces else ""
    if isinstance(last, str) and last.lower().endswith(DEFAULT_VALUE.lower()):
        return [pieces, [*pieces[:-1], last[: -len(DEFAULT_VALUE)] + "\\"]]
    return [pieces]


def _registry_data(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """Sysmon's text of a value's data, which Elastic Defend keeps as its type and strings."""
    if isinstance(value, SigmaNull | SigmaExists):
        return _is(made["strings"], value)
    if isinstance(value, SigmaNumber):
        value = SigmaString(str(value))
    if not isinstance(value, SigmaString):
        raise _refused(field, value, "Elastic Defend writes registry data in another form")
    wanted = shape(value)
    text = wanted.text.lower()
    if wanted.operator in {"equals", "contains", "startswith"} and text == "binary data":
        return _is(made["type"], SigmaString("REG_BINARY"))
    if wanted.operator in {"contains", "startswith"} and text in {"dword", "qword", "dword (0x", "qword (0x"}:
        return _is(made["type"], SigmaString(f"REG_{text[:5].upper()}"))
    if wanted.operator != "wildcards" and (found := INTEGER.fullmatch(text)):
        whole = int((found["high"] or "") + found["low"], 16)
        digits = 16 if found["size"] == "q" else 8
        spelled = ConditionOR(
            [_is(made["strings"], SigmaString(form)) for form in (str(whole), f"0x{whole:0{digits}x}")]
        )
        return ConditionAND([_is(made["type"], SigmaString(f"REG_{found['size'].upper()}WORD")), spelled])
    plain = "".join(piece for piece in parts(value) if isinstance(piece, str)).lower()
    if not plain or "(empty)" in plain or re.search(r"[dq]word|\(0x|0x0000|0000|binary", plain):
        raise _refused(field, value, "it is a part of Sysmon's own notation of registry data")
    return _is(made["strings"], value)
