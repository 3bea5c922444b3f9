"""The embedded Lucene engine beside an evaluator that shares nothing with it, and beside luqum's parser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from luqum.parser import parser  # type: ignore[import-untyped]
from luqum.tree import Item, Range, SearchField  # type: ignore[import-untyped]

from converter.engines.engine import Invalid
from converter.engines.lucene import syntax
from tests import elastic_index, events, lucene, lucene_random
from tests.elastic_documents import documents
from tests.lucene_index import Embedded
from tests.lucene_terms import RefusedError
from tests.test_behaviour_lucene import BODY, HUNTING, RULES, golden

FIELDS = ("process.command_line", "process.executable", "process.pe.original_file_name")
ASKED = (*FIELDS, "process.command_line.caseless", "process.executable.caseless")
# The evaluator knows the expressions that we emit: characters, classes of letters, and runs of any.
PARTS = (".*", ".", "[aA]", "[Bb]", "a", "1", r"\-", r"\\{1}", r"\*", r"\"", "é", " ", r"\/")


def document(random: Random) -> dict[str, object]:
    made: dict[str, object] = {"@timestamp": f"2026-06-{random.randint(1, 28):02}T00:00:00.000Z"}
    for field in FIELDS:
        if random.random() < 0.7:
            values = [content(random) for _ in range(2)]
            made[field] = values if random.random() < 0.1 else values[0]
    return made


def content(random: Random) -> str:
    # Some values are over the limit of a keyword.
    return lucene_random.word(random) + ("x" * 1024 if random.random() < 0.05 else "")


def query(random: Random, depth: int = 3) -> str:
    """A query as we emit it: each group has operators of one kind, and NOT within OR has parentheses."""
    operator = random.choice((" AND ", " OR "))
    items = []
    for _ in range(random.choice((1, 2, 2, 3)) if depth else 1):
        item = f"({query(random, depth - 1)})" if depth and random.random() < 0.5 else leaf(random)
        negated = random.random() < 0.25
        items.append(f"NOT {item}" if negated and operator == " AND " else f"(NOT {item})" if negated else item)
    return operator.join(items)


def leaf(random: Random) -> str:
    field = random.choice(ASKED)
    kind = random.random()
    if kind < 0.1:
        return f"_exists_:{field}"
    if kind < 0.15:
        return f"@timestamp:{{now-{random.randint(1, 30)}d TO *}}"
    if kind < 0.4:
        return f"{field}:({' OR '.join(value(random) for _ in range(random.randint(2, 4)))})"
    return f"{field}:{value(random)}"


def value(random: Random) -> str:
    kind = random.random()
    if kind < 0.3:
        return '"' + lucene_random.word(random).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if kind < 0.7:
        signs = ("*", "*", "?", *map(lucene_random.escaped, 'aaAbB1- \\/"é.\n'))
        return "a" + "".join(random.choice(signs) for _ in range(random.randint(0, 4)))
    return f"/{''.join(random.choice(PARTS) for _ in range(random.randint(1, 5)))}/"


def test_random_queries_find_what_the_evaluator_finds() -> None:
    random = Random(40)  # noqa: S311 - no secret
    made = {str(number): document(random) for number in range(200)}
    held = Embedded(elastic_index.PROPERTIES, made)
    compared = found_some = 0
    while compared < 2_000:
        asked = query(random)
        try:
            wanted = lucene.find(asked, made, events.now())
        except RefusedError:
            continue
        sql = held.engine.compile(asked, held.layout, held.source, events.now())
        found = {held.ids[number] for number in held.store.find(sql, held.source, 0)}
        assert found == wanted, asked
        compared += 1
        found_some += bool(found)
    assert found_some > 1_000


def test_the_packs_queries_find_what_the_evaluator_finds() -> None:
    given = documents([*events.labelled(), *(case.event for case in events.pack_cases())])
    held = Embedded(elastic_index.PROPERTIES, given)
    for asked in [*map(golden, RULES), HUNTING]:
        sql = held.engine.compile(asked, held.layout, held.source, events.now())
        found = {held.ids[number] for number in held.store.find(sql, held.source, 0)}
        assert found == lucene.find(asked, given, events.now())
        assert found


def test_the_packs_search_body_gives_what_the_evaluator_gives() -> None:
    given = documents(events.labelled())
    held = Embedded(elastic_index.PROPERTIES, given)
    hits = held.engine.hunt(json.dumps(BODY), held.store.connection, held.layout, [held.source], events.now())
    wanted = lucene.search(BODY, given, events.now())
    assert [hit.category for hit in hits] == [", ".join(names) for _, names in wanted]
    assert [hit.columns for hit in hits] == [
        {name: given[id_].get(name) for name in BODY["fields"]} for id_, _ in wanted
    ]


def clauses(group: syntax.Group, field: str | None = None) -> Iterator[tuple[str, str]]:
    """The field and the text of each clause of a query, in order."""
    for item in group.items:
        name, body = item.clause.field or field, item.clause.body
        if isinstance(body, syntax.Group):
            yield from clauses(body, name)
        elif isinstance(body, syntax.Word):
            yield name or "", body.text
        else:
            yield name or "", "range"


def seen(tree: Item, field: str = "") -> Iterator[tuple[str, str]]:
    """The same, as luqum reads it."""
    if isinstance(tree, SearchField):
        yield from seen(tree.expr, syntax.unescaped(tree.name))
    elif isinstance(tree, Range):
        yield field, "range"
    elif tree.children:
        for child in tree.children:
            yield from seen(child, field)
    else:
        yield field, tree.value


def test_luqum_reads_the_same_clauses() -> None:
    random = Random(41)  # noqa: S311 - no secret
    asked = [*map(golden, RULES), HUNTING, *(query(random) for _ in range(500))]
    for text in asked:
        # luqum takes no escaped line break, and a slash after an escaped backslash for the end of an expression.
        if "\\\\/" not in text and "\n" not in text:
            assert list(seen(parser.parse(text))) == list(clauses(syntax.parsed(text))), text


def test_luqum_and_the_engine_refuse_what_does_not_close() -> None:
    for text in ("a:(b", "a:b)", 'a:"b', "a:b AND", "()"):
        try:
            syntax.parsed(text)
        except Invalid:
            continue
        raise AssertionError(text)
