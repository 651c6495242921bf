"""docs/database.md tells the whole schema of both databases, and each of its queries works."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest
import run_facts
from pages import blocks, page, recorded, section

from evolve.iteration import Outcome
from harness.trajectory import Report, Rollout


def real_schema(database: Path) -> dict[str, list[str]]:
    """Table or view -> columns in order."""
    names = run_facts.query(
        database,
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'",
    )
    return {
        name: [row[0] for row in run_facts.query(database, f"SELECT name FROM pragma_table_info('{name}')")]
        for (name,) in names
    }


def told_schema(text: str) -> dict[str, list[str]]:
    """The same as the page tells it: `### name`, then a table whose first cells are columns."""
    parts = re.split(r"^### `(\w+)`$", text, flags=re.MULTILINE)[1:]
    return {
        name: re.findall(r"^\| `(\w+)` \|", body.split("\n## ")[0], re.MULTILINE)
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


def test_population_db_is_told_in_full() -> None:
    """Every table, view and column of population.db is in the page, in order, and nothing else is."""
    whole = page("database.md")
    told = told_schema(section(whole, "## population.db: tables") + section(whole, "## population.db: views"))
    assert told == real_schema(recorded() / "population.db")


def test_calls_db_is_told_in_full() -> None:
    """Every table and column of calls.db is in the page, in order, and nothing else is."""
    assert told_schema(section(page("database.md"), "## calls.db")) == real_schema(
        run_facts.journal(recorded())
    )


def test_every_value_of_a_fixed_set_is_named() -> None:
    """The rows on outcomes and stages name exactly the values that the code can write."""
    text = page("database.md")
    told = {
        "iterations": (get_args(Outcome), "outcome"),
        "rollouts": (get_args(Rollout.model_fields["outcome"].annotation), "outcome"),
    }
    for table, (values, column) in told.items():
        (row,) = re.findall(rf"^\| `{column}` \|(.*)\|$", section(text, f"### `{table}`"), re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) == set(values), table
    (row,) = re.findall(r"^\| `stage` \|(.*)\|$", section(text, "### `rollouts`"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == set(get_args(Report.model_fields["stage"].annotation))


QUERIES = [
    (title, number, sql)
    for title, body in re.findall(r"^### (\d+\. [^\n]*)$(.*?)(?=^### |\Z)", page("database.md"), re.M | re.S)
    for number, sql in enumerate(blocks(body, "sql"))
]


def test_there_are_ten_queries() -> None:
    """The page announces ten."""
    assert len({title for title, _, _ in QUERIES}) == 10


@pytest.mark.parametrize(("title", "number", "sql"), QUERIES, ids=[f"{t} {n}" for t, n, _ in QUERIES])
def test_every_query_works(title: str, number: int, sql: str) -> None:
    """Each query of the page runs on a recorded run, gives at least one row, and has all its columns named."""
    journal = title.startswith("10.")
    place = run_facts.journal(recorded()) if journal else recorded() / "population.db"
    with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as connection:
        cursor = connection.execute(sql)
        names = [one[0] for one in cursor.description]
        assert cursor.fetchall(), title
    assert all(name.isidentifier() for name in names), names
