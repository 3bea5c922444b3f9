"""Every query of the corpus: the KQL engine compiles and runs it, and Microsoft's analyser finds it fine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from converter.engines import embedded, kusto_analyser
from converter.engines.engine import Compiled, Invalid
from converter.engines.store import Store
from converter.schemas.layout import Layout, Source, read
from tests.command import sigmapack
from tests.events import ROOT

RULES = ROOT.parent / "shared" / "corpus" / "sigmahq" / "rules"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not RULES.is_dir(), reason="needs ../shared, which only the developers have"),
]
OURS: Mapping[str, str] = {"kusto": "defender", "sentinel": "sentinel"}


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The queries of the corpus, ours and stock's, each below a folder of its target's name."""
    cwd = tmp_path_factory.mktemp("queries")
    targets = [argument for target in OURS for argument in ("-t", target)]
    for into, arguments in (("ours", targets), ("stock", ["--stock", "-t", "kusto", "-p", "microsoft_xdr"])):
        done = sigmapack("convert", *arguments, "-s", "-o", into, RULES, cwd=cwd)
        assert (cwd / into).is_dir(), done.stderr
    return cwd


def of_known_tables(folder: Path, layout: Layout) -> Iterator[tuple[Path, str, Source]]:
    """The queries below the folder whose tables the layout has, each with a source of its table."""
    paths = sorted(folder.rglob("*.kql"))
    assert paths
    # All of Defender's of ours; the others are mostly the same conditions again.
    paths = paths if folder.name == "kusto" and folder.parent.name == "ours" else paths[::5]
    for path in paths:
        query = path.read_text(encoding="utf-8")
        table = layout.tables.get(query.split()[0])
        if table is not None:
            yield path, query, replace(layout.sources[0], table=table)


def wrong(compiled: Callable[[], object]) -> str:
    """Why the query is invalid, empty where it is not; what the engine does not judge is an error here."""
    try:
        compiled()
    except Invalid as invalid:
        return str(invalid)
    return ""


@pytest.mark.parametrize("target", OURS)
def test_every_query_of_ours_compiles_and_runs(queries: Path, target: str) -> None:
    layout, engine = read(OURS[target]), embedded(target)
    store, count = Store(engine, layout), 0
    for path, query, source in of_known_tables(queries / "ours" / target, layout):
        store.load(source, [])
        sql = engine.compile(query, layout, source)
        assert isinstance(sql, Compiled)
        for each in filter(None, (sql, sql.undecided)):
            assert store.find(each, source, 0) == set(), path
        count += 1
    assert count > 200


@pytest.mark.skipif(
    not kusto_analyser.ready(), reason="the analyser is not there; sigmapack engines add kusto-analyser"
)
@pytest.mark.parametrize("target", OURS)
def test_the_analyser_finds_every_query_of_ours_fine(queries: Path, target: str) -> None:
    layout = read(OURS[target])
    told = {
        path.name: found
        for path, query, _ in of_known_tables(queries / "ours" / target, layout)
        if (found := kusto_analyser.analyse(query, layout))
    }
    assert told == {}


@pytest.mark.skipif(
    not kusto_analyser.ready(), reason="the analyser is not there; sigmapack engines add kusto-analyser"
)
def test_engine_and_analyser_agree_on_what_is_wrong_with_stocks_queries(queries: Path) -> None:
    layout, engine = read("defender"), embedded("kusto")
    kinds: Counter[str] = Counter()
    for path, query, source in of_known_tables(queries / "stock", layout):
        told = kusto_analyser.analyse(query, layout)
        invalid = wrong(partial(engine.compile, query, layout, source))
        # What the analyser lets pass: nulls of strings, and IPv6 in functions of IPv4.
        ours_alone = any(word in invalid for word in ("never null", "an IPv6 address"))
        # It gives up on chains that are longer than the service takes.
        theirs = [line for line in told if "KS245" not in line]
        assert bool(theirs) is (invalid != "" and not ours_alone), f"{path}: {invalid}; {told}"
        kinds["ours alone" if ours_alone else "both" if invalid else "fine"] += 1
    assert set(kinds) == {"ours alone", "both", "fine"}
