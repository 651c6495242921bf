"""What a run goes on with is what its resume goes on with, to the last bit."""

import asyncio
from dataclasses import replace
from pathlib import Path

import recorded
from recorded import RUN, TRACES, iteration

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
