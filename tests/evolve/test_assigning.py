"""Tasks: the control arms get their share, and neither arm knows what another has found."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from evolve_fakes import baseline, child, compared, evaluation

from evolve.assigning import Policy, arm_of, maker, of_arm, operator_of, ordered, task_of
from evolve.case import Case
from evolve.iteration import Arm, Choice, Iteration, Proposal
from evolve.loop import Task
from evolve.operators import Attempt
from evolve.population import Population
from evolve.selection import Pressure
from evolve.selection.boltzmann import select
from harness.types import Draw

POLICY = Policy(select, Pressure(1.0), 0.5, "edit", False)


def survivor(number: int, arm: Arm, parent: str = "c0") -> Iteration:
    """An iteration of an arm that kept a very good child."""
    one = compared(number, [0.0] * 6, [1.0] * 6, parent=parent)
    return replace(one, arm=arm, child=replace(child(number, parent), arm=arm))


def tasks(policy: Policy, seen: Population, numbers: range) -> list[Task]:
    return [task_of(policy, number, seen, np.random.default_rng([1, number])) for number in numbers]


SEEN = Population(
    [
        baseline(),
        survivor(1, "evolution"),
        survivor(2, "random"),
        survivor(3, "best_of"),
        survivor(4, "random", "c2"),
        survivor(5, "evolution", "c1"),
    ]
)


def played(control: float, costs: Mapping[Arm, int], iterations: int = 400) -> Counter[Arm]:
    """Rollouts by arm after so many iterations, one after the other, whose cost hangs on the arm."""
    spent: Counter[Arm] = Counter()
    for number in range(1, iterations + 1):
        arm = arm_of(number, control, spent)
        spent[arm] += costs[arm]
    return spent


@pytest.mark.parametrize("control", [0.01, 0.1, 0.125, 0.25, 0.5])
@pytest.mark.parametrize(("random", "best_of"), [(100, 100), (40, 100), (150, 60)])
def test_the_control_arms_get_their_share_of_the_rollouts(control: float, random: int, best_of: int) -> None:
    """Whatever an iteration of an arm costs, both together get the share, and half of it each."""
    spent = played(control, {"evolution": 100, "random": random, "best_of": best_of}, 2000)
    share = (spent["random"] + spent["best_of"]) / spent.total()
    assert share == pytest.approx(control, abs=0.02)
    assert abs(spent["random"] - spent["best_of"]) <= max(random, best_of)


def test_cheap_control_iterations_are_at_most_three_times_their_share() -> None:
    """Where control children stop at once, more of them are tried, but not without end."""
    numbers = [arm_of(number, 0.1, {"evolution": 10**6, "random": 1}) for number in range(1, 101)]
    assert sum(arm != "evolution" for arm in numbers) == 30


def test_no_share_is_no_control() -> None:
    """With 0 every iteration is evolution's."""
    assert played(0.0, {"evolution": 1, "random": 1, "best_of": 1}) == {"evolution": 400}


def test_each_arm_has_its_own_parents() -> None:
    """Best of n starts from the baseline, random edits from what they led to, evolution from neither."""
    parents: dict[Arm, set[str]] = {"evolution": set(), "random": set(), "best_of": set()}
    for arm in parents:
        for one in tasks(replace(POLICY, arm=arm, control=0.0), SEEN, range(6, 106)):
            assert one.arm == arm
            parents[arm].add(one.choice.parent.id)
            assert set(one.choice.probabilities) >= {one.choice.parent.id}
    assert parents == {"evolution": {"c0", "c1", "c5"}, "random": {"c0", "c2", "c4"}, "best_of": {"c0"}}


def test_each_arm_has_its_own_way() -> None:
    """Whatever operator is fixed, random edits are random and best of n edits."""
    arms: tuple[Arm, ...] = ("random", "best_of")
    policies = [replace(POLICY, operator="merge", arm=arm) for arm in arms]
    found = {one.arm: one.operator for policy in policies for one in tasks(policy, SEEN, range(6, 12))}
    assert found["random"] == "random"
    assert found["best_of"] == "edit"


def test_no_control_is_evolution_alone() -> None:
    """A share of 0 leaves no trace of the other arms."""
    found = tasks(replace(POLICY, control=0.0), SEEN, range(6, 106))
    assert {one.arm for one in found} == {"evolution"}


def test_a_fixed_operator_is_the_only_one() -> None:
    """Where it is possible; a merge comes with its second parent, anything else without."""
    merges = tasks(replace(POLICY, control=0.0, operator="merge"), wide(), range(6, 60))
    for one in merges:
        assert (one.operator == "merge") == (one.partner is not None)
        if one.partner is not None:
            assert one.partner.arm == "evolution"
            assert one.partner.id != one.choice.parent.id
    assert {one.operator for one in merges} == {"merge", "edit"}  # the baseline has nobody to merge with
    edits = tasks(replace(POLICY, control=0.0, agent=True), wide(), range(6, 60))
    assert {(one.operator, one.partner) for one in edits} == {("edit", None)}


def test_a_merge_is_held_to_the_better_of_two_lines() -> None:
    """Parent is the survivor, whoever was drawn first: against the baseline the child could win by what that one had."""
    weak = replace(compared(2, [0.0] * 6, [0.0] * 5 + [1.0]), outcome="contender", child=child(2, "c0"))
    seen = Population([baseline(), survivor(1, "evolution"), weak])
    good, poor = (seen.standings[key].candidate for key in ("c1", "c2"))
    for drawn, other in ((good, poor), (poor, good)):
        choice, partner = ordered(seen, Choice(drawn, {"c1": 0.5, "c2": 0.5}), other)
        assert (choice.parent, partner, choice.probabilities) == (good, poor, {"c1": 0.5, "c2": 0.5})
    merges = tasks(replace(POLICY, control=0.0, operator="merge"), seen, range(6, 60))
    assert {one.choice.parent.id for one in merges if one.partner is not None} == {"c1"}
    assert seen.reference(poor).id == "c0"


def wide() -> Population:
    """Two survivors side by side, hence a merge to try."""
    return Population([baseline(), survivor(1, "evolution"), survivor(2, "evolution")])


def test_an_operator_that_is_not_possible_becomes_an_edit() -> None:
    """No agent, nobody to merge with: the iteration is not lost."""
    rng = np.random.default_rng(0)
    assert operator_of(replace(POLICY, operator="agent"), ["edit", "merge"], SEEN, rng) == "edit"
    assert operator_of(replace(POLICY, operator="agent"), ["edit", "agent"], SEEN, rng) == "agent"
    assert operator_of(replace(POLICY, operator=None), ["edit"], SEEN, rng) == "edit"


def test_all_that_are_possible_are_tried() -> None:
    """Without a fixed operator the bandit gives each a chance."""
    found = Counter(
        one.operator
        for one in tasks(replace(POLICY, control=0.0, operator=None, agent=True), wide(), range(3, 303))
    )
    assert set(found) == {"edit", "merge", "agent"}


def test_a_task_comes_from_number_and_population_alone() -> None:
    """The same generator gives the same task."""
    policy = replace(POLICY, operator=None, agent=True)
    assert tasks(policy, SEEN, range(6, 40)) == tasks(policy, SEEN, range(6, 40))


@pytest.mark.parametrize("arm", ["evolution", "random", "best_of"])
def test_a_child_belongs_to_the_arm_of_its_task(arm: Arm) -> None:
    """Also where its maker knows nothing of arms; an attempt without a child stays as it is."""
    parent = SEEN.baseline
    case = Case(parent, {}, evaluation("c0", []), SEEN, Draw(9, "edit"))
    task = Task(arm, "edit", Choice(parent, {"c0": 1.0}))
    for born in (child(9), None):
        attempt = Attempt(None, Proposal("proposed", "", "", born, ()), ())

        async def way(task: Task, case: Case, made: Attempt = attempt) -> Attempt:
            return made

        found = asyncio.run(maker(way)(task, case)).proposal.child
        assert found == (of_arm(born, arm) if born else None)
        assert found is None or found.arm == arm
