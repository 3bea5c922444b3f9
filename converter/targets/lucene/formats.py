"""How a query of ours goes into the files that Kibana imports: rules of Elastic Security, saved searches (L13, L14)."""

from __future__ import annotations

import json
import re
from copy import copy
from typing import TYPE_CHECKING, Any, cast

from sigma.exceptions import SigmaFeatureNotSupportedByBackendError

from converter.attack import attack
from converter.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sigma.conversion.base import Backend

    from converter.targets.repair import Repairs

RULES = ("siem_rule", "siem_rule_ndjson")
SAVED = "kibana_ndjson"
MENDED = {**dict.fromkeys(RULES, "L13"), SAVED: "L14"}
# The values of the schema in Kibana, security_solution/common/api/detection_engine/model/rule_schema.
SEVERITIES = ("low", "medium", "high", "critical")
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
# How much further than its interval a rule looks back: Elastic's default is an interval of 5m from now-6m on.
LOOK_BACK = 60
REFERENCE = "kibanaSavedObjectMeta.searchSourceJSON.index"


def ready(
    form: str, document: Mapping[str, Any], text: str, repairs: Repairs, taken: set[str]
) -> tuple[Mapping[str, Any], str]:
    """A rule and its query as the backend frames them; `taken` are the ids of the file's rules so far.

    Raises SigmaError for a rule that the file cannot hold.
    """
    if MENDED.get(form, "") in repairs.off or form not in MENDED:
        return document, text
    identity = str(document.get("id") or "").lower()
    if not identity:
        raise SigmaFeatureNotSupportedByBackendError(f"{form} knows rules by their id; give it one")
    if identity in taken:
        raise SigmaFeatureNotSupportedByBackendError(f"{form} holds a rule of its id already; give it another")
    taken.add(identity)
    return document, text


def offline(backend: Backend, form: str, repairs: Repairs) -> Backend:
    """The backend that frames rules without asking the network what ATT&CK's tags mean: `mended` says that (L13)."""
    if form not in RULES or "L13" in repairs.off:
        return backend
    copied: Any = copy(backend)
    copied.finalize_output_threat_model = _no_threats
    return cast("Backend", copied)


def _no_threats(_tags: Sequence[Any]) -> list[Any]:
    return []


def mended(form: str, document: Mapping[str, Any], text: str, repairs: Repairs) -> str:
    """One object that the backend has framed, with what it leaves out or gets wrong (L13, L14)."""
    if form not in MENDED or repairs.is_off(MENDED[form]):
        return text
    framed = json.loads(text)
    if form == SAVED:
        _saved(framed["attributes"])
    else:
        _rule(framed, document)
    return json.dumps(framed)


def _saved(attributes: dict[str, Any]) -> None:
    """A saved search: Kibana reads `query.query` with its language, and finds the data view by its reference (L14)."""
    meta = attributes["kibanaSavedObjectMeta"]
    source = json.loads(meta["searchSourceJSON"])
    del source["index"]
    source["indexRefName"] = REFERENCE
    source["query"] = {"query": source["query"]["query_string"]["query"], "language": "lucene"}
    meta["searchSourceJSON"] = json.dumps(source)
    attributes["description"] = attributes["description"] or ""


def _rule(framed: dict[str, Any], document: Mapping[str, Any]) -> None:
    """A detection rule (L13), in the spelling of its format: camel case below `params`, or flat with underscores."""
    flat = "params" not in framed
    rule, interval = (framed, framed["interval"]) if flat else (framed["params"], framed["schedule"]["interval"])
    tags = map(str, document.get("tags") or ())
    rule["from"] = f"now-{_seconds(interval) + LOOK_BACK}s"
    if rule["severity"] not in SEVERITIES:
        rule["severity"] = "low"
    rule["description"] = rule["description"] or "No description"
    rule["threat"] = attack().threats(tag.partition(".")[2] for tag in tags if tag.startswith("attack."))
    for name in ("references", "false_positives" if flat else "falsePositives"):
        rule[name] = [str(each) for each in rule[name]]


def _seconds(interval: str) -> int:
    """An interval in seconds; raises UsageError for one that Kibana does not take."""
    found = re.fullmatch(r"([1-9]\d*)([smhd])", interval)
    if found is None:
        raise UsageError(f"the interval {interval} is none of Kibana's; use s, m, h or d")
    return int(found[1]) * SECONDS[found[2]]
