"""Opening the test split for chosen candidates: once for each, recorded, resumable, and honest about picking."""

import asyncio
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import run_facts
from click.testing import CliRunner, Result
from run_facts import calls, copied, differences, facts, go, journal, query, reference

from evolve.cli import cli
from evolve.layout import Layout
from evolve.lock import RunLock
from evolve.population import Candidate
from evolve.report import held_out
from evolve.report.progress import Work
from evolve.report.store import opened, resolve
from evolve.testing import FinalTest, Job, Opened, start
from harness.errors import StorageError, UsageError

MAIN = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_testing import measure
measure(Path(sys.argv[1]))
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


def measure(folder: Path, **limits: float) -> Opened:
    layout = Layout(folder, folder / "population.db", run_facts.RUN)
    return asyncio.run(start(Job(layout, tuple(untested(folder)[:2]), limits), nobody))


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
    assert go(tmp_path, 5, budget__calls=calls(reference()) // 2).outcome == "budget"
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
    tests = Path(run_facts.__file__).parent
    command = [sys.executable, "-c", MAIN, str(folder), str(Path(__file__).parent)]
    with subprocess.Popen(command, env={"PYTHONPATH": str(tests), "PATH": "/usr/bin:/bin"}) as process:
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
    refused = call(folder, "test", one, "--budget-calls", "1")
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


def test_the_correction_grows_with_what_was_opened(tested: Path) -> None:
    """One comparison needs none; with several the adjusted interval is wider, around the same value, and is named."""
    with opened(reference() / "population.db", None) as store:
        one = held_out.held_out(store, held_out.opened(store))
    with opened(tested / "population.db", None) as store:
        several = held_out.held_out(store, held_out.opened(store))
    assert one.comparisons == len(one.opened) - 1 <= 1
    assert {each.adjusted for each in one.entrants} == {None}
    assert several.comparisons == len(several.opened) - 1 == one.comparisons + 2
    assert several.entrants[0].gain is None
    for each in several.entrants[1:]:
        assert each.gain is not None
        assert each.adjusted is not None
        assert each.adjusted.value == each.gain.value
        assert each.adjusted.high - each.adjusted.low >= each.gain.high - each.gain.low
    assert any(each.adjusted != each.gain for each in several.entrants[1:])
    assert "Bonferroni" in held_out.warning(several)
    assert "Bonferroni" not in held_out.warning(one)
    assert all(name in held_out.warning(several) for name in several.opened)


def test_json_ends_with_the_result(tested: Path) -> None:
    """The last line holds scores, gains and how many were opened."""
    last = json.loads(call(tested, "test", "--json").stdout.splitlines()[-1])
    assert (last["event"], last["measured"], last["documents"]) == ("summary", [], 3)
    assert last["comparisons"] == len(last["opened"]) - 1
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
