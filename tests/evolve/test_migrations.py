"""The schema's steps, and views that agree with the arithmetic of the package."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
import recorded
from recorded import RUN, iteration
from sqlite_utils import Database

from evolve.database import connect_readonly
from evolve.history import History, upgrade
from evolve.migrations import MIGRATIONS
from evolve.population import Population
from evolve.schema import STEPS
from harness.errors import StorageError


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = connect_readonly(path)
    try:
        return [tuple(row) for row in connection.execute(sql).fetchall()]
    finally:
        connection.close()


@pytest.fixture
def told(tmp_path: Path) -> tuple[Path, Population]:
    """A database with four iterations, and the population of what was recorded."""
    path = tmp_path / "population.db"
    done = [iteration(1), iteration(2, "c1"), iteration(3, "c1", survives=False), iteration(4, "c2")]

    async def record() -> None:
        history = await recorded.begun(path)
        for one in done:
            await history.record(RUN.run, one, {})
        await history.close()

    asyncio.run(record())
    return path, Population([recorded.baseline(), *done])


def test_every_table_is_strict_and_every_reference_indexed(told: tuple[Path, Population]) -> None:
    """All tables are STRICT, in WAL, and each foreign key finds its rows through an index."""
    path, _ = told
    tables = rows(path, "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    assert {name for name, strict in tables if not strict} == {"_sqlite_migrations", "sqlite_schema"}
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]
    for table, _ in tables:
        keys = rows(path, f"SELECT id, \"from\" FROM pragma_foreign_key_list('{table}') ORDER BY id, seq")
        indices = rows(
            path, f"SELECT i.name, c.name FROM pragma_index_list('{table}') i, pragma_index_info(i.name) c"
        )
        leading: dict[object, list[object]] = {}
        for index, column in indices:
            leading.setdefault(index, []).append(column)
        for number in {key for key, _ in keys}:
            wanted = [column for key, column in keys if key == number]
            assert any(columns[: len(wanted)] == wanted for columns in leading.values()), (table, wanted)


def test_the_leaderboard_agrees_with_the_population(told: tuple[Path, Population]) -> None:
    """Score, trials and Wilson's interval of the view equal those of the standings; validation trials only."""
    path, population = told
    shown = {
        str(row[0]): row[1:]
        for row in rows(
            path, "SELECT candidate, score, trials, low, high, picked_as_parent, status FROM leaderboard"
        )
    }
    assert set(shown) == {"c0", "c1", "c2", "c3", "c4"}
    for name, standing in population.standings.items():
        interval = standing.interval
        score, trials, low, high, *_ = shown[name]
        assert (score, trials) == (pytest.approx(standing.score, abs=1e-4), interval.trials)
        assert (low, high) == (pytest.approx(interval.low, abs=1e-4), pytest.approx(interval.high, abs=1e-4))
    assert [shown[name][4] for name in ("c0", "c1", "c2", "c3")] == [1, 2, 1, 0]
    assert [shown[name][5] for name in ("c0", "c2", "c3")] == ["baseline", "survived", "dropped"]


def test_the_leaderboard_puts_the_surest_first(told: tuple[Path, Population]) -> None:
    """The first row has the highest lower end of its interval, and scores of two instruments make two rows."""
    path, _ = told
    lows = [float(str(row[0])) for row in rows(path, "SELECT low FROM leaderboard")]
    assert lows == sorted(lows, reverse=True) and lows[0] > lows[-1]
    connection = sqlite3.connect(path)
    connection.execute("UPDATE evaluations SET instrument = 'other' WHERE side = 'parent' AND iteration = 1")
    connection.commit()
    connection.close()
    shown = rows(
        path, "SELECT trials, instrument FROM leaderboard WHERE candidate = 'c0' ORDER BY instrument"
    )
    assert shown == [(9, "i" * 12), (9, "other")]


def test_the_lineage_leads_back_to_the_baseline(told: tuple[Path, Population]) -> None:
    """Every candidate has its depth and its path from c0."""
    path, _ = told
    shown = rows(path, "SELECT candidate, depth, path FROM lineage")
    assert shown == [
        ("c0", 0, "c0"),
        ("c1", 1, "c0 > c1"),
        ("c2", 2, "c0 > c1 > c2"),
        ("c3", 2, "c0 > c1 > c3"),
        ("c4", 3, "c0 > c1 > c2 > c4"),
    ]


def test_failures_are_counted_by_stage_and_reason(told: tuple[Path, Population]) -> None:
    """A failed rollout counts under where its last submission ended, a missing one under its outcome."""
    path, _ = told
    shown = rows(
        path, "SELECT stage, reason, rollouts FROM failures WHERE candidate = 'c0' AND split = 'validation'"
    )
    assert set(shown) == {("too_easy", "weak_mean_high", 17), ("too_easy", "gap_low", 17), ("missing", "", 2)}


def test_a_newer_database_is_refused_by_writer_and_reader(told: tuple[Path, Population]) -> None:
    """An unknown schema step is named; nothing is changed."""
    path, _ = told
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('evolve', '0099_future', 'x')"
    )
    connection.commit()
    connection.close()
    with pytest.raises(StorageError, match=r"population\.db.*newer version.*0099_future"):
        asyncio.run(History.open(path))
    with pytest.raises(StorageError, match="0099_future"):
        connect_readonly(path)


def test_an_older_database_is_brought_up_to_date(tmp_path: Path) -> None:
    """One too old to be read says so; a younger one is read as if it were new, and changed by the writer alone."""
    path = tmp_path / "population.db"
    old = Database(path)
    MIGRATIONS.apply(old, stop_before="0002_views")
    old.close()
    with pytest.raises(StorageError, match="older schema"):
        connect_readonly(path)
    old = Database(path)
    MIGRATIONS.apply(old, stop_before="0005_survival")
    old.close()
    before = path.read_bytes()
    assert rows(path, "SELECT trial, margin FROM rollouts") == []
    assert len(rows(path, "SELECT name FROM _sqlite_migrations")) == len(STEPS)
    upgrade(path)
    assert path.read_bytes() == before

    async def migrate() -> None:
        await (await History.open(path)).close()

    asyncio.run(migrate())
    assert rows(path, "SELECT * FROM leaderboard") == []
    connection = sqlite3.connect(path)
    assert len(connection.execute("SELECT name FROM _sqlite_migrations").fetchall()) == len(STEPS)
    connection.close()


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    """A database that holds somebody else's tables is refused."""
    path = tmp_path / "population.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE people (name TEXT)")
    other.commit()
    other.close()
    with pytest.raises(StorageError, match=r"another program \(tables \['people'\]\)"):
        asyncio.run(History.open(path))
    with pytest.raises(StorageError, match="another program"):
        connect_readonly(path)


def test_readers_know_all_steps() -> None:
    """The names that readers compare with are those of the steps, in their order."""
    assert tuple(step.name for step in MIGRATIONS.pending(Database(memory=True))) == STEPS


def test_reports_of_long_runs_are_read_from_indices(told: tuple[Path, Population]) -> None:
    """Scores of all candidates, outcomes and spending touch no table."""
    path, _ = told
    for query in (
        """SELECT candidate, sum(score * trials) FROM evaluations WHERE run = 'r' AND split = 'validation'
        AND instrument = 'i' GROUP BY candidate""",
        "SELECT candidate FROM evaluations WHERE run = 'r' AND split = 'test' ORDER BY +rowid",
        "SELECT outcome, count(*) FROM iterations WHERE run = 'r' GROUP BY 1",
        "SELECT * FROM spend WHERE run = 'r'",
    ):
        plan = " ".join(str(row[3]) for row in rows(path, f"EXPLAIN QUERY PLAN {query}"))
        assert "COVERING INDEX" in plan, plan
