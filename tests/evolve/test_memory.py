"""What a run goes on with is what its resume goes on with, to the last bit."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import recorded
from recorded import RUN, TRACES, iteration

from evolve.history import History
from evolve.memory import QUERIES
from evolve.population import Iteration


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


@pytest.mark.parametrize("name", list(QUERIES))
def test_loading_takes_time_by_the_row(tmp_path: Path, name: str) -> None:
    """No query looks through a table again for each row of another."""

    async def empty() -> None:
        await (await History.open(tmp_path / "population.db")).close()

    asyncio.run(empty())
    with closing(sqlite3.connect(tmp_path / "population.db")) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", ["r"]).fetchall()
    assert not [row[3] for row in plan if "CORRELATED" in row[3]]
