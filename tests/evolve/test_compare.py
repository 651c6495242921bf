"""The command `compare` with simulated models: stored, shown again, killed and gone on with, stopped by a budget."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from evolve.cli import cli
from evolve.history import lock_of
from evolve.lock import RunLock

NUMBER = "3"
MAIN = "import sys; from evolve.cli import cli; cli.main(sys.argv[1:], prog_name='evolve')"
TOPICS = ("queue", "cache", "index", "log")


def texts(folder: Path) -> Path:
    """A folder with four documents that the simulated writer finds terms in."""
    place = folder / "texts"
    place.mkdir()
    for topic in TOPICS:
        lines = [
            f"The {topic} size decides how the {topic} pool, the {topic} worker and the {topic} writer share memory.",
            f"When the {topic} reader is slow, the {topic} buffer fills and the {topic} scheduler drops pairs.",
            f"A {topic} snapshot, a {topic} barrier and the {topic} journal keep the {topic} table consistent.",
        ]
        (place / f"{topic}.txt").write_text("\n\n".join(lines * 4))
    return place


def words(folder: Path, *more: str) -> list[str]:
    database, docs = str(folder / "population.db"), str(folder / "texts")
    return ["compare", "--docs", docs, "--n", NUMBER, "--preset", "meta", "--db", database, *more]


def call(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(cli, words(folder, *more))


def last(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def journal(folder: Path, number: int = 1) -> Path:
    return folder / "comparisons" / f"compare-{number:03d}" / "calls.db"


def stored(folder: Path) -> list[list[tuple[Any, ...]]]:
    """All that the database holds of comparisons, times left out."""
    database = folder / "population.db"
    tables = ("comparison_arms", "comparison_rows", "comparison_table", "comparison_failures")
    return [query(database, f"SELECT * FROM {table}") for table in tables]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished comparison; `output.json` is what it printed last."""
    folder = tmp_path_factory.mktemp("done")
    texts(folder)
    result = call(folder, "--json")
    assert result.exit_code == 0, result.output
    (folder / "output.json").write_text(result.stdout.splitlines()[-1])
    return folder


@pytest.fixture
def copy(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "copy"))


def told(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "output.json").read_text())
    return found


def test_the_arms_are_measured_on_the_same_documents(done: Path) -> None:
    """Each of them once; best of k comes with the one-shot arm; all of it is called simulated."""
    found = told(done)
    assert [one["name"] for one in found["arms"]][:2] == ["cot", "agentic"]
    assert found["arms"][2]["kind"] == "best_of"
    assert found["arms"][2]["generations"] >= 1
    assert found["simulated"] is True
    assert any("Simulated models" in note for note in found["notes"])
    pairs = query(done / "population.db", "SELECT arm, document FROM comparison_rows")
    assert len(set(pairs)) == len(pairs) == 3 * 3
    assert len({document for _, document in pairs}) == 3


def test_the_strong_solver_tries_every_task_that_the_verifier_passes(done: Path) -> None:
    """The short cut of the gate does not reach the one-shot arm, whose means would be those of hard tasks alone."""
    rows = query(
        done / "population.db", "SELECT kept, weak, strong, items FROM comparison_rows WHERE arm = 'cot'"
    )
    assert any(kept for kept, *_ in rows)
    for kept, weak, strong, items in rows:
        assert (weak is not None, strong is not None, items) == (bool(kept), bool(kept), kept)


def test_the_spend_of_each_arm_is_what_the_journal_holds(done: Path) -> None:
    """To the call and the cent; and what the command says it paid is the whole of it."""
    arms = {name: number for number, name in enumerate(("cot", "agentic"), 1)}
    database = done / "population.db"
    for name, number in arms.items():
        (calls, cost) = query(
            journal(done), f"SELECT count(*), sum(cost) FROM calls WHERE iteration = {number}"
        )[0]
        (row,) = query(database, f"SELECT sum(calls), sum(cost) FROM comparison_rows WHERE arm = '{name}'")
        assert row == (calls, pytest.approx(cost))
    every = query(journal(done), "SELECT count(*) FROM calls")[0][0]
    assert (
        told(done)["paid"]["calls"]
        == every
        == query(database, "SELECT sum(calls) FROM comparison_rows")[0][0]
    )
    made = "role = 'challenger' OR (role = 'verifier' AND attempt = 0)"
    calls = query(journal(done), f"SELECT count(*) FROM calls WHERE iteration = 1 AND ({made})")[0]
    assert query(database, "SELECT sum(made_calls) FROM comparison_rows WHERE arm = 'cot'")[0] == calls


def test_the_same_command_shows_what_is_stored(copy: Path) -> None:
    """Nothing is asked, the journal may be gone; other arms or documents are another comparison."""
    shutil.rmtree(copy / "comparisons")
    again = last(call(copy, "--json"))
    first = told(copy)
    assert again["again"] is True
    assert again["paid"]["calls"] == 0
    for key in ("comparison", "arms", "differences", "notes", "documents_hash"):
        assert again[key] == first[key], key
    other = last(call(copy, "--json", "--arms", "cot"))
    assert other["comparison"] == "compare-002"
    assert [one["name"] for one in other["arms"]] == ["cot"]


def test_new_compares_afresh(copy: Path) -> None:
    """Under another name, from calls of its own; from then on it is the one that is shown."""
    assert call(copy, "--new", "--budget-calls", "0").exit_code == 4
    assert (copy / "comparisons" / "compare-002").is_dir()
    ended = last(call(copy, "--json"))
    assert (ended["comparison"], ended["again"]) == ("compare-002", False)
    assert last(call(copy, "--json"))["comparison"] == "compare-002"


def test_a_killed_comparison_goes_on(done: Path, tmp_path: Path) -> None:
    """SIGKILL at any moment, then the same command: the same rows, and no call is paid for twice."""
    texts(tmp_path)
    moment = random.Random().randrange(5, query(journal(done), "SELECT count(*) FROM calls")[0][0] - 5)
    command = [sys.executable, "-c", MAIN, *words(tmp_path, "--json")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and recorded(tmp_path) < moment:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, f"it should have been killed at call {moment}"
    paid = set(query(journal(tmp_path), "SELECT key, at FROM calls"))
    ended = last(call(tmp_path, "--json"))
    assert ended["paid"]["calls"] == told(done)["paid"]["calls"] - len(paid)
    assert paid <= set(query(journal(tmp_path), "SELECT key, at FROM calls"))
    assert stored(tmp_path) == stored(done)


def recorded(folder: Path) -> int:
    try:
        return int(query(journal(folder), "SELECT count(*) FROM calls")[0][0])
    except sqlite3.OperationalError:  # not there yet
        return 0


def test_a_spent_budget_is_a_quiet_stop(done: Path, tmp_path: Path) -> None:
    """4 before any document is done, else 1 with the table of those that are; then the same command goes on."""
    texts(tmp_path)
    nothing = call(tmp_path, "--budget-calls", "3")
    assert nothing.exit_code == 4
    assert "Not one document is done by all arms" in nothing.stderr
    every = told(done)["paid"]["calls"]
    some = call(tmp_path, "--budget-calls", str(every - 5))
    assert some.exit_code == 1
    assert "calls limit" in some.stderr
    assert "simulated" in some.stdout
    assert not (tmp_path / "population.db").exists()
    assert last(call(tmp_path, "--json", "--budget-calls", str(every)))["message"] == ""
    assert stored(tmp_path) == stored(done)


def test_the_table_says_what_it_is(copy: Path, tmp_path: Path) -> None:
    """Every figure with its interval; what kept means, what scores rest on, and that they are simulated."""
    shown = call(copy).stdout
    for words_ in (
        "Comparison compare-001",
        "simulated",
        "accepted by the gate",
        "best of",
        "95 % intervals",
    ):
        assert words_ in shown
    assert "those that selected the task, so they flatter it" in " ".join(shown.split())
    place = tmp_path / "table.md"
    assert call(copy, "--out", str(place)).exit_code == 0
    table = place.read_text()
    assert table.startswith("| cs, preset meta (simulated) | cot | agentic | best of")
    assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) == 1


def test_candidates_of_a_run_are_arms(finished: Path, tmp_path: Path) -> None:
    """Each from its commit, on documents that it was neither bred on nor selected by."""
    folder = Path(shutil.copytree(finished, tmp_path / "run"))
    texts(folder)
    words_ = ["compare", "--arms", "candidate:c0", "--n", "2", "--preset", "meta", "--json"]
    result = CliRunner().invoke(cli, [*words_, "--db", str(folder / "population.db")])
    assert result.exit_code == 0, result.output
    (arm,) = last(result)["arms"]
    assert (arm["name"], arm["kind"]) == ("c0", "candidate")
    used = query(folder / "population.db", "SELECT document FROM documents WHERE split <> 'test'")
    measured = query(folder / "population.db", "SELECT document FROM comparison_rows")
    assert len(measured) == 2
    assert not set(measured) & set(used)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--arms", "cot,magic"), "there is no arm 'magic'"),
        (("--arms", ","), "--arms names none"),
        (("--arms", "candidate:"), "there is no arm 'candidate:'"),
        (("--out", "table.txt"), "ends in .md or .json"),
        (("--domain", "magic"), "no domain 'magic'"),
        (("--preset", "magic"), "production.preset = 'magic'"),
    ],
)
def test_what_cannot_be_compared_is_refused(done: Path, more: tuple[str, ...], message: str) -> None:
    """Before anything is asked, with a message that names it."""
    result = call(done, *more)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_a_database_in_use_is_no_loss(done: Path, tmp_path: Path) -> None:
    """The table is shown; the same command stores it later and asks nothing."""
    folder = tmp_path / "busy"
    folder.mkdir()
    shutil.copytree(done / "texts", folder / "texts")
    shutil.copytree(done / "comparisons", folder / "comparisons")
    with RunLock(lock_of(folder / "population.db")):
        result = call(folder)
    assert result.exit_code == 1
    assert "is not stored" in result.stderr
    assert "Comparison compare-001" in result.stdout
    assert last(call(folder, "--json"))["paid"]["calls"] == 0
    assert stored(folder) == stored(done)
