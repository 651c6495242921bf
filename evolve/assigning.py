"""What an iteration sets out to do: its arm, how its child is made, from whom. Pure, but for `maker`, which does it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from math import floor

import numpy as np

from evolve.bandit import draw, probabilities, summarise
from evolve.case import Case
from evolve.iteration import Arm, Candidate, Choice, Operator
from evolve.loop import Task
from evolve.operators import Attempt, merge
from evolve.population import Population
from evolve.selection import Pressure, Select

CONTROLS: tuple[Arm, ...] = ("random", "best_of")
TURNS = 3
WINDOW = 1000  # iterations that the bandit looks back on


@dataclass(frozen=True)
class Policy:
    """How tasks are given out.

    control: share of the rollouts that goes to the control arms. operator: the only one, if the user fixed it.
    agent: whether there is an external one. arm: of all other iterations.
    """

    select: Select
    pressure: Pressure
    control: float
    operator: Operator | None
    agent: bool
    arm: Arm = "evolution"


def arm_of(number: int, control: float, spent: Mapping[Arm, int]) -> Arm:
    """The arm of an iteration: a control arm while these had less than their share of the rollouts, the poorer one first.

    spent: rollouts of each arm, as far as the iteration sees. It does not see what runs beside it, hence control arms get
    at most three times their share of the iterations, evenly spread: without that they would overshoot at the start.
    """
    turn = min(1.0, TURNS * control)
    if floor(number * turn + 1e-9) == floor((number - 1) * turn + 1e-9):
        return "evolution"
    theirs = {arm: spent.get(arm, 0) for arm in CONTROLS}
    if sum(theirs.values()) > control * sum(spent.values()):
        return "evolution"
    return min(CONTROLS, key=lambda arm: theirs[arm])


def task_of(policy: Policy, number: int, seen: Population, rng: np.random.Generator) -> Task:
    """The task of an iteration that sees that much.

    Control arms know nothing of evolution: best of n always starts from the baseline, random edits from what random
    edits have led to. Both survive by the same rule at the same cost.
    """
    arm = arm_of(number, policy.control, seen.spent) if policy.arm == "evolution" else policy.arm
    standings = [seen.standings["c0"]] if arm == "best_of" else [one for one in seen.arm(arm) if one.trials]
    choice = policy.select(standings, seen.children, policy.pressure, rng)
    if arm == "random":
        return Task(arm, "random", choice)
    if arm == "best_of":
        return Task(arm, "edit", choice)
    partner = merge.partner(seen, choice.parent, rng)
    possible: list[Operator] = ["edit"]
    possible += ["merge"] if partner is not None else []
    possible += ["agent"] if policy.agent else []
    chosen = operator_of(policy, possible, seen, rng)
    if chosen != "merge" or partner is None:
        return Task(arm, chosen, choice)
    return Task(arm, chosen, *ordered(seen, choice, partner))


def ordered(seen: Population, choice: Choice, partner: Candidate) -> tuple[Choice, Candidate]:
    """Parent and partner of a merge: the parent is the one whose line is the better one, by reference and then by itself.

    The child is compared with the parent's reference. Were that the worse one, a merge could survive by what the partner
    was shown to have before.
    """
    first, second = sorted((choice.parent, partner), key=lambda one: standing(seen, one), reverse=True)
    return replace(choice, parent=first), second


def standing(seen: Population, one: Candidate) -> tuple[float, float]:
    """The scores of its reference and of itself."""
    return seen.standings[seen.reference(one).id].score, seen.standings[one.id].score


def operator_of(
    policy: Policy, possible: list[Operator], seen: Population, rng: np.random.Generator
) -> Operator:
    """The operator that the user fixed where it is possible, an edit where it is not; else what the bandit draws."""
    if policy.operator is not None:
        return policy.operator if policy.operator in possible else "edit"
    if len(possible) == 1:
        return possible[0]
    return draw(probabilities(summarise(seen.iterations[-WINDOW:]), possible), rng)


def maker(way: Callable[[Task, Case], Awaitable[Attempt]]) -> Callable[[Task, Case], Awaitable[Attempt]]:
    """Makes the child of a task in its way; the child belongs to the task's arm."""

    async def make(task: Task, case: Case) -> Attempt:
        attempt = await way(task, case)
        child = attempt.proposal.child
        if child is None or child.arm == task.arm:
            return attempt
        return replace(attempt, proposal=replace(attempt.proposal, child=of_arm(child, task.arm)))

    return make


def of_arm(child: Candidate, arm: Arm) -> Candidate:
    """The candidate as one of that arm."""
    return replace(child, arm=arm)
