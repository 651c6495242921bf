"""What a rollout comes to in a comparison, by arm."""

from typing import Any

import pytest
from compare_rows import AGENTIC, BILL, COT, confirmed, rollout, step

from evolve.comparing.values import failure, passes, row_of
from harness.trajectory import Report


def test_the_one_shot_arm_keeps_what_the_verifier_passes() -> None:
    """Whatever the gate says of it, which is told apart; the scores are those of its only attempts."""
    row = row_of(COT, rollout(step("failed_on_strong", 0.5, 0.625)), BILL)
    assert (row.kept, row.passed) == (True, False)
    assert (row.weak, row.strong, row.gap, row.fresh) == (0.5, 0.625, 0.125, False)
    accepted = row_of(COT, rollout(step("accepted", 0.25, 0.75)), BILL)
    assert (accepted.kept, accepted.passed, accepted.gap) == (True, True, 0.5)


@pytest.mark.parametrize("stage", ["quality", "malformed"])
def test_what_the_verifier_turns_down_is_not_kept(stage: Any) -> None:
    """It is a failure and no missing measurement; it has no scores, which is not the same as noughts."""
    row = row_of(COT, rollout(step(stage)), BILL)
    assert (row.kept, row.passed, row.gap, row.failures) == (False, False, None, {stage: 1})
    assert row.question_length is None


def test_the_one_shot_arm_is_not_measured_by_what_confirmed_some_of_it() -> None:
    """Fresh scores for those that pass and first ones for the rest would pull the mean down."""
    row = row_of(COT, rollout(step("accepted", 0.25, 0.75, confirmation=confirmed(0.5, 0.625))), BILL)
    assert (row.weak, row.strong, row.fresh) == (0.25, 0.75, False)


def test_other_arms_keep_what_the_gate_accepts() -> None:
    """With the fresh scores where there are any; all tasks that both solvers tried are told by their first ones."""
    last = step("accepted", 0.25, 0.75, confirmation=confirmed(0.375, 0.625))
    row = row_of(AGENTIC, rollout(step("too_easy", 0.9), step("failed_on_strong", 0.5, 0.5), last), BILL)
    assert (row.kept, row.passed, row.rounds) == (True, True, 3)
    assert (row.weak, row.strong, row.fresh) == (0.375, 0.625, True)
    assert (row.items, row.items_weak, row.items_strong, row.untried) == (2, 0.375, 0.625, 1)
    assert row.failures == {"too_easy": 1, "failed_on_strong": 1}
    refused = row_of(AGENTIC, rollout(step("failed_on_strong", 0.5, 0.5)), BILL)
    assert (refused.kept, refused.gap, refused.items) == (False, None, 1)


@pytest.mark.parametrize("outcome", ["missing", "doc_not_suitable"])
def test_what_was_not_measured_is_no_failure(outcome: Any) -> None:
    """Neither kept nor not kept, even where some submissions were measured before."""
    row = row_of(AGENTIC, rollout(step("too_easy", 0.9), outcome=outcome), BILL)
    assert (row.kept, row.passed, row.failures, row.bill) == (None, None, {}, BILL)


def test_a_scaffold_that_hands_in_nothing_has_kept_nothing() -> None:
    """A crash is its fault."""
    row = row_of(AGENTIC, rollout(outcome="crashed"), BILL)
    assert (row.kept, row.rounds, row.failures) == (False, 0, {})


@pytest.mark.parametrize(
    ("stage", "reasons", "where"),
    [
        ("failed_on_strong", ("weak_mean_high", "gap_small"), "too_easy"),
        ("failed_on_strong", ("gap_small",), "failed_on_strong"),
        ("too_easy", ("weak_best_high",), "too_easy"),
        ("unconfirmed", ("weak_mean_high",), "unconfirmed"),
        ("quality", ("leak",), "quality"),
    ],
)
def test_too_easy_is_the_same_in_every_arm(stage: Any, reasons: tuple[str, ...], where: str) -> None:
    """Also where the strong solver tries everything, and the round therefore ends later."""
    assert failure(Report(accepted=False, stage=stage, reasons=reasons, feedback="")) == where


def test_a_task_that_no_solver_would_read_is_not_kept() -> None:
    """The verifier had passed it, but it cannot be used."""
    assert not passes(step("quality", reasons=("unanswerable",), verification=None))
    assert passes(step("too_easy", 0.9, verification=None)), "a domain without a verifier"


def test_a_task_that_breaks_a_rule_of_its_domain_is_not_kept() -> None:
    """The rule ended it before any model looked; what the loop judge wants improved has been verified."""
    assert not passes(step("improve", reasons=("old_year",), verification=None))
    assert passes(step("improve", 0.5, 0.75, reasons=("judge_improve",)))
