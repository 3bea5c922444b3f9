"""A pack's rules as one query that names the category of each hit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from converter.convert import AS_ROUTED, How, Query, Refusal, conditions, converted
from converter.errors import Problem
from converter.packs import Category, Pack
from converter.targets.target import Arm, HuntingError, Target

NAME = "_hunting"


Outcomes = Mapping[tuple[PurePosixPath, int, str], Query | Refusal]
NOTHING_YET: Outcomes = {}


def hunting(
    pack: Pack, target: Target, how: How = AS_ROUTED, known: Outcomes = NOTHING_YET
) -> dict[PurePosixPath, str] | Problem:
    """The pack's hunting query on the target, as texts by path below the target's folder; none without settings.

    `known` are conversions that are done already, by the rule's file and line and the target's name. A rule that the
    target refuses makes it a problem: a hunting query that lacks a category would mislead.
    """
    if pack.hunting is None or how.stock:
        # A hunting query is made of routes, which stock mode has none of.
        return {}
    try:
        arms = [_arm(category, target, how, known) for category in pack.hunting.categories]
        texts = target.dialect.hunting(pack.hunting, arms, target.settings.get("hunting", {}))
    except HuntingError as error:
        return Problem(f"no hunting query on {target.name}: {error}", pack.path)
    return {pack.place / f"{NAME}.{suffix}": text for suffix, text in texts.items()}


def _arm(category: Category, target: Target, how: How, known: Outcomes) -> Arm:
    rule = category.rule
    outcome = known.get((rule.file, rule.first_line, target.name)) or converted(rule, target, how)
    if isinstance(outcome, Refusal):
        raise HuntingError(f"its rule {category.rule.place.name} is refused")
    condition = conditions(category.rule, target, outcome.route, how)
    return Arm(category.name, condition[0], outcome.route)
