"""What is known of the cost of rollouts and edits, and what is foretold of a run. Values only."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.types import ROLES, Role

CALLS, PROMPT, COMPLETION, SECONDS = range(4)
EDITING: tuple[Role, ...] = ("analyzer", "implementer")
PLACE = {role: at for at, role in enumerate(ROLES)}


@dataclass(frozen=True)
class Pilot:
    """Measured rollouts, and measured edits if there are any.

    use: shape (rollouts, roles, 4), in the order of ROLES: calls, prompt and completion tokens, seconds of calls.
    document: shape (rollouts,), a number for each document. elapsed: shape (rollouts,), seconds from its first call to
    its last answer. edits: the same as `use` by iteration, shape (iterations, roles, 4). fruitless: share of the
    recorded iterations that made no child. outcomes: how the rollouts ended, where that is known. source: in words.
    """

    source: str
    simulated: tuple[Role, ...]
    use: np.ndarray
    document: np.ndarray
    elapsed: np.ndarray
    edits: np.ndarray
    fruitless: float = 0.0
    outcomes: tuple[tuple[str, int], ...] = ()

    @property
    def rollouts(self) -> int:
        return len(self.use)

    @property
    def documents(self) -> int:
        return len(np.unique(self.document))


@dataclass(frozen=True)
class Range:
    """Median, and the ends of the range that holds 90 % of the simulated runs."""

    low: float
    middle: float
    high: float


def range_of(values: np.ndarray) -> Range:
    """5th, 50th and 95th percentile of values, shape (runs,)."""
    low, middle, high = (float(one) for one in np.percentile(values, (5, 50, 95)))
    return Range(low, middle, high)


@dataclass(frozen=True)
class Line:
    """What a role, or all of them, will use. cost: US dollars at the prices of the settings; None: a price is not known."""

    role: Role | Literal["all"]
    calls: Range
    tokens: Range
    cost: Range | None
    simulated: bool


@dataclass(frozen=True)
class Limit:
    """One limit of the budget, of a role or of all: iterations that it lets finish, and the share of simulated runs that
    stay within it with their final test."""

    name: str
    value: float
    role: Role | None
    iterations: Range
    whole: float


@dataclass(frozen=True)
class Shape:
    """Rollouts of a run, from the simulated runs alone. kept: mean number of children that are kept;
    survivor: rollouts of the fresh record of each."""

    iterations: int
    runs: int
    baseline: Range
    iteration: Range
    test: Range
    all: Range
    kept: float
    survivor: int


@dataclass(frozen=True)
class Forecast:
    """What a run will use. wall: seconds, from perfect to poor use of the call slots; None without latencies.

    edits_measured: whether analyzer and implementer were measured, or estimated from the size of their prompts.
    """

    lines: tuple[Line, ...]
    wall: Range | None
    limits: tuple[Limit, ...]
    edits_measured: bool
