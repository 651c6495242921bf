"""What is shown of the test split: scores, gains, the correction, and the log of who was opened and why."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
import recorded
from recorded import RUN, TRACES, evaluation, iteration
from rich.console import Console

from evolve.history import History
from evolve.iteration import Candidate
from evolve.report.held_out import HeldOut, drawn, held_out, reported, warning
from evolve.report.store import opened
from evolve.rows import RunRow
from evolve.seal import Purpose, Request

SCORES: dict[str, list[float | None]] = {
    "c0": [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
    "c1": [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, None],
    "c2": [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0],
    "c3": [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
}
Step = tuple[Purpose, Sequence[str], Sequence[str]]


def make(folder: Path, *steps: Step) -> Path:
    """A run with three children; steps: who is opened, who of them is measured."""
    path = folder / "population.db"

    async def fill() -> None:
        history = await recorded.begun(path)
        try:
            for number in (1, 2, 3):
                await history.record(RUN.run, iteration(number, survives=number != 2), TRACES)
            for step in steps:
                await opening(history, step)
        finally:
            await history.close()

    asyncio.run(fill())
    return path


async def opening(history: History, step: Step) -> None:
    chosen = [Candidate(one, int(one[1:]), "c0", "0" * 40, "0" * 40) for one in step[1]]
    await history.unseal(RUN.run, chosen, Request(step[0], 10, RUN.instrument))
    measured = [evaluation(int(one[1:]), "final", one, SCORES[one]) for one in step[2]]
    await history.record_final(RUN.run, measured, (), {})


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def found(path: Path, *names: str) -> HeldOut:
    with opened(path, None) as store:
        return held_out(store, names or tuple(SCORES))


def text(one: HeldOut) -> str:
    out = StringIO()
    Console(file=out, width=100).print(drawn(one))
    return out.getvalue()


def test_one_candidate_needs_no_correction(tmp_path: Path) -> None:
    """Baseline and best: one gain, over the documents that both have a score for."""
    one = found(make(tmp_path, ("report", ("c0", "c1"), ("c0", "c1"))))
    assert [each.candidate for each in one.entrants] == ["c0", "c1"]
    assert (one.comparisons, one.luck, one.entrants[0].gain) == (1, 0.0, None)
    gain = one.entrants[1].gain
    assert gain is not None
    assert (gain.value, gain.trials, one.entrants[1].adjusted) == (pytest.approx(5 / 9), 9, None)
    assert "adjusted" not in text(one)
    assert "1 candidate besides the baseline" in text(one)


def test_the_correction_grows_with_whoever_was_opened(tmp_path: Path) -> None:
    """Also with those that are not shown, and with one that was opened and is not measured yet."""
    path = make(tmp_path, ("report", ("c0", "c1"), ("c0", "c1")), ("selection", ("c2", "c3"), ("c2",)))
    one = found(path, "c1")
    assert (one.comparisons, one.opened, one.unfinished) == (3, ("c0", "c1", "c2", "c3"), ("c3",))
    (entrant,) = one.entrants
    assert entrant.gain is not None
    assert entrant.adjusted is not None
    assert entrant.adjusted.value == entrant.gain.value
    assert entrant.adjusted.low < entrant.gain.low
    width = (entrant.adjusted.high - entrant.adjusted.low) / (entrant.gain.high - entrant.gain.low)
    assert width == pytest.approx(
        2.3940 / 1.9600, rel=1e-4
    )  # normal quantiles of 1 - 0.025 / 3 and 1 - 0.025
    assert 0 < one.luck < 0.2
    assert "`adjusted` is the gain with Bonferroni's interval, which holds for all 3 together" in warning(one)


def test_the_log_says_when_for_whom_and_why(tmp_path: Path) -> None:
    """A line for each opening, those of before the log first; who is not measured yet is marked."""
    path = make(tmp_path, ("report", ("c0", "c1"), ("c0", "c1")), ("selection", ("c2", "c3"), ("c2",)))
    change(
        path,
        "DELETE FROM openings WHERE candidate = 'c0'",
        "UPDATE openings SET opened_at = '2026-02-03T04:05:06.7Z'",
    )
    lines = [" ".join(line.split()) for line in text(found(path)).splitlines()]
    start = lines.index("Opened so far") + 1
    assert lines[start : start + 4] == [
        "before there was a log c0",
        "2026-02-03 04:05:06 UTC c1 final report candidate 1",
        "2026-02-03 04:05:06 UTC c2 selection candidate 2",
        "2026-02-03 04:05:06 UTC c3 selection candidate 3 not finished; the same command goes on",
    ]
    assert "for nobody" in text(found(make(tmp_path / "other")))


def test_what_a_report_is_of(tmp_path: Path) -> None:
    """Baseline, best, and the best survivor of each control arm."""
    path = make(tmp_path)
    change(path, "UPDATE candidates SET arm = 'random' WHERE candidate IN ('c2', 'c3')")
    with opened(path, None) as store:
        assert reported(store) == ("c0", "c1", "c3")


def test_the_control_arm_is_named(tmp_path: Path) -> None:
    """A candidate of it is not taken for one that evolution made."""
    path = make(tmp_path, ("report", ("c0", "c3"), ("c0", "c3")))
    change(path, "UPDATE candidates SET arm = 'random' WHERE candidate = 'c3'")
    assert "survived, control arm random" in text(found(path))


def test_other_runs_on_the_same_documents_are_named(tmp_path: Path) -> None:
    """They share what was seen, though not the correction; a run on other documents does not show."""
    path = make(tmp_path, ("report", ("c0", "c1"), ("c0", "c1")))
    other = RunRow(**{**vars(RUN), "run": "other"})

    async def second() -> None:
        history = await History.open(path)
        await history.open_run(other, recorded.documents())
        chosen = [Candidate(one, int(one[1:]), "c0", "0" * 40, "0" * 40) for one in ("c0", "c4", "c5")]
        await history.unseal("other", chosen, Request("selection", 10, RUN.instrument))
        await history.close()

    asyncio.run(second())
    with opened(path, RUN.run) as store:
        one = held_out(store, ["c1"])
    assert (one.elsewhere, one.comparisons) == ({"other": 2}, 1)
    assert "opened in other runs too: other (2 candidates)" in warning(one)
    change(path, "UPDATE documents SET used = 0 WHERE run = 'other' AND split = 'test'")
    with opened(path, RUN.run) as store:
        assert held_out(store, ["c1"]).elsewhere == {}
