"""Whole small runs with the simulated models: start, resume, extend, stop, die, and end as if nothing had happened."""

import asyncio
import json
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import run_facts
from run_facts import (
    calls,
    copied,
    differences,
    facts,
    go,
    journal,
    options,
    query,
    reference,
    write_documents,
)

from evolve.layout import Layout
from evolve.lock import RunLock
from evolve.report.progress import Snapshot
from evolve.report.store import opened
from evolve.report.verify import verify
from evolve.session import Run, start
from harness.errors import ProviderError, StorageError, UsageError

MAIN = """
import sys
from pathlib import Path
from run_facts import go
go(Path(sys.argv[1]), 5)
"""


def fresh(folder: Path) -> Path:
    write_documents(folder / "documents")
    return folder


def findings(folder: Path) -> list[str]:
    """What `evolve verify` would say."""

    async def collect() -> list[str]:
        with opened(folder / "population.db", None) as store:
            return [finding async for check in verify(store) for finding in check.findings]

    return asyncio.run(collect())


def sessions(folder: Path) -> list[str | None]:
    return [row[0] for row in query(folder / "population.db", "SELECT outcome FROM sessions ORDER BY number")]


def change(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_fresh_run_is_complete() -> None:
    """All iterations, the test split for baseline and best, settings beside it, and everything agrees."""
    folder = reference()
    rows = facts(folder)
    assert [row[0] for row in rows["iterations"]] == list(range(6))
    assert rows["iterations"][0][3] == "baseline"
    assert {row[3] for row in rows["iterations"]} & {"survived", "dropped"}
    finals = {row[2] for row in rows["rollouts"] if row[1] == "final"}
    assert "c0" in finals
    assert len(finals) <= 2
    assert sessions(folder) == ["finished"]
    stored = json.loads((folder / "runs" / run_facts.RUN / "config.json").read_text())
    assert stored["documents"]["minibatch"] == 2
    assert list((folder / "runs" / run_facts.RUN / "work").iterdir()) == []
    assert findings(folder) == []


def test_a_resume_of_a_finished_run_does_nothing(tmp_path: Path) -> None:
    """Not one call, not one row more; a smaller total neither."""
    copied(tmp_path)
    for total in (5, 2):
        assert go(tmp_path, total, workers=8).outcome == "finished"
    assert differences(facts(reference()), facts(tmp_path)) == []
    assert calls(tmp_path) == calls(reference())
    assert sessions(tmp_path) == ["finished"] * 3


def test_a_larger_total_extends_the_run(tmp_path: Path) -> None:
    """Three iterations, then five by another number of workers: the same five as at once, the lag stays."""
    go(fresh(tmp_path), 3)
    three = facts(tmp_path)
    go(tmp_path, 5, workers=1)
    five, whole = facts(tmp_path), facts(reference())
    assert five["iterations"] == whole["iterations"]
    assert five["candidates"] == whole["candidates"]
    assert set(three["rollouts"]) <= set(five["rollouts"])
    assert query(tmp_path / "population.db", "SELECT lag FROM runs") == [(3,)]
    opened_once = [row for row in five["rollouts"] if row[1:3] == ("final", "c0")]
    assert len(opened_once) == 3
    assert findings(tmp_path) == []


def test_speed_faults_and_workers_change_nothing(tmp_path: Path) -> None:
    """One worker at another latency and with failing calls gives the rows of three workers without."""
    go(fresh(tmp_path), 5, workers=1, search__lag=3, simulation__latency=0.004, simulation__faults=0.01)
    assert query(journal(tmp_path), "SELECT count(*) FROM failures")[0][0] > 0
    assert differences(facts(reference()), facts(tmp_path)) == []


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    """The equality of runs is not that of constants: the seed shows at once."""
    go(fresh(tmp_path), 1, search__seed=1)
    mine, theirs = facts(tmp_path), facts(reference())
    assert mine["rollouts"][:3] != theirs["rollouts"][:3]


def test_other_settings_are_refused(tmp_path: Path) -> None:
    """With the difference, and without touching the run."""
    copied(tmp_path)
    with pytest.raises(UsageError, match=r"search\.temperature: began with 0\.05, now 0\.2"):
        go(tmp_path, 6, search__temperature=0.2)
    assert differences(facts(reference()), facts(tmp_path)) == []
    assert sessions(tmp_path) == ["finished"]


@pytest.mark.parametrize(
    ("column", "message"), [("instrument", "measured with instrument 'x'"), ("sandbox", "sandbox level 'x'")]
)
def test_another_instrument_is_refused(tmp_path: Path, column: str, message: str) -> None:
    """Scores of another version of the gate, or of another confinement, are not mixed with these."""
    copied(tmp_path)
    change(tmp_path / "population.db", f"UPDATE runs SET {column} = 'x'")
    with pytest.raises(UsageError, match=message):
        go(tmp_path, 6)
    assert calls(tmp_path) == calls(reference())


def test_documents_that_are_added_later_are_left_out(tmp_path: Path) -> None:
    """A resumed run measures on what it began with, wherever new hashes would fall."""
    copied(tmp_path)
    write_documents(tmp_path / "documents", range(40, 60))
    notices: list[str] = []

    async def watch(run: Run) -> None:
        notices.extend(run.notices)

    assert asyncio.run(start(options(tmp_path, 5), watch)).outcome == "finished"
    assert any("added since the run began are left out" in line for line in notices)
    assert differences(facts(reference()), facts(tmp_path)) == []


def test_documents_that_are_gone_are_refused(tmp_path: Path) -> None:
    """By number and name of the first; whatever the file that held it is called."""
    copied(tmp_path)
    used = query(tmp_path / "population.db", "SELECT name FROM documents WHERE split = 'test' ORDER BY name")
    place = tmp_path / "documents" / used[0][0]
    place.rename(tmp_path / "documents" / "renamed.txt")
    assert go(tmp_path, 5).outcome == "finished"
    (tmp_path / "documents" / "renamed.txt").unlink()
    with pytest.raises(UsageError, match="1 documents that this run measures on are gone or changed"):
        go(tmp_path, 5)


def test_a_path_in_the_settings_is_relative_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """evolve.toml names documents beside itself, wherever the command was called."""
    copied(tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert go(tmp_path / "run", 5).outcome == "finished"


def test_a_spent_budget_stops_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    """The limit is kept, also by the same command again; the end is that of an uninterrupted run, nothing paid twice."""
    limit = calls(reference()) // 2
    stopped = go(fresh(tmp_path), 5, budget__calls=limit)
    assert (stopped.outcome, "calls limit" in stopped.message) == ("budget", True)
    assert limit - 20 < calls(tmp_path) <= limit
    assert len(facts(tmp_path)["iterations"]) < 6
    assert not [row for row in facts(tmp_path)["rollouts"] if row[1] == "final"]
    assert findings(tmp_path) == []
    assert go(tmp_path, 5).outcome == "budget"
    assert calls(tmp_path) <= limit
    assert go(tmp_path, 5, workers=5, budget__calls=10**6).outcome == "finished"
    assert differences(facts(reference()), facts(tmp_path)) == []
    assert calls(tmp_path) == calls(reference())
    assert sessions(tmp_path) == ["budget", "budget", "finished"]


def test_a_budget_may_end_in_the_final_test(tmp_path: Path) -> None:
    """That is a quiet stop like any other, and the test split is opened when there is money again."""
    copied(tmp_path)
    database = tmp_path / "population.db"
    change(
        database,
        *(f"DELETE FROM {one} WHERE side = 'final'" for one in ("rollouts", "traces", "evaluations")),
    )
    change(database, "DELETE FROM spends WHERE part = 'final'")
    change(journal(tmp_path), "DELETE FROM calls WHERE side = 'final'")
    assert calls(tmp_path) < calls(reference()) - 5
    stopped = go(tmp_path, 5, budget__calls=calls(tmp_path) + 5)
    assert stopped.outcome == "budget"
    assert go(tmp_path, 5).outcome == "finished"
    assert differences(facts(reference()), facts(tmp_path)) == []
    assert sessions(tmp_path) == ["finished", "budget", "finished"]


def test_a_killed_run_ends_as_if_it_had_lived(tmp_path: Path) -> None:
    """SIGKILL at any moment, then the same command: the same rows, commits and traces, nothing paid twice."""
    moment = random.Random().randrange(5, calls(reference()) - 5)
    command = [sys.executable, "-c", MAIN, str(fresh(tmp_path))]
    tests = str(Path(run_facts.__file__).parent)
    with subprocess.Popen(command, env={"PYTHONPATH": tests, "PATH": "/usr/bin:/bin"}) as process:
        while process.poll() is None and recorded(tmp_path) < moment:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, f"it should have been killed at call {moment}"
    paid = set(query(journal(tmp_path), "SELECT key, at FROM calls"))
    assert go(tmp_path, 5).outcome == "finished"
    assert differences(facts(reference()), facts(tmp_path)) == []
    assert paid <= set(query(journal(tmp_path), "SELECT key, at FROM calls"))
    assert calls(tmp_path) == calls(reference())
    assert findings(tmp_path) == []


def recorded(folder: Path) -> int:
    try:
        return calls(folder)
    except sqlite3.OperationalError:  # not there yet
        return 0


def test_a_lock_that_a_dead_git_left_does_not_stop_a_start(tmp_path: Path) -> None:
    """A start that was killed before the run was recorded leaves nothing that would have to be removed by hand."""
    heads = fresh(tmp_path) / "runs" / run_facts.RUN / "candidates.git" / "refs" / "heads"
    assert go(tmp_path, 1, budget__calls=0).outcome == "budget"
    (tmp_path / "population.db").unlink()
    (heads / "c0").rename(heads / "c7")
    (heads / "c0.lock").write_text("")
    assert go(tmp_path, 1, budget__calls=0).outcome == "budget"
    assert [one.name for one in heads.iterdir()] == ["c0"]


def test_a_second_process_is_refused_by_name(tmp_path: Path) -> None:
    """Whoever holds the run is named with its process, and the run goes on undisturbed."""
    copied(tmp_path)
    layout = Layout(tmp_path, tmp_path / "population.db", run_facts.RUN)
    with (
        RunLock(layout.lock),
        pytest.raises(StorageError, match=r"run-001' is in use by another process \(pid \d+ on "),
    ):
        go(tmp_path, 6)
    assert differences(facts(reference()), facts(tmp_path)) == []
    assert go(tmp_path, 5).outcome == "finished"


def test_a_scaffold_that_does_not_start_is_refused(tmp_path: Path) -> None:
    """The user's own baseline is tried before anything is recorded or paid."""
    (fresh(tmp_path) / "baseline_repo").mkdir()
    (tmp_path / "baseline_repo" / "agent.py").write_text("import not_there\n")
    with pytest.raises(UsageError, match=r"(?s)baseline_repo' does not start: .*No module named 'not_there'"):
        go(tmp_path, 1)
    assert calls(tmp_path) == 0
    assert query(tmp_path / "population.db", "SELECT run FROM runs") == []
    (tmp_path / "baseline_repo" / "agent.py").write_text("def create(document, env):\n    env.ask('x')\n")
    assert go(tmp_path, 1).outcome == "finished"


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        (
            "env.submit({'question': 7})",
            r"not one of the 3 submissions .* the first was told: .*question_type",
        ),
        ("env.ask('x')", "the baseline submitted nothing for any document; the first rollout: stopped"),
    ],
)
def test_a_baseline_that_nothing_can_be_measured_of_is_told(tmp_path: Path, body: str, warning: str) -> None:
    """All its scores are zero, and the reason is no quality of its tasks: once, with the first feedback."""
    (fresh(tmp_path) / "baseline_repo").mkdir()
    (tmp_path / "baseline_repo" / "agent.py").write_text(f"def create(document, env):\n    {body}\n")
    seen: list[Snapshot] = []

    async def watch(run: Run) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append(run.snapshot())

    for _ in range(2):
        asyncio.run(start(options(tmp_path, 1), watch))
    first, again = seen
    assert len(first.warnings) == 1 and re.match(warning, first.warnings[0]), first.warnings
    assert again.warnings == ()


def test_an_endpoint_that_refuses_stops_the_run_as_itself(tmp_path: Path) -> None:
    """Not in a group of errors; the session is recorded as failed; nothing is charged to the candidate."""
    with pytest.raises(ProviderError, match="nobody"):
        go(fresh(tmp_path), 1, models__weak__name="nobody", models__weak__simulated=True)
    assert sessions(tmp_path) == ["failed"]
    assert facts(tmp_path)["rollouts"] == []
    assert findings(tmp_path) == []


def test_the_display_sees_a_run_from_its_start(tmp_path: Path) -> None:
    """Notices say what was taken from where and that models are simulated; the last snapshot is that of the end."""
    copied(tmp_path)
    seen: list[Snapshot] = []
    notices: list[str] = []

    async def watch(run: Run) -> None:
        notices.extend(run.notices)
        try:
            await asyncio.Event().wait()
        finally:
            seen.append(run.snapshot())

    asyncio.run(start(options(tmp_path, 5), watch))
    assert notices[0] == "resuming run run-001"
    assert any(line.startswith("models: simulated (all roles)") for line in notices)
    assert any(line.startswith("sandbox: ") for line in notices)
    (last,) = seen
    assert (last.phase, last.done, last.total, last.running) == ("done", 5, 5, ())
    assert last.simulated
    assert last.baseline is not None
    assert sum(last.outcomes.values()) == 6
    assert last.warnings == ()
