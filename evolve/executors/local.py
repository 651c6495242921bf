"""Rollouts on this machine: as many at once as there are places, the more urgent first."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.advice import Mix
from harness.rollout import Place, roll_out
from harness.slots import Slots, urgency
from harness.together import together
from harness.trajectory import Rollout
from harness.types import Document, Draw


class LocalExecutor:
    """Runs rollouts in the sandbox of `place`; `live` bounds how many are under way at once, over all iterations.

    mix: how the first of them went.
    """

    def __init__(self, place: Place, live: int, mix: Mix | None = None) -> None:
        self.place = place
        self.slots = Slots(live)
        self.mix = mix or Mix()

    async def run(self, scaffold: Path, documents: Sequence[Document], draw: Draw) -> tuple[Rollout, ...]:
        """See `Executor.run`."""
        return await together(self.one(scaffold, document, draw) for document in documents)

    async def one(self, scaffold: Path, document: Document, draw: Draw) -> Rollout:
        """One rollout, when it is its turn."""
        async with self.slots.hold(urgency(draw)):
            rollout = await roll_out(self.place, scaffold, document, replace(draw, document=document.id))
        self.mix.add(rollout)
        return rollout
