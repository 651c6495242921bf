"""Standings, the best candidate, differences: plain numbers in, plain numbers out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
from evolve_fakes import BASELINE, Score, baseline, child, compared, evaluation
from hypothesis import given
from hypothesis import strategies as st

from evolve.contest import Record
from evolve.iteration import Arm, Iteration, Outcome, Tally, difference
from evolve.population import Population, Standing


def standing(*scores: list[float]) -> Standing:
    """The baseline with these scores on documents v0, v1, ..., a list a measurement."""
    record = Record()
    for some in scores:
        record = record.plus(evaluation("c0", some).sums, 0)
    return Standing(BASELINE, record)


def claimed(one: Iteration, scores: Sequence[Score]) -> Iteration:
    """The same, its child measured afresh."""
    assert one.child is not None
    fresh = evaluation(one.child.id, scores, "record", iteration=one.number)
    return replace(one, evaluations=(*one.evaluations, fresh))


def test_a_score_is_the_mean_over_documents_of_all_validation_trials() -> None:
    """Fresh measurements as a parent count too, whatever became of the child; missing ones do not."""
    one = compared(1, [1.0, 1.0, None], [0.0, 0.0, 0.0], "dropped")
    two = compared(2, [0.0, 0.0, 0.0], [1.0, 0.0, 0.0], "survived")
    population = Population([two, baseline([1.0, 0.0, 0.0]), one])
    assert list(population.standings) == ["c0", "c2"]
    missing = replace(standing([1.0, 0.0, 0.0], [1.0, 1.0], [0.0, 0.0, 0.0]).record, missing=1)
    assert population.standings["c0"] == Standing(BASELINE, missing)
    assert population.standings["c0"].score == pytest.approx((2 / 3 + 1 / 3 + 0) / 3)
    assert (population.standings["c2"].score, population.standings["c2"].trials) == (pytest.approx(1 / 3), 3)


def test_training_and_test_scores_do_not_count() -> None:
    """Only the validation split makes a score."""
    sides = (
        evaluation("c0", [1.0], "minibatch", iteration=1),
        evaluation("c0", [1.0], "final", split="test", iteration=1),
    )
    lost = Iteration(1, "no_proposal", "", "c0", 0, evaluations=sides)
    assert Population([baseline([0.0]), lost]).standings["c0"] == standing([0.0])


@pytest.mark.parametrize("outcome", ["dropped", "no_change", "out_of_scope", "broken", "no_proposal"])
def test_only_what_was_kept_stands(outcome: Outcome) -> None:
    """A child with any other outcome can never be chosen as a parent."""
    population = Population([baseline(), compared(1, [0.0], [1.0], outcome)])
    assert list(population.standings) == ["c0"]
    assert population.baseline == population.best.candidate == BASELINE


def test_the_best_has_the_highest_lower_end() -> None:
    """Many good trials beat one lucky one; of equals the older is kept."""
    lucky = compared(1, [0.0], [1.0])
    steady = compared(2, [0.0] * 20, [1.0] * 15 + [0.0] * 5)
    population = Population([baseline([0.0] * 20), lucky, steady])
    assert population.standings["c1"].score > population.standings["c2"].score
    assert population.best.candidate.id == "c2"
    twin = compared(3, [0.0] * 20, [1.0] * 15 + [0.0] * 5)
    assert Population([baseline([0.0] * 20), twin, steady]).best.candidate.id == "c2"


def test_best_beats_worst() -> None:
    """Direction: of two candidates with as many trials the one with more accepted examples is the best."""
    worse, better = compared(1, [0.0] * 6, [1.0] * 2 + [0.0] * 4), compared(2, [0.0] * 6, [1.0] * 5 + [0.0])
    assert Population([baseline([0.0] * 12), worse, better]).best.candidate.id == "c2"


def test_the_past_is_what_it_was() -> None:
    """`upto` leaves out later iterations, whatever order they came in."""
    population = Population([compared(2, [1.0], [1.0]), baseline([0.0]), compared(1, [1.0], [1.0])])
    assert [one.number for one in population.iterations] == [0, 1, 2]
    assert list(population.upto(1).standings) == ["c0", "c1"]
    assert population.upto(0).standings["c0"] == standing([0.0])


def test_trees_of_all_children_are_known() -> None:
    """Dropped children count, and the oldest candidate owns a tree that two have."""
    first, second = compared(1, [0.0], [0.0], "dropped"), compared(2, [0.0], [1.0])
    assert first.child is not None and second.child is not None
    twin = replace(second, child=replace(second.child, tree=first.child.tree))
    assert Population([baseline(), first, twin]).trees == {BASELINE.tree: "c0", first.child.tree: "c1"}


def test_a_candidate_without_a_score_has_none() -> None:
    """A missing score is never taken for a number."""
    with pytest.raises(ValueError, match="'c0' has no validation score"):
        _ = Standing(BASELINE).score
    assert evaluation("c0", [None, None]).mean is None
    assert evaluation("c0", [None, 1.0]).missing == 1


def test_a_difference_is_over_shared_documents() -> None:
    """A document that is missing on one side is dropped for both; child minus parent is the direction."""
    parent = evaluation("c0", {"a": 0.0, "b": None, "c": 0.0, "d": 1.0})
    child = evaluation("c1", {"a": 1.0, "b": 1.0, "c": None, "d": 1.0}, "child")
    found = difference(child, parent)
    assert (found.value, found.trials) == (0.5, 2)
    assert difference(parent, child).value == -0.5


def test_other_instruments_are_not_compared() -> None:
    """Scores of two instruments raise instead of giving a number."""
    with pytest.raises(ValueError, match="instruments differ: 'j' and 'i'"):
        difference(evaluation("c1", [1.0], instrument="j"), evaluation("c0", [1.0]))
    with pytest.raises(ValueError, match="at least one pair"):
        difference(evaluation("c1", [None]), evaluation("c0", [1.0]))


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(survived: list[bool], order: object) -> None:
    """Standings follow from the set of iterations alone."""
    made = [baseline([0.0])]
    made += [compared(n, [0.0], [1.0], "survived" if one else "dropped") for n, one in enumerate(survived, 1)]
    shuffled = list(made)
    order.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert Population(shuffled).standings == Population(made).standings
    assert list(Population(shuffled).standings) == list(Population(made).standings)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["survived", "claimed", "contender", "dropped", "no_change"]),
            st.integers(0, 50),
            st.sampled_from(get_args(Arm)),
        ),
        max_size=12,
    ),
    st.lists(st.integers(0, 12)),
    st.booleans(),
)
def test_a_population_that_grows_is_the_one_that_was_made_whole(
    told: list[tuple[str, int, Arm]], cuts: list[int], by_arm: bool
) -> None:
    """In whatever portions iterations are added: same standings in the same order, same trees, same best, same descent."""
    made = [baseline([0.0, 1.0])]
    for number, (kind, which, arm) in enumerate(told, 1):
        known = Population(made)
        parent = known.arm(arm)[which % len(known.arm(arm))].candidate
        scores = [float((number * place) % 3 == 0) for place in range(3)]
        outcome: Outcome = "survived" if kind == "claimed" else kind  # type: ignore[assignment]  # of those above
        reference = known.reference(parent).id
        one = compared(number, scores, [*scores[1:], None], outcome, parent.id, reference)
        one = claimed(one, scores) if kind == "claimed" else one
        assert one.child is not None
        one = replace(one, arm=arm, child=replace(one.child, arm=arm))
        made.append(replace(one, child=None) if outcome == "no_change" else one)
    whole, grown = Population(made), Population(())
    ends = sorted({min(cut, len(made)) for cut in cuts} | {len(made)})
    for start, end in zip([0, *ends], ends, strict=False):
        grown = grown.extended(made[start:end])
        if by_arm:
            assert grown.arms
    assert list(grown.standings.items()) == list(whole.standings.items())
    assert list(grown.born) == list(whole.born)
    assert (grown.iterations, grown.sums, grown.trees) == (whole.iterations, whole.sums, whole.trees)
    assert (grown.best, grown.descent, grown.records) == (whole.best, whole.descent, whole.records)
    assert (grown.spent, grown.children) == (whole.spent, whole.children)
    for arm in get_args(Arm):
        assert grown.best_of(arm) == whole.best_of(arm)
        assert list(grown.arms[arm].standings.items()) == list(whole.arms[arm].standings.items())
        assert grown.arms[arm].descent == whole.arms[arm].descent
    assert [grown.reference(one) for one in whole.born.values()] == [
        whole.reference(one) for one in whole.born.values()
    ]
    assert grown.best.candidate.id not in whole.descent.outdone()


def test_a_contender_stands_with_the_draws_it_was_tried_by() -> None:
    """It is measured no more, so these are its record; later ones as a reference's child add nothing to it."""
    tried = compared(1, [0.0] * 6, [1.0, 1.0, None, 0.0], "contender")
    population = Population([baseline([0.0] * 6), tried])
    assert list(population.standings) == ["c0", "c1"]
    assert population.records["c1"] == Record(evaluation("c1", [1.0, 1.0, None, 0.0]).sums, 1)
    later = population.extended([compared(2, [1.0] * 6, [1.0] * 6, "dropped", "c1", "c0")])
    assert later.records["c1"] == population.records["c1"]
    assert later.records["c0"].trials == population.records["c0"].trials + 6
    assert later.children == {"c0": 1, "c1": 1}


def test_the_reference_skips_contenders() -> None:
    """The nearest ancestor that is none; a survivor is its own."""
    population = Population(
        [
            baseline(),
            compared(1, [0.0], [1.0], "contender"),
            compared(2, [0.0], [1.0], "contender", "c1", "c0"),
            compared(3, [0.0], [1.0], "survived", "c2", "c0"),
            compared(4, [0.0], [1.0], "contender", "c3"),
        ]
    )
    found = {key: population.reference(one).id for key, one in population.born.items()}
    assert found == {"c0": "c0", "c1": "c0", "c2": "c0", "c3": "c3", "c4": "c3"}
    assert population.reference(child(4, "c3")) is population.born["c3"]


def test_the_best_was_not_shown_to_be_beaten() -> None:
    """A parent with many draws does not outrank, by them alone, the survivor that beat it and has few."""
    many = baseline([1.0] * 40 + [0.0] * 20)
    few = compared(1, [0.0] * 3, [1.0] * 3)
    assert Population([many, few]).best.candidate.id == "c0"
    beaten = Population([many, claimed(few, [1.0, 1.0, 0.0])])
    assert beaten.standings["c0"].interval.low > beaten.standings["c1"].interval.low
    assert beaten.best.candidate.id == "c1"
    assert beaten.best_of("evolution").candidate.id == "c1"
    assert beaten.best_of("random").candidate.id == "c0"


def test_the_reference_is_beaten_through_contenders() -> None:
    """A claim of a contender's child is one over the reference; the contender may still be the best."""
    made = [
        baseline([1.0] * 40 + [0.0] * 20),
        compared(1, [0.0] * 9, [1.0] * 9, "contender"),
        claimed(compared(2, [0.0] * 9, [1.0] * 9, "survived", "c1", "c0"), [1.0, 1.0, 0.0]),
    ]
    assert Population(made[:2]).best.candidate.id == "c1"
    assert Population(made).descent.outdone() == {"c0"}
    assert Population(made).best.candidate.id == "c1"


def test_nothing_is_shown_by_a_contender() -> None:
    """A lucky short trial does not put the baseline aside."""
    made = [baseline([1.0] * 40 + [0.0] * 20), compared(1, [0.0], [1.0], "contender")]
    assert Population(made).best.candidate.id == "c0"


def test_a_population_does_not_grow_backwards() -> None:
    """What is added has to follow; the population that was extended stays as it was."""
    first = Population([baseline(), compared(2, [0.0], [1.0])])
    later = first.extended([compared(3, [0.0], [1.0])])
    assert list(later.standings) == ["c0", "c2", "c3"]
    assert list(first.standings) == ["c0", "c2"]
    with pytest.raises(ValueError, match="iteration 1 does not follow 2"):
        first.extended([compared(1, [0.0], [1.0])])


def test_what_is_recorded_keeps_its_tally_alone() -> None:
    """Mean and counts stay; asking for the single scores is an error, never an empty answer."""
    whole = evaluation("c1", [1.0, None, 0.0, 1.0])
    left = replace(whole, rollouts=(), recorded=whole.tally)
    assert (left.mean, left.missing, left.tally) == (2 / 3, 1, Tally(2.0, 3, 1, whole.sums))
    with pytest.raises(ValueError, match="are in the database"):
        _ = left.valid
