"""The cheap check before the expensive one: the child on the minibatch that its parent failed on."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from evolve_fakes import Score, World, baseline, child, luck

from evolve.case import Case
from evolve.iteration import Cause, Diagnosis, Iteration
from evolve.loop import Plan, Task, evolve
from evolve.operators import Attempt
from evolve.results import Results
from harness.errors import BudgetSpent
from harness.types import Side

CLAIM = Diagnosis(
    summary="Two causes.",
    causes=(
        Cause(title="easy", explanation="x", evidence=("e",), remedy="r", kind="too_easy", fixes=(1, 2, 3)),
        Cause(title="other", explanation="x", evidence=("e",), remedy="r"),
    ),
)
Scoring = Callable[[str, int, Side, str], Score]


class Claiming(World):
    """A world whose diagnoses make a claim that can be checked."""

    async def make(self, task: Task, case: Case) -> Attempt:
        return replace(await super().make(task, case), diagnosis=CLAIM)


def by_side(minibatch: Score, rerun: Score) -> Scoring:
    """One score for each of the training sides; on held-out documents the child is always better."""
    sides: dict[Side, Score] = {"minibatch": minibatch, "rerun": rerun, "parent": 0.0}
    return lambda _, __, side, ___: sides.get(side, 1.0)


def run(world: World, iterations: int = 1) -> Results:
    async def bounded() -> Results:
        results = Results([baseline()])
        async with asyncio.timeout(20):
            await evolve(Plan(5, 1, 1, iterations), world.parts(), results)
        return results

    return asyncio.run(bounded())


def first(world: World) -> Iteration:
    return run(world).finished[1]


def sides(iteration: Iteration) -> list[Side]:
    return [one.side for one in iteration.evaluations]


def test_a_child_that_improves_nothing_is_not_measured_further() -> None:
    """It ends as not_improved, after a rerun of the very same documents and without a validation rollout."""
    world = World(rerun=True, screen=True, scores=by_side(0.0, 0.0))
    found = first(world)
    assert (found.outcome, found.decision) == ("not_improved", None)
    assert "not one of the parent's failures" in found.reason
    assert sides(found) == ["minibatch", "rerun"]
    batch, again = found.evaluations
    assert list(again.scores) == list(batch.scores)
    assert (batch.candidate, again.candidate) == ("c0", "c1")
    assert (batch.split, again.split) == ("training", "training")
    assert found.child == child(1)
    assert not {event for event, _ in world.events} & {"parent", "child"}


def test_it_is_no_parent_and_its_files_are_known() -> None:
    """What was screened out is never selected; its tree counts as tried."""
    found = run(World(rerun=True, screen=True, scores=by_side(0.0, 0.0)), 3)
    assert set(found.population.standings) == {"c0"}
    assert {one.parent for one in found.finished.values() if one.number} == {"c0"}
    assert child(1).tree in found.population.trees


def test_one_improvement_is_enough() -> None:
    """One failure of three that got better lets the child through to the held-out documents."""

    def one_better(candidate: str, iteration: int, side: Side, document: str) -> Score:
        kept.setdefault(document, None) if side == "minibatch" else None
        if side == "rerun":
            return float(document == next(iter(kept)))
        return by_side(0.0, 0.0)(candidate, iteration, side, document)

    kept: dict[str, None] = {}
    found = first(World(rerun=True, screen=True, scores=one_better))
    assert found.outcome == "survived"
    assert sides(found) == ["minibatch", "rerun", "parent", "child"]


@pytest.mark.parametrize(
    ("minibatch", "rerun"),
    [(1.0, 1.0), (1.0, 0.0), (None, 1.0), (0.0, None)],
    ids=["no failure", "only worse", "parent missing", "child missing"],
)
def test_what_nothing_speaks_against_goes_on(minibatch: Score, rerun: Score) -> None:
    """Without a failure that could be compared there is nothing to screen by; missing scores are never failures."""
    assert first(World(rerun=True, screen=True, scores=by_side(minibatch, rerun))).outcome == "survived"


def test_a_rerun_without_a_screen_only_checks_predictions() -> None:
    """The child goes on whatever it did there."""
    found = first(World(rerun=True, screen=False, scores=by_side(0.0, 0.0)))
    assert found.outcome == "survived"
    assert sides(found) == ["minibatch", "rerun", "parent", "child"]


@pytest.mark.parametrize("screen", [True, False])
def test_without_a_rerun_there_is_no_screen(screen: bool) -> None:
    """Nothing is run on the minibatch again, and nothing is predicted to have happened."""
    found = first(Claiming(rerun=False, screen=screen, scores=by_side(0.0, 0.0)))
    assert sides(found) == ["minibatch", "parent", "child"]
    assert [one.outcome for one in found.predictions] == ["untested", "untested"]


@pytest.mark.parametrize(("rerun", "outcome", "fixed"), [(1.0, "confirmed", 3), (0.0, "refuted", 0)])
def test_predictions_are_checked_by_the_rerun(rerun: float, outcome: str, fixed: int) -> None:
    """What the diagnosis said of the minibatch is kept with what happened there, also of a child that is screened out."""
    found = first(Claiming(rerun=True, screen=True, scores=by_side(0.0, rerun)))
    claim, silent, rest = found.predictions
    batch = found.side("minibatch")
    assert batch is not None
    assert (claim.title, claim.outcome, claim.fixed, set(claim.fixes)) == (
        "easy",
        outcome,
        fixed,
        set(batch.scores),
    )
    assert (silent.title, silent.outcome) == ("other", "untested")
    assert (rest.title, rest.fixes) == ("", ())
    assert found.outcome == ("survived" if rerun else "not_improved")


def test_a_rejected_proposal_leaves_its_predictions_untested() -> None:
    """No child, no rerun; what was said is kept."""
    found = first(Claiming(rerun=True, screen=True, proposals={1: "broken"}))
    assert sides(found) == ["minibatch"]
    assert [one.outcome for one in found.predictions] == ["untested", "untested"]


def test_a_merge_has_no_minibatch() -> None:
    """Nothing was analysed, so nothing is run again: its child goes to the held-out documents at once."""
    world = World(rerun=True, screen=True, scores=by_side(0.0, 0.0), partners={1: child(9)})
    found = first(world)
    assert sides(found) == ["parent", "child"]
    assert found.partner == "c9"
    assert ("minibatch", 1) not in world.events


def test_the_screen_does_not_change_who_is_drawn_on_what() -> None:
    """With and without it the contest has the same documents in the same order, and the same draws."""

    def mixed(candidate: str, iteration: int, side: Side, document: str) -> Score:
        held_out = side in ("parent", "child")
        return luck(candidate, iteration, side, document) if held_out else float(side == "rerun")

    with_it = first(World(rerun=True, screen=True, scores=mixed))
    without = first(World(scores=mixed))
    assert sides(with_it) == ["minibatch", "rerun", "parent", "child"]
    assert with_it.side("parent") == without.side("parent")
    assert with_it.side("child") == without.side("child")


@pytest.mark.parametrize("event", ["rerun", "rerun done"])
def test_a_budget_that_ends_in_the_rerun_leaves_no_trace(event: str) -> None:
    """The iteration stays open and is done again by a resume."""
    world = World(rerun=True, screen=True, fail={(event, 2): BudgetSpent("spent")})
    assert set(run(world, 3).finished) == {0, 1}
