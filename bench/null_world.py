"""An executor without any difference between candidates: each document has its pass rate, whatever scaffold is run.

For engine.py. Trajectories that are read are real ones of the simulated world, with another document's name on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import count
from pathlib import Path

import numpy as np

from bench.engine_world import Key, bank
from evolve.executors import world
from evolve.layout import embedded_scaffold
from evolve.pass_rates import LEAST_RATE
from evolve.settings import Settings
from harness.documents import divide, load
from harness.instrument import Instrument
from harness.sandbox import Sandbox
from harness.trajectory import Rollout, Step
from harness.types import Document, Draw

POOL = 30


def create(settings: Settings, instrument: Instrument) -> "NullExecutor":
    """See evolve.assembly.executor_of; the seed of the run is the seed of the pass rates."""
    key = Key(instrument.hash, settings.simulation.seed, instrument)
    return NullExecutor(settings.search.seed, pool(key))


@dataclass(frozen=True)
class Pools:
    """Rollouts by score, with their trajectories and without."""

    whole: Mapping[float, tuple[Rollout, ...]]
    bare: Mapping[float, tuple[Rollout, ...]]


class NullExecutor:
    """Rollouts that score 1 with the document's pass rate, which is Beta(1, 1), else 0."""

    def __init__(self, seed: int, pools: Pools) -> None:
        self.seed = seed
        self.pools = pools
        self.rates: dict[str, float] = {}

    async def run(self, scaffold: Path, documents: Sequence[Document], draw: Draw) -> tuple[Rollout, ...]:
        """See `evolve.executors.Executor.run`."""
        return tuple(self.one(document, draw) for document in documents)

    def one(self, document: Document, draw: Draw) -> Rollout:
        """One rollout."""
        rng = generator(self.seed, draw.iteration, draw.side, draw.trial, document.id)
        pools = self.pools.whole if draw.side in world.WHOLE else self.pools.bare
        among = pools[float(rng.random() < self.rate(document.id))]
        changes = {"document": document.id, "name": document.name, "trial": draw.trial}
        return among[int(rng.integers(len(among)))].model_copy(update=changes)

    def rate(self, document: str) -> float:
        """The pass rate of a document, the same for every candidate."""
        if document not in self.rates:
            drawn = generator(self.seed, document).beta(1, 1)
            self.rates[document] = float(np.clip(drawn, LEAST_RATE, 1 - LEAST_RATE))
        return self.rates[document]


def generator(*parts: object) -> np.random.Generator:
    """Randomness that depends on all parts."""
    return np.random.default_rng(int.from_bytes(sha256(repr(parts).encode()).digest()[:16], "big"))


@lru_cache(maxsize=4)
def pool(key: Key) -> Pools:
    """Rollouts of the embedded scaffold, at least `POOL` of each score; drawn once in a process."""
    executor = world.WorldExecutor(bank(key), 0, no_sandbox)
    documents, flow = divide(load(None), 2, 2).training[:POOL], world.read_flow(embedded_scaffold("cs"))
    assert flow is not None
    found: dict[float, list[Rollout]] = {0.0: [], 1.0: []}
    for trial in count():
        for document in documents:
            one = executor.imitated(flow, document, Draw(0, "minibatch", document.id, trial))
            found[one.score or 0.0].append(one)
        if min(map(len, found.values())) >= POOL:
            whole = {score: tuple(rollouts[: 2 * POOL]) for score, rollouts in found.items()}
            return Pools(whole, {score: tuple(map(bare, rollouts)) for score, rollouts in whole.items()})
    raise AssertionError("unreachable")


def bare(rollout: Rollout) -> Rollout:
    """The rollout with nothing but its reports."""
    told = [one for one in rollout.steps if one.report is not None]
    steps = tuple(Step(kind="submit", ordinal=one.ordinal, report=one.report) for one in told)
    return rollout.model_copy(update={"steps": steps, "example": None})


async def no_sandbox() -> Sandbox:
    """The embedded scaffold is imitated."""
    raise AssertionError("the embedded scaffold needs no sandbox here")
