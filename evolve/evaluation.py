"""A candidate and documents -> an Evaluation. The scaffold is measured from a fresh checkout of its commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evolve.disk import scratch
from evolve.executors import Executor
from evolve.population import Candidate, Evaluation
from evolve.repository import Repository
from harness.types import Document, Draw, Side, Split

SPLITS: dict[Side, Split] = {
    "baseline": "validation",
    "minibatch": "training",
    "parent": "validation",
    "child": "validation",
    "final": "test",
}


@dataclass(frozen=True)
class Evaluator:
    """Measures candidates. `instrument` is the hash stored with every score; `folder` takes the checkouts."""

    repository: Repository
    executor: Executor
    instrument: str
    folder: Path

    async def __call__(
        self, candidate: Candidate, documents: Sequence[Document], iteration: int, side: Side
    ) -> Evaluation:
        """One rollout a document, all at once.

        Raises:
            OurFault, BudgetSpent: as the executor raises them.
        """
        with scratch(self.folder, f"{iteration}-{side}-") as folder:
            scaffold = folder / "scaffold"
            await self.repository.checkout(candidate.commit, scaffold)
            rollouts = await self.executor.run(scaffold, documents, Draw(iteration, side))
        return Evaluation(candidate.id, iteration, side, SPLITS[side], self.instrument, rollouts)
