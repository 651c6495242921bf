"""Where rollouts run: one file a place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from harness.trajectory import Rollout
from harness.types import Document, Draw


class Executor(Protocol):
    """A place that runs rollouts."""

    async def run(self, scaffold: Path, documents: Sequence[Document], draw: Draw) -> tuple[Rollout, ...]:
        """One rollout a document, in the order of the documents; `draw` names iteration and side.

        Raises:
            OurFault, BudgetSpent: the run cannot go on; the rollouts that were under way are given up.
        """
        ...
