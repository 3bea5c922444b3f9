"""Which rules a command works on: by level, status and tag."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from converter.rule import Rule


@dataclass(frozen=True)
class Selection:
    """A rule is selected if it has one of the values of each kind that names any; letter case does not matter."""

    levels: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def of(self, rules: Iterable[Rule]) -> list[Rule]:
        """The rules that are selected, in their order."""
        return [rule for rule in rules if self._takes(rule)]

    def _takes(self, rule: Rule) -> bool:
        tags = rule.document.get("tags")
        held = {str(tag).lower() for tag in tags} if isinstance(tags, list) else set()
        return (
            _one_of(self.levels, rule.document.get("level"))
            and _one_of(self.statuses, rule.document.get("status"))
            and (not self.tags or not held.isdisjoint(tag.lower() for tag in self.tags))
        )


def _one_of(wanted: tuple[str, ...], value: object) -> bool:
    return not wanted or str(value).lower() in {name.lower() for name in wanted}
