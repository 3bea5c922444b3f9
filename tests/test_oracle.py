"""What rules mean: a table of rules and events with the specification's sections, and properties of the matching."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from converter import oracle
from converter.oracle import Unmeant
from converter.oracle.tree import ANY, Leaf, Node, Not, Or, Text
from converter.oracle.truth import truth
from tests import sigma_text
from tests.events import DATA

ANSWERS: Mapping[str, bool | None] = {"finds": True, "leaves": False, "open": None}
KEYS = {"section", "asks", "detection", "placeholders", "unmeant", *ANSWERS}


@dataclass(frozen=True)
class Row:
    """One rule of the table, one event of it, and what the one says of the other; or why the rule has no meaning."""

    section: str
    detection: Mapping[str, Any]
    placeholders: Mapping[str, Sequence[str]]
    event: Mapping[str, Any]
    truth: bool | None = None
    unmeant: str = ""

    def __str__(self) -> str:
        asked = {name: held for name, held in self.detection.items() if name != "condition"}
        return f"{self.section}: {asked.get('selection', asked)} on {self.event or self.unmeant}"


def _rows() -> list[Row]:
    rows = []
    for entry in yaml.safe_load((DATA / "oracle.yaml").read_text(encoding="utf-8")):
        assert set(entry) <= KEYS, entry
        detection = entry.get("detection") or {"selection": entry["asks"], "condition": "selection"}
        given_ = (entry["section"], detection, entry.get("placeholders", {}))
        rows += [Row(*given_, event, answer) for name, answer in ANSWERS.items() for event in entry.get(name, [])]
        if "unmeant" in entry:
            rows.append(Row(*given_, {}, unmeant=entry["unmeant"]))
    return rows


ROWS = _rows()
MEANT = [row for row in ROWS if not row.unmeant]


def _read(row: Row) -> oracle.Meaning:
    return oracle.read({"detection": row.detection}, placeholders=row.placeholders)


@pytest.mark.parametrize("row", MEANT, ids=str)
def test_a_rule_says_of_an_event_what_the_specification_says(row: Row) -> None:
    assert _read(row).truth(row.event) is row.truth


@pytest.mark.parametrize("row", [row for row in ROWS if row.unmeant], ids=str)
def test_what_is_not_defined_has_no_meaning_and_a_reason(row: Row) -> None:
    with pytest.raises(Unmeant) as caught:
        _read(row)
    assert row.unmeant in caught.value.reason


@pytest.mark.parametrize("row", MEANT, ids=str)
def test_each_leaf_alone_adds_up_to_what_the_whole_tree_says(row: Row) -> None:
    meaning = _read(row)
    assert _slowly(meaning.condition, row.event) is row.truth


def _slowly(node: Node, event: Mapping[str, Any]) -> bool | None:
    """The tree after Kleene, leaf by leaf, without the ways in which lists are asked as one."""
    if isinstance(node, Leaf):
        return truth(node)(event)
    if isinstance(node, Not):
        inner = _slowly(node.part, event)
        return None if inner is None else not inner
    answers = [_slowly(part, event) for part in node.parts]
    decisive = isinstance(node, Or)
    return decisive if decisive in answers else None if None in answers else not decisive


@given(st.data())
def test_texts_match_as_a_naive_reader_matches_them(data: st.DataObject) -> None:
    several = data.draw(st.lists(sigma_text.PARTS, min_size=1, max_size=6))
    modifier = data.draw(sigma_text.MODIFIERS)
    text = data.draw(sigma_text.texts(data.draw(st.sampled_from(several))))
    values = [sigma_text.written(parts) for parts in several]
    meaning = oracle.read({"detection": {"a": {f"F{modifier}": values}, "condition": "a"}})
    expected = any(sigma_text.matches(parts, modifier, text) for parts in several)
    found = meaning.truth({"F": text})
    assert found is expected or (found is None and text == "")


@given(sigma_text.PARTS, sigma_text.MODIFIERS, st.data())
def test_cased_texts_match_in_their_letter_case_only(
    parts: Sequence[sigma_text.Part], modifier: str, data: st.DataObject
) -> None:
    text = data.draw(sigma_text.texts(parts))
    meaning = oracle.read({"detection": {"a": {f"F|cased{modifier}": sigma_text.written(parts)}, "condition": "a"}})
    if meaning.truth({"F": text}):
        assert sigma_text.matches(parts, modifier, text)
        literal = "".join(part for part in parts if isinstance(part, str))
        assert set(literal) <= set(text)
    elif text.lower() == text and all(not isinstance(part, str) or part.lower() == part for part in parts):
        assert text == "" or not sigma_text.matches(parts, modifier, text)


@given(st.binary(max_size=4), st.text(st.characters(codec="utf-8"), min_size=2, max_size=8), st.binary())
@example(b"", "é/", b"x")
@example(b"x", "*\\", b"")
def test_base64offset_finds_a_text_wherever_it_stands_in_what_was_encoded(
    before: bytes, text: str, after: bytes
) -> None:
    written = text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    meaning = oracle.read({"detection": {"a": {"F|base64offset|contains|cased": written}, "condition": "a"}})
    assert meaning.truth({"F": base64.b64encode(before + text.encode() + after).decode()})


CONDITIONS = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        inner.map(lambda part: f"not {part}"),
        inner.map(lambda part: f"({part})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
    ),
    max_leaves=8,
)


@given(CONDITIONS, st.dictionaries(st.sampled_from(["A", "B", "C"]), st.just(1)))
def test_conditions_bind_as_those_of_python_do(condition: str, event: Mapping[str, int]) -> None:
    detection = {"a": {"A": 1}, "b": {"B": 1}, "c": {"C": 1}, "condition": condition}
    names = {name: name.upper() in event for name in "abc"}
    expected = eval(condition, {"__builtins__": {}}, names)  # noqa: S307 - made of three names and three operators
    assert oracle.read({"detection": detection}).truth(event) is expected


def test_filters_are_joined_to_the_rule_by_and() -> None:
    rule = {"detection": {"a": {"A": 1}, "b": {"B": 1}, "condition": ["a", "b"]}}
    not_admin = {"filter": {"rules": ["x"], "selection": {"User|startswith": "adm_"}, "condition": "not selection"}}
    on_host = {"filter": {"rules": "any", "selection": {"Host": "h"}, "condition": "selection"}}
    meaning = oracle.read(rule, [not_admin, on_host])
    assert meaning.fields == {"A", "B", "User", "Host"}
    assert meaning.truth({"B": 1, "Host": "h"}) is True
    assert meaning.truth({"B": 1, "Host": "h", "User": "adm_x"}) is False
    assert meaning.truth({"B": 1}) is False
    with pytest.raises(Unmeant, match="has no filter"):
        oracle.read(rule, [rule])


def test_a_pattern_with_an_underscore_in_front_names_what_them_leaves_out() -> None:
    detection = {"_a": {"A": 1}, "b": {"B": 1}, "condition": "1 of _*"}
    assert oracle.read({"detection": detection}).truth({"A": 1}) is True
    assert oracle.read({"detection": detection}).truth({"B": 1}) is False


def test_fields_are_all_that_the_rule_names_and_keywords_name_none() -> None:
    detection = {"a": {"A|contains|all": ["x", "y"], "B|fieldref": "C"}, "k": ["word"], "condition": "a or k"}
    assert oracle.read({"detection": detection}).fields == {"A", "B", "C"}


def test_a_trace_names_the_leaves_that_are_not_false() -> None:
    detection = {"a": {"Image|endswith": ["\\cmd.exe", "\\sh.exe"], "User": "", "B|re|i": "x"}, "condition": "a"}
    traced = oracle.read({"detection": detection}).trace({"Image": "C:\\cmd.exe"})
    assert [(oracle.spelled(leaf), answer) for leaf, answer in traced] == [
        ("Image ends with '\\cmd.exe'", True),
        ("User is ''", None),
    ]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("F", "a*b\\?", "F is 'a*b\\?'"),
        ("F|startswith", "a", "F starts with 'a'"),
        ("F|contains|cased", "a", "F contains 'a' in this letter case"),
        ("F", "*", "F is not empty"),
        ("F", 5, "F is 5"),
        ("F", True, "F is true"),
        ("F", None, "F is absent"),
        ("F|exists", False, "F is not there"),
        ("F|re|i|s", "a.b", "F matches /a.b/is"),
        ("F|cidr", "10.0.0.0/8", "F is in 10.0.0.0/8"),
        ("F|gte", 3, "F >= 3"),
        ("F|fieldref|startswith", "G", "F starts with the value of G"),
    ],
)
def test_a_leaf_is_spelled_for_people(key: str, value: object, words: str) -> None:
    leaf = oracle.read({"detection": {"a": {key: value}, "condition": "a"}}).condition
    assert isinstance(leaf, Leaf)
    assert oracle.spelled(leaf) == words


def test_a_keyword_stands_anywhere_in_a_value() -> None:
    leaf = oracle.read({"detection": {"k": ["word"], "condition": "k"}}).condition
    assert leaf == Leaf(None, Text((ANY, "word", ANY)))


def test_a_meaning_goes_to_other_processes_and_answers_there() -> None:
    meaning = oracle.read({"detection": {"a": {"A": ["x", "y", "z"]}, "condition": "a"}})
    assert meaning.truth({"A": "Y"})
    assert pickle.loads(pickle.dumps(meaning)).truth({"A": "Y"})  # noqa: S301 - our own bytes


def test_a_long_list_costs_an_event_little() -> None:
    values = [f"\\tool{number}.exe" for number in range(4_000)]
    meaning = oracle.read({"detection": {"a": {"Image|endswith": values}, "condition": "a"}})
    assert meaning.truth({"Image": "C:\\TOOL3999.exe"}) is True
    assert meaning.truth({"Image": "C:\\TOOL4000.exe"}) is False
    assert meaning.truth({"Image": "C:\\é\\TOOL3999.exe"}) is True


def test_deep_parentheses_are_refused_and_not_a_crash() -> None:
    condition = "(" * 5_000 + "a" + ")" * 5_000
    with pytest.raises(Unmeant, match="too deeply"):
        oracle.read({"detection": {"a": {"A": 1}, "condition": condition}})


def test_a_windash_of_too_many_dashes_is_refused() -> None:
    with pytest.raises(Unmeant, match="more than 5000 texts"):
        oracle.read({"detection": {"a": {"A|windash": "-a " * 10}, "condition": "a"}})
