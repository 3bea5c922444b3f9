"""`--stock` against what sigma-cli 3.1.0 does with the same files, in process."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from sigma.backends.splunk.splunk import SplunkDeferredORRegularExpression
from sigma.collection import SigmaCollection
from sigma.plugins import InstalledSigmaPlugins

from converter import upstream
from converter.collection import carried_out
from converter.documents import parse_yaml, read_text
from converter.errors import SigmapackError, UsageError
from converter.stock import Fault, StockBackend, StockOptions, Texts, backend_for, units
from converter.stock import options as stock_options

# The reference is pySigma's own code throughout, ours what stands in for it.
upstream.apply()
ROOT = Path(__file__).parent.parent
CORPUS = ROOT.parent / "shared" / "corpus" / "sigmahq"
COUNTER: Any = SplunkDeferredORRegularExpression
PIPELINES = {"kusto": "microsoft_xdr", "splunk": "splunk_windows", "lucene": "ecs_windows"}


@cache
def plugins() -> InstalledSigmaPlugins:
    return InstalledSigmaPlugins.autodiscover()


def sigma_cli(target: str, inputs: Sequence[Path], options: StockOptions, filters: Sequence[Path] = ()) -> str | None:
    """The file that `sigma convert -s` writes, without its last newline; None where it refuses one of the rules.

    The statements are those of sigma/cli/convert.py and rules.py.
    """
    with upstream.own():
        return _sigma_cli(target, inputs, options, filters)


def _sigma_cli(target: str, inputs: Sequence[Path], options: StockOptions, filters: Sequence[Path]) -> str | None:
    COUNTER.reset()
    pipeline = plugins().get_pipeline_resolver().resolve(list(options.pipelines), target)
    backend_class: Any = plugins().backends[target]
    backend = backend_class(processing_pipeline=pipeline, collect_errors=True, **options.backend_options)
    try:
        collection = SigmaCollection([], [])
        for path in (*inputs, *filters):
            paths: list[str | Path] = list(SigmaCollection.resolve_paths([path]))
            collection = SigmaCollection.merge([collection, SigmaCollection.load_ruleset(paths, collect_errors=True)])
        collection.resolve_rule_references()
        if collection.errors:
            return None
        result = backend.convert(collection, options.format, options.correlation_method)
    except Exception:  # noqa: BLE001 - the command ends, whatever it is
        return None
    if backend.errors:
        return None
    if isinstance(result, str):
        return result
    if all(isinstance(item, str) for item in result):
        return "\n\n".join(result)
    return "\n".join(json.dumps(item, indent=options.json_indent) for item in result)


def options_for(target: str, **others: Any) -> StockOptions:  # noqa: ANN401 - the options' own types
    return StockOptions((PIPELINES[target],), **others)


@cache
def stock(target: str) -> StockBackend:
    return backend_for(target, options_for(target))


def text(outcome: Texts | Fault) -> str | None:
    return outcome.whole if isinstance(outcome, Texts) else None


def reason(outcome: Texts | Fault) -> str:
    assert isinstance(outcome, Fault)
    return outcome.reason


def document(source: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(source)
    return found


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="needs ../shared, which only the developers have")
@pytest.mark.parametrize("target", PIPELINES)
def test_every_rule_of_the_corpus_has_sigma_clis_text_in_any_order(target: str) -> None:
    paths = sorted(CORPUS.glob("rules*/**/*.yml"))
    rules = {path: parse_yaml(read_text(path), path) for path in paths}
    before = copy.deepcopy(rules)
    backend = backend_for(target, options_for(target))
    outcomes = {path: backend.convert(rules[path], path=path) for path in paths}
    backward = {path: backend.convert(rules[path], path=path) for path in reversed(paths)}
    reference = {path: sigma_cli(target, [path], options_for(target)) for path in paths}
    assert [path for path in paths if text(outcomes[path]) != reference[path]] == []
    assert [path for path in paths if outcomes[path] != backward[path]] == []
    assert [path for path in paths if rules[path] != before[path]] == []


RULE = """\
title: {title}
id: 00000000-0000-4000-8000-00000000000{number}
name: rule_{number}
status: test
logsource:
    category: process_creation
    product: windows
detection:
    selection:
        {selection}
    condition: selection
"""


def rule(number: int, selection: str, more: str = "") -> str:
    return RULE.format(title=f"Rule {number}", number=number, selection=selection) + more


def correlation(name: str, rules: str, more: str) -> str:
    return f"""\
title: Correlation {name}
name: {name}
status: test
correlation:
    type: {more.splitlines()[0]}
    rules: {rules}
    timespan: 5m
    group-by: User
""" + "".join(f"    {line}\n" for line in more.splitlines()[1:])


WHOAMI = rule(1, r"Image|endswith: '\whoami.exe'")
NET = rule(2, r"Image|endswith: '\net.exe'")
FILTER = """\
title: No administrators
logsource:
    category: process_creation
    product: windows
filter:
    rules: {rules}
    selection:
        User|startswith: adm_
    condition: not selection
"""
# What each target lacks: a rule that fails once it has counted, or has made its error text longer.
FAILING = {
    "kusto": rule(8, "NoSuchField: x"),
    "splunk": rule(8, "Image|re: [a, b]\n        CommandLine|fieldref: User").replace(
        "condition: selection", "condition: selection or not selection"
    ),
    "lucene": rule(8, "Image|fieldref: User"),
}
EITHER = rule(9, "Image|re: a.*b\n        User: x").replace(
    "    condition: selection", "    other:\n        Image|re: c.*d\n    condition: selection or other"
)


def written(tmp_path: Path, **sources: str) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.yml" for name in sources}
    for name, path in paths.items():
        path.write_text(sources[name], encoding="utf-8")
    return paths


@pytest.mark.parametrize("target", PIPELINES)
def test_a_failing_rule_leaves_nothing_to_the_next(target: str, tmp_path: Path) -> None:
    backend = backend_for(target, options_for(target))
    first = backend.convert(document(EITHER))
    failures = [backend.convert(document(FAILING[target])) for _ in range(3)]
    assert [reason(failure) for failure in failures] == [reason(failures[0])] * 3
    assert reason(failures[0]).count("NoSuchField") == (1 if target == "kusto" else 0)
    assert backend.convert(document(EITHER)) == first
    assert text(first) == sigma_cli(target, [written(tmp_path, either=EITHER)["either"]], options_for(target))


def test_what_another_converter_left_in_splunks_counter_does_not_reach_a_rule() -> None:
    COUNTER.add_field("Image")
    outcome = stock("splunk").convert(document(EITHER))
    assert text(outcome) == (
        '\n| rex field=Image "(?<ImageMatch>a.*b)"\n| eval ImageCondition=if(isnotnull(ImageMatch), "true", "false")'
        '\n| rex field=Image "(?<ImageMatch2>c.*d)"\n| eval ImageCondition2=if(isnotnull(ImageMatch2), "true", "false")'
        '\n| search (ImageCondition="true" User="x") OR ImageCondition2="true"'
    )
    assert COUNTER.field_counts == {}


CORRELATIONS = {
    "event_count": correlation("many", "rule_1", "event_count\ncondition:\n    gte: 10"),
    "value_count": correlation("wide", "[rule_1]", "value_count\ncondition:\n    gte: 3\n    field: CommandLine"),
    "temporal": correlation("both", "[rule_1, 00000000-0000-4000-8000-000000000002]", "temporal"),
    "generate": correlation("both", "[rule_1, rule_2]", "temporal\ngenerate: true"),
    "extended": correlation("both", "null", "temporal\ncondition: rule_1 and not rule_2"),
}
WRITTEN = {
    "event_count": {"correlation", "net"},
    "value_count": {"correlation", "net"},
    "temporal": {"correlation"},
    "generate": {"correlation", "net", "whoami"},
    "extended": {"correlation"},
}


@pytest.mark.parametrize("kind", CORRELATIONS)
def test_a_correlation_has_sigma_clis_text_whatever_the_order_of_the_files(kind: str, tmp_path: Path) -> None:
    sources = {"correlation": CORRELATIONS[kind], "net": NET, "whoami": WHOAMI}
    documents = [document(source) for source in sources.values()]
    found = dict(zip(sources, units(documents), strict=True))
    assert {name for name, unit in found.items() if unit.written} == WRITTEN[kind]
    texts = [stock("splunk").convert(unit.document, unit.needs) for unit in found.values() if unit.written]
    # sigma-cli looks for references within one INPUT, in the order that the file system gives.
    written(tmp_path, **sources)
    reference = sigma_cli("splunk", [tmp_path], options_for("splunk"))
    assert reference is not None
    for one in texts:
        assert isinstance(one, Texts)
        assert one.whole in reference
        reference = reference.replace(one.whole, "")
    assert reference.strip() == ""


@pytest.mark.parametrize("target", ["kusto", "lucene"])
def test_a_correlation_is_refused_alone_where_sigma_cli_ends(target: str, tmp_path: Path) -> None:
    (unit, whoami) = units([document(CORRELATIONS["event_count"]), document(WHOAMI)])
    written(tmp_path, correlation=CORRELATIONS["event_count"], whoami=WHOAMI)
    assert sigma_cli(target, [tmp_path], options_for(target)) is None
    assert reason(stock(target).convert(unit.document, unit.needs)) == "Backend does not support correlation rules."
    assert isinstance(stock(target).convert(whoami.document), Texts)


def test_correlations_of_correlations_are_converted_in_order_of_dependency(tmp_path: Path) -> None:
    inner = correlation("inner", "[rule_1]", "event_count\ncondition:\n    gte: 10")
    outer = correlation("outer", "[inner]", "event_count\ncondition:\n    gte: 2")
    top = correlation("top", "[outer]", "event_count\ncondition:\n    gte: 1")
    (file,) = written(tmp_path, file=f"{WHOAMI}---\n{inner}---\n{outer}---\n{top}").values()
    reference = sigma_cli("splunk", [file], options_for("splunk"))
    for order in ([top, outer, inner, WHOAMI], [inner, top, WHOAMI, outer], [WHOAMI, inner, outer, top]):
        found = units([document(one) for one in order])
        by_name = {unit.document["name"]: stock("splunk").convert(unit.document, unit.needs) for unit in found}
        assert "\n\n".join(str(text(by_name[name])) for name in ("inner", "outer", "top")) == reference
        assert {unit.document["name"] for unit in found if not unit.written} == {"rule_1"}


def test_a_correlation_without_its_rule_or_with_one_that_fails_says_so() -> None:
    (unit,) = units([document(CORRELATIONS["event_count"])])
    assert reason(stock("splunk").convert(unit.document, unit.needs)) == "Rule 'rule_1' not found in rule collection"
    failing = document(FAILING["splunk"]) | {"name": "rule_1"}
    assert reason(stock("splunk").convert(unit.document, [failing])) == (
        "ORing FieldRef matching is not yet supported by Splunk backend"
    )
    unsound = document(WHOAMI.replace("status: test", "status: tested"))
    assert reason(stock("splunk").convert(unit.document, [unsound])) == (
        "needs Rule 1, which is no sound Sigma rule: 'tested' is not a valid Sigma rule status"
    )


def test_correlations_in_a_circle_are_refused() -> None:
    ring = [
        correlation(name, f"[{other}]", "event_count\ncondition:\n    gte: 1") for name, other in ("ab", "bc", "ca")
    ]
    for unit in units([document(one) for one in ring]):
        assert len(unit.needs) == 2
        assert reason(stock("splunk").convert(unit.document, unit.needs)) == (
            "refers to itself through the rules that it names; break the circle"
        )


def test_a_rule_that_a_correlation_takes_up_has_no_text_beside_it(tmp_path: Path) -> None:
    one, fields = document(CORRELATIONS["event_count"]), document(WHOAMI + "fields:\n    - Image\n")
    assert stock("splunk").convert(fields, [one]) == Texts(())
    one["correlation"]["generate"] = True
    # sigma-cli leaves the query unfinished then: no table of the fields.
    (file,) = written(tmp_path, file=yaml.safe_dump_all([fields, one], sort_keys=False)).values()
    reference = sigma_cli("splunk", [file], options_for("splunk"))
    unfinished, whole = stock("splunk").convert(fields, [one]), stock("splunk").convert(one, [fields])
    assert text(unfinished) == r'Image="*\\whoami.exe"'
    assert reference == f"{text(unfinished)}\n\n{text(whole)}"


@pytest.mark.parametrize("rules", ["any", "rule_1", "[00000000-0000-4000-8000-000000000001]"])
@pytest.mark.parametrize("target", PIPELINES)
def test_a_filter_is_applied_once_as_with_sigma_clis_option_and_twice_as_among_its_inputs(
    target: str, rules: str, tmp_path: Path
) -> None:
    several = WHOAMI.replace("    condition: selection", "    condition:\n        - selection\n        - 1 of sel*")
    sources = {"whoami": several, "net": NET}
    inputs, filters = tmp_path / "inputs", tmp_path / "filters"
    inputs.mkdir()
    filters.mkdir()
    source = FILTER.format(rules=rules)
    (filters / "filter.yml").write_text(source, encoding="utf-8")
    paths = written(inputs, **sources)
    for name, path in paths.items():
        read = document(sources[name])
        once = stock(target).convert(read, filters=[document(source)])
        assert read == document(sources[name])
        assert text(once) == sigma_cli(target, [path], options_for(target), [filters])
        assert str(text(once)).count("adm_") == {"whoami": 2, "net": 1 if rules == "any" else 0}[name]
        (inputs / "filter.yml").write_text(source, encoding="utf-8")
        twice = stock(target).convert(read, filters=[document(source)] * 2)
        assert str(text(twice)) in str(sigma_cli(target, [inputs], options_for(target)))
        (inputs / "filter.yml").unlink()
    assert stock(target).convert(document(source)) == Texts(())


@pytest.mark.parametrize("target", PIPELINES)
def test_a_rule_with_fields_and_two_conditions_has_all_its_texts(target: str, tmp_path: Path) -> None:
    source = NET.replace("condition: selection", "condition: [selection, not selection]") + "fields: [Image, EventID]\n"
    outcome = stock(target).convert(document(source))
    assert isinstance(outcome, Texts)
    assert len(outcome.texts) == 2
    assert ("| table Image,EventCode" in outcome.texts[1]) == (target == "splunk")
    (path,) = written(tmp_path, rule=source).values()
    assert outcome.whole == sigma_cli(target, [path], options_for(target))


ACTIONS = """action: global
title: Everywhere
status: test
logsource: {category: process_creation, product: windows}
detection:
    condition: selection
---
title: Its own title, which the global part overrides
detection: {selection: {Image: a}}
---
action: repeat
detection: {selection: {Image: b}}
---
action: reset
---
title: Alone
status: test
logsource: {category: process_creation, product: windows}
detection: {other: {Image: c}, condition: other}
---
action: repeat
detection: {more: {Image: d}, condition: 1 of *}
---
"""


@pytest.mark.parametrize("target", PIPELINES)
def test_the_actions_of_a_file_make_the_rules_that_sigma_cli_makes_of_them(target: str, tmp_path: Path) -> None:
    documents = [one for one in yaml.safe_load_all(ACTIONS) if one is not None]
    before = copy.deepcopy(documents)
    rules = [content for _, content in carried_out(documents)]
    assert documents == before
    assert [one["title"] for one in rules] == ["Everywhere", "Everywhere", "Alone", "Alone"]
    (path,) = written(tmp_path, rules=ACTIONS).values()
    texts = [text(stock(target).convert(one)) for one in rules]
    assert "\n\n".join(map(str, texts)) == sigma_cli(target, [path], options_for(target))


def test_an_unknown_action_is_named() -> None:
    with pytest.raises(SigmapackError, match="unknown action globl in document 1; have: global, reset, repeat"):
        carried_out([{"action": "globl"}])


@pytest.mark.parametrize("target", PIPELINES)
def test_a_rule_that_pysigma_cannot_read_is_refused_with_all_that_is_wrong(target: str, tmp_path: Path) -> None:
    source = WHOAMI.replace("status: test", "status: tested").replace("00000000-", "x-")
    outcome = stock(target).convert(document(source))
    assert reason(outcome) == (
        "is no sound Sigma rule: Sigma rule identifier must be an UUID; 'tested' is not a valid Sigma rule status"
    )
    assert sigma_cli(target, [written(tmp_path, rule=source)["rule"]], options_for(target)) is None


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ({"detection": {"selection": {"Hashes": "x"}, "condition": "selection"}}, "cannot be converted: InvalidHashAl"),
        (
            {"detection": {"selection": {"Image": "x"}, "condition": "not " * 3000 + "selection"}},
            "is nested too deeply",
        ),
        ({"logsource": 5}, "is no sound Sigma rule: Sigma logsource must be a valid YAML map"),
        ({"fields": 5}, "is no sound Sigma rule: Sigma rule fields must be a list"),
        ({"tags": [["x"]]}, "is no sound Sigma rule: Sigma rule tags must be a list of strings"),
        ({"id": 5}, "cannot be converted: AttributeError: "),
    ],
)
def test_an_error_of_any_type_is_the_fault_of_the_rule_alone(broken: dict[str, Any], expected: str) -> None:
    outcome = stock("kusto").convert(document(WHOAMI) | broken)
    assert reason(outcome).startswith(expected)
    assert isinstance(outcome, Fault)
    assert outcome.error.__traceback__ is None
    assert text(stock("kusto").convert(document(WHOAMI))) == (
        'DeviceProcessEvents\n| where FolderPath endswith "\\\\whoami.exe"'
    )


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("splunk", StockOptions(("splunk_windows",), "savedsearches", backend_options={"min_time": "-1d"})),
        ("splunk", StockOptions(("splunk_cim",), "data_model")),
        ("splunk", StockOptions(("splunk_sysmon_acceleration", "splunk_windows"))),
        ("lucene", StockOptions(("ecs_windows",), "kibana_ndjson")),
        ("lucene", StockOptions(("ecs_windows",), "dsl_lucene", json_indent=2)),
        ("kusto", StockOptions(("sentinel_asim",))),
        ("kusto", StockOptions(("azure_monitor",))),
        ("eql", StockOptions(("ecs_windows",), "eqlapi")),
    ],
)
def test_other_formats_pipelines_and_backends_are_rendered_as_sigma_cli_does(
    target: str, options: StockOptions, tmp_path: Path
) -> None:
    backends = backend_for(target, options), backend_for(target, options)
    source = NET.replace("condition: selection", "condition: [selection, not selection]")
    (path,) = written(tmp_path, rule=source).values()
    reference = sigma_cli(target, [path], options)
    assert reference
    assert [text(one.convert(document(source))) for one in (*backends, backends[0])] == [reference] * 3


def pipeline_file(path: Path, priority: int, mapping: dict[str, str]) -> Path:
    item = {"type": "field_name_mapping", "mapping": mapping}
    path.write_text(yaml.safe_dump({"name": path.stem, "priority": priority, "transformations": [item]}))
    return path


@pytest.mark.parametrize("target", PIPELINES)
def test_pipelines_are_files_and_folders_too_and_apply_by_priority(target: str, tmp_path: Path) -> None:
    late = pipeline_file(tmp_path / "late.yml", 90, {"Second": "Third"})
    (tmp_path / "folder").mkdir()
    pipeline_file(tmp_path / "folder" / "early.yml", 1, {"Image": "Second"})
    (path,) = written(tmp_path, rule=WHOAMI).values()
    options = StockOptions((str(late), str(tmp_path / "folder")))
    outcome = backend_for(target, options).convert(document(WHOAMI))
    assert "Third" in str(text(outcome))
    assert text(outcome) == sigma_cli(target, [path], options)


def test_what_a_pipeline_file_appends_to_does_not_grow(tmp_path: Path) -> None:
    """A pipeline's own list of fields is what pySigma hands to the rule, and appends to there."""
    items = [{"type": "set_field", "fields": ["A"]}, {"type": "add_field", "field": "B"}]
    path = tmp_path / "fields.yml"
    path.write_text(yaml.safe_dump({"name": "fields", "priority": 1, "transformations": items}))
    options = StockOptions((str(path),))
    backend = backend_for("splunk", options)
    expected = r'Image="*\\whoami.exe" | table A,B'
    assert [text(backend.convert(document(WHOAMI))) for _ in range(3)] == [expected] * 3
    assert sigma_cli("splunk", list(written(tmp_path, rule=WHOAMI).values()), options) == expected


def test_an_option_of_a_backend_is_a_variable_for_a_pipeline_file(tmp_path: Path) -> None:
    path = tmp_path / "template.yml"
    item = {
        "type": "template",
        "template": "{{ pipeline.vars.backend_index }}: {{ query }} ({{ rule.source.path.name }})",
    }
    path.write_text(yaml.safe_dump({"name": "template", "priority": 1, "postprocessing": [item]}))
    (file,) = written(tmp_path, rule=WHOAMI).values()
    options = StockOptions((str(path),), backend_options={"index": "main"})
    outcome = backend_for("splunk", options).convert(document(WHOAMI), path=file)
    assert text(outcome) == r'main: Image="*\\whoami.exe" (rule.yml)'
    assert text(outcome) == sigma_cli("splunk", [file], options)


def test_template_variables_run_only_where_they_are_enabled_and_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    variables = tmp_path / "elsewhere" / "variables.py"
    variables.write_text("vars = {'loud': str.upper}")
    path = tmp_path / "pipelines.yml"
    item = {"type": "template", "template": "{{ loud(query) }}", "vars": str(variables)}
    path.write_text(yaml.safe_dump({"name": "template", "priority": 1, "postprocessing": [item]}))
    (file,) = written(tmp_path, rule=WHOAMI).values()
    with pytest.raises(UsageError, match="disabled by default"):
        backend_for("splunk", StockOptions((str(path),)))
    with pytest.raises(UsageError, match="outside the allowed base directories"):
        backend_for("splunk", StockOptions((str(path),), enable_template_vars=True, template_vars_paths=("nowhere",)))
    options = StockOptions((str(path),), enable_template_vars=True, template_vars_paths=(str(variables.parent),))
    outcome = backend_for("splunk", options).convert(document(WHOAMI))
    # sigma-cli's own options for this do nothing; the environment does.
    monkeypatch.setenv("PYSIGMA_ALLOW_VARS_EXECUTION", "1")
    assert text(outcome) == sigma_cli("splunk", [file], options) == r'IMAGE="*\\WHOAMI.EXE"'


SPLUNKS = "splunk_windows, splunk_sysmon_acceleration, splunk_cim"


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        (
            "splunk",
            StockOptions(("nowhere.yml",)),
            f"no pipeline nowhere.yml; have: {SPLUNKS}, or name a YAML file or a folder",
        ),
        (
            "splunk",
            StockOptions(("nowhere",)),
            f"no pipeline nowhere; have: {SPLUNKS}, or name a YAML file or a folder",
        ),
        (
            "splunk",
            StockOptions(("ecs_windows",)),
            f"the pipeline ecs_windows is not for splunk; have: {SPLUNKS}, or turn the check off",
        ),
        ("splunk", StockOptions(()), f"splunk needs a pipeline; have: {SPLUNKS}, or ask to do without"),
        (
            "splunk",
            options_for("splunk", format="conf"),
            "unknown format conf of splunk; have: default, savedsearches, data_model, ndjson",
        ),
        (
            "splunk",
            options_for("splunk", correlation_method="transaction"),
            "unknown correlation method transaction of splunk; have: stats",
        ),
        (
            "kusto",
            options_for("kusto", correlation_method="stats"),
            "unknown correlation method stats of kusto; it converts no correlations",
        ),
        (
            "splunk",
            options_for("splunk", backend_options={"min_tiem": "-1d"}),
            "unknown option min_tiem of splunk; have: min_time, max_time, query_settings, output_settings",
        ),
        ("kusto", options_for("kusto", backend_options={"x": 1}), "unknown option x of kusto; it has none"),
    ],
)
def test_wrong_usage_is_one_line_that_names_what_there_is(target: str, options: StockOptions, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        backend_for(target, options)
    assert str(raised.value) == message


def test_an_unknown_backend_is_answered_with_all_that_are_installed() -> None:
    with pytest.raises(UsageError) as raised:
        backend_for("sql", StockOptions(()))
    assert str(raised.value) == f"unknown backend sql; have: {', '.join(plugins().backends)}"
    assert {"kusto", "splunk", "lucene", "esql"} <= set(plugins().backends)


def test_a_pipeline_file_that_is_not_sound_is_wrong_usage(tmp_path: Path) -> None:
    path = tmp_path / "empty.yml"
    path.write_text("transformations: [{type: no_such_type}]")
    with pytest.raises(
        UsageError, match=r"the pipeline .*empty.yml is not sound: SigmaConfigurationError: .*no_such_type"
    ):
        backend_for("splunk", StockOptions((str(path),)))


def test_the_checks_can_be_turned_off() -> None:
    unchecked = backend_for("splunk", StockOptions(("ecs_windows",), pipeline_check=False))
    assert text(unchecked.convert(document(WHOAMI))) == r'process.executable.caseless="*\\whoami.exe"'
    without = backend_for("splunk", StockOptions((), without_pipeline=True))
    assert text(without.convert(document(WHOAMI))) == r'Image="*\\whoami.exe"'
    assert text(backend_for("kusto", StockOptions(())).convert(document(WHOAMI))) == (r'Image endswith "\\whoami.exe"')


def test_our_tables_of_backends_and_pipelines_are_those_that_pysigma_finds() -> None:
    found = plugins()
    ours = {name: stock_options._imported(place) for name, place in stock_options._KNOWN.items()}  # noqa: SLF001
    assert ours == {name: found.pipelines[name] for name in ours}
    assert set(found.pipelines) - {"dummy_test", "another_test", "YetAnotherTestPipeline"} == set(ours)
    for target, names in stock_options._PIPELINES.items():  # noqa: SLF001
        backend: Any = backend_for(target, StockOptions((), without_pipeline=True)).backend
        expected: Any = found.backends[target]
        assert type(backend) is expected
        for name in names:
            assert backend_for(target, StockOptions((name,))).target == target


def test_the_search_for_plugins_is_left_out_where_the_names_are_known(tmp_path: Path) -> None:
    path = pipeline_file(tmp_path / "one.yml", 1, {"a": "b"})
    program = (
        "import sys; from converter.stock import StockOptions, backend_for\n"
        f"backend_for('splunk', StockOptions(('splunk_windows', {str(path)!r})))\n"
        "print([name for name in ('sigma.plugins', 'sigma.backends.kusto', 'sigma.validators') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
