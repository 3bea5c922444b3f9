"""Events made from a rule: what is made, and that the oracle stands behind every one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.generate import Generated, generate, minimised
from converter.generate.patterns import sample
from converter.logsource import LogSource
from converter.oracle import Meaning, read
from converter.oracle.events import Event
from converter.oracle.tree import And, Compare, Exists, Leaf, Network, Node, Not, Null, Number, Or, Pattern, Text

PROCESS = LogSource("process_creation", "windows")
REGISTRY = LogSource("registry_set", "windows")
NETWORK = LogSource("network_connection", "windows")
UNIX = LogSource("process_creation", "linux")


def meaning(condition: str = "a", **searches: object) -> Meaning:
    """What a rule of these search identifiers means."""
    return read({"detection": {**searches, "condition": condition}})


def made(logsource: LogSource, condition: str = "a", **searches: object) -> Sequence[Generated]:
    return generate(meaning(condition, **searches), logsource)


def values(events: Sequence[Generated], field: str, *, truth: bool) -> list[Any]:
    return [one.event.get(field) for one in events if one.truth is truth]


Edited = tuple[Mapping[str, object], str, str, bool]


@pytest.mark.parametrize(
    ("search", "field", "value", "truth"),
    [
        pytest.param({"CommandLine|contains": "-urlcache"}, "CommandLine", r"x-urlcachex", True, id="glued"),
        pytest.param({"CommandLine|contains": "-url"}, "CommandLine", r"\n-url", True, id="line break"),
        pytest.param({"Image|endswith": r"\zgrab.exe"}, "Image", r"zgrab\.exex$", False, id="after endswith"),
        pytest.param({"Image|endswith": r"\zgrab.exe"}, "Image", r"[a-z]zgrab\.exe$", False, id="no backslash"),
        pytest.param({"Image": r"C:\a\b.exe"}, "Image", r"^C:\\\\a\\\\b\.exe$", False, id="double backslashes"),
        pytest.param({"OriginalFileName": "zgrab"}, "OriginalFileName", r"^zgrab $", False, id="after equals"),
        pytest.param({"OriginalFileName": "zgrab"}, "OriginalFileName", r"^xzgrab$", False, id="before equals"),
        pytest.param({"OriginalFileName": "zgrab"}, "OriginalFileName", r"^ZGRAB$", True, id="letter case"),
        pytest.param({"OriginalFileName|cased": "zGrab"}, "OriginalFileName", r"^ZgRAB$", False, id="cased"),
        pytest.param({"CommandLine|startswith": "curl "}, "CommandLine", r"^xcurl ", False, id="before startswith"),
        pytest.param({"CommandLine|contains": "a*b*c?"}, "CommandLine", r"c.*b.*a", False, id="order swapped"),
        pytest.param({"CommandLine": "curl ? x"}, "CommandLine", r"^curl  x$", False, id="nothing for ?"),
        pytest.param({"CommandLine": "curl ? x"}, "CommandLine", r"^curl aa x$", False, id="two for ?"),
        pytest.param({"CommandLine": r"rm \* x"}, "CommandLine", r"^rm x x$", False, id="letter for *"),
        pytest.param({"CommandLine": "a  b c"}, "CommandLine", r"^a    b  c$", False, id="spaces"),
        pytest.param({"CommandLine|re": "cert(util|mgr)"}, "CommandLine", r"CERT(UTIL|MGR)", False, id="regex case"),
        pytest.param({"CommandLine|re": "^cert$"}, "CommandLine", r"^xcert", False, id="regex anchor"),
        pytest.param(
            {"CommandLine|contains": "tunnel"}, "CommandLine", r"^(?=.*tunnel)(?s:.){1025,}$", True, id="padded"
        ),
        pytest.param({"Hashes|contains": f"MD5={'a' * 32}"}, "Hashes", r",MD5=A{10,20}BA{10,20},", False, id="digest"),
    ],
)
def test_a_text_is_changed_at_one_place(search: Mapping[str, object], field: str, value: str, truth: bool) -> None:  # noqa: FBT001
    events = made(PROCESS, a=search)
    assert any(re.search(value, str(held)) for held in values(events, field, truth=truth)), [
        one.event for one in events
    ]


@pytest.mark.parametrize(
    ("search", "field", "value", "truth"),
    [
        ({"DestinationPort": 443}, "DestinationPort", 444, False),
        ({"DestinationPort": 443}, "DestinationPort", 442, False),
        ({"DestinationPort": 443}, "DestinationPort", "443", True),
        ({"DestinationPort|gte": 443}, "DestinationPort", 443, True),
        ({"DestinationPort|gte": 443}, "DestinationPort", 442, False),
        ({"DestinationPort|lt": 443}, "DestinationPort", 443, False),
        ({"DestinationIp|cidr": "10.0.0.0/8"}, "DestinationIp", "10.0.0.0", True),
        ({"DestinationIp|cidr": "10.0.0.0/8"}, "DestinationIp", "10.255.255.255", True),
        ({"DestinationIp|cidr": "10.0.0.0/8"}, "DestinationIp", "9.255.255.255", False),
        ({"DestinationIp|cidr": "10.0.0.0/8"}, "DestinationIp", "11.0.0.0", False),
        ({"DestinationIp|cidr": "10.0.0.0/8"}, "DestinationIp", "2001:db8::7", False),
        ({"DestinationIp|cidr": "fe80::/10"}, "DestinationIp", "fec0::", False),
        ({"Initiated": "true"}, "Initiated", "false", False),
        ({"Image": None}, "Image", None, True),
        ({"Image|exists": True}, "Image", None, False),
    ],
)
def test_numbers_and_addresses_get_their_neighbours(
    search: Mapping[str, object],
    field: str,
    value: object,
    truth: bool,  # noqa: FBT001
) -> None:
    assert value in values(made(NETWORK, a=search), field, truth=truth)


def test_each_part_is_missed_while_the_others_hold() -> None:
    search = {"Image|endswith": r"\a.exe", "CommandLine|contains|all": ["-b", "-c"], "User|endswith": r"\d"}
    missed = [one.event for one in made(PROCESS, a=search) if not one.truth]
    tests: dict[str, Callable[[Event], bool]] = {
        "image": lambda event: str(event.get("Image")).lower().endswith(r"\a.exe"),
        "b": lambda event: "-b" in str(event.get("CommandLine")).lower(),
        "c": lambda event: "-c" in str(event.get("CommandLine")).lower(),
        "user": lambda event: str(event.get("User")).lower().endswith(r"\d"),
    }
    alone = {tuple(name for name, test in tests.items() if not test(event)) for event in missed}
    assert {(name,) for name in tests} <= alone


def test_every_exception_is_met_and_missed_by_one_part() -> None:
    events = made(
        PROCESS,
        "a and not 1 of filter_*",
        a={"CommandLine|contains": "-x"},
        filter_one={"Image|endswith": r"\one.exe", "User|endswith": r"\two"},
        filter_three={"ParentImage": r"C:\three.exe"},
    )
    names = [(one.name, one.truth) for one in events]
    assert (r"exception: Image '*\one.exe' and 1 more", False) in names
    assert (r"exception: ParentImage 'C:\three.exe'", False) in names
    assert (r"exception but for Image '*\one.exe'", True) in names
    assert (r"exception but for User '*\two'", True) in names
    assert any(one.truth and one.event.keys() == {"CommandLine"} for one in events), "fields of exceptions missing"


def test_members_of_a_list_are_alternated_and_long_lists_sampled() -> None:
    short = [f"tool{number}" for number in range(9)]
    found = " ".join(map(str, values(made(PROCESS, a={"CommandLine|contains": short}), "CommandLine", truth=True)))
    assert all(word in found.lower() for word in short)
    long = [f"tool{number:04}" for number in range(3_000)]
    found = " ".join(map(str, values(made(PROCESS, a={"CommandLine|contains": long}), "CommandLine", truth=True)))
    assert {"tool0000", "tool2999"} <= {word for word in long if word in found.lower()}


def test_a_keyword_stands_in_a_field() -> None:
    events = made(LogSource(product="linux"), a=["rm -rf"])
    assert any("rm -rf" in str(value) for one in events if one.truth for value in one.event.values())


def test_fields_are_compared_when_equal_different_and_in_other_case() -> None:
    events = made(PROCESS, a={"User|fieldref": "ParentUser"})
    pairs = [(one.event.get("User"), one.event.get("ParentUser"), one.truth) for one in events]
    assert any(left == right and truth for left, right, truth in pairs)
    assert any(left != right and not truth and left and right for left, right, truth in pairs)
    assert any(
        str(left) != str(right) and str(left).lower() == str(right).lower() and truth for left, right, truth in pairs
    )


WORLD = {
    "Image": r"[A-Za-z]:\\.+|",
    "User": r"[^\\]+\\[^\\]+|",
    "Hashes": r"(SHA1=[0-9A-Fa-f]{40},MD5=[0-9A-Fa-f]{32},SHA256=[0-9A-Fa-f]{64},IMPHASH=[0-9A-Fa-f]{32})?",
    "IntegrityLevel": r"(Low|Medium|High|System|AppContainer)?",
    "TargetObject": r"((HKLM|HKU|HKCR)(\\[^\\]+){2,})?",
    "EventType": r"(SetValue|DeleteValue|CreateKey|DeleteKey|RenameKey)?",
    "Details": r"(?s)DWORD \(0x[0-9a-f]{8}\)|QWORD \(0x[0-9a-f]{8}-0x[0-9a-f]{8}\)|(?![DQdq][Ww][Oo][Rr][Dd] ?\().*",
}


@pytest.mark.parametrize(
    ("logsource", "search"),
    [
        (
            PROCESS,
            {
                "Image|endswith": ".exe",
                "User|contains": "AUTHORI",
                "Hashes|contains": ["IMPHASH=" + "0a" * 16, "b" * 64],
                "IntegrityLevel": ["high", "System"],
            },
        ),
        (
            REGISTRY,
            {
                "TargetObject|contains": [r"\Run\ ".strip(), "Run", r"\CurrentControlSet\Services"],
                "EventType": "setvalue",
                "Details": ["DWORD (0x00000001)", "(Empty)", "x"],
            },
        ),
    ],
)
def test_values_are_such_as_the_log_holds(logsource: LogSource, search: Mapping[str, object]) -> None:
    events = made(logsource, a=search)
    assert {True, False} == {one.truth for one in events}
    for one in events:
        for field, value in one.event.items():
            assert value is None or re.fullmatch(WORLD[field], str(value)), (one.name, field, value)


def test_a_unix_path_stays_one() -> None:
    for one in made(UNIX, a={"Image|endswith": "/zgrab"}, b={"User": "root"}, condition="a and b"):
        assert str(one.event.get("Image") or "/").startswith("/"), one
        assert "\\" not in str(one.event.get("User")), one


def test_a_rule_of_any_system_gets_paths_of_both() -> None:
    images = values(
        made(LogSource("process_creation"), a={"Image|endswith": [r"\zgrab.exe", "/zgrab"]}), "Image", truth=True
    )
    assert any(str(image).startswith("/") for image in images)
    assert any(re.match(r"[A-Za-z]:\\", str(image)) for image in images)


def test_only_events_that_can_be_written_are_given() -> None:
    def writable(event: Event) -> bool:
        return "User" in event

    rule = meaning(a={"User|endswith": r"\x", "Image|endswith": ".exe"})
    events = generate(rule, PROCESS, writable=writable)
    assert events
    assert all(writable(one.event) for one in events)


def test_the_same_rule_and_seed_give_the_same_events() -> None:
    search = {"CommandLine|contains": [f"word{number}" for number in range(50)], "Hashes|contains": "MD5=" + "0" * 32}
    assert made(PROCESS, a=search) == made(PROCESS, a=search)
    assert generate(meaning(a=search), PROCESS, 1) != generate(meaning(a=search), PROCESS, 2)


def test_a_contradiction_is_never_true() -> None:
    events = made(PROCESS, a={"CommandLine": "x"}, b={"CommandLine": "y"}, condition="a and b")
    assert {one.truth for one in events} <= {False}


words = st.text(st.sampled_from("ab-\\ *"), min_size=1, max_size=5)
tests = st.one_of(
    st.builds(Text, st.sampled_from([("a*b",), ("curl",), ("x y",), ("\\t.exe",)]), st.booleans()),
    words.map(lambda word: Text((word,))),
    st.builds(Compare, st.sampled_from(["<", "<=", ">", ">=", "!="]), st.integers(-3, 300)),
    st.builds(Number, st.integers(0, 70_000)),
    st.builds(Exists, st.booleans()),
    st.builds(Pattern, st.sampled_from(["^a+b", "[^x]{3}", r"\d+\s", "(a|b)c$", r"(?i)x\.y"])),
    st.sampled_from([Null(), Network("10.0.0.0/8"), Network("2001:db8::/32")]),
)
leaves = st.builds(Leaf, st.sampled_from(["Image", "CommandLine", "DestinationPort", "User", "Other", "Hashes"]), tests)
nodes: st.SearchStrategy[Node] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


@given(nodes, st.sampled_from([PROCESS, NETWORK, REGISTRY, UNIX]))
def test_the_oracle_stands_behind_every_event(node: Node, logsource: LogSource) -> None:
    rule = Meaning(node)
    events = generate(rule, logsource)
    assert all(rule.truth(one.event) is one.truth for one in events)
    assert len({one.name for one in events}) == len(events)
    assert len({repr(sorted(one.event.items())) for one in events}) == len(events)


@pytest.mark.parametrize(
    "pattern",
    ["abc", "^a.c$", "[a-f0-9]{4,8}\\.(?:[a-z]+\\.){2}x", "a|b|cd", "[^/]{10,}$", r"\w+\s\S\D\W", r"(\w)-\1", "x*?y++"],
)
def test_a_sample_is_found_by_its_pattern(pattern: str) -> None:
    for seed in range(20):
        made = sample(pattern, Random(seed))  # noqa: S311
        assert made is not None
        assert re.search(pattern, made.text), made
        assert made.begins == pattern.startswith("^")
        assert made.ends == pattern.endswith("$")


def test_what_python_cannot_read_gives_no_sample() -> None:
    assert sample(r"\p{L}+(", Random(0)) is None  # noqa: S311


def test_the_smallest_event_keeps_what_it_shows() -> None:
    event = {"CommandLine": "a long line with -urlcache in its middle", "Image": r"C:\x.exe", "User": None}
    asked: list[Event] = []

    def still(smaller: Event) -> bool:
        asked.append(smaller)
        return "-urlcache" in str(smaller.get("CommandLine"))

    assert minimised(event, still) == {"CommandLine": "-urlcache"}
    asked.clear()
    assert "-urlcache" in str(minimised(event, still, calls=5)["CommandLine"])
    assert len(asked) == 5
