"""Listing, picking and deleting runs; a pick holds for every command, and a deletion can be killed at any moment."""

import asyncio
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import run_facts
from click.testing import CliRunner, Result
from run_facts import calls, copied, query, reference

from evolve import picking, removal
from evolve.cli import cli
from evolve.history import History
from evolve.lock import RunLock
from evolve.opening import Options
from evolve.opening import resolve as resolve_run
from evolve.report.store import opened
from evolve.rows import RunRow
from harness.errors import StorageError, UsageError


def call(folder: Path, *command: str) -> Result:
    return CliRunner().invoke(cli, [*command, "--db", str(folder / "population.db")])


def tables(folder: Path, run: str) -> dict[str, int]:
    """Rows of a run by table."""
    names = query(
        folder / "population.db", "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    )
    with closing(sqlite3.connect(folder / "population.db")) as connection:
        with_run = [
            name
            for (name,) in names
            if "run" in [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        ]
        return {
            name: connection.execute(f"SELECT count(*) FROM {name} WHERE run = ?", (run,)).fetchone()[0]
            for name in with_run
        }


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """The reference run and a newer one that has a row and a folder, and nothing else."""
    copied(tmp_path)

    async def another() -> None:
        history = await History.open(tmp_path / "population.db")
        found = await history.find_run(run_facts.RUN)
        assert found is not None
        values = {**vars(found), "run": "later", "folder": "runs/later"}
        await history.open_run(RunRow(**values), [])
        await history.close()

    asyncio.run(another())
    (tmp_path / "runs" / "later" / "traces").mkdir(parents=True)
    return tmp_path


def test_the_list_tells_state_best_cost_and_size(two: Path) -> None:
    """A finished run with all that it cost; one that was never measured says so; the newest is marked."""
    shown = call(two, "runs").output
    found = {one["run"]: one for one in json.loads(call(two, "runs", "list", "--json").stdout)["runs"]}
    first, later = found[run_facts.RUN], found["later"]
    assert (first["state"], first["done"], first["planned"]) == ("finished", 5, 5)
    assert first["calls"] == calls(reference())
    assert first["octets"] > (two / "runs" / run_facts.RUN / "calls.db").stat().st_size
    assert (later["state"], later["best"], later["default"], first["default"]) == (
        "not started",
        None,
        True,
        False,
    )
    assert "nothing is measured yet" in shown
    assert f"best {first['best']} " in shown
    assert "n=" in shown
    assert "simulated" in shown
    assert "\n* later" in shown


def test_a_pick_is_what_every_command_means(two: Path) -> None:
    """Reading and resuming follow it until it is undone; it survives nothing but its own run."""
    assert "no measured candidate" in call(two, "best").output
    picked = call(two, "runs", "pick", run_facts.RUN)
    assert (picked.exit_code, picked.output) == (0, f"commands that name no run mean {run_facts.RUN} now\n")
    assert call(two, "best").exit_code == 0
    with opened(two / "population.db", None) as store:
        assert store.run.run == run_facts.RUN
    options = Options(two, two / "population.db", overrides=run_facts.SMALL)
    assert resolve_run(options).layout.run == run_facts.RUN
    assert any("is picked, later is newer" in one for one in resolve_run(options).notices)
    assert "(picked)" in call(two, "status").stdout
    assert "is picked, later is newer" in call(two, "status").stderr
    assert "picked;" in call(two, "runs").output
    assert call(two, "runs", "pick", "--newest").exit_code == 0
    with opened(two / "population.db", None) as store:
        assert store.run.run == "later"
    assert not picking.place(two / "population.db").exists()


def test_a_pick_of_a_run_that_is_gone_is_ignored_and_told(two: Path) -> None:
    """The newest is meant then; whoever looks hears why."""
    picking.pick(two / "population.db", "gone")
    with opened(two / "population.db", None) as store:
        assert store.run.run == "later"
    for command in ("status", "runs"):
        assert "the picked run 'gone' is gone" in call(two, command).stderr
    options = Options(two, two / "population.db", overrides=run_facts.SMALL)
    assert any("'gone' is gone" in one for one in resolve_run(options).notices)
    picking.place(two / "population.db").write_bytes(b"\xff\xfe")
    assert picking.picked(two / "population.db") is None


def test_a_new_run_undoes_the_pick(tmp_path: Path) -> None:
    """Whoever starts another run means that one."""
    folder = copied(tmp_path)
    picking.pick(folder / "population.db", run_facts.RUN)
    (folder / "evolve.toml").write_text(
        '[documents]\npath = "documents"\nminibatch = 2\nvalidation = 3\ntest = 3\n'
        "[search]\neffect = 0.5\nblock = 3\noverlook = 0.9\n[measure.allowance]\nsubmissions = 1\n"
    )
    result = call(folder, "run", "--new", "--iterations", "1", "--budget-calls", "5")
    assert result.exit_code == 4
    assert picking.picked(folder / "population.db") is None
    assert "Run run-002" in call(folder, "status").output


def test_databases_of_one_folder_have_picks_of_their_own(tmp_path: Path) -> None:
    """They share runs/, not the pick."""
    picking.pick(tmp_path / "a.db", "one")
    picking.pick(tmp_path / "b.db", "two")
    assert (picking.picked(tmp_path / "a.db"), picking.picked(tmp_path / "b.db")) == ("one", "two")


def test_deleting_removes_rows_and_folder_and_nothing_else(two: Path) -> None:
    """Not one row of it is left in any table, the other run is as it was, and its pick is forgotten."""
    picking.pick(two / "population.db", run_facts.RUN)
    before = tables(two, "later")
    assert tables(two, run_facts.RUN)["rollouts"] > 0
    result = call(two, "runs", "delete", run_facts.RUN, "--yes")
    assert (result.exit_code, result.output) == (0, "run-001 is deleted\n")
    assert set(tables(two, run_facts.RUN).values()) == {0}
    assert tables(two, "later") == before
    assert not (two / "runs" / run_facts.RUN).exists()
    assert (two / "runs" / "later").is_dir()
    assert picking.picked(two / "population.db") is None
    assert query(two / "population.db", "PRAGMA foreign_key_check") == []


def test_a_run_that_is_going_on_is_not_deleted(two: Path) -> None:
    """Neither it, nor any run of a database that another process writes."""
    for lock in (two / "runs" / run_facts.RUN / "lock", two / "population.db.lock"):
        with RunLock(lock):
            result = call(two, "runs", "delete", run_facts.RUN, "--yes")
        assert result.exit_code == 1
        assert "in use by another process (pid" in result.stderr
    assert tables(two, run_facts.RUN)["rollouts"] > 0
    assert (two / "runs" / run_facts.RUN / "calls.db").exists()


def test_a_deletion_that_was_killed_goes_on(two: Path) -> None:
    """Rows gone and folder there: the list names it and the same command removes it."""
    with closing(sqlite3.connect(two / "population.db")) as connection, connection:
        for table in tables(two, run_facts.RUN):
            connection.execute(f"DELETE FROM {table} WHERE run = ?", (run_facts.RUN,))
    shown = call(two, "runs").output
    assert "run-001: no rows, " in shown
    assert "`evolve runs delete run-001` removes it" in shown
    assert json.loads(call(two, "runs", "--json").stdout)["without_rows"][0]["run"] == run_facts.RUN
    assert call(two, "runs", "delete", run_facts.RUN, "--yes").exit_code == 0
    assert not (two / "runs" / run_facts.RUN).exists()


def test_a_folder_that_became_a_run_while_somebody_was_asked_is_kept(two: Path) -> None:
    """What was to be deleted had no rows; a run has taken its name since, and is not deleted with it."""
    database = two / "population.db"
    found = removal.remains(database, run_facts.RUN)
    with pytest.raises(StorageError, match="Nothing is deleted"):
        asyncio.run(removal.delete(database, replace(found, rows={})))
    assert tables(two, run_facts.RUN)["rollouts"] > 0
    assert (two / "runs" / run_facts.RUN / "calls.db").exists()


def test_a_folder_of_another_database_is_not_left_behind(two: Path) -> None:
    """Databases share runs/: what one of them knows is no rubbish, nor what one that cannot be read might know."""
    (two / "population.db").rename(two / "other.db")
    assert removal.left_behind(two / "population.db") == []
    with pytest.raises(UsageError, match="there is no run 'run-001'"):
        removal.remains(two / "population.db", run_facts.RUN)
    (two / "other.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert removal.left_behind(two / "population.db") == []


def test_only_folders_of_runs_are_deleted(two: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A row that names a place elsewhere, or a link, deletes nothing."""
    precious = tmp_path_factory.mktemp("precious")
    (precious / "thesis.txt").write_text("years of work")
    for place in (str(precious), "runs", ".", "runs/../.."):
        with closing(sqlite3.connect(two / "population.db")) as connection, connection:
            connection.execute("UPDATE runs SET folder = ? WHERE run = 'later'", (place,))
        with pytest.raises(StorageError, match="nothing is deleted"):
            removal.remains(two / "population.db", "later")
    shutil.rmtree(two / "runs" / "later")
    (two / "runs" / "later").symlink_to(precious)
    with closing(sqlite3.connect(two / "population.db")) as connection, connection:
        connection.execute("UPDATE runs SET folder = 'runs/later' WHERE run = 'later'")
    with pytest.raises(StorageError, match="nothing is deleted"):
        removal.remains(two / "population.db", "later")
    assert (precious / "thesis.txt").exists()


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, True), ("y\n", 0, False)])
def test_on_a_terminal_it_asks(two: Path, answer: str, code: int, left: bool) -> None:
    """What goes is named with rows, size and what was paid; only a yes deletes."""
    ours, theirs = pty.openpty()
    program = "import sys; from evolve.cli import main; sys.argv[0] = 'evolve'; main()"
    command = [
        sys.executable,
        "-c",
        program,
        "runs",
        "delete",
        run_facts.RUN,
        "--db",
        str(two / "population.db"),
    ]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        os.write(ours, answer.encode())
        _, said = process.communicate()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == code
    assert f"{calls(reference()):,} calls" in said
    assert "rollouts" in said
    assert "only receipt" in said
    assert (two / "runs" / run_facts.RUN).exists() is left


def test_an_empty_folder_has_no_runs(tmp_path: Path) -> None:
    """That is no error, and it makes no file."""
    result = call(tmp_path, "runs")
    assert result.exit_code == 0
    assert "`evolve run` starts one" in result.output
    assert list(tmp_path.iterdir()) == []


def test_the_database_may_be_named_before_or_after_the_subcommand(two: Path) -> None:
    """`evolve runs --db X list` means X as well, so nothing is deleted from another database."""
    before = ["runs", "--db", str(two / "population.db"), "--json", "list"]
    said = CliRunner().invoke(cli, before)
    assert said.exit_code == 0
    assert said.stdout == call(two, "runs", "list", "--json").stdout
    result = CliRunner().invoke(cli, ["runs", "--db", str(two / "population.db"), "delete", "later", "--yes"])
    assert (result.exit_code, result.output) == (0, "later is deleted\n")


def test_a_database_that_is_mostly_empty_shrinks(two: Path) -> None:
    """The rows of a deleted run leave the disk too, if they were most of it; the other run keeps all of its own."""
    with closing(sqlite3.connect(two / "population.db")) as connection, connection:
        rows = [("later", f"{number:064x}", "name", "training", 1, 1) for number in range(5000)]
        connection.executemany("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", rows)
    before, kept = (two / "population.db").stat().st_size, tables(two, run_facts.RUN)
    assert call(two, "runs", "delete", "later", "--yes").exit_code == 0
    assert (two / "population.db").stat().st_size < before / 2
    assert tables(two, run_facts.RUN) == kept


def test_a_run_that_cost_nothing_is_not_called_notional(two: Path) -> None:
    """Costs are notional where simulated models made them, not where there are none."""
    listed = json.loads(call(two, "runs", "--json").stdout)["runs"]
    assert {one["run"]: one["notional"] for one in listed} == {run_facts.RUN: True, "later": False}
