"""What is said where a cluster, its client or its URL is not as it should be, and what becomes of the indices."""

from __future__ import annotations

import gc
import socket
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from converter import schemas
from converter.cli.named_engines import engines_of
from converter.engines.engine import Invalid, Unjudged
from converter.engines.live import CLIENTS, Live, Unreachable
from converter.engines.store import Stored
from converter.errors import SigmapackError, UsageError
from converter.judge import Judge, NoQuery, Trial
from converter.schemas.layout import Source
from tests.command import rule, sigmapack
from tests.fake_cluster import Answer, Cluster, Question, cluster, well

ROWS = [Stored(number, 0, {"process.pid": number}) for number in range(3)]


@pytest.fixture(params=sorted(CLIENTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def source() -> Source:
    layout = schemas.layout("lucene")
    assert layout is not None
    return layout.sources[0]


def removed(told: Cluster) -> bool:
    """Whether all that was made is removed, and nothing else was named."""
    made = {each.path for each in told.asked if each.method == "PUT"}
    gone = {each.path for each in told.asked if each.method == "DELETE"}
    assert all(path.startswith("/sigmapack-test-") for path in made)
    assert {f"/{each.path.split('/')[1]}" for each in told.asked} == made
    return bool(made) and made == gone


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_rows_and_queries_go_to_indices_of_their_own_which_are_removed(name: str) -> None:
    with cluster() as told:
        with Live(name, told.url) as live:
            assert live.load(source(), ROWS) == set()
            assert live.find("process.pid:1", [source()], 0) == set()
            assert not removed(told)
        assert removed(told)
    bulk = next(each for each in told.asked if each.path.endswith("/_bulk"))
    assert bulk.lines[1::2] == [{"process.pid": row.number, "_row": row.number, "_owner": 0} for row in ROWS]
    search = next(each for each in told.asked if each.path.endswith("/_search")).lines[0]
    assert search["query"]["bool"] == {
        "must": {"query_string": {"query": "process.pid:1", "analyze_wildcard": True}},
        "filter": {"term": {"_owner": 0}},
    }


def test_more_hits_than_one_answer_takes_are_asked_for_page_by_page(name: str) -> None:
    def says(question: Question) -> Answer:
        if not question.path.endswith("/_search"):
            return well(question)
        first, size = question.lines[0].get("search_after", [0])[0], question.lines[0]["size"]
        numbers = range(first + 1, min(first + size, 25_000) + 1)
        return 200, {"hits": {"hits": [{"fields": {"_row": [each]}, "sort": [each]} for each in numbers]}}

    with cluster(says) as told, Live(name, told.url) as live:
        assert live.find("*", [source()], 0) == set(range(1, 25_001))


def test_an_owner_whose_rows_are_cleared_gets_another_number(name: str) -> None:
    with cluster() as told, Live(name, told.url) as live:
        for _ in range(2):
            live.load(source(), ROWS[:1])
            live.clear(0)
        owners = [each.lines[1]["_owner"] for each in told.asked if each.path.endswith("/_bulk")]
    assert owners == [0, 1]


def test_indices_are_removed_where_nobody_closes(name: str) -> None:
    with cluster() as told:
        live = Live(name, told.url)
        live.load(source(), ROWS)
        del live
        gc.collect()
        assert removed(told)


def test_indices_are_removed_after_an_error(name: str) -> None:
    def says(question: Question) -> Answer:
        return (500, {"error": {"type": "some", "reason": "broke"}}) if "/_bulk" in question.path else well(question)

    with cluster(says) as told:
        with pytest.raises(Unreachable, match="answers 500: broke"), Live(name, told.url) as live:
            live.load(source(), ROWS)
        assert removed(told)


def test_a_type_that_the_cluster_lacks_is_replaced_and_told(name: str) -> None:
    def says(question: Question) -> Answer:
        types = {
            each["type"] for line in question.lines for each in line.get("mappings", {}).get("properties", {}).values()
        }
        if question.method == "PUT" and "wildcard" in types:
            reason = "The mapper type [wildcard] declared on field [process.command_line] does not exist."
            return 400, {"error": {"type": "mapper_parsing_exception", "reason": reason}, "status": 400}
        return well(question)

    with cluster(says) as told, Live(name, told.url) as live:
        live.load(source(), ROWS)
        made = [each for each in told.asked if each.method == "PUT"][-1].lines[0]
        assert made["mappings"]["properties"]["process.command_line"]["type"] == "keyword"
        assert [line for line in live.unmade if "wildcard" in line] == [*live.unmade]
        assert live.unmade


def test_a_row_that_the_cluster_refuses_is_not_held(name: str) -> None:
    def says(question: Question) -> Answer:
        if not question.path.endswith("/_bulk"):
            return well(question)
        bad = {"index": {"status": 400, "error": {"type": "document_parsing_exception", "reason": "no"}}}
        return 200, {"errors": True, "items": [{"index": {"status": 201}}, bad, {"index": {"status": 201}}]}

    with cluster(says) as told, Live(name, told.url) as live:
        assert live.load(source(), ROWS) == {1}


def test_a_row_that_is_turned_away_for_now_is_an_error(name: str) -> None:
    def says(question: Question) -> Answer:
        item = {"index": {"status": 429, "error": {"type": "rejected", "reason": "too busy"}}}
        return (200, {"errors": True, "items": [item] * 3}) if question.path.endswith("/_bulk") else well(question)

    with cluster(says) as told, Live(name, told.url) as live, pytest.raises(Unreachable, match="429: too busy"):
        live.load(source(), ROWS)


def test_a_query_that_a_shard_refuses_is_invalid_with_its_reason(name: str) -> None:
    cause = {"type": "query_shard_exception", "reason": "failed", "caused_by": {"type": "x", "reason": "no number"}}
    error = {
        "type": "search_phase_execution_exception",
        "reason": "all shards failed",
        "failed_shards": [{"reason": cause}],
    }

    def says(question: Question) -> Answer:
        return (400, {"error": error, "status": 400}) if question.path.endswith("/_search") else well(question)

    with cluster(says) as told, Live(name, told.url) as live, pytest.raises(Invalid, match=r"^no number$"):
        live.find("process.pid:a", [source()], 0)


def test_who_may_not_ask_is_told_what_to_give(name: str) -> None:
    with cluster(lambda _: (401, {"error": {"type": "security_exception", "reason": "no"}})) as told:
        url = told.url.replace("//", "//somebody:s%40cret@")
        with pytest.raises(Unreachable, match="user and password") as raised, Live(name, url) as live:
            live.load(source(), ROWS)
    assert "s@cret" not in str(raised.value)
    assert "s%40cret" not in str(raised.value)
    assert told.asked[0].headers["authorization"] == f"Basic {b64encode(b'somebody:s@cret').decode()}"


def test_an_api_key_goes_to_elasticsearch_only(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGMAPACK_ELASTICSEARCH_API_KEY", "a2V5")
    with cluster() as told, Live(name, told.url) as live:
        live.load(source(), ROWS)
    wanted = "ApiKey a2V5" if name == "elasticsearch" else None
    assert {each.headers.get("authorization") for each in told.asked} == {wanted}


def test_what_is_left_behind_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with cluster() as told:
        live = Live(name, told.url)
        live.load(source(), ROWS)
        made = told.asked[0].path.removeprefix("/")
        told.says = lambda _: (503, {"error": {"type": "unavailable", "reason": "no"}})
        live.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert made in line
    assert told.url in line


@pytest.mark.parametrize(("engine", "package"), [("elasticsearch", "elasticsearch"), ("opensearch", "opensearchpy")])
def test_a_missing_client_is_told_with_what_installs_it(
    engine: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=r"pip install 'sigmapack\[live\]'"):
        Live(engine, "http://127.0.0.1:9200")


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(["kusto"], id="unknown"),
        pytest.param(["kql", "kql"], id="twice"),
        pytest.param(["kql=http://127.0.0.1:1"], id="a URL for an embedded one"),
        pytest.param(["elasticsearch"], id="no URL"),
        pytest.param(["opensearch=ftp://u:secret@host"], id="another scheme"),
        pytest.param(["opensearch=http://u:secret@host:99999"], id="no port"),
    ],
)
def test_an_engine_that_cannot_be_is_wrong_usage(named: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        engines_of(named)
    assert "secret" not in str(raised.value)


def test_a_cluster_that_is_not_there_is_one_line_and_exit_code_2(name: str, tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(rule())
    url = f"http://u:secret@127.0.0.1:{closed_port()}"
    done = sigmapack("test", "-q", "-t", "lucene", "--engine", f"{name}={url}", "rule.yml", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"sigmapack: {name} at {url.replace('u:secret@', '')} does not answer")
    assert "secret" not in done.stdout + done.stderr


def test_a_target_without_a_named_engine_is_untested() -> None:
    document = {
        "logsource": {"category": "process_creation", "product": "windows"},
        "detection": {"selection": {"CommandLine|contains": "abc"}, "condition": "selection"},
    }
    queries: dict[str, str | NoQuery] = {
        "kusto": "DeviceProcessEvents",
        "lucene": "process.command_line.caseless:*abc*",
    }
    (told,) = Judge(engines={"lucene": ""}, minimise=False).judge([Trial(document, queries)])
    assert (told.verdicts["kusto"].kind, told.verdicts["kusto"].reason) == ("untested", "no engine named for it")
    assert "no engine" not in told.verdicts["lucene"].reason
    assert issubclass(Unreachable, SigmapackError)


def test_words_that_the_cluster_would_cut_otherwise_are_not_judged(name: str) -> None:
    def says(question: Question) -> Answer:
        if question.method == "PUT" and "analysis" in question.lines[0]["settings"]:
            reason = "Unknown analyzer type [pattern] for [powershell_script_analyzer]"
            return 400, {"error": {"type": "illegal_argument_exception", "reason": reason}, "status": 400}
        return well(question)

    layout = schemas.layout("lucene_winlogbeat")
    assert layout is not None
    scripts = next(each for each in layout.sources if each.name == "ps_script")
    with cluster(says) as told, Live(name, told.url) as live:
        assert live.find("event.code:4104", [scripts], 0) == set()
        with pytest.raises(Unjudged, match="script_block_text"):
            live.find("powershell.file.script_block_text:*a*", [scripts], 0)
