"""How near to acceptance a rollout came: further along the inspection is never less."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.margins import BEGINS, margin, nearness
from harness.trajectory import Report, Rollout, Stage, Step

UNIT = st.floats(0, 1)


def report(stage: Stage, weak: float | None = None, gap: float | None = None) -> Report:
    return Report(accepted=stage == "accepted", stage=stage, reasons=(), feedback="", weak_mean=weak, gap=gap)


def rollout(*reports: Report | None, outcome: str = "exhausted", score: float | None = 0.0) -> Rollout:
    steps = tuple(Step(kind="submit", ordinal=n, report=one) for n, one in enumerate(reports))
    return Rollout(document="d", name="d", outcome=outcome, score=score, steps=steps)


def test_every_stage_has_its_place() -> None:
    """In the order of the inspection, from 0 to 1; no stage is forgotten."""
    assert set(BEGINS) == set(get_args(Stage))
    places = [nearness(report(stage)) for stage in get_args(Stage)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0.0, 1.0)


@given(UNIT, UNIT, st.floats(-1, 1))
def test_a_measured_mean_never_leads_past_the_next_stage(first: float, second: float, gap: float) -> None:
    """Within `too_easy` a lower weak mean is nearer, within `failed_on_strong` a larger gap is."""
    low, high = sorted((first, second))
    assert nearness(report("too_easy", weak=low)) >= nearness(report("too_easy", weak=high))
    assert BEGINS["too_easy"] <= nearness(report("too_easy", weak=low)) <= BEGINS["failed_on_strong"]
    small, large = sorted((gap, first))
    near, far = (
        nearness(report("failed_on_strong", gap=large)),
        nearness(report("failed_on_strong", gap=small)),
    )
    assert near >= far
    assert BEGINS["failed_on_strong"] <= near <= BEGINS["improve"]


def test_the_best_submission_counts() -> None:
    """Not the last one; steps that were not reported on do not count."""
    best = nearness(report("failed_on_strong", gap=0.1))
    assert (
        margin(rollout(report("malformed"), report("failed_on_strong", gap=0.1), report("quality"), None))
        == best
    )
    assert best == pytest.approx(0.52)


def test_accepted_is_one_and_nothing_submitted_is_zero() -> None:
    """Whatever the reports say."""
    assert margin(rollout(report("quality"), report("accepted"), outcome="accepted", score=1.0)) == 1.0
    assert margin(rollout()) == 0.0
    assert margin(rollout(report("unproven"))) < 1.0


@pytest.mark.parametrize("outcome", ["missing", "doc_not_suitable"])
def test_what_has_no_score_has_no_margin(outcome: str) -> None:
    """An invalid measurement is no zero here either, however far its submissions came."""
    assert margin(rollout(report("improve"), outcome=outcome, score=None)) is None
