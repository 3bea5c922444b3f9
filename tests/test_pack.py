"""The pack against its seed: no word of it is lost, and no word of a rule is without a case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from converter import cases
from converter.rule import Rule
from tests import events, seed
from tests.events import PACK

RULES = {rule.place.name: rule for rule in events.pack().rules}
TOOLS = seed.words(r"CertEnumToolNames = dynamic\(\[(.*?)\]\)")
SERVICES = seed.words(r"CertTransparencyServices = dynamic\(\[(.*?)\]\)")
CLIENTS = [
    *seed.words(r'FileName in~ \(("curl.exe".*?)\)'),
    *seed.words(r'FileName in~ \(("powershell.exe".*?)\)'),
    *seed.words(r'FileName in~ \(("python.exe".*?)\)'),
]
OPENSSL = seed.words(r'FileName in~ \(("openssl".*?)\)')
OPENSSL_VERBS = seed.words(r'has_any \(("s_client".*?)\)')
CERTUTIL_VERBS = seed.words(r'has_any \(("-dump".*?)\)')


def last_parts(names: Sequence[str]) -> set[str]:
    return {separator + name for name in names for separator in "\\/"}


def detection(rule: str) -> Mapping[str, Mapping[str, Sequence[str]]]:
    held: Mapping[str, Mapping[str, Sequence[str]]] = RULES[rule].document["detection"]
    return held


@pytest.mark.parametrize(
    ("rule", "selection", "field", "words"),
    [
        ("proc_creation_cert_enum_tool", "selection_img", "Image|contains", set(TOOLS)),
        ("proc_creation_cert_enum_tool", "selection_cli", "CommandLine|contains", set(TOOLS)),
        ("proc_creation_ct_log_query", "selection_service", "CommandLine|contains", set(SERVICES)),
        ("proc_creation_ct_log_query", "selection_client", "Image|endswith", last_parts(CLIENTS)),
        ("proc_creation_ct_log_query", "selection_openssl_img", "Image|endswith", last_parts(OPENSSL)),
        ("proc_creation_ct_log_query", "selection_openssl_cli", "CommandLine|contains", set(OPENSSL_VERBS)),
        ("proc_creation_ct_log_query", "selection_certutil_img", "Image|endswith", last_parts(["certutil.exe"])),
        ("proc_creation_ct_log_query", "selection_certutil_cli", "CommandLine|contains|windash", set(CERTUTIL_VERBS)),
        ("proc_creation_openssl_probe", "selection_img", "Image|endswith", last_parts(OPENSSL)),
        ("proc_creation_openssl_probe", "selection_cli", "CommandLine|contains", set(OPENSSL_VERBS)),
        ("proc_creation_win_certutil_enum", "selection_img", "Image|endswith", last_parts(["certutil.exe"])),
        ("proc_creation_win_certutil_enum", "selection_cli", "CommandLine|contains|windash", set(CERTUTIL_VERBS)),
    ],
)
def test_a_selection_holds_the_seeds_words_and_no_others(
    rule: str, selection: str, field: str, words: set[str]
) -> None:
    held = detection(rule)[selection][field]
    assert set(held) == words
    assert len(held) == len(words)


def test_the_seeds_word_lists_are_the_ones_that_its_text_names() -> None:
    assert (len(TOOLS), len(SERVICES), len(CLIENTS), len(OPENSSL_VERBS), len(CERTUTIL_VERBS)) == (9, 14, 10, 4, 5)


@pytest.mark.parametrize("rule", RULES)
def test_metadata_is_complete(rule: str) -> None:
    document = RULES[rule].document
    wanted = {"title", "id", "status", "description", "references", "author", "date", "tags", "logsource"}
    assert wanted | {"detection", "falsepositives", "level"} == document.keys()
    assert {"attack.reconnaissance", "attack.t1596.003"} <= set(document["tags"])
    assert document["level"] == "medium"


# The seed's five, each by the words that name it, with the rules that it concerns.
FALSE_POSITIVES = {
    "sslyze, sslscan or testssl.sh": {"proc_creation_cert_enum_tool"},
    "DevSecOps": {"proc_creation_ct_log_query"},
    "openssl s_client": {"proc_creation_openssl_probe"},
    "Certbot|internal PKI": {
        "proc_creation_ct_log_query",
        "proc_creation_openssl_probe",
        "proc_creation_win_certutil_enum",
    },
    "penetration tests": set(RULES),
}


@pytest.mark.parametrize(("words", "rules"), FALSE_POSITIVES.items())
def test_every_false_positive_of_the_seed_stands_on_the_rules_that_it_concerns(words: str, rules: set[str]) -> None:
    found = {name for name, rule in RULES.items() if re.search(words, " ".join(rule.document["falsepositives"]))}
    assert found == rules


def test_a_rule_names_a_product_only_where_the_seed_covers_one_system() -> None:
    named = {name: rule.document["logsource"].get("product") for name, rule in RULES.items()}
    assert named == dict.fromkeys(RULES) | {"proc_creation_win_certutil_enum": "windows"}
    assert {rule.document["logsource"]["category"] for rule in RULES.values()} == {"process_creation"}


def test_the_hunting_settings_keep_the_seeds_order_window_and_columns() -> None:
    (pack,) = events.pack().packs
    assert pack.hunting is not None
    case_order = seed.words(r"ToolCategory = case\((.*?)\"Other\"")
    categories = [word for word in case_order if word in {"CertEnumTool", "CTLogQuery", "OpenSSLProbe", "CertutilEnum"}]
    columns = seed.QUERY.split("| project ")[1].split("| sort")[0].replace("\n", " ").split(",")
    assert [category.name for category in pack.hunting.categories] == categories
    assert {category.confidence for category in pack.hunting.categories} == {"low"}
    assert list(pack.hunting.columns) == [column.strip() for column in columns]
    assert pack.hunting.window == "24h"


def values(rule: Rule) -> Iterator[tuple[str, str, str]]:
    """Every listed value of a rule: its selection, its field with modifiers, and itself."""
    for selection, fields in rule.document["detection"].items():
        if selection != "condition":
            for field, listed in fields.items():
                for value in listed:
                    yield selection, field, value


def holds(event: Mapping[str, Any], field: str, value: str) -> bool:
    """Whether an event holds one value of a list, as Sigma's contains, endswith and windash say it."""
    name, *modifiers = field.split("|")
    text = str(event.get(name, "")).lower()
    dashes = "-/–—―" if "windash" in modifiers else value[0]
    forms = [dash + value[1:].lower() for dash in dashes] if "windash" in modifiers else [value.lower()]
    return any(form in text if "contains" in modifiers else text.endswith(form) for form in forms)


@pytest.mark.parametrize(
    ("rule", "selection", "field", "value"),
    [
        pytest.param(rule, *found, id=f"{rule.place.name}-{found[0]}-{found[2]}")
        for rule in RULES.values()
        for found in values(rule)
    ],
)
def test_every_listed_value_is_hit_by_a_case(rule: Rule, selection: str, field: str, value: str) -> None:
    matching = [case for case in cases.read(rule) if case.verb == "must_match"]
    assert [case.name for case in matching if holds(case.event, field, value)], selection


# A value that holds another of its list adds no event, so no case can tell whether it is there.
COVERED = {"-urlcache", "zgrab2", "search.censys.io", "api.certspotter.com"}


@pytest.mark.parametrize(
    ("rule", "field", "value", "others"),
    [
        pytest.param(
            rule,
            field,
            value,
            [other for chosen, _, other in values(rule) if chosen == selection and other != value],
            id=f"{rule.place.name}-{selection}-{value}",
        )
        for rule in RULES.values()
        for selection, field, value in values(rule)
        if value not in COVERED
    ],
)
def test_every_listed_value_is_alone_in_some_case(rule: Rule, field: str, value: str, others: Sequence[str]) -> None:
    """A case that one value alone carries fails when the value is removed from its list."""
    matching = [case for case in cases.read(rule) if case.verb == "must_match"]
    alone = [
        case.name
        for case in matching
        if holds(case.event, field, value) and not any(holds(case.event, field, other) for other in others)
    ]
    assert alone


def test_the_pack_stands_where_the_tests_look() -> None:
    assert {path.stem for path in PACK.glob("*.yml")} == set(RULES)
    assert {path.name for path in PACK.glob("*.cases.yaml")} == {f"{rule}.cases.yaml" for rule in RULES}
