"""Encoded values: each is what the oracle says, or refused."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from sigma.types import SigmaString

from converter import oracle
from converter.convert import How, Query, Refusal, converted
from converter.sound import parsed
from converter.targets import TARGETS
from tests.repair_cases import Case

REFUSED = [
    ("utf16|base64offset|contains", "abc", "FF FE"),
    ("wide|base64", "é", "beyond ASCII"),
    ("wide|base64", "\u2a41b", "beyond ASCII"),
    ("utf16be|base64offset", "a\ua9c3", "beyond ASCII"),
    ("base64offset|contains", "é", "beyond ASCII"),
    ("base64offset|contains", "a", "so short"),
    ("base64offset|contains", "", "so short"),
    ("windash|base64offset|contains", " -foo", "windash's dashes"),
    ("base64", r"a\*b", "escaped wildcard"),
    ("wide|base64offset|contains", r"a\?b", "escaped wildcard"),
]
TAKEN = ["base64", "wide|base64", "utf16be|base64"]
OFFSETS = ["base64offset|contains", "wide|base64offset|contains", "utf16be|base64offset|contains"]


def case(chain: str, value: str) -> Case:
    return Case("", {"s": {f"CommandLine|{chain}": value}}, {})


def spelled(chain: str, value: str) -> list[str]:
    """What pySigma looks for, without the wildcards around it."""
    (item,) = parsed(case(chain, value).rule).detection.detections["s"].detection_items
    values: list[Any] = [each for held in item.value for each in getattr(held, "values", [held])]  # type: ignore[union-attr]
    return ["".join(part for part in each.s if isinstance(part, str)) for each in values if type(each) is SigmaString]


@pytest.mark.parametrize(("chain", "value", "word"), REFUSED)
@pytest.mark.parametrize("target", ["kusto", "splunk", "lucene"])
def test_what_would_be_encoded_wrongly_is_refused(target: str, chain: str, value: str, word: str) -> None:
    outcome = converted(case(chain, value).rule, TARGETS[target])
    assert isinstance(outcome, Refusal)
    assert word in outcome.reason


def test_the_stock_query_stays() -> None:
    rule = case("base64", r"a\*b").rule
    stock = converted(rule, TARGETS["kusto"], How(stock=True, referable=(rule,)))
    assert isinstance(stock, Query), stock
    assert "YVwqYg==" in stock.text


@pytest.mark.parametrize(
    ("chain", "value"), [*product([*TAKEN, *OFFSETS], ["abc", "ab", r"a\b", "a\\\\b", "-f", "abcd"])]
)
def test_what_is_taken_is_what_the_oracle_finds(chain: str, value: str) -> None:
    meaning = oracle.read(case(chain, value).rule.document)
    found = spelled(chain, value)
    assert len(found) == (3 if "offset" in chain else 1)
    for each in found:
        assert meaning.truth({"CommandLine": each}) is True
        assert meaning.truth({"CommandLine": each[:-1]}) is False
