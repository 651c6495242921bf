"""Runs of the engine on the real path of rollouts (sandbox, gateway, journal), compared with the simulated world's draws.

For engine.py; not a benchmark itself.
"""

import asyncio
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.engine_runs import TEST, VALIDATION, Arm, executor_of, ran, scores, shared
from evolve.history import History
from evolve.population import Population, Standing
from evolve.repository import Repository
from harness.documents import divide, load

ROUGH = 0.01
"""Standard error of what a small bank of results makes of a candidate's mean, besides that of the draws."""


@dataclass(frozen=True)
class Twin:
    """A candidate's score on the validation documents: recorded in a run on the real path, and drawn in the world.

    error: standard error of the difference.
    """

    candidate: str
    real: float
    drawn: float
    error: float

    @property
    def off(self) -> float:
        """The difference in standard errors."""
        return (self.real - self.drawn) / self.error


@dataclass(frozen=True)
class Real:
    """A run on the real path. best, baseline: on the test documents, once each, as the run itself opened them."""

    seed: int
    best: float
    baseline: float
    twins: tuple[Twin, ...]


def real(arm: Arm, seed: int, iterations: int) -> Real:
    """A run of so many iterations, and what the world makes of its candidates."""
    with TemporaryDirectory(dir=shared()) as folder:
        wanted = {"search.seed": seed, "documents.validation": VALIDATION, "documents.test": TEST}
        population = asyncio.run(ran(Path(folder), iterations, wanted | dict(arm.settings)))
        return asyncio.run(compared(Path(folder), population, seed))


async def compared(folder: Path, population: Population, seed: int) -> Real:
    """Final scores from the database; the others, by fresh draws of the world, of baseline and survivors.

    Contenders are left out: the draws of their trials are too high, as those that were chosen always are.
    """
    (home,) = (folder / "runs").iterdir()
    history = await History.open(folder / "population.db")
    try:
        finals = {one.candidate: one.mean or 0.0 for one in await history.finals(home.name)}
    finally:
        await history.close()
    repository = Repository(home / "candidates.git")
    try:
        honest = [
            one for key, one in population.standings.items() if key not in population.descent.contenders
        ]
        twins = [await twin(folder, repository, one, seed) for one in honest]
    finally:
        repository.close()
    best, baseline = population.best.candidate.id, population.baseline.id
    return Real(seed, finals[best], finals[baseline], tuple(twins))


async def twin(folder: Path, repository: Repository, standing: Standing, seed: int) -> Twin:
    """The same candidate in the simulated world."""
    scaffold = folder / f"twin-{standing.candidate.id}"
    await repository.checkout(standing.candidate.commit, scaffold)
    documents = divide(load(None), VALIDATION, TEST).validation
    drawn = await scores(executor_of(seed), scaffold, documents, "child")
    means = (drawn.sum(axis=0) + 2) / (len(drawn) + 4)
    variance = float((means * (1 - means)).sum()) / len(drawn) / len(documents) ** 2
    error = sqrt(variance + standing.record.variance + ROUGH**2)
    return Twin(standing.candidate.id, standing.score, float(np.mean(drawn)), error)
