"""The stand-ins for pySigma's methods against pySigma's own."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sigma.collection import SigmaCollection
from sigma.conditions import ConditionAND, ConditionItem, ConditionNOT, ConditionOR, SigmaCondition
from sigma.conditions import condition as grammar
from sigma.conversion.base import TextQueryBackend
from sigma.exceptions import SigmaError
from sigma.modifiers import SigmaContainsModifier, SigmaEndswithModifier, SigmaStartswithModifier
from sigma.rule import SigmaDetectionItem, SigmaRule
from sigma.types import SigmaCasedString, SigmaNumber, SigmaString, SpecialChars

from converter import documents, upstream
from converter.cache import version
from converter.convert import How, Query, converted
from converter.documents import _documents as read_strictly
from converter.documents import _found as read_documents
from converter.packs import read
from converter.stock import Fault, StockOptions, backend_for
from converter.stock.state import _containers as containers
from converter.targets import DEFAULTS, named
from converter.upstream import conditions, versions
from converter.upstream.rules import Originals, cloned

ROOT = Path(__file__).parent.parent
RULES = ROOT / "sigma_rules"
CORPUS = RULES.parent.parent / "shared" / "corpus" / "sigmahq"
PIPELINES = {"kusto": "microsoft_xdr", "splunk": "splunk_windows", "lucene": "ecs_windows"}
SIGNS = st.text(alphabet=st.sampled_from("ab*?\\%\n .é\"'|/[]"), max_size=12)


@pytest.fixture(autouse=True)
def pieces() -> Iterator[None]:
    """The stand-ins stand at the beginning and the end of each test."""
    assert upstream.apply()
    yield
    assert upstream.apply()


def both(work: Callable[[], Any]) -> tuple[Any, Any]:
    """What comes of the work with the stand-ins and without them, an error as its kind and words."""

    def outcome() -> Any:  # noqa: ANN401 - whatever the work gives
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - upstream's errors are part of what is compared
            return type(error), error.args

    ours = outcome()
    with upstream.own():
        theirs = outcome()
    return ours, theirs


def test_every_piece_stands_where_it_says_and_says_why() -> None:
    assert len({piece.replaces for piece in upstream.PIECES}) == len(upstream.PIECES)
    for piece in upstream.PIECES:
        assert piece.owner.__dict__[piece.name] is piece.ours
        assert len(piece.why) > 20
    with upstream.own():
        for piece in upstream.PIECES:
            assert piece.owner.__dict__[piece.name].__module__.startswith("sigma.")


@pytest.mark.parametrize("package", list(upstream.KNOWN))
def test_with_a_version_that_nobody_knows_upstream_runs(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    upstream.withdraw()
    monkeypatch.setattr(versions, "version", lambda name: "99.0" if name == package else version(name))
    assert not upstream.apply()
    assert not upstream.applied()
    for piece in upstream.PIECES:
        assert piece.owner.__dict__[piece.name].__module__.startswith("sigma.")
    rules = [SigmaRule.from_yaml(DETECTIONS) for _ in range(2)]
    waiting = iter(rules)
    originals = Originals()
    found = [originals.copy("origin", "", lambda: next(waiting)) for _ in range(2)]
    assert [id(rule) for rule in found] == [id(rule) for rule in rules]


TEMPLATES = """
import sys
from converter.convert import AS_ROUTED
assert "jinja2" not in sys.modules
from sigma.processing.finalization import TemplateFinalizer
assert "jinja2" not in sys.modules
listed = "{% for query in queries %}<{{ query }}>{% endfor %}"
print(TemplateFinalizer(listed, autoescape=True).apply(["a&b", "c"]))
from sigma.processing import templates
import jinja2.sandbox
assert isinstance(TemplateFinalizer("x").j2template.environment, jinja2.sandbox.SandboxedEnvironment)
assert isinstance(templates.FileSystemLoader("."), jinja2.FileSystemLoader)
"""


def test_jinja2_is_loaded_when_a_template_is_made() -> None:
    done = subprocess.run([sys.executable, "-c", TEMPLATES], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "<a&amp;b><c>\n", "")


@given(text=SIGNS, escape=st.booleans())
def test_strings_are_read_the_same(text: str, escape: bool) -> None:  # noqa: FBT001 - hypothesis
    ours, theirs = both(lambda: (SigmaString(text, escape).s, SigmaString(text, escape).original))
    assert ours == theirs
    assert both(lambda: SigmaCasedString(text).s)[0] == both(lambda: SigmaCasedString(text).s)[1]


@given(text=SIGNS, start=st.integers(-3, 4) | st.none(), stop=st.integers(-3, 4) | st.none())
def test_strings_are_cut_the_same(text: str, start: int | None, stop: int | None) -> None:
    ours, theirs = both(lambda: (SigmaString(text)[start:stop].s, type(SigmaCasedString(text)[start:stop])))
    assert ours == theirs
    assert len(set(map(repr, both(lambda: SigmaString(text)[start or 0].s)))) == 1


def written(value: SigmaString, *options: Any) -> tuple[str, bool, str, str]:  # noqa: ANN401
    """The string as it is written now: the methods are looked up anew."""
    return value.convert(*options), value.contains_special(), value.to_plain(), value.to_plain_regex()


@given(
    text=SIGNS,
    escape=st.sampled_from(["\\", "'", "", None]),
    many=st.sampled_from(["*", ".*", "%", None]),
    one=st.sampled_from(["?", ".", "*", None]),
    added=st.sampled_from(["", '"', "\\", ' "\\/*+-]^', "é"]),
    dropped=st.sampled_from(["", "a", "*\n"]),
)
def test_strings_are_written_the_same(  # noqa: PLR0913, PLR0917 - pySigma's options
    text: str, escape: str | None, many: str | None, one: str | None, added: str, dropped: str
) -> None:
    for placeholders in (False, True):
        value = SigmaString(text)
        if placeholders:
            value.insert_placeholders()
        ours, theirs = both(partial(written, value, escape, many, one, added, dropped))
        assert ours == theirs


@pytest.mark.parametrize(
    "values",
    [
        [SigmaString("a*")],
        [SigmaNumber(1), SigmaString("b")],
        [SigmaCasedString("c")],
        ["no value"],
        SigmaString("no list"),
    ],
)
def test_detection_items_are_checked_the_same(values: Any) -> None:  # noqa: ANN401 - wrong ones too
    def made() -> Any:  # noqa: ANN401
        item = SigmaDetectionItem("field", [], values)
        return item.value, item.original_value

    ours, theirs = both(made)
    assert repr(ours) == repr(theirs)


CONDITIONS = (
    "one",
    "one and two",
    "one or not two and (three or one)",
    "1 of t*",
    "all of them",
    "not 1 of t* and one",
    "any of them",
    "missing",
    "one |",
    "one and",
    "",
    "2 of them",
    "all of x*",
)
DETECTIONS = """\
title: x
logsource: {category: test}
detection:
    one: {a: 1}
    two: {b: [x, y*]}
    three: [c, d]
    condition: one
"""


def tree(node: Any) -> Any:  # noqa: ANN401 - a condition of any kind
    """A condition as plain values, with what stands above each node."""
    above = type(node.parent).__name__ if node is not None and node.parent is not None else ""
    if isinstance(node, ConditionItem):
        return type(node).__name__, above, str(node.source), [tree(arg) for arg in node.args]
    if node is None:
        return None
    return type(node).__name__, above, getattr(node, "field", None), str(node.value), str(node.source)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_are_parsed_the_same_however_often(condition: str) -> None:
    def parsed() -> Any:  # noqa: ANN401
        detections = SigmaRule.from_yaml(DETECTIONS).detection
        return [tree(SigmaCondition(condition, detections).parsed) for _ in range(2)]

    ours, theirs = both(parsed)
    assert ours == theirs


WORDS = st.sampled_from(
    [
        *"a b_1 sel-x not and or 1 any all of them a* ( ) notable order 1x - _ é | *".split(),  # noqa: SIM905
        *("1 of a*", "all of them", "any of x_*", "not a", "a and b", "(a or b)"),
    ]
)


@given(
    words=st.lists(WORDS, min_size=1, max_size=9), blank=st.sampled_from([" ", "  ", "\t", "\n", "", " \r\n", "\x0b"])
)
def test_a_condition_that_we_read_is_read_as_by_the_grammar(words: list[str], blank: str) -> None:
    text = blank.join(words)
    try:
        ours = conditions.read(text)
    except conditions.Foreign:
        return
    assert ours == grammar.parse_string(text, parse_all=True)[0]


def test_the_conditions_of_published_rules_need_no_grammar() -> None:
    for text in ("selection", "1 of selection_* and not 1 of filter_main_*", "not (a or b) and all of them"):
        assert conditions.read(text) == grammar.parse_string(text, parse_all=True)[0]


@pytest.mark.parametrize("modifier", [SigmaContainsModifier, SigmaStartswithModifier, SigmaEndswithModifier])
@given(text=SIGNS, number=st.booleans(), split=st.booleans())
def test_wildcards_are_put_around_values_the_same(modifier: Any, text: str, number: bool, split: bool) -> None:  # noqa: FBT001, ANN401
    def made() -> Any:  # noqa: ANN401
        value: Any = SigmaNumber(1) if number else SigmaString(text)
        if split and not number:
            # As some modifiers leave them: texts side by side.
            value.s = [*value.s, "x", "y"]
        found = modifier(SigmaDetectionItem("a", [], [SigmaString("b")]), []).apply(value)
        return [(type(one), one.s, one.original) for one in found]

    ours, theirs = both(made)
    assert ours == theirs


YAML_PARTS = st.sampled_from(
    [
        *(
            "a: 1",
            "b: x & y",
            "c: a&b",
            "d: &n x",
            "e: *n",
            "f: 'a &b c'",
            "g: [a&b, c]",
            "h: [&q z, *q]",
            "a: 2",
            "1: x",
        ),
        *(
            "true: y",
            "i: !!str 1",
            "? [k]",
            "<<: {a: 1}",
            "j: |-\n  a &b",
            "k: 2020-01-01",
            "---",
            "...",
            "- x",
            "l: {m: n}",
        ),
        *(
            "o: a\n  &p q",
            'r: "x"&y',
            "%YAML 1.1",
            "s: 0x1F",
            "t: ~",
            "u:",
            "'v': yes",
            "w: &1",
            "&x y: z",
            "? &a b\n: c",
        ),
    ]
)


@given(parts=st.lists(YAML_PARTS, min_size=1, max_size=6))
def test_a_text_that_is_read_the_short_way_is_read_as_the_strict_loader_does(parts: list[str]) -> None:
    text = "\n".join(parts)

    def strict() -> Any:  # noqa: ANN401
        return list(read_strictly(text))

    def outcome(work: Callable[[], Any]) -> Any:  # noqa: ANN401
        try:
            return repr(work())
        except (yaml.YAMLError, ValueError) as error:
            return type(error), str(error)

    assert outcome(lambda: read_documents(text)) == outcome(strict)


def test_a_sign_for_and_within_a_text_does_not_ask_for_the_strict_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_documents", lambda _: pytest.fail("asked for"))
    assert read_documents("a: 'x & y&z'\nb: c&d")[0].content == {"a": "x & y&z", "b": "c&d"}


VALUES = st.one_of(SIGNS, st.integers(-5, 5), st.booleans(), st.none())
KEYS = st.sampled_from(
    [
        "Image",
        "CommandLine|contains",
        "CommandLine|contains|all",
        "User",
        "EventID",
        "Hashes",
        "TargetObject|startswith",
        "Image|endswith",
        "CommandLine|windash|contains",
        "odd field",
        "Product|re",
        "ParentImage|cased",
        "Image|fieldref",
        "DestinationIp|cidr",
        "EventID|gt",
        "Initiated",
        "CommandLine|base64offset|contains",
        "|all",
        "CommandLine|exists",
    ]
)
PARTS = st.one_of(
    st.dictionaries(KEYS, VALUES | st.lists(VALUES, min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(SIGNS, min_size=1, max_size=3),
)
SOURCES = st.fixed_dictionaries(
    {"product": st.sampled_from(["windows", "linux"])},
    optional={
        "category": st.sampled_from(["process_creation", "registry_set", "network_connection", "file_event"]),
        "service": st.sampled_from(["security", "system"]),
    },
)
RULE = st.fixed_dictionaries(
    {
        "title": st.just("x"),
        "logsource": SOURCES,
        "detection": st.fixed_dictionaries(
            {
                "selection": PARTS | st.lists(PARTS, min_size=1, max_size=2),
                "filter_a": PARTS,
                "condition": st.sampled_from(
                    ["selection", "selection and not 1 of filter_*", "1 of them", "not all of them or filter_a"]
                ),
            }
        ),
    },
    optional={"fields": st.lists(st.sampled_from(["Image", "odd", "CommandLine"]), max_size=2)},
)
STOCKS = {target: backend_for(target, StockOptions((pipeline,))) for target, pipeline in PIPELINES.items()}


@settings(deadline=None, max_examples=150)
@given(rules=st.lists(RULE, min_size=1, max_size=3), target=st.sampled_from(sorted(PIPELINES)))
def test_any_rule_is_converted_the_same_and_leaves_the_same_marks(rules: list[dict[str, Any]], target: str) -> None:
    stock = STOCKS[target]

    def made() -> Any:  # noqa: ANN401
        found: list[object] = []
        for document in rules:
            found.extend((unplaced(stock.convert(document)), marks(stock.backend, document)))
        return found

    ours, theirs = both(made)
    assert ours == theirs


def marks(backend: Any, document: dict[str, Any]) -> Any:  # noqa: ANN401
    """What a pipeline leaves in a rule, and keeps of it."""
    pipeline = backend.last_processing_pipeline
    rule = SigmaRule.from_dict(copy.deepcopy(document), collect_errors=True)
    failed = ""
    try:
        pipeline.apply(rule)
    except Exception as error:  # noqa: BLE001 - part of what is compared
        # The text of Kusto's failures grows, once in each of these runs.
        failed = type(error).__name__
    kept = pipeline.applied, pipeline.applied_ids, pipeline.state, dict(pipeline.field_mappings)
    items = [
        (re.sub(" at 0x[0-9a-f]+", "", repr(one)), marked(one))
        for name, one in sorted(rule.detection.detections.items())
        if name[0] != "_"
    ]
    return failed, kept, dict(pipeline.field_name_applied_ids), rule.fields, rule.applied_processing_items, items


def unplaced(one: object) -> str:
    """What an object says, without the places in memory that pySigma names."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(one))


def marked(part: Any) -> Any:  # noqa: ANN401
    """The identifiers of the items that were applied to a detection's parts."""
    within = getattr(part, "detection_items", None)
    return part.applied_processing_items if within is None else [marked(one) for one in within]


def test_what_a_failing_rule_changes_in_a_pipeline_is_put_back() -> None:
    backend = backend_for("kusto", StockOptions((PIPELINES["kusto"],)))
    held = [(container, container.copy()) for container, _ in containers(backend.backend)]
    rule = yaml.safe_load(DETECTIONS.replace("test", "process_creation").replace("{a: 1}", "{nowhere: 1}"))
    first = backend.convert(rule)
    assert isinstance(first, Fault)
    assert "nowhere" in first.reason
    assert any(container != content for container, content in held)
    second = backend.convert(rule)
    assert isinstance(second, Fault)
    assert second.reason == first.reason
    backend.restore(backend.clean[0])
    assert all(container == content for container, content in held)


NODES = (ConditionOR, ConditionAND, ConditionNOT)


def precedence(backend: Any, outer: Any, inner: Any) -> bool:  # noqa: ANN401
    """What the backend says now: the method is looked up anew."""
    return bool(backend.compare_precedence(outer, inner))


@pytest.mark.parametrize("parenthesize", [False, True])
def test_precedence_is_compared_the_same(*, parenthesize: bool) -> None:
    backend: Any = backend_for("splunk", StockOptions((), without_pipeline=True)).backend
    rule = SigmaRule.from_yaml(DETECTIONS)
    leaf: Any = SigmaCondition("one", rule.detection).parsed
    backend.parenthesize = parenthesize
    for outer in NODES:
        for inner in (*(node([leaf]) for node in NODES), leaf, None):
            ours, theirs = both(partial(precedence, backend, outer([leaf]), inner))
            assert ours == theirs


class Odd(TextQueryBackend):
    """Escapes letters in its patterns, which makes some that are none."""

    add_escaped_re = "Q"
    eq_expression = "{field}={value}"
    str_quote = '"'
    escape_char = "\\"
    wildcard_multi = "*"
    wildcard_single = "?"
    re_escape_char = "\\"
    precedence = (ConditionNOT, ConditionAND, ConditionOR)
    group_expression = "({expr})"
    or_token = "OR"  # noqa: S105 - an operator
    and_token = "AND"  # noqa: S105 - an operator
    not_token = "NOT"  # noqa: S105 - an operator
    eq_token = "="  # noqa: S105 - an operator
    re_expression = "{field}=/{regex}/"


@pytest.mark.parametrize("value", ["plain", "with Q in it", "*ends", "starts*", "*both*", "a?b", ""])
def test_a_pattern_that_cannot_be_made_fails_as_upstreams_does(value: str) -> None:
    text = DETECTIONS.replace("{a: 1}", f"{{a: '{value}'}}")
    ours, theirs = both(lambda: Odd().convert(SigmaCollection.from_yaml(text)))
    assert ours == theirs


def test_a_copy_is_the_same_rule_and_shares_nothing_that_pipelines_change() -> None:
    for path in RULES.rglob("*.yml"):
        if path.name.endswith(".cases.yaml"):
            continue
        rule = SigmaRule.from_yaml(path.read_text(encoding="utf-8"))
        before, said = repr(rule), rule.to_dict()
        made = cloned(rule)
        assert (made, repr(made), made.to_dict()) == (rule, before, said)
        for target, pipeline in PIPELINES.items():
            backend = backend_for(target, StockOptions((pipeline,))).backend
            try:
                backend.convert_rule(cloned(rule))
            except SigmaError:
                continue
        made.fields.append("x")
        made.custom_attributes["x"] = 1
        made.detection.detections.clear()
        assert (repr(rule), rule.to_dict()) == (before, said)


def texts() -> list[object]:
    """What every rule of ours becomes, as it is and as the stock backends have it."""
    rules = read([str(RULES)]).rules
    found: list[object] = []
    for stock in (False, True):
        for target in named(DEFAULTS):
            options = StockOptions((PIPELINES[target.name],) if stock else ())
            how = How(options=options, stock=stock, referable=tuple(rules))
            outcomes = [converted(rule, target, how) for rule in rules]
            found += [each.text if isinstance(each, Query) else each.reason for each in outcomes]
    return found


def test_rules_become_the_same_queries() -> None:
    ours, theirs = both(texts)
    assert ours == theirs
    assert len(ours) > 12


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared, which only the developers have")
def test_published_rules_become_the_same_queries_as_we_write_them() -> None:
    rules = read([str(CORPUS / "rules")]).rules[::7]

    def made() -> list[str]:
        outcomes = [converted(rule, target, How()) for rule in rules for target in named(DEFAULTS)]
        return [each.text if isinstance(each, Query) else each.reason for each in outcomes]

    ours, theirs = both(made)
    assert ours == theirs


def test_no_special_sign_is_left_out() -> None:
    assert {sign: SigmaString(sign).s[0] for sign in "*?"} == {
        "*": SpecialChars.WILDCARD_MULTI,
        "?": SpecialChars.WILDCARD_SINGLE,
    }
