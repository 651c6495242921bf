"""Opening the test split for chosen candidates: once for each, recorded, resumable, and honest about picking."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import run_facts
from click.testing import CliRunner, Result
from rich.console import Console
from run_facts import calls, copied, differences, facts, go, journal, query, reference

import evolve
from evolve.again import reopen
from evolve.assembly import gather_documents, open_tools
from evolve.cli import cli
from evolve.iteration import Candidate
from evolve.layout import Layout
from evolve.lock import RunLock
from evolve.opening import Options
from evolve.population import Population, Standing
from evolve.report import held_out
from evolve.report.progress import Work
from evolve.report.store import opened, resolve
from evolve.testing import Done, FinalTest, Job, open_split, start
from harness.errors import StorageError, UsageError
from harness.trajectory import Rollout
from harness.types import Document, Draw

MAIN = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_testing import {work}
{work}(Path(sys.argv[1]))
"""


async def nobody(_: FinalTest) -> None:
    pass


def call(folder: Path, *command: str) -> Result:
    return CliRunner().invoke(cli, [*command, "--db", str(folder / "population.db")])


def untested(folder: Path) -> list[Candidate]:
    """Candidates of the reference run that no final test has seen; there are some, or these tests prove nothing."""
    with opened(folder / "population.db", None) as store:
        there = held_out.opened(store)
        ids = [row["candidate"] for row in store.rows("SELECT candidate FROM candidates WHERE run = :run")]
        found = [resolve(store, one) for one in ids if one not in there]
    assert len(found) >= 2
    return found


def measure(folder: Path, **limits: float) -> Done:
    layout = Layout(folder, folder / "population.db", run_facts.RUN)
    return asyncio.run(start(Job(layout, tuple(untested(folder)[:2]), limits), nobody))


class Dying:
    """An executor under which the process is killed when the first rollout on a test document is asked for."""

    async def run(self, scaffold: Path, documents: Sequence[Document], draw: Draw) -> tuple[Rollout, ...]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def die(folder: Path) -> None:
    """Open the split for the two of `measure`, and die between the log and the first rollout."""

    async def whole() -> None:
        opening = reopen(Options(folder, folder / "population.db"), run_facts.RUN)
        async with open_tools(opening, await gather_documents(opening)) as tools:
            tools = replace(tools, evaluator=replace(tools.evaluator, executor=Dying()))
            await open_split(tools, run_facts.RUN, untested(folder)[:2])

    asyncio.run(whole())


def started(work: str, folder: Path) -> "subprocess.Popen[bytes]":
    """A function of this file on a folder, in a process of its own."""
    code = MAIN.format(work=work)
    paths = os.pathsep.join((str(Path(run_facts.__file__).parent), str(Path(evolve.__file__).parents[1])))
    command = [sys.executable, "-c", code, str(folder), str(Path(__file__).parent)]
    return subprocess.Popen(command, env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin"})


def log(folder: Path) -> list[tuple[object, ...]]:
    return query(folder / "population.db", "SELECT * FROM openings ORDER BY number")


def finals(folder: Path) -> list[tuple[object, ...]]:
    return query(
        folder / "population.db",
        "SELECT candidate, document, outcome, score, tokens FROM rollouts WHERE side = 'final' ORDER BY 1, 2",
    )


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the reference run, with two more candidates measured on the test split."""
    folder = copied(tmp_path_factory.mktemp("tested"))
    measure(folder)
    return folder


def test_a_chosen_candidate_is_measured_and_recorded(tested: Path) -> None:
    """Every test document once for each, a session beside the run's, nothing of the search changed, all agrees."""
    names = {row[0] for row in finals(tested)} - {row[0] for row in finals(reference())}
    assert len(names) == 2
    assert len(finals(tested)) == len(finals(reference())) + 2 * 3
    assert facts(tested)["iterations"] == facts(reference())["iterations"]
    assert query(tested / "population.db", "SELECT workers, outcome, iterations FROM sessions") == [
        (3, "finished", 5),
        (0, "finished", 5),
    ]
    assert "everything agrees" in call(tested, "verify").output


def test_who_was_measured_is_shown_and_not_paid_again(tested: Path) -> None:
    """The second time there is no call, no session and no row more."""
    before = calls(tested), query(tested / "population.db", "SELECT count(*) FROM sessions")
    names = sorted({str(row[0]) for row in finals(tested)})
    result = call(tested, "test", *names)
    assert result.exit_code == 0
    assert all(f"  {name} " in result.output for name in names)
    assert (calls(tested), query(tested / "population.db", "SELECT count(*) FROM sessions")) == before


def test_a_run_goes_on_after_a_test(tested: Path, tmp_path: Path) -> None:
    """A resume keeps its total and measures nobody twice; extending it works as if nothing had been tested."""
    folder = Path(shutil.copytree(tested, tmp_path / "copy"))
    assert go(folder, 5).outcome == "finished"
    assert calls(folder) == calls(tested)
    assert differences(facts(tested), facts(folder)) == []


def test_an_unfinished_run_can_be_tested(tmp_path: Path) -> None:
    """The baseline of a run whose budget ended it is measured, and the run later uses that measurement."""
    run_facts.write_documents(tmp_path / "documents")
    ((baseline,),) = query(journal(reference()), "SELECT count(*) FROM calls WHERE side = 'baseline'")
    assert go(tmp_path, 5, budget__calls=baseline + 20).outcome == "budget"
    result = call(tmp_path, "test", "baseline", "--budget-calls", "5000")
    assert result.exit_code == 0, result.output
    assert {row[0] for row in finals(tmp_path)} == {"c0"}
    assert go(tmp_path, 5, budget__calls=10**6).outcome == "finished"
    assert finals(tmp_path) == finals(reference())


def test_a_killed_test_pays_for_nothing_twice(tested: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle, then the same: the rows of an undisturbed one, each call answered once."""
    folder = copied(tmp_path)
    before = calls(folder)
    halfway = before + (calls(tested) - before) // 2
    with started("measure", folder) as process:
        while process.poll() is None and calls(folder) < halfway:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    paid = set(query(journal(folder), "SELECT key, at FROM calls"))
    done = measure(folder) if finals(folder) == finals(reference()) else None
    assert done is None or len(done.candidates) == 2
    if done is None:  # the first of the two was recorded before the kill
        assert call(folder, "test", *sorted({str(row[0]) for row in finals(tested)})).exit_code == 0
    assert finals(folder) == finals(tested)
    assert [row[:2] + row[3:] for row in log(folder)] == [row[:2] + row[3:] for row in log(tested)]
    assert paid <= set(query(journal(folder), "SELECT key, at FROM calls"))
    assert calls(folder) == calls(tested)
    assert "everything agrees" in call(folder, "verify").output


def test_a_budget_of_its_own_ends_it_and_more_goes_on(tested: Path, tmp_path: Path) -> None:
    """It counts from where the run stands; what was recorded stays; the exit code tells nothing from something."""
    folder = copied(tmp_path)
    before = calls(folder)
    stopped = measure(folder, calls=10)
    assert (stopped.candidates, stopped.message) == ((), "the budget for this test is spent (calls 10)")
    assert before < calls(folder) <= before + 10
    one = untested(folder)[0].id
    refused = call(folder, "test", one, "--budget-calls", "1")  # it was opened, so it is gone on with
    assert refused.exit_code == 4
    assert f"not measured: {one}" in refused.stderr
    assert measure(folder).message == ""
    assert finals(folder) == finals(tested)
    assert calls(folder) == calls(tested)
    assert [
        row[0] for row in query(folder / "population.db", "SELECT outcome FROM sessions ORDER BY number")
    ] == [
        "finished",
        "budget",
        "budget",
        "finished",
    ]


def test_it_is_logged_before_the_first_rollout_and_counts_once(tested: Path, tmp_path: Path) -> None:
    """SIGKILL between the row and the first rollout leaves the row and no call; the same command then measures it."""
    folder = copied(tmp_path)
    with started("die", folder) as process:
        process.wait()
    assert process.returncode == -signal.SIGKILL
    rows, names = log(folder), [one.id for one in untested(folder)[:2]]
    assert [row[3] for row in rows[-2:]] == names
    assert (calls(folder), finals(folder)) == (calls(reference()), finals(reference()))
    assert "not finished" in held_out_of(folder, names)
    assert call(folder, "test", *names).exit_code == 0
    assert (log(folder), finals(folder)) == (rows, finals(tested))
    assert "everything agrees" in call(folder, "verify").output


def held_out_of(folder: Path, names: Sequence[str]) -> str:
    """What is drawn of the test split."""
    with opened(folder / "population.db", None) as store:
        picture, out = held_out.drawn(held_out.held_out(store, names)), StringIO()
    Console(file=out, width=100).print(picture)
    return out.getvalue()


def test_a_second_opening_for_selection_is_refused(tmp_path: Path) -> None:
    """Other candidates than those named first: exit code 2, no call, no row; what was measured is shown as before."""
    folder = copied(tmp_path)
    one, other = (each.id for each in untested(folder)[:2])
    first = call(folder, "test", one)
    assert (first.exit_code, "a run has one such opening" in first.output) == (0, True), first.output
    before = log(folder), calls(folder), query(folder / "population.db", "SELECT count(*) FROM sessions")
    refused = call(folder, "test", one, other)
    assert refused.exit_code == 2
    assert f"opened for selection before ({one}, on 20" in refused.stderr
    assert f"not opened again for {other}" in refused.stderr
    assert f"`evolve test {one}` shows" in refused.stderr
    after = log(folder), calls(folder), query(folder / "population.db", "SELECT count(*) FROM sessions")
    assert before == after
    assert call(folder, "test", one).exit_code == call(folder, "test").exit_code == 0


def test_what_an_opening_is_for_is_not_the_callers_to_say(
    tested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is not the best of an arm is a selection, of which there is one; a later best is reported and counted."""
    folder = copied(tmp_path)
    first, later = untested(folder)[:2]

    async def whole() -> None:
        opening = reopen(Options(folder, folder / "population.db"), run_facts.RUN)
        async with open_tools(opening, await gather_documents(opening)) as tools:
            await open_split(tools, run_facts.RUN, [first])
            with pytest.raises(
                UsageError, match=f"opened for selection before .*not opened again for {later.id}"
            ):
                await open_split(tools, run_facts.RUN, [later])
            monkeypatch.setattr(Population, "best_of", lambda *_: Standing(later))
            await open_split(tools, run_facts.RUN, [later, later])

    began = log(folder)[-1][-1]
    asyncio.run(whole())
    assert [(row[3], row[4], row[-1]) for row in log(folder)[-2:]] == [
        (first.id, "selection", began + 1),
        (later.id, "report", began + 2),
    ]
    assert finals(folder) == finals(tested)


def test_every_call_on_a_test_document_follows_its_opening(tested: Path) -> None:
    """Those of the end of `evolve run` and those of `evolve test`: by the journal's clock, and by verify."""
    opened_at = dict(query(tested / "population.db", "SELECT candidate, opened_at FROM openings"))
    first = dict(
        query(journal(tested), "SELECT 'c' || iteration, min(at) FROM calls WHERE side = 'final' GROUP BY 1")
    )
    assert first.keys() == opened_at.keys()
    for one, at in first.items():
        moment = datetime.fromisoformat(opened_at[one])
        assert moment <= datetime.fromisoformat(at) + timedelta(milliseconds=1)
    assert call(tested, "verify").exit_code == 0


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("DELETE FROM openings WHERE candidate = 'c0'", "c0: {} calls on test documents without an opening"),
        (
            "UPDATE openings SET opened_at = '2999-01-01T00:00:00Z' WHERE candidate = 'c0'",
            "opened only at 2999",
        ),
        ("UPDATE openings SET compared = 9 WHERE candidate = 'c0'", "opened as candidate 9, it was number 0"),
        ("UPDATE openings SET instrument = 'x' WHERE candidate = 'c0'", "opened with instrument x"),
    ],
)
def test_verify_finds_what_is_wrong_with_the_log(tmp_path: Path, change: str, finding: str) -> None:
    """A missing, a late and a wrong row are each named."""
    folder = copied(tmp_path)
    with closing(sqlite3.connect(folder / "population.db")) as connection, connection:
        connection.execute(change)
    ((number,),) = query(journal(folder), "SELECT count(*) FROM calls WHERE side = 'final' AND iteration = 0")
    result = call(folder, "verify")
    assert result.exit_code == 1
    assert finding.format(number) in " ".join(result.output.split())


def test_what_was_measured_before_there_was_a_log_counts(tmp_path: Path) -> None:
    """A database that was migrated has measurements without rows: shown, counted, measured no second time, verified."""
    folder = copied(tmp_path)
    with closing(sqlite3.connect(folder / "population.db")) as connection, connection:
        connection.execute("DELETE FROM openings")
        connection.execute(
            "UPDATE _sqlite_migrations SET applied_at = '2999-01-01 00:00:00+00:00' WHERE name = '0005_survival'"
        )
    there = len({row[0] for row in finals(folder)} - {"c0"})
    before = calls(folder)
    result = call(folder, "test")
    assert (result.exit_code, calls(folder)) == (0, before)
    assert "before there was a log" in result.output
    one = untested(folder)[0].id
    assert call(folder, "test", one).exit_code == 0
    assert [(row[3], row[-1]) for row in log(folder)] == [(one, there + 1)]
    assert "everything agrees" in call(folder, "verify").output


@pytest.mark.parametrize(
    ("column", "message"), [("instrument", "measured with instrument 'x'"), ("sandbox", "sandbox level 'x'")]
)
def test_another_instrument_is_refused(tmp_path: Path, column: str, message: str) -> None:
    """What would not be comparable is not measured, and not one call is made."""
    folder = copied(tmp_path)
    with closing(sqlite3.connect(folder / "population.db")) as connection, connection:
        connection.execute(f"UPDATE runs SET {column} = 'x'")
    with pytest.raises(UsageError, match=message):
        measure(folder)
    assert calls(folder) == calls(reference())


def test_other_measuring_settings_are_refused_by_name_and_others_do_not_matter(tmp_path: Path) -> None:
    """evolve.toml for a next run may have another search; another preset is refused with both values."""
    folder = copied(tmp_path)
    (folder / "evolve.toml").write_text('[measure]\npreset = "prose"\n')
    with pytest.raises(UsageError, match=r"measure\.preset: began with None, now 'prose'"):
        measure(folder)
    (folder / "evolve.toml").write_text("[search]\ntemperature = 5.0\n[documents]\nvalidation = 9\n")
    assert len(measure(folder).candidates) == 2


def test_it_waits_for_nobody_who_holds_the_run(tmp_path: Path) -> None:
    """While a process works on the run, testing is refused by its name."""
    folder = copied(tmp_path)
    with (
        RunLock(Layout(folder, folder / "population.db", run_facts.RUN).lock),
        pytest.raises(StorageError, match=r"in use by another process \(pid"),
    ):
        measure(folder)


def test_json_ends_with_the_result(tested: Path) -> None:
    """The last line holds scores, gains and how many were opened."""
    last = json.loads(call(tested, "test", "--json").stdout.splitlines()[-1])
    assert (last["event"], last["measured"], last["documents"]) == ("summary", [], 3)
    assert last["comparisons"] == len(last["opened"]) - 1
    assert [one["candidate"] for one in last["log"]] == last["opened"]
    assert last["entrants"][0]["candidate"] == "c0"
    assert last["entrants"][0]["score"]["simulated"] is True


def test_progress_counts_rollouts(tmp_path: Path) -> None:
    """The display sees what is measured, of how much, and that models are simulated."""
    folder, seen = copied(tmp_path), list[Work]()

    async def watch(one: FinalTest) -> None:
        assert one.notices[0].startswith("opening the test split of run-001 (3 documents) for c")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append(one.snapshot())

    layout = Layout(folder, folder / "population.db", run_facts.RUN)
    asyncio.run(start(Job(layout, tuple(untested(folder)[:1])), watch))
    (last,) = seen
    assert (last.done, last.total, last.simulated) == (3, 3, True)
    assert sum(last.outcomes.values()) == 3
    assert last.calls == calls(folder) - calls(reference())
