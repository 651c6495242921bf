"""`evolve compare`: arms on the same documents with the same instrument, and the table that the paper has.

Uses runs, changes none; has a folder and a journal of its own, in which every call is recorded before its effect.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from evolve.comparing import filing
from evolve.comparing.job import Job, Ready, prepared
from evolve.comparing.running import Comparing, Comparison
from evolve.disk import refuse_full
from evolve.lock import RunLock
from evolve.places import OpenPlace, open_place
from evolve.showing import watched

__all__ = ["Comparison", "Job", "compare"]

Watch = Callable[[Comparing], Awaitable[None]]


async def unwatched(_: Comparing) -> None:
    """Nobody looks."""


async def compare(job: Job, watch: Watch = unwatched) -> Comparison:
    """Compare, or show what is stored of the same comparison.

    Killed at any moment, the same job goes on and pays for nothing twice; a spent budget ends it quietly with what there is.
    watch: runs beside it and is cancelled when it ends; it may look at `notices` and `snapshot()`.

    Raises:
        UsageError: something in the job cannot be used. EvolveError: by kind; what was paid for stands.
    """
    with TemporaryDirectory(prefix="evolve-compare-") as scratch:
        ready = await prepared(job, Path(scratch))
        folder = job.layout.folder / filing.FOLDER
        name, there = filing.find(job.layout.database, folder, ready.facts.fingerprint, new=job.new)
        if there is not None:
            return Comparison(there, again=True)
        async with opened(ready, folder / name) as place:
            comparing = Comparing(ready, name, place)
            async with watched(watch(comparing)):
                return await comparing.execute()


@asynccontextmanager
async def opened(ready: Ready, home: Path) -> AsyncIterator[OpenPlace]:
    """The comparison's folder under its lock, and the place to measure at."""
    job, opening, began = ready.job, ready.opening, ready.opening.recorded
    async with AsyncExitStack() as stack:
        refuse_full(home, ready.settings.storage.free_space)
        stack.enter_context(RunLock(home / "lock"))
        filing.begin(home, ready.facts)
        bred = any(one.id != "c0" for one in job.candidates)
        foreign = bred and began is not None and not began.settings.models["implementer"].simulated
        yield await stack.enter_async_context(
            open_place(
                ready.settings, opening.keys, home / filing.CALLS, opening.layout.folder, foreign_code=foreign
            )
        )
