"""Simulated runs times measured rollouts -> what a run will use, with a range. Pure; its randomness is handed in."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evolve.assigning import arm_of
from evolve.iteration import Arm
from evolve.null import Simulated
from evolve.planning.guess import Guess, columns
from evolve.planning.values import (
    CALLS,
    COMPLETION,
    PROMPT,
    SECONDS,
    Forecast,
    Limit,
    Line,
    Pilot,
    Range,
    Shape,
    range_of,
)
from harness.budget import BudgetLimits
from harness.types import ROLES, Model, Role

DRAWS = 1000
RESOURCES = ("calls", "tokens", "cost")


@dataclass(frozen=True)
class Plan:
    """What to foretell. runs: simulated, at least one. test: documents of the test split. control: share of the
    iterations that go to the control arms. guesses: of roles that were not measured, used where the pilot has no edits."""

    runs: Sequence[Simulated]
    test: int
    control: float
    workers: int
    models: Mapping[Role, Model]
    budget: BudgetLimits
    pilot: Pilot
    guesses: Mapping[Role, Guess]


@dataclass(frozen=True)
class Drawn:
    """Simulated spending, by draw. rollouts: shape (draws, iterations), in all from the baseline on, iteration by
    iteration; last: shape (draws,), with the final test. one: of a rollout, edit: of an iteration's edit, shape
    (draws, roles, 4)."""

    rollouts: np.ndarray
    last: np.ndarray
    one: np.ndarray
    edit: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Of a whole run, shape (draws, roles, 4)."""
        return np.asarray(self.one * self.last[:, None, None] + self.edit * self.rollouts.shape[1])


def shape_of(runs: Sequence[Simulated], test: int, control: float, survivor: int) -> Shape:
    """The rollouts of simulated runs. survivor: those of a fresh record."""
    finals = np.array([final(one, test, control) for one in runs])
    return Shape(
        iterations=len(runs[0].steps),
        runs=len(runs),
        baseline=range_of(np.array([one.baseline for one in runs])),
        iteration=range_of(np.array([step.rollouts for one in runs for step in one.steps])),
        test=range_of(finals),
        all=range_of(np.array([one.rollouts for one in runs]) + finals),
        kept=float(np.mean([one.kept for one in runs])),
        survivor=survivor,
    )


def final(run: Simulated, test: int, control: float) -> int:
    """Rollouts of the final test: the baseline, and the best of every arm that has kept a child."""
    spent: Counter[Arm] = Counter()
    arms = set()
    for number, step in enumerate(run.steps, 1):
        arm = arm_of(number, control, spent)
        spent[arm] += step.rollouts
        arms |= {arm} if step.kept or step.contender else set()
    return test * (1 + len(arms))


def forecast(plan: Plan, rng: np.random.Generator) -> Forecast:
    """Calls, tokens, money and time of a run."""
    found = drawn(plan, rng)
    walls = wall(plan, found)
    limits = tuple(limit(plan, found, *one) for one in limited(plan.budget))
    if plan.budget.seconds is not None:
        limits = (*limits, of_time(plan, found, walls))
    return Forecast(tuple(lines(plan, found)), range_of_wall(walls), limits, bool(len(plan.pilot.edits)))


def drawn(plan: Plan, rng: np.random.Generator) -> Drawn:
    """Each draw is one of the simulated runs with rollouts drawn from a resampled pilot."""
    chosen = [plan.runs[at % len(plan.runs)] for at in range(DRAWS)]
    steps = np.array([[step.rollouts for step in one.steps] for one in chosen])
    rollouts = np.array([one.baseline for one in chosen])[:, None] + steps.cumsum(axis=1)
    last = rollouts[:, -1] + [final(one, plan.test, plan.control) for one in chosen]
    one = np.array([mean_rollout(plan.pilot, int(number), rng) for number in last])
    edit = np.array([edit_of(plan, rng) for _ in chosen])
    return Drawn(rollouts, last, one, edit)


def mean_rollout(pilot: Pilot, number: int, rng: np.random.Generator) -> np.ndarray:
    """Mean use of so many rollouts, shape (roles, 4), of documents that might as well have been in the pilot.

    One document fewer than there are is drawn, with replacement: drawing all would understate the variance of few
    (Rao and Wu 1988, "Resampling inference with complex survey data", J. Am. Stat. Assoc. 83:231-241).
    """
    documents = pilot.documents
    times = np.bincount(rng.integers(documents, size=max(1, documents - 1)), minlength=documents)
    weights = times[pilot.document]
    counts = rng.multinomial(number, weights / weights.sum())
    return np.asarray(np.tensordot(counts, pilot.use, axes=1) / number)


def edit_of(plan: Plan, rng: np.random.Generator) -> np.ndarray:
    """Use of the roles that edit in one iteration, shape (roles, 4): resampled, or within the bounds of the guesses."""
    edits = plan.pilot.edits
    if len(edits):
        return np.asarray(edits[rng.integers(len(edits), size=max(1, len(edits) - 1))].mean(axis=0))
    made = np.zeros((len(ROLES), 4))
    for role, guess in plan.guesses.items():
        made[ROLES.index(role)] = columns(guess, rng.uniform(*guess.calls), rng.uniform(*guess.answer))
    return made


def amounts(use: np.ndarray, models: Mapping[Role, Model]) -> dict[str, np.ndarray]:
    """Calls, tokens and US dollars of each role, shape (..., roles); NaN dollars where a price is not known."""
    asked, said = use[..., PROMPT], use[..., COMPLETION]
    prices = [(models[role].input_price, models[role].output_price) for role in ROLES]
    known = np.array([[np.nan if one is None else one for one in pair] for pair in prices]) / 1e6
    cost = np.where(use[..., CALLS] > 0, asked * known[:, 0] + said * known[:, 1], 0.0)
    return {"calls": use[..., CALLS], "tokens": asked + said, "cost": cost}


def lines(plan: Plan, found: Drawn) -> Iterator[Line]:
    """A line for each role that is asked anything, and one for all."""
    each = amounts(found.total, plan.models)
    for at, role in enumerate(ROLES):
        if each["calls"][:, at].any():
            cost = ranged(each["cost"][:, at])
            yield Line(
                role,
                range_of(each["calls"][:, at]),
                range_of(each["tokens"][:, at]),
                cost,
                role in plan.pilot.simulated,
            )
    calls, tokens, dollars = (each[name].sum(axis=1) for name in RESOURCES)
    yield Line("all", range_of(calls), range_of(tokens), ranged(dollars), bool(plan.pilot.simulated))


def ranged(values: np.ndarray) -> Range | None:
    """The range of values that are all known."""
    return None if np.isnan(values).any() else range_of(values)


def limited(budget: BudgetLimits) -> Iterator[tuple[str, float, Role | None]]:
    """Limits that are set, but that of the wall time: name, value, and the role it is for."""
    for role, one in ((None, budget), *budget.roles.items()):
        for name in RESOURCES if role is None else (*RESOURCES, "seconds"):
            if (value := getattr(one, name)) is not None:
                yield name, float(value), role


def limit(plan: Plan, found: Drawn, name: str, value: float, role: Role | None) -> Limit:
    """How far one limit lasts."""
    places = list(range(len(ROLES))) if role is None else [ROLES.index(role)]

    def of(use: np.ndarray) -> np.ndarray:
        each = use[..., SECONDS] if name == "seconds" else amounts(use, plan.models)[name]
        return np.asarray(each[..., places].sum(axis=-1))

    count = np.arange(1, found.rollouts.shape[1] + 1)
    course = of(found.one)[:, None] * found.rollouts + of(found.edit)[:, None] * count
    reached = (course <= value).sum(axis=1)
    return Limit(name, value, role, range_of(reached), float((of(found.total) <= value).mean()))


def wall(plan: Plan, found: Drawn) -> np.ndarray:
    """Least and most seconds of each draw, shape (2, draws).

    At least the work over the slots, and at least the longest chain of what waits for one another; at most the sum of
    both (Graham 1966, "Bounds for certain multiprocessing anomalies", Bell Syst. Tech. J. 45:1563-1581). A batch of
    rollouts is over with its slowest one: the median rollout for the least, the 90th percentile for the most.
    """
    seconds = found.total[..., SECONDS]
    accounts: dict[str, list[int]] = {}
    for at, role in enumerate(ROLES):
        accounts.setdefault(plan.models[role].account, []).append(at)
    slots = {account: max(plan.models[ROLES[at]].slots for at in them) for account, them in accounts.items()}
    work = np.max(
        [seconds[:, them].sum(axis=1) / slots[account] for account, them in accounts.items()], axis=0
    )
    batches = np.array([waits(one, plan.workers) for one in plan.runs])[np.arange(DRAWS) % len(plan.runs)]
    edits = found.edit[..., SECONDS].sum(axis=1) * found.rollouts.shape[1] / plan.workers
    usual, slow = np.percentile(plan.pilot.elapsed, (50, 90))
    return np.stack([np.maximum(work, batches * usual + edits), work + batches * slow + edits])


def waits(run: Simulated, workers: int) -> float:
    """How many batches of rollouts follow one another: baseline, test; in an iteration parent, child, looks, record."""
    chain = sum(2 + one.looks + (one.record > 0) for one in run.steps)
    return 2 + chain / min(workers, len(run.steps))


def range_of_wall(walls: np.ndarray) -> Range:
    """From the least to the most, both at their ends."""
    middle = range_of(walls.mean(axis=0)).middle
    return Range(range_of(walls[0]).low, middle, range_of(walls[1]).high)


def of_time(plan: Plan, found: Drawn, walls: np.ndarray) -> Limit:
    """How far the wall time of one start lasts, if iterations take their time evenly."""
    value = float(plan.budget.seconds or 0)
    middle = np.maximum(walls.mean(axis=0), 1e-9)
    reached = np.floor(found.rollouts.shape[1] * np.minimum(1.0, value / middle))
    return Limit("seconds", value, None, range_of(reached), float((middle <= value).mean()))
