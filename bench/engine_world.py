"""An executor for engine.py: the simulated world with its rollouts counted, which ends a run that has used up its share.

`create` runs in the process of a run, so what a benchmark wants to know of it is handed over in `RATION`.
"""

from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from evolve.executors import Executor, world
from evolve.executors.bank import Bank
from evolve.results import Results
from evolve.settings import Settings
from harness.errors import BudgetSpent
from harness.instrument import Instrument
from harness.trajectory import Rollout
from harness.types import Document, Draw

SIZE = 16


@dataclass
class Ration:
    """Rollouts that a run may take. taken: by iteration. results: those of the run, once there are any.

    What counts is the iterations in order: the run goes on until the finished ones, without a gap, have used it all, and
    `last` is the last one that is wholly within it. So the end depends on no speed, and nothing half done is paid for.
    """

    rollouts: int
    taken: Counter[int] = field(default_factory=Counter)
    results: Results | None = None

    @property
    def spent(self) -> bool:
        complete = -1 if self.results is None else self.results.complete
        return self.used(complete) >= self.rollouts

    @property
    def last(self) -> int:
        """The last iteration within the ration; 0, the baseline, always is."""
        complete = 0 if self.results is None else self.results.complete
        return max(at for at in range(complete + 1) if at == 0 or self.used(at) <= self.rollouts)

    def used(self, number: int) -> int:
        """Rollouts of iterations 0..number."""
        return sum(self.taken[at] for at in range(number + 1))


RATION: ContextVar[Ration] = ContextVar("RATION")


class Rationed:
    """An executor that counts, and refuses when the ration of the run is spent."""

    def __init__(self, executor: Executor, ration: Ration) -> None:
        self.executor = executor
        self.ration = ration

    async def run(self, scaffold: Path, documents: Sequence[Document], draw: Draw) -> tuple[Rollout, ...]:
        """See `evolve.executors.Executor.run`.

        Raises:
            BudgetSpent: the ration is spent.
        """
        if self.ration.spent:
            raise BudgetSpent(f"the ration of {self.ration.rollouts:,} rollouts is spent")
        self.ration.taken[draw.iteration] += len(documents)
        return await self.executor.run(scaffold, documents, draw)


def create(settings: Settings, instrument: Instrument) -> Rationed:
    """See evolve.assembly.executor_of."""
    return Rationed(in_world(settings, instrument), RATION.get())


def in_world(settings: Settings, instrument: Instrument) -> world.WorldExecutor:
    """The simulated world; its bank serves all runs of a process."""
    made = world.create(settings, instrument)
    made.bank = bank(Key(instrument.hash, settings.simulation.seed, instrument))
    return made


@dataclass(frozen=True)
class Key:
    """What a bank depends on: the first two."""

    hash: str
    seed: int
    instrument: Instrument = field(compare=False)


@lru_cache(maxsize=4)
def bank(key: Key) -> Bank:
    """The bank of an instrument in a world, one in a process. A small one: to fill it takes most of the time."""
    return Bank(key.instrument, key.seed, SIZE)
