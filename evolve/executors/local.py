"""Rollouts on this machine: as many at once as there are places, the more urgent first."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.rollout import Place, roll_out
from harness.slots import Slots, urgency
from harness.together import together
from harness.types import Document, Draw, Rollout


class LocalExecutor:
    """Runs rollouts in the sandbox of `place`; `live` bounds how many are under way at once, over all iterations."""

    def __init__(self, place: Place, live: int) -> None:
        self.place = place
        self.slots = Slots(live)

    async def run(self, scaffold: Path, documents: Sequence[Document], draw: Draw) -> tuple[Rollout, ...]:
        """See `Executor.run`."""
        return await together(self.one(scaffold, document, draw) for document in documents)

    async def one(self, scaffold: Path, document: Document, draw: Draw) -> Rollout:
        """One rollout, when it is its turn."""
        async with self.slots.hold(urgency(draw)):
            return await roll_out(self.place, scaffold, document, replace(draw, document=document.id))
