"""A candidate and documents -> an Evaluation. The scaffold is measured from a fresh checkout of its commit."""

from dataclasses import dataclass, replace
from pathlib import Path

from evolve.disk import scratch
from evolve.executors import Executor
from evolve.iteration import Candidate, Evaluation
from evolve.race import Draws
from evolve.repository import Repository
from evolve.seal import Unsealed, require
from harness.together import together
from harness.trajectory import Rollout
from harness.types import Draw, Side, Split

SPLITS: dict[Side, Split] = {
    "baseline": "validation",
    "minibatch": "training",
    "rerun": "training",
    "parent": "validation",
    "child": "validation",
    "record": "validation",
    "final": "test",
}


@dataclass(frozen=True)
class Evaluator:
    """Measures candidates. `instrument` is the hash stored with every score; `folder` takes the checkouts.

    sealed: ids of the test documents. permit: the opening of the test split that `evolve.testing.open_split` wrote down.
    """

    repository: Repository
    executor: Executor
    instrument: str
    folder: Path
    sealed: frozenset[str] = frozenset()
    permit: Unsealed | None = None

    async def __call__(self, candidate: Candidate, draws: Draws, iteration: int, side: Side) -> Evaluation:
        """One rollout for each draw, all at once.

        Raises:
            OurFault, BudgetSpent: as the executor raises them.
            ValueError: test documents without their opening: a programming error.
        """
        require(self.permit, candidate.id, side, (document for document, _ in draws), self.sealed)
        rollouts: tuple[Rollout, ...] = ()
        if draws:
            with scratch(self.folder, f"{iteration}-{side}-") as folder:
                scaffold = folder / "scaffold"
                await self.repository.checkout(candidate.commit, scaffold)
                rollouts = await self.run(scaffold, draws, Draw(iteration, side))
        return Evaluation(candidate.id, iteration, side, SPLITS[side], self.instrument, rollouts)

    async def run(self, scaffold: Path, draws: Draws, draw: Draw) -> tuple[Rollout, ...]:
        """The rollouts in the order of the draws; the executor gets the documents of each trial together."""
        trials = sorted({trial for _, trial in draws})
        waves = [[document for document, number in draws if number == trial] for trial in trials]
        found = await together(
            self.executor.run(scaffold, documents, replace(draw, trial=trial))
            for trial, documents in zip(trials, waves, strict=True)
        )
        rest = {trial: iter(rollouts) for trial, rollouts in zip(trials, found, strict=True)}
        return tuple(numbered(next(rest[trial]), trial) for _, trial in draws)


def numbered(rollout: Rollout, trial: int) -> Rollout:
    """The rollout with the number of its trial."""
    return rollout if rollout.trial == trial else rollout.model_copy(update={"trial": trial})
