"""A run as a stream of typed events, for programs. The run goes on beside whoever reads them; nothing calls back."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from evolve.opening import Options
from evolve.recorded import RecordedRun
from evolve.report.overview import Entry, Line, Overview, log
from evolve.report.store import Score, best, opened, scores
from evolve.session import Run, Summary, start

EVERY = 0.1  # seconds between two looks at what was recorded


@dataclass(frozen=True)
class RunStarted:
    """A run is open. iterations: in all, `done` of them by earlier starts. notices: what the command would print."""

    run: str
    resumed: bool
    done: int
    iterations: int
    notices: tuple[str, ...]


@dataclass(frozen=True)
class BaselineMeasured:
    """The scaffold that everything begins with was measured on the validation documents."""

    run: str
    candidate: str
    score: Score


@dataclass(frozen=True)
class IterationDone:
    """An iteration is recorded: what `evolve log` says of it, and the best candidate then, over all its trials."""

    run: str
    entry: Entry
    best: str
    best_score: Score


@dataclass(frozen=True)
class Result:
    """How a run ended: all iterations done, or its budget spent (`message` says which). `overview` is of that moment."""

    run: str
    outcome: Literal["finished", "budget"]
    message: str
    overview: Overview
    recorded: RecordedRun

    @property
    def best(self) -> Line | None:
        """The best candidate with its validation and test scores; None if nothing was measured."""
        return self.overview.best

    @property
    def baseline(self) -> Line | None:
        """The same of the baseline."""
        return self.overview.baseline

    @property
    def folder(self) -> Path:
        """Where the run's repository, traces and journal are."""
        return Path(self.overview.folder)


@dataclass(frozen=True)
class RunFinished:
    """The last event."""

    run: str
    result: Result


Event = RunStarted | BaselineMeasured | IterationDone | RunFinished
Told = asyncio.Queue[RunStarted | int | None]


async def follow(options: Options) -> AsyncGenerator[Event, None]:
    """Start or resume a run and say what happens: once `RunStarted`, the rest as it is recorded, at last `RunFinished`.

    Iterations come in the order in which they end. Closing the iterator stops the run in order: calls in flight are
    awaited and recorded, and the same call goes on later.

    Raises:
        EvolveError: by kind, when all events before it were read.
    """
    told: Told = asyncio.Queue()
    task = asyncio.create_task(start(options, lambda one: tell(one, told)))
    task.add_done_callback(lambda _: told.put_nowait(None))
    name = ""
    try:
        while (what := await told.get()) is not None:
            if isinstance(what, RunStarted):
                name = what.run
                yield what
            else:
                yield await asyncio.to_thread(event_of, options.database, name, what)
        summary = await task
        yield RunFinished(name, await asyncio.to_thread(result_of, options.database, summary))
    finally:
        await stopped(task)


async def stopped(task: asyncio.Task[Summary]) -> None:
    """Cancel a task and wait until it has ended in order.

    Raises:
        EvolveError: it failed while it ended.
    """
    if task.done():
        return
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def tell(one: Run, told: Told) -> None:
    """Put the number of every iteration that is recorded into the queue, until cancelled; then those since."""
    finished = one.results.finished
    seen = len(finished)
    resumed = one.opening.recorded is not None
    told.put_nowait(RunStarted(one.name, resumed, one.done_before, one.iterations, one.notices))
    try:
        while True:
            await asyncio.sleep(EVERY)
            for number in islice(finished, seen, None):
                told.put_nowait(number)
            seen = len(finished)
    finally:
        for number in islice(finished, seen, None):
            told.put_nowait(number)


def event_of(database: Path, run: str, number: int) -> BaselineMeasured | IterationDone:
    """What is told of a recorded iteration; number 0 is the baseline."""
    with opened(database, run) as store:
        (entry,) = log(store, number)
        if number == 0:
            assert entry.child_score is not None
            return BaselineMeasured(run, "c0", entry.child_score)
        winner = best(store)
        return IterationDone(run, entry, winner, scores(store, winner)[winner]["validation"])


def result_of(database: Path, summary: Summary) -> Result:
    """How a run ended, as it is recorded."""
    recorded = RecordedRun(database, summary.run)
    return Result(summary.run, summary.outcome, summary.message, recorded.overview(), recorded)
