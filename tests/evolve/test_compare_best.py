"""Best of k: how many, which one, and what is told of it; what an arm spent; what is asked once for all arms."""

import asyncio
from dataclasses import replace

import pytest
from compare_rows import BILL, COT, rollout, step
from fakes import DRAW, ScriptedModels, instrument, request

from evolve.comparing.best_of import best, generations, remeasuring, row_of, screening
from evolve.comparing.books import SHARED, Books, Post, Sharing
from evolve.comparing.values import Paid
from harness.domains import RubricChecks
from harness.gate import PRESETS

BEST = replace(COT, name="best of 2", kind="best_of", generations=2, spend_of="agentic")


@pytest.mark.parametrize(
    ("spend", "k"), [(10.0, 1), (26.0, 2), (36.0, 3), (33.0, 3), (31.0, 2), (0.0, 1), (10_000.0, 64)]
)
def test_as_many_as_come_nearest_to_the_spend(spend: float, k: int) -> None:
    """A generation of 10, of which 6 are measuring, which the chosen one costs once more."""
    assert generations(spend, 10.0, 6.0) == k


def test_without_a_price_there_is_one() -> None:
    """What costs nothing bounds nothing."""
    assert generations(5.0, 0.0, 0.0) == 1


def test_the_largest_gap_of_verified_tasks_is_chosen() -> None:
    """The earliest of equal ones; none where nothing was measured."""
    tried = [
        rollout(step("failed_on_strong", 0.5, 0.625)),
        rollout(step("failed_on_strong", 0.5, 0.75)),
        rollout(step("quality")),
        rollout(step("accepted", 0.25, 0.5)),
    ]
    assert best(tried).trial == 2
    assert best(tried[2:3]).trial is None
    assert best([rollout(outcome="missing")]).trial is None


def test_what_chose_a_task_does_not_tell_how_good_it_is() -> None:
    """Its scores, its verdict and its failure are those of the attempts that were made afterwards."""
    tried = [rollout(step("accepted", 0.25, 0.75)), rollout(step("failed_on_strong", 0.5, 0.5))]
    row = row_of(BEST, tried, step("failed_on_strong", 0.5, 0.625), BILL)
    assert (row.kept, row.passed, row.weak, row.strong, row.fresh) == (True, False, 0.5, 0.625, True)
    assert row.failures == {"failed_on_strong": 1}
    assert (row.rounds, row.items, row.items_weak) == (2, 2, 0.375)


def test_a_chosen_task_that_could_not_be_measured_is_missing() -> None:
    """So is a document all of whose generations are; one whose tasks are turned down is not."""
    good = rollout(step("accepted", 0.25, 0.75))
    assert row_of(BEST, [good], None, BILL).kept is None
    assert row_of(BEST, [rollout(outcome="missing")], None, BILL).outcome == "missing"
    assert row_of(BEST, [rollout(step("quality")), rollout(outcome="missing")], None, BILL).kept is False
    assert row_of(BEST, [rollout(outcome="doc_not_suitable")], None, BILL).outcome == "doc_not_suitable"


def test_choosing_costs_no_judge_proof_or_confirmation_and_both_solvers_try_all() -> None:
    """The chosen one gets the whole gate, but the verifier has passed it before."""
    whole = replace(instrument(), preset="confirmed", checks={"reference": True})
    screen, again = screening(whole), remeasuring(whole)
    assert screen.thorough and again.thorough
    assert not (
        screen.gate.confirmed or screen.gate.judged or screen.gate.checks or screen.wants("reference")
    )
    assert screen.gate.weak_mean == PRESETS["confirmed"].weak_mean
    assert again.gate == whole.gate and again.wants("reference") and not again.domain.verified
    assert len({whole.hash, screen.hash}) == 2


def post(arm: int, trial: int = 0, again: bool = False, made: bool = False, document: str = "d0") -> Post:
    return Post(arm, document, trial, again, made, Paid(1 + arm, 100, 0.5))


def test_every_arm_pays_for_its_own_calls_and_for_what_is_shared() -> None:
    """Making a task is all of it for arms that hear back, and challenger and verifier for the one-shot arm."""
    found = Books((post(SHARED), post(1, made=True), post(1), post(2), post(1, document="d1")))
    one_shot = found.bill(1, "d0", one_shot=True)
    assert (one_shot.all.calls, one_shot.made.calls) == (1 + 2 + 2, 1 + 2)
    assert (
        found.bill(2, "d0", one_shot=False).made
        == found.bill(2, "d0", one_shot=False).all
        == Paid(4, 200, 1.0)
    )
    assert found.spent(1).calls == 6


def test_best_of_k_pays_for_its_k_generations_and_the_chosen_one_again() -> None:
    """Those that another k needed are not on its bill."""
    found = Books(
        (post(3, 1), post(3, 2), post(3, 3), post(3, 2, again=True), post(3, 3, again=True), post(SHARED))
    )
    assert found.best_bill(3, "d0", 2, 2).all.calls == 3 * 4 + 1
    assert found.best_bill(3, "d0", 3, None).all.calls == 3 * 4 + 1
    assert found.spent(3, trial=2).calls == 4


def test_an_extractor_is_asked_once_for_all_arms() -> None:
    """So a document is suitable for all or for none; every other call is the arm's own."""
    models = ScriptedModels()

    async def ask() -> None:
        for arm, trial in ((1, 0), (2, 0), (3, 7)):
            own = replace(DRAW, iteration=arm, trial=trial)
            sharing = Sharing(models, RubricChecks)
            await sharing.ask(replace(request("verifier", draw=own), schema=RubricChecks))
            await sharing.ask(request("verifier", draw=own))

    asyncio.run(ask())
    shared, own = models.asked[::2], models.asked[1::2]
    assert {(one.draw.iteration, one.draw.trial) for one in shared} == {(SHARED, 0)}
    assert [(one.draw.iteration, one.draw.trial) for one in own] == [(1, 0), (2, 0), (3, 7)]
