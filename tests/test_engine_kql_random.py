"""Random queries: the KQL engine finds what a second evaluator in plain Python and the translator's own SQL find."""

from __future__ import annotations

import random

import duckdb_kql
import pytest

from tests.kql_expressions import COLUMNS, condition, rows
from tests.kql_rows import TABLE, Rows

QUERIES, ROWS = 1_000, 40


@pytest.fixture(scope="module")
def table() -> Rows:
    return Rows(COLUMNS, rows(random.Random(1), ROWS))  # noqa: S311 - the same rows each time


def test_random_queries_find_what_the_second_evaluator_says(table: Rows) -> None:
    source, given = random.Random(2), rows(random.Random(1), ROWS)  # noqa: S311
    found_some = 0
    for number in range(QUERIES):
        # Most are small: reading what is nested takes the translator long.
        made = condition(source, 1 if number % 20 else 3)
        expected = {at for at, row in enumerate(given) if made.value(row) is True}
        assert table.find(f"{TABLE} | where {made.text}") == expected, made.text
        found_some += 0 < len(expected) < ROWS
    # Queries that find all or nothing would show little.
    assert found_some > QUERIES / 3


def test_random_queries_find_what_the_translators_own_sql_finds(table: Rows) -> None:
    source, connection = random.Random(3), table.store.connection  # noqa: S311
    compared = 0
    while compared < QUERIES // 8:
        made = condition(source, 1)
        if "ipv4" in made.text:
            continue
        query = f"{TABLE} | where {made.text}"
        told = duckdb_kql.to_sql(query, {TABLE: ["_row", *COLUMNS]})
        expected = {row for (row,) in connection.execute(f"SELECT _row FROM ({told})").fetchall()}  # noqa: S608 - ours
        assert table.find(query) == expected, made.text
        compared += 1
