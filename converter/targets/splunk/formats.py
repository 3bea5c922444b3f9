"""How a query of ours goes into savedsearches.conf: every value on a line of its own (S12)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from converter.targets.repair import Repairs

SAVED = "savedsearches"
# A quoted text, a quoted name of a field, or a line break between two words of SPL.
PIECES = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^'"\n]*')|\s*\n\s*""", re.DOTALL)


def ready(
    form: str, document: Mapping[str, Any], text: str, repairs: Repairs, taken: set[str]
) -> tuple[Mapping[str, Any], str]:
    """A rule and its query as the backend frames them soundly; `taken` are the names of the file's searches so far.

    The query has its table already (S13), so that the rule's display list is left out. Raises SigmaError for what the
    file cannot hold.
    """
    if form != SAVED:
        return document, text
    plain = {key: value for key, value in document.items() if key != "fields"}
    if "S12" in repairs.off:
        return plain, text
    lines = {"title": _name(plain, taken), "description": line(str(plain.get("description") or ""))}
    joined = search(text)
    if (lines, joined) != (_as_written(plain), text):
        repairs.used.add("S12")
    return plain | lines, joined


def line(text: str) -> str:
    """A text on one line, which cannot go on in the next.

    splunk.conf: a line that ends in a backslash goes on in the next, and no escape is documented for it; a full stop
    keeps the two apart.
    """
    joined = " ".join(text.split())
    return f"{joined}." if joined.endswith("\\") else joined


def search(text: str) -> str:
    """The query on one line; raises SigmaError where a line break is part of a value.

    savedsearches.conf.spec says of `search` that one of several lines has limitations, `| savedsearch` for one.
    """
    if any("\n" in (found[1] or "") for found in PIECES.finditer(text)):
        raise SigmaFeatureNotSupportedByBackendError("a value with a line break has no form in savedsearches.conf")
    joined = PIECES.sub(lambda found: found[1] or " ", text).strip()
    if joined.endswith("\\"):
        raise SigmaFeatureNotSupportedByBackendError("a search that ends in a backslash has no form in it")
    return joined


def _as_written(document: Mapping[str, Any]) -> dict[str, str]:
    title = str(document.get("title")).translate({ord(bracket): None for bracket in "[]"})
    return {"title": title, "description": str(document.get("description") or "").strip()}


def _name(document: Mapping[str, Any], taken: set[str]) -> str:
    """A name that no other search of the file has.

    savedsearches.conf.spec asks for unique names; of two stanzas of one name Splunk makes one search. `[default]` holds
    the settings of all.
    """
    title = line(re.sub(r"[\[\]]", "", str(document.get("title") or "")))
    if not title:
        raise SigmaFeatureNotSupportedByBackendError("a title without a letter names no saved search; give it one")
    names = [title, f"{title} ({document['id']})"] if document.get("id") else [title]
    for name in (*names, *(f"{title} ({number})" for number in range(2, len(taken) + 3))):
        if name not in taken and name.lower() != "default":
            taken.add(name)
            return name
    raise AssertionError(title)
