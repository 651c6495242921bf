"""Whole runs of the engine for engine.py, in scratch folders: database, git, traces, simulated analyzer and implementer.

Not a benchmark itself.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.engine_world import RATION, Ration, in_world
from evolve.assembly import instrument_of
from evolve.executors import Executor, world
from evolve.opening import Options
from evolve.population import Population
from evolve.repository import Repository
from evolve.session import Run, start
from evolve.settings import validate
from harness.documents import divide, load
from harness.types import Document, Draw, Side

NULL, WORLD = "bench.null_world", "bench.engine_world"
WORKERS, ENDLESS = 8, 1_000
VALIDATION, TEST = 44, 84  # all that the text of the Python installation has
TRIALS = 8
TEXT = "The ledger keeps the lease before any token gets through to the disk. " * 8


@dataclass(frozen=True)
class Arm:
    """A way to search, as settings. One whose name begins with spaces is a variant, which runs if it is asked for."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


PAPER = {
    "search.temperature": 0.1,
    "search.survival": "strict",
    "search.shrink": False,
    "search.rerun": False,
    "search.screen": False,
    "search.same_edit": "tree",
    "search.operator": "edit",
}
OURS = "sequential"
ARMS = (
    Arm(OURS),
    Arm("strict (the paper)", PAPER),
    Arm("hill climbing", PAPER | {"search.temperature": 0.001}),
    Arm("random edits, strict", PAPER | {"search.arm": "random"}),
    Arm("best of n, strict", PAPER | {"search.arm": "best_of"}),
    Arm("  without contenders", {"search.contend": 0}),
    Arm("  without screen", {"search.screen": False}),
    Arm("  without screen and rerun", {"search.screen": False, "search.rerun": False}),
    Arm("  random edits, sequential", {"search.arm": "random"}),
    Arm("  best of n, sequential", {"search.arm": "best_of"}),
)


@dataclass(frozen=True)
class Null:
    """A run in which all candidates are equal. contests: children that came so far; survived: those kept."""

    seed: int
    contests: int
    survived: int
    rollouts: int


@dataclass(frozen=True)
class Ended:
    """A run of an arm. iterations, rollouts: within its ration. kept: children that may be parents. best, baseline: on test
    documents."""

    arm: str
    seed: int
    iterations: int
    rollouts: int
    kept: int
    best: float
    baseline: float


def null(iterations: int, seed: int) -> Null:
    """A run of so many iterations on 50 documents with the default settings, but for the control arm."""
    with TemporaryDirectory(dir=shared()) as folder:
        texts = Path(folder) / "documents.jsonl"
        lines = (json.dumps({"name": f"d{at}", "text": f"Document {at}. {TEXT}"}) for at in range(320))
        texts.write_text("\n".join(lines), "utf-8")
        settings = {"documents.path": str(texts), "documents.validation": 50, "documents.test": 2}
        population = asyncio.run(
            ran(Path(folder), iterations, {"executor": NULL, "search.seed": seed, **settings})
        )
    found = [one for one in population.iterations if one.number]
    measured = [side for one in population.iterations for side in one.evaluations]
    return Null(
        seed=seed,
        contests=sum(one.side("child") is not None for one in found),
        survived=sum(one.outcome == "survived" for one in found),
        rollouts=sum(one.tally.trials for one in measured),
    )


def played(rollouts: int, arm: Arm, seed: int) -> Ended:
    """A run of an arm that has so many rollouts, and its best candidate on the test documents."""
    ration = Ration(rollouts)
    RATION.set(ration)
    with TemporaryDirectory(dir=shared()) as folder:
        wanted = {"executor": WORLD, "search.seed": seed, "documents.validation": VALIDATION, **arm.settings}
        population = asyncio.run(ran(Path(folder), ENDLESS, wanted, ration)).upto(ration.last)
        best, baseline = asyncio.run(tested(Path(folder), population, seed))
    return Ended(
        arm=arm.name,
        seed=seed,
        iterations=ration.last,
        rollouts=ration.used(ration.last),
        kept=len(population.standings) - 1,
        best=best,
        baseline=baseline,
    )


async def ran(
    folder: Path, iterations: int, settings: Mapping[str, Any], ration: Ration | None = None
) -> Population:
    """A run to its end, without control arm; its population."""
    runs: list[Run] = []

    async def watch(run: Run) -> None:
        runs.append(run)
        if ration is not None:
            ration.results = run.results
        await asyncio.Event().wait()

    overrides = {"search.control": 0.0, **settings}
    await start(Options(folder, folder / "population.db", iterations, WORKERS, overrides=overrides), watch)
    return runs[0].results.population


async def tested(folder: Path, population: Population, seed: int) -> tuple[float, float]:
    """Mean scores of the best candidate and of the baseline on all test documents, by fresh draws."""
    chosen = population.best.candidate, population.baseline
    documents = divide(load(None), VALIDATION, TEST).test
    executor = executor_of(seed)
    (home,) = (folder / "runs").iterdir()
    repository, found = Repository(home / "candidates.git"), []
    try:
        for at, one in enumerate(chosen):
            scaffold = folder / f"tested-{at}"
            await repository.checkout(one.commit, scaffold)
            found.append(float(np.mean(await scores(executor, scaffold, documents, "final"))))
    finally:
        repository.close()
    return found[0], found[1]


def executor_of(seed: int) -> world.WorldExecutor:
    """The simulated world, not counted."""
    settings = validate({"search": {"seed": seed}, "executor": WORLD}, "the benchmark")
    return in_world(settings, instrument_of(settings))


async def scores(
    executor: Executor, scaffold: Path, documents: tuple[Document, ...], side: Side
) -> np.ndarray:
    """Scores of several trials, shape (trials, documents)."""
    found = [
        [one.score for one in await executor.run(scaffold, documents, Draw(0, side, trial=trial))]
        for trial in range(TRIALS)
    ]
    return np.array(found, dtype=float)


def shared() -> str | None:
    """A folder in memory, where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
