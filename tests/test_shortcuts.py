"""What is decided at a glance, held against the long way: values, sizes of queries, and whether a repair differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from random import Random

import pytest
from sigma.types import SigmaString

from converter import documents
from converter.convert import Query, converted
from converter.targets import TARGETS
from converter.targets.kusto import registry, values
from converter.targets.kusto.values import ESCAPES
from converter.targets.lucene import limits
from converter.targets.repair import Repairs
from converter.targets.strings import ANY, ONE, parts, shape, string_like
from tests.repair_cases import Case

TIMES = 3000


def texts(signs: str, longest: int) -> list[str]:
    random = Random(20)  # noqa: S311 - the same texts each time
    return ["".join(random.choice(signs) for _ in range(random.randint(0, longest))) for _ in range(TIMES)]


def spelled_out(pieces: Iterable[object]) -> str:
    """The pieces in a row, with a sign of nobody's for each wildcard."""
    return "".join(piece if isinstance(piece, str) else "\1" if piece is ANY else "\2" for piece in pieces)


def test_a_glance_at_a_query_misses_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CLAUSES", 3)
    monkeypatch.setattr(limits, "DEPTH", 2)
    seen = set()
    for text in texts('ab\\/"(): \t\u2003ORNT', 20):
        marks = limits.marks(text, TARGETS["lucene"].routes[0])
        assert (limits.OVER_CLAUSES in marks) == (limits.clauses(text) > limits.CLAUSES), text
        assert (limits.OVER_DEPTH in marks) == (limits.depth(text) > limits.DEPTH), text
        seen |= set(marks)
    assert seen == {limits.OVER_CLAUSES, limits.OVER_DEPTH}


def test_the_line_of_a_key_is_the_first_that_has_it() -> None:
    found = 0
    for text in texts("ab-'\" :|=[]\n", 24):
        for key in ("a", "ab", "b", "a:"):
            name = re.escape(key)
            match = re.search(rf"""(?m)^[ \t\-]*['"]?{name}['"]?[ \t]*(\||:|=|['"])|^\[+{name}\]""", text)
            line = None if match is None else text.count("\n", 0, match.start()) + 1
            assert documents.line_of(text, key) == line, (text, key)
            found += line is not None
    assert found > TIMES / 10


def test_a_value_that_is_read_anew_is_another_only_where_a_backslash_escapes() -> None:
    found = [0, 0]
    for text in texts("\\\\*?ab", 9):
        value = SigmaString(text)
        differs = parts(registry.reread(value)) != parts(value)
        assert registry.rereads("TargetObject", value) == differs, text
        found[differs] += 1
    assert all(found)


def test_a_value_has_the_parts_that_its_pieces_add_up_to() -> None:
    random = Random(21)  # noqa: S311 - likewise
    for _ in range(TIMES):
        value = string_like(SigmaString(), random.choices([ANY, ONE, "a", "b*", ""], k=random.randint(0, 5)))
        joined = spelled_out(value.s)
        while "\1\1" in joined:
            joined = joined.replace("\1\1", "\1")
        assert spelled_out(parts(value)) == joined
        assert "" not in parts(value)
        wanted = shape(value)
        spelled = {
            "equals": wanted.text,
            "startswith": f"{wanted.text}\1",
            "endswith": f"\1{wanted.text}",
            "contains": f"\1{wanted.text}\1",
            "anything": "\1",
        }
        simple = "\2" not in joined and "\1" not in joined.strip("\1")
        assert simple == (wanted.operator in spelled)
        assert spelled.get(wanted.operator, joined) == joined


def test_a_literal_is_the_text_with_the_escapes_of_kql() -> None:
    for text in texts('ab\\"\n\t\r é\N{NO-BREAK SPACE}', 9):
        assert values.literal(text) == f'"{text.translate(ESCAPES)}"'


@pytest.mark.parametrize("value", ["a*b", "a?b", "*a*b*", "?a?", "*?*", "a*", "?", "??", "\\*a*b", "ab?"])
@pytest.mark.parametrize("field", ["CommandLine", "OriginalFileName"])
def test_a_repair_that_is_known_to_differ_does(monkeypatch: pytest.MonkeyPatch, field: str, value: str) -> None:
    rule = Case("K3", {"s": {field: ["plain", value]}}, {}).rule
    short = converted(rule, TARGETS["kusto"])
    choose = Repairs.choose

    def compared(
        self: Repairs, name: str, mine: Callable[[], str], stock: Callable[[], str], *, differ: bool | None = None
    ) -> str:
        said = choose(self, name, mine, stock)
        if differ is not None:
            assert (self.other(stock) != self.other(mine)) is differ
        return said

    monkeypatch.setattr(Repairs, "choose", compared)
    assert isinstance(short, Query)
    assert converted(rule, TARGETS["kusto"]) == short
