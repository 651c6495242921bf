"""What a run goes on with is what its resume goes on with, to the last bit."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import recorded
from recorded import RUN, TRACES, iteration
from report_rows import Scores, against, contends, raced

from evolve.history import History
from evolve.iteration import Iteration
from evolve.memory import QUERIES
from evolve.population import Population


def test_an_iteration_is_kept_as_a_resume_loads_it(tmp_path: Path) -> None:
    """Texts that the database changes and times finer than it holds are kept as they will be read."""
    odd = replace(
        iteration(1),
        reason="why\0 \ud800",
        summary="what\0 \ud800",
        started=1e9 + 1 / 3,
        finished=1e9 + 100 / 3,
    )

    async def both() -> tuple[Iteration, Iteration]:
        history = await recorded.begun(tmp_path / "population.db")
        try:
            return await history.record(RUN.run, odd, TRACES), (await history.load(RUN.run))[1]
        finally:
            await history.close()

    kept, loaded = asyncio.run(both())
    assert kept == loaded
    assert (kept.reason, kept.summary) == ("why\ufffd \ufffd", "what\ufffd \ufffd")


@pytest.mark.parametrize("kind", ["survivor", "claimed", "contender", "dropped"])
def test_records_are_those_that_a_resume_loads(tmp_path: Path, kind: str) -> None:
    """Of every outcome, missing draws and several trials a document included: the loop and its resume go on alike."""
    scores: list[Scores] = [[1.0, None], [0.0, 1.0, 1.0], [None]]
    sides: dict[str, Any] = {"record": [[1.0], [None, 0.0]]} if kind == "claimed" else {}
    one = raced(1, child=scores, parent=[[0.0, None], [1.0]], **sides)
    one = contends(one) if kind == "contender" else one
    one = replace(one, outcome="survived") if kind == "survivor" else one
    later = against("c0", raced(2, of="c1", child=[[0.0], [1.0]], parent=[[None], [1.0, 0.0]]))
    made = [one] if kind == "dropped" else [one, later]

    async def both() -> tuple[list[Iteration], list[Iteration]]:
        history = await recorded.begun(tmp_path / "population.db")
        try:
            kept = [await history.record(RUN.run, each, {}) for each in made]
            return kept, (await history.load(RUN.run))[1:]
        finally:
            await history.close()

    kept, loaded = asyncio.run(both())
    assert kept == loaded
    first, again, whole = (Population([recorded.baseline(), *some]) for some in (kept, loaded, made))
    assert first.records == again.records == whole.records
    assert [list(one.scores) for one in first.records.values()] == [
        list(one.scores) for one in again.records.values()
    ]
    assert ("c1" in first.records) == (kind != "dropped")
    if kind != "dropped":
        assert first.records["c1"].missing == (1 if kind == "claimed" else 2)
        assert first.descent == again.descent == whole.descent


@pytest.mark.parametrize("name", list(QUERIES))
def test_loading_takes_time_by_the_row(tmp_path: Path, name: str) -> None:
    """No query looks through a table again for each row of another."""

    async def empty() -> None:
        await (await History.open(tmp_path / "population.db")).close()

    asyncio.run(empty())
    with closing(sqlite3.connect(tmp_path / "population.db")) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", ["r"]).fetchall()
    assert not [row[3] for row in plan if "CORRELATED" in row[3]]
