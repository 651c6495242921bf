"""population.db: whole iterations or none, what comes back, who is refused."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import recorded
from recorded import RUN, TRACES, evaluation, iteration

from evolve.database import connect_readonly
from evolve.history import History
from evolve.iteration import Candidate, Exchange, Iteration, Spend, Tally
from evolve.population import Population
from evolve.rows import DocumentRow, RunRow, Trace
from evolve.seal import Request
from harness.errors import StorageError, UsageError

PROGRAM = str(Path(recorded.__file__))
WHOLE = {table: rows for table, (_, rows) in recorded.TABLES.items()}
NONE = dict.fromkeys(WHOLE, 0)
REPORT, SELECTION = Request("report", 20, RUN.instrument), Request("selection", 20, RUN.instrument)


def with_history(path: Path, work: Callable[[History], Awaitable[None]]) -> None:
    async def whole() -> None:
        history = await recorded.begun(path)
        try:
            await work(history)
        finally:
            await history.close()

    asyncio.run(whole())


def candidate(number: int) -> Candidate:
    return Candidate(f"c{number}", number, "c0" if number else None, f"{number:040x}", f"{number:040x}")


def tallies(one: Iteration) -> list[Tally]:
    return [each.tally for each in one.evaluations]


def view(path: Path, sql: str) -> list[dict[str, object]]:
    connection = connect_readonly(path)
    try:
        return [dict(row) for row in connection.execute(sql).fetchall()]
    finally:
        connection.close()


def test_a_loaded_run_is_the_run_that_was_recorded(tmp_path: Path) -> None:
    """load() gives back what record() returned, with the same standings, trees and best."""
    rejected = Iteration(
        3, "no_change", "same tree as c1", "c1", 0, exchanges=(Exchange("analyzer", "k", "p", "r"),)
    )
    told = [
        recorded.baseline(),
        iteration(1),
        iteration(2, "c1", survives=False),
        rejected,
        iteration(4, "c1"),
    ]
    kept: list[Iteration] = []

    async def work(history: History) -> None:
        for one in told[1:]:
            kept.append(await history.record(RUN.run, one, TRACES))

    with_history(tmp_path / "population.db", work)

    async def again() -> list[Iteration]:
        history = await History.open(tmp_path / "population.db")
        try:
            return await history.load(RUN.run)
        finally:
            await history.close()

    loaded = asyncio.run(again())
    assert loaded[1:] == kept
    before, after = Population(told), Population(loaded)
    assert after.sums == before.sums
    assert list(after.standings) == list(before.standings) == ["c0", "c1", "c4"]
    assert after.trees == before.trees
    assert after.best.candidate.commit == before.best.candidate.commit
    counted = [[(one.total, one.trials, one.missing) for one in tallies(run[1])] for run in (loaded, told)]
    assert counted[0] == counted[1]
    assert loaded[1].causes == ("Too easy",)


def test_what_stays_in_memory_is_little(tmp_path: Path) -> None:
    """A recorded iteration is kept, and loaded, without rollouts, diff, probabilities, exchanges and spend."""

    async def work(history: History) -> None:
        for one in (await history.record(RUN.run, iteration(1), TRACES), (await history.load(RUN.run))[1]):
            assert [side.rollouts for side in one.evaluations] == [(), (), ()]
            assert one.child is not None and one.child.diff == ""
            assert (one.probabilities, one.exchanges, one.spend, one.diagnosis) == ({}, (), (), None)

    path = tmp_path / "population.db"
    with_history(path, work)
    stored = view(
        path,
        "SELECT probabilities, diff FROM iterations JOIN candidates ON candidate = child WHERE number = 1",
    )
    assert stored == [{"probabilities": json.dumps({"c0": 0.1 + 0.2, "c99": 0.7}), "diff": "+line\n" * 50}]


def test_a_kill_at_any_statement_leaves_all_or_nothing(tmp_path: Path) -> None:
    """kill -9 before each statement of record() in turn leaves a sound database with the whole iteration or none."""
    done = subprocess.run(
        [sys.executable, PROGRAM, "moments", str(tmp_path)], capture_output=True, text=True, check=True
    )
    deaths = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(deaths) > 10
    assert [one["status"] for one in deaths] == [signal.SIGKILL] * (len(deaths) - 1) + [0]
    assert all(one["sound"] == ["ok"] for one in deaths)
    assert all(one["counts"] == NONE for one in deaths[:-1])
    assert deaths[-1]["counts"] == WHOLE


@pytest.mark.parametrize("moment", [1, 2, 5])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, moment: int) -> None:
    """Every iteration whose record() returned before kill -9 is whole, later ones are whole or absent, and it goes on."""
    path = tmp_path / "population.db"
    with subprocess.Popen(
        [sys.executable, PROGRAM, "steady", str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        seen = [int(writer.stdout.readline()) for _ in range(moment)]
        writer.kill()
    assert recorded.soundness(path) == ["ok"]
    for number in range(1, moment + 60):
        rows = recorded.counts(path, number)
        assert rows == WHOLE if number in seen else rows in (WHOLE, NONE)

    async def go_on() -> None:
        history = await History.open(path)
        loaded = await history.load(RUN.run)
        await history.record(RUN.run, iteration(len(loaded)), TRACES)
        await history.close()

    asyncio.run(go_on())


def test_readers_see_a_steady_state_and_block_nobody(tmp_path: Path) -> None:
    """A reader in the middle of a transaction neither stops a record nor sees half of it."""
    path = tmp_path / "population.db"
    count = "SELECT count(*) FROM rollouts"

    async def work(history: History) -> None:
        reader = connect_readonly(path)
        reader.execute("BEGIN")
        before = reader.execute(count).fetchone()[0]
        await history.record(RUN.run, iteration(1), TRACES)
        assert reader.execute(count).fetchone()[0] == before
        reader.execute("COMMIT")
        assert reader.execute(count).fetchone()[0] == before + 24
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM rollouts")
        reader.close()

    with_history(path, work)


def test_a_write_waits_for_another_writer(tmp_path: Path) -> None:
    """A foreign write transaction delays a record; it does not fail it."""
    path = tmp_path / "population.db"

    async def work(history: History) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(history.record(RUN.run, iteration(1), TRACES))
        done, _ = await asyncio.wait([task], timeout=0.05)
        assert not done
        other.execute("ROLLBACK")
        other.close()
        await task

    with_history(path, work)
    assert recorded.counts(path, 1) == WHOLE


def test_nothing_is_recorded_twice(tmp_path: Path) -> None:
    """A second record of an iteration, a run or a final measurement is refused and changes nothing."""
    path = tmp_path / "population.db"

    async def work(history: History) -> None:
        await history.record(RUN.run, iteration(1), TRACES)
        with pytest.raises(StorageError, match="iteration 1 of run 'r' is recorded already"):
            await history.record(RUN.run, iteration(1, survives=False), TRACES)
        with pytest.raises(StorageError, match="run 'r' is recorded already"):
            await history.open_run(RUN, [])
        with pytest.raises(StorageError, match="'nobody' is not recorded"):
            await history.record("nobody", iteration(2), {})
        assert [one.outcome for one in await history.load(RUN.run)] == ["baseline", "survived"]

    with_history(path, work)
    assert recorded.counts(path, 1) == WHOLE


def test_the_test_split_is_opened_once_for_a_candidate(tmp_path: Path) -> None:
    """A second final measurement of a candidate is refused as a whole; others add up, also in the spend."""
    path = tmp_path / "population.db"
    first = evaluation(0, "final", "c0", [0.0, 1.0])
    second = evaluation(1, "final", "c1", [1.0, 1.0])
    spend = [Spend("weak", 4, 40, 20, 0.5)]

    async def work(history: History) -> None:
        await history.record(RUN.run, iteration(1), TRACES)
        await history.unseal(RUN.run, [candidate(0), candidate(1)], REPORT)
        await history.record_final(RUN.run, [first], spend, {"c0": Trace("traces/final-c0.jsonl", "1" * 64)})
        with pytest.raises(StorageError, match="opened before"):
            await history.record_final(RUN.run, [second, first], spend, {})
        assert [one.candidate for one in await history.finals(RUN.run)] == ["c0"]
        await history.record_final(RUN.run, [second], spend, {})
        assert [one.scores for one in await history.finals(RUN.run)] == [first.scores, second.scores]
        assert [len(one.evaluations) for one in await history.load(RUN.run)] == [1, 3]
        with pytest.raises(ValueError, match="'final'"):
            await history.record_final(RUN.run, [evaluation(1, "child", "c1", [1.0])], [], {})

    with_history(path, work)
    weak = view(path, "SELECT calls, cost, kind FROM spend WHERE role = 'weak'")
    assert weak == [{"calls": 10 + 12 + 4 + 4, "cost": 0.25 + 0.125 + 1.0, "kind": "simulated"}]
    assert view(path, "SELECT file FROM traces WHERE side = 'final'") == [{"file": "traces/final-c0.jsonl"}]


def test_an_opening_is_on_disk_before_anything_else(tmp_path: Path) -> None:
    """Another connection sees the rows when unseal() returns; without them a measurement is refused as a whole."""
    path = tmp_path / "population.db"
    rows = "SELECT number, candidate, purpose, documents, instrument, compared FROM openings ORDER BY number"

    async def work(history: History) -> None:
        await history.record(RUN.run, iteration(1), TRACES)
        final = [evaluation(one, "final", f"c{one}", [1.0]) for one in (0, 1)]
        log = await history.unseal(RUN.run, [candidate(0)], REPORT)
        with pytest.raises(StorageError, match=r"no opening of the test split is recorded for \['c1'\]"):
            await history.record_final(RUN.run, final, [], {})
        assert (log.opened, log.unfinished, await history.finals(RUN.run)) == (("c0",), ("c0",), [])
        log = await history.unseal(RUN.run, [candidate(0), candidate(1)], SELECTION)
        assert [tuple(one.values()) for one in view(path, rows)] == [
            (1, "c0", "report", 20, RUN.instrument, 0),
            (2, "c1", "selection", 20, RUN.instrument, 1),
        ]
        await history.record_final(RUN.run, final, [], {})
        assert await history.openings(RUN.run) == replace(log, measured=("c0", "c1"))

    with_history(path, work)


def test_an_opening_is_written_once_and_a_refused_one_not_at_all(tmp_path: Path) -> None:
    """The same again adds no row and keeps the time; of a refused set no row is there, also not the baseline's."""
    path = tmp_path / "population.db"

    async def work(history: History) -> None:
        first = await history.unseal(RUN.run, [candidate(1)], SELECTION)
        assert await history.unseal(RUN.run, [candidate(1)], SELECTION) == first
        with pytest.raises(UsageError, match="opened for selection before"):
            await history.unseal(RUN.run, [candidate(0), candidate(2)], SELECTION)
        assert await history.openings(RUN.run) == first
        with pytest.raises(StorageError, match="'nobody' is not recorded"):
            await history.unseal("nobody", [candidate(1)], REPORT)

    with_history(path, work)


def test_what_sqlite_cannot_hold_is_cleaned_or_refused(tmp_path: Path) -> None:
    """NUL and lone surrogates become U+FFFD, in the returned iteration too; numbers that are not finite are refused."""
    path = tmp_path / "population.db"
    odd = iteration(1)
    assert odd.child is not None and odd.diagnosis is not None
    odd = replace(
        odd,
        summary="a\0b\ud800c",
        child=replace(odd.child, diff="+\udfff\n"),
        diagnosis=odd.diagnosis.model_copy(
            update={
                "summary": "x\0y",
                "causes": (odd.diagnosis.causes[0].model_copy(update={"title": "t\0"}),),
            }
        ),
    )

    async def work(history: History) -> None:
        kept = await history.record(RUN.run, odd, {})
        assert kept == (await history.load(RUN.run))[1]
        assert kept.summary == "a\ufffdb\ufffdc"
        assert kept.causes == ("t\ufffd",)
        for broken in (
            replace(iteration(2), probabilities={"c0": float("nan")}),
            replace(iteration(2), spend=(Spend("weak", 1, 1, 1, float("inf")),)),
        ):
            with pytest.raises(ValueError, match="finite"):
                await history.record(RUN.run, broken, {})

    with_history(path, work)
    assert view(path, "SELECT diff FROM candidates WHERE candidate = 'c1'") == [{"diff": "+\ufffd\n"}]
    assert view(path, "SELECT summary FROM diagnoses") == [{"summary": "x\ufffdy"}]


def test_rows_must_name_what_is_recorded(tmp_path: Path) -> None:
    """An unknown document or parent fails the whole record; added documents make it pass."""
    path = tmp_path / "population.db"
    stranger = evaluation(1, "minibatch", "c0", [0.0])
    stranger = replace(stranger, rollouts=(recorded.rollout(500, 1.0),))
    late = Iteration(1, "no_proposal", "", "c0", 0, evaluations=(stranger,))

    async def work(history: History) -> None:
        with pytest.raises(StorageError, match="FOREIGN KEY"):
            await history.record(RUN.run, late, {})
        with pytest.raises(StorageError, match="FOREIGN KEY"):
            await history.record(RUN.run, iteration(2, parent="c77"), {})
        assert len(await history.load(RUN.run)) == 1
        added = [*recorded.documents(), DocumentRow(f"{500:016x}", "document 500", "training", 9, True)]
        await history.add_documents(RUN.run, added)
        await history.record(RUN.run, late, {})

    with_history(path, work)
    assert view(path, "SELECT count(*) AS n FROM documents") == [{"n": 61}]


def test_sessions_tell_how_each_start_ended(tmp_path: Path) -> None:
    """A start that never ended is called killed by the next one."""
    path = tmp_path / "population.db"

    async def work(history: History) -> None:
        assert await history.find_run("nobody") is None
        assert await history.find_run(RUN.run) == RUN
        assert await history.start_session(RUN.run, 8, 50) == 1
        assert await history.start_session(RUN.run, 2, 60) == 2
        await history.end_session(RUN.run, 2, "finished")
        assert await history.start_session(RUN.run, 2, 60) == 3

    with_history(path, work)
    rows = view(path, "SELECT number, outcome, workers, ended_at IS NULL AS open FROM sessions")
    assert [tuple(row.values()) for row in rows] == [
        (1, "killed", 8, 1),
        (2, "finished", 2, 0),
        (3, None, 2, 1),
    ]


def test_a_second_writer_is_refused_and_told_who(tmp_path: Path) -> None:
    """While a process writes the database another one is refused with its pid."""
    path = tmp_path / "population.db"
    with subprocess.Popen(
        [sys.executable, PROGRAM, "steady", str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(StorageError, match=f"pid {writer.pid} on "):
            asyncio.run(History.open(path))
        writer.kill()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """It is named with a remedy, as often as one tries: a failed open leaves no lock behind."""
    path = tmp_path / "population.db"
    path.write_bytes(b"no database, just text " * 100)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"population\.db.*no SQLite database; restore a copy"):
            asyncio.run(History.open(path))
    with pytest.raises(StorageError, match="no SQLite database"):
        connect_readonly(path)


def test_a_damaged_database_is_found_when_it_is_opened(tmp_path: Path) -> None:
    """Overwritten pages are reported with the file's name and a remedy before anything is written."""
    path = tmp_path / "population.db"

    async def work(history: History) -> None:
        for number in range(1, 6):
            await history.record(RUN.run, iteration(number), TRACES)

    with_history(path, work)
    data = bytearray(path.read_bytes())
    for page in range(4, len(data) // 4096, 3):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(StorageError, match=r"population\.db.*restore a copy"):
        asyncio.run(History.open(path))


def test_a_closed_history_refuses_work(tmp_path: Path) -> None:
    """Closing twice is fine; the database is free for the next one; a use after that is refused."""

    async def whole() -> None:
        history = await History.open(tmp_path / "population.db")
        await history.close()
        await history.close()
        with pytest.raises(StorageError, match="closed"):
            await history.load("r")
        await (await History.open(tmp_path / "population.db")).close()

    asyncio.run(whole())


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    """Reading where nothing is says so and makes no file."""
    with pytest.raises(StorageError, match=r"there is no database .*population\.db"):
        connect_readonly(tmp_path / "population.db")
    assert list(tmp_path.iterdir()) == []


def test_paid_scores_are_not_called_simulated(tmp_path: Path) -> None:
    """With real measuring roles and a simulated implementer only the implementer's spend is labelled simulated."""
    path = tmp_path / "population.db"
    real = RunRow(**{**vars(RUN), "run": "real", "simulated": ("implementer",)})

    async def work(history: History) -> None:
        await history.open_run(real, recorded.documents())
        for one in (recorded.baseline(), iteration(1)):
            await history.record("real", one, {})

    with_history(path, work)
    kinds = view(path, "SELECT DISTINCT run, kind FROM leaderboard ORDER BY run")
    assert [tuple(row.values()) for row in kinds] == [("r", "simulated"), ("real", "measured")]
    spent = view(path, "SELECT kind, count(*) AS n FROM spend WHERE run = 'real' GROUP BY kind ORDER BY kind")
    assert [tuple(row.values()) for row in spent] == [("paid", 6), ("simulated", 1)]
