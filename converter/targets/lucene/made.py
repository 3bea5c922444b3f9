"""Sigma fields that a data stream keeps in several fields, or in other words: what a condition on one becomes there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.types import SigmaBool, SigmaExists, SigmaNull, SigmaNumber, SigmaString

from converter.targets.lucene import registry, sysmon
from converter.targets.lucene.leaves import Word, is_, refused
from converter.targets.strings import ANY, parts, shape, string_like

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from converter.targets.strings import Part

LENGTHS = {32: ("md5", "imphash"), 40: ("sha1",), 64: ("sha256",)}
HASH = re.compile(r"(?:(?P<algorithm>MD5|SHA1|SHA256|IMPHASH)=)?(?P<digits>[0-9a-f]+),?", re.IGNORECASE)
# https://learn.microsoft.com/previous-versions/windows/it-pro/windows-10/security/threat-protection/auditing/event-4663
ACCESS_CODE = re.compile(r"%%(?P<digits>\d{4,5})")


def expanded(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """The condition on the real fields that says the same; raises where there is none."""
    kinds: dict[str, Callable[[Mapping[str, Any], str, Any], Any]] = {
        "account": _account,
        "hashes": _hashes,
        "either": _either,
        "words": _words,
        "access_codes": _access_codes,
        "registry_path": registry.path,
        "registry_data": registry.data,
        "sysmon_data": sysmon.data,
    }
    return kinds[made["kind"]](made, field, value)


def _presence(field: str, name: str, value: Any) -> Any:
    """A condition on whether the field is there, which one of its parts answers; raises for any other."""
    if isinstance(value, SigmaNull | SigmaExists):
        return is_(name, value)
    raise refused(field, value, "the data stream keeps its parts in fields of their own")


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
        raise refused(field, value, "an account has one backslash")
    alone = ConditionAND([ConditionNOT([is_(domain, SigmaExists(exists=True))]), is_(name, value)])
    match shape(value).operator:
        case "anything":
            return is_(name, value)
        case "equals":
            return alone
        case "contains":
            return ConditionOR([is_(domain, value), is_(name, value)])
        case "startswith":
            return ConditionOR([is_(domain, value), alone])
        case "endswith":
            return is_(name, value)
    raise refused(field, value, "its wildcard could stand for the backslash between domain and name")


def _two_parts(made: Mapping[str, Any], field: str, value: SigmaString, pieces: Sequence[Part]) -> Any:
    """The pattern before the backslash on the domain, the one behind it on the name."""
    at = next(number for number, piece in enumerate(pieces) if isinstance(piece, str) and "\\" in piece)
    before, after = str(pieces[at]).split("\\")
    left = [*pieces[:at], *([before] if before else [])]
    right = [*([after] if after else []), *pieces[at + 1 :]]
    if not left or not right:
        raise refused(field, value, "it has an empty domain or an empty name")
    sides = [
        is_(made[side], string_like(value, half)) for side, half in (("domain", left), ("name", right)) if half != [ANY]
    ]
    if not sides:
        return is_(made["domain"], string_like(value, left))
    return sides[0] if len(sides) == 1 else ConditionAND(sides)


def _hashes(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """Sysmon's list `SHA1=…,MD5=…`, of which each algorithm has a field of its own (L10)."""
    if isinstance(value, SigmaNull | SigmaExists):
        raise refused(field, value, "each algorithm has a field of its own")
    wanted = shape(value) if isinstance(value, SigmaString) else None
    found = HASH.fullmatch(wanted.text) if wanted and wanted.operator in {"contains", "equals"} else None
    if wanted is None or found is None:
        raise refused(field, value, "it is no whole hash")
    algorithm, digits = found["algorithm"], found["digits"]
    possible = LENGTHS.get(len(digits), ())
    algorithms = [name for name in possible if algorithm is None or name == algorithm.lower()]
    if not algorithms or any(name not in made for name in algorithms):
        raise refused(field, value, "it is no whole hash of an algorithm that is kept")
    if wanted.operator == "equals" and algorithm:
        raise refused(field, value, "whether it is the only hash of its event is not kept")
    hashes = [is_(made[name], string_like(value, [digits.lower()])) for name in algorithms]
    return hashes[0] if len(hashes) == 1 else ConditionOR(hashes)


def _either(made: Mapping[str, Any], _field: str, value: Any) -> Any:
    """One of several fields, according to the event; what no event has, none of them has."""
    conditions = [is_(name, value) for name in made["fields"]]
    absent = isinstance(value, SigmaNull) or (isinstance(value, SigmaExists) and not value.exists)
    # An empty text is taken away on ingest wherever a field is one of several.
    absent = absent or (isinstance(value, SigmaString) and not str(value))
    return ConditionAND(conditions) if absent else ConditionOR(conditions)


def _words(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """A field with other words for the same: `words` says which, and all that it does not list is refused."""
    if isinstance(value, SigmaNull | SigmaExists):
        return is_(made["field"], value)
    text = str(value).lower() if isinstance(value, SigmaString | SigmaNumber | SigmaBool) else ""
    if text not in made["words"]:
        raise refused(field, value, f"{made['field']} has no word for it")
    return is_(made["field"], Word(made["words"][text]))


def _access_codes(made: Mapping[str, Any], field: str, value: Any) -> Any:
    """A list of access rights `%%4417 %%4418`, which newer releases of the integration keep one by one, unsigned."""
    name = made["field"]
    if isinstance(value, SigmaNull | SigmaExists):
        return is_(name, value)
    wanted = shape(value) if isinstance(value, SigmaString) else None
    if wanted is None or wanted.operator != "contains" or re.search(r"\s", wanted.text):
        raise refused(field, value, "some releases keep its codes one by one")
    if code := ACCESS_CODE.fullmatch(wanted.text):
        return ConditionOR([is_(name, value), is_(name, string_like(value, [code["digits"]]))])
    if "%" in wanted.text:
        raise refused(field, value, "some releases keep its codes without their signs")
    return is_(name, value)
