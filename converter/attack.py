"""What ATT&CK names: the one reader of the data that ships."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any

PAGES = "https://attack.mitre.org"


@dataclass(frozen=True)
class Attack:
    """ATT&CK as tools/attack_tags.py writes it down."""

    data: Mapping[str, Any]

    @cached_property
    def known(self) -> frozenset[str]:
        """Every name that may follow `attack.` in a tag, in lower case."""
        kinds = ("tactics", "techniques", "groups", "software", "mitigations")
        return frozenset(name.lower() for kind in kinds for name in self.data[kind])

    @cached_property
    def retired(self) -> Mapping[str, str | None]:
        """Names that were known once, in lower case, with what took their place."""
        return {name.lower(): instead for name, instead in self.data["retired"].items()}

    def threats(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """The tactics and techniques among names of tags, as rules of Elastic Security list them.

        Each technique stands below those tactics of the rule that it serves; where the rule has none of them, below
        all that it serves. A tactic that took the place of a retired one stands alone only if nothing else does.
        """
        plain = [name.lower().replace("_", "-") for name in names]
        current = [self.retired.get(name, name) or "" for name in plain]
        tactics = dict.fromkeys(name for name in current if name in self.data["tactics"])
        found: dict[str, list[str]] = {
            tactic: [] for tactic in tactics if tactic in plain or not any(map(self._technique, current))
        }
        for technique in dict.fromkeys(filter(None, map(self._technique, current))):
            serves = self.data["served"][technique].split()
            for tactic in [each for each in serves if each in tactics] or serves:
                found.setdefault(tactic, []).append(technique)
        return [
            {
                "framework": "MITRE ATT&CK",
                "tactic": {
                    "id": (entry := self.data["tactics"][tactic])["id"],
                    "name": entry["name"],
                    "reference": f"{PAGES}/tactics/{entry['id']}/",
                },
                "technique": list(self._techniques(techniques)),
            }
            for tactic, techniques in found.items()
        ]

    def _technique(self, name: str) -> str:
        """The technique of this name, empty where there is none."""
        return name.upper() if name.upper() in self.data["techniques"] else ""

    def _techniques(self, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Techniques, each with those of its sub-techniques that are among them."""
        wanted = list(ids)
        for whole in dict.fromkeys(each.partition(".")[0] for each in wanted):
            below = [each for each in wanted if each.startswith(f"{whole}.")]
            yield self._reference(whole) | {"subtechnique": [self._reference(each) for each in below]}

    def _reference(self, technique: str) -> dict[str, Any]:
        page = f"{PAGES}/techniques/{technique.replace('.', '/')}/"
        return {"id": technique, "name": self.data["techniques"][technique], "reference": page}


@cache
def attack() -> Attack:
    """The data that ships."""
    text = (resources.files("converter") / "data" / "attack.json").read_text(encoding="utf-8")
    return Attack(json.loads(text))
