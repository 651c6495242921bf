"""What is foretold of a run from simulated runs and measured rollouts, as arithmetic."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evolve.null import Simulated, Step
from evolve.planning.forecast import Plan, final, forecast, mean_rollout, shape_of, waits
from evolve.planning.guess import Guess, guesses
from evolve.planning.values import Forecast, Pilot
from harness.budget import BudgetLimits, Limits
from harness.types import ROLES, Model, Role

CHALLENGER, ANALYZER = ROLES.index("challenger"), ROLES.index("analyzer")
NO_EDITS = np.zeros((0, len(ROLES), 4))
RUN = Simulated(10, (Step(4, 20, 0, 1), Step(8, 20, 60, 2, kept=True)))


def use(*calls: float) -> np.ndarray:
    """A rollout for each number of calls of the challenger: 100 tokens asked, 10 said and 2 seconds a call."""
    made = np.zeros((len(calls), len(ROLES), 4))
    made[:, CHALLENGER] = np.array(calls)[:, None] * np.array([1, 100, 10, 2])
    return made


def pilot(*calls: float) -> Pilot:
    return Pilot("p", (), use(*calls), np.arange(len(calls)), np.full(len(calls), 6.0), NO_EDITS)


def model(**more: Any) -> Model:
    return Model(name="m", base_url="http://h/v1", input_price=1.0, output_price=10.0, slots=4, **more)


def models(**more: Any) -> dict[Role, Model]:
    return {role: model(**more) for role in ROLES}


def foretold(one: Pilot, **more: Any) -> Forecast:
    nothing: Mapping[Role, Guess] = {}
    known = {
        "runs": [RUN],
        "test": 5,
        "control": 0.0,
        "workers": 2,
        "models": models(),
        "budget": BudgetLimits(),
    }
    return forecast(Plan(**{**known, "pilot": one, "guesses": nothing, **more}), np.random.default_rng(0))


def test_equal_rollouts_give_exact_sums() -> None:
    """Rollouts times what each of them takes: 10 + 24 + 88 and twice the test, three calls each."""
    (challenger, everything) = foretold(pilot(3, 3, 3)).lines
    assert challenger.calls.low == challenger.calls.high == pytest.approx(132 * 3)
    assert everything.tokens.middle == pytest.approx(132 * 3 * 110)
    assert everything.cost is not None
    assert everything.cost.middle == pytest.approx(132 * 3 * (100 * 1 + 10 * 10) / 1e6)


def test_different_rollouts_give_a_range() -> None:
    """The range holds the mean and is wider the fewer documents there are."""
    few = foretold(pilot(1, 5)).lines[-1].calls
    many = foretold(pilot(*[1, 5] * 20)).lines[-1].calls
    assert few.low < 132 * 3 < few.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_rollouts_of_one_document_stay_together() -> None:
    """Documents are resampled, not rollouts: many rollouts of two documents are no large sample."""
    clustered = replace(pilot(*[1.0] * 20, *[5.0] * 20), document=np.repeat([0, 1], 20))
    means = [mean_rollout(clustered, 1000, np.random.default_rng(at))[CHALLENGER, 0] for at in range(40)]
    assert {round(float(one)) for one in means} == {1, 5}


def test_an_unknown_price_is_no_price() -> None:
    """Money is not known in all if it is not for one role that is asked; a role that is never asked does not matter."""
    unpriced = replace_model(models(), "challenger")
    assert [one.cost for one in foretold(pilot(3), models=unpriced).lines] == [None, None]
    assert foretold(pilot(3), models=replace_model(models(), "judge")).lines[-1].cost is not None


def replace_model(all_of_them: dict[Role, Model], role: Role) -> dict[Role, Model]:
    return {**all_of_them, role: all_of_them[role].model_copy(update={"input_price": None})}


def test_edits_are_taken_as_recorded() -> None:
    """Where iterations were recorded, each costs what they did, whatever was guessed."""
    edits = np.zeros((3, len(ROLES), 4))
    edits[:, ANALYZER] = [2, 1000, 100, 5]
    found = foretold(replace(pilot(3), edits=edits), guesses={"analyzer": Guess((9, 9), 1, (1, 1), 0)})
    lines = {one.role: one for one in found.lines}
    assert found.edits_measured
    assert lines["analyzer"].calls.middle == pytest.approx(2 * 2)


def test_edits_are_guessed_without_a_record() -> None:
    """Calls stay within the bounds of the guess, and the forecast says that it is one."""
    found = foretold(pilot(3), guesses={"analyzer": Guess((1, 2), 1000, (300, 400), 0.1)})
    lines = {one.role: one for one in found.lines}
    assert not found.edits_measured
    assert 2 <= lines["analyzer"].calls.low < lines["analyzer"].calls.high <= 4


def test_guesses_grow_with_what_is_quoted() -> None:
    """The analyzer's prompt holds the rollouts of the minibatch and the history; longer rollouts make it longer."""
    short = guesses({"agent.py": "x" * 400}, 4, 10, pilot(1))
    assert (
        guesses({"agent.py": "x" * 4400}, 4, 10, pilot(1))["analyzer"].prompt
        == short["analyzer"].prompt + 1000
    )
    assert guesses({"agent.py": "x" * 400}, 4, 10, pilot(5))["analyzer"].prompt > short["analyzer"].prompt
    assert (
        guesses({"agent.py": "x" * 400}, 4, 50, pilot(1))["implementer"].prompt > short["implementer"].prompt
    )
    assert short["analyzer"].pace == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("budget", "reached", "whole"),
    [
        (BudgetLimits(calls=100_000), 2, 1.0),
        (BudgetLimits(calls=3 * 34), 1, 0.0),
        (BudgetLimits(tokens=329), 0, 0.0),
        (BudgetLimits(cost=1.0), 2, 1.0),
        (BudgetLimits(roles={"challenger": Limits(calls=3 * 122)}), 2, 0.0),
        (BudgetLimits(roles={"judge": Limits(calls=0)}), 2, 1.0),
        (BudgetLimits(roles={"challenger": Limits(seconds=1)}), 0, 0.0),
        (BudgetLimits(seconds=0.001), 0, 0.0),
        (BudgetLimits(seconds=1e6), 2, 1.0),
    ],
)
def test_a_budget_says_how_far_it_reaches(budget: BudgetLimits, reached: int, whole: float) -> None:
    """34 rollouts end the first iteration, 122 the second, 132 the test; three calls of 110 tokens each."""
    (limit,) = foretold(pilot(3), budget=budget).limits
    assert limit.iterations.middle == reached
    assert limit.whole == whole


def test_time_lies_between_perfect_and_poor_use_of_the_slots() -> None:
    """Never less than the work over the slots, never more than that and the longest chain together."""
    wall = foretold(pilot(3)).wall
    work, chain = 132 * 3 * 2 / 4, 6.0 * waits(RUN, 2)
    assert wall is not None
    assert wall.low == pytest.approx(max(work, chain))
    assert wall.high == pytest.approx(work + chain)
    assert waits(RUN, 8) == waits(RUN, 2) < waits(RUN, 1)


def test_the_final_test_has_the_best_of_every_arm() -> None:
    """Only the baseline if nothing was kept; one candidate more for every arm that kept a child."""
    nothing = Simulated(10, (Step(4),))
    both = Simulated(10, (Step(4, 20, kept=True), Step(4, 20, kept=True)))
    assert [final(one, 5, 0.0) for one in (nothing, RUN, both)] == [5, 10, 10]
    assert final(both, 5, 0.5) == 15


def test_rollouts_are_told_by_part() -> None:
    """Baseline, iterations, test and all of them, with how many children are kept."""
    found = shape_of([RUN], 5, 0.0, 60)
    assert (found.baseline.middle, found.test.middle, found.all.middle) == (10, 10, 132)
    assert (found.iteration.low, found.kept, found.survivor) == (pytest.approx(24 + 0.05 * 64), 1.0, 60)
