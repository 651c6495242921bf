"""The likelihood ratio against plain enumeration: who of the pooled scores could be the child's."""

from itertools import combinations, product
from math import comb, exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.selection.tilting import (
    FLATTEST,
    STEEPEST,
    Sides,
    bounded,
    exact,
    log_factorials,
    log_ratios,
    sides,
    slopes,
    spread,
)

TILT = st.floats(-4, 4)
GRADED = st.lists(st.floats(0, 1), min_size=2, max_size=7)


def log_ratio(found: Sides, effect: float) -> float:
    """The ratio for one effect."""
    return float(log_ratios(found, [effect])[0])


def sums(*documents: list[float]) -> np.ndarray:
    """Count, sum and sum of squares of the scores of each document."""
    powers = [[float(len(one)), *(sum(y**k for y in one) for k in (1, 2))] for one in documents]
    return np.array(powers).reshape(-1, 3)


def totals(scores: list[float], drawn: int) -> np.ndarray:
    """The sum of each equally likely choice of so many of the scores."""
    return np.array([sum(one) for one in combinations(scores, drawn)])


@given(st.integers(0, 6), st.integers(0, 6), st.data(), TILT)
def test_exact_is_the_enumeration(passes: int, failures: int, data: st.DataObject, tilt: float) -> None:
    """log E exp(tilt S) over all choices without replacement, whatever the numbers."""
    scores = [1.0] * passes + [0.0] * failures
    drawn = data.draw(st.integers(0, len(scores)))
    expected = log(np.exp(tilt * totals(scores, drawn)).mean())
    found = exact(sums(scores), np.array([float(drawn)]), np.array([tilt]))
    assert found == pytest.approx([expected], abs=1e-9)


def test_exact_takes_documents_of_any_size_together() -> None:
    """A row is the same alone and beside others, also where all or none of the scores are the child's."""
    pooled = sums([1.0] * 3 + [0.0] * 40, [0.0] * 2, [1.0] * 5, [1.0, 0.0])
    drawn, tilt = np.array([20.0, 1.0, 5.0, 0.0]), np.array([0.5, 3.0, 0.7, 1.0])
    alone = [exact(pooled[[n]], drawn[[n]], tilt[[n]])[0] for n in range(4)]
    assert exact(pooled, drawn, tilt) == pytest.approx(alone)
    assert alone[1:] == pytest.approx([0, 3.5, 0])


def test_exact_does_not_overflow() -> None:
    """Thousands of scores under a steep tilt give a finite number between the smallest and the largest sum."""
    pooled = np.array([[4000.0, 2000.0, 2000.0]])
    (found,) = exact(pooled, np.array([2000.0]), np.array([3.0]))
    assert 3000 < found < 6000


@given(GRADED, st.data(), st.floats(0, 4))
def test_the_bound_is_above_the_enumeration(scores: list[float], data: st.DataObject, tilt: float) -> None:
    """For any scores and numbers, up to what the correction for a finite population is wrong by."""
    drawn = data.draw(st.integers(1, len(scores)))
    truth = log(np.exp(tilt * totals(scores, drawn)).mean())
    (found,) = bounded(sums(scores), np.array([float(drawn)]), np.array([tilt]))
    assert found >= truth - 0.01


@given(GRADED, st.data(), st.floats(0, 0.5))
def test_the_bound_is_close_under_a_flat_tilt(scores: list[float], data: st.DataObject, tilt: float) -> None:
    """Mean and variance are those of the sum; what is more is of the third power of what the tilt can gain."""
    drawn = data.draw(st.integers(1, len(scores)))
    truth = log(np.exp(tilt * totals(scores, drawn)).mean())
    reach = min(drawn, len(scores) - drawn)
    (found,) = bounded(sums(scores), np.array([float(drawn)]), np.array([tilt]))
    assert found == pytest.approx(truth, abs=(tilt * reach) ** 3 / 6 + 1e-6)


@pytest.mark.parametrize("high", [0.5, 0.98])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.95])
def test_the_ratio_of_graded_scores_has_mean_one_at_most(high: float, share: float) -> None:
    """In single documents of two kinds of scores, wherever they lie: over many documents any excess would add up."""
    for size, drawn in product((6, 11, 22, 40), (1, 2, 5)):
        count = round(share * size)
        hits = np.arange(max(0, drawn - size + count), min(drawn, count) + 1)
        chances = [comb(count, n) * comb(size - count, drawn - n) / comb(size, drawn) for n in hits]
        pooled = sums([high] * count + [0.02] * (size - count))
        for tilt in (0.3, 1.0, 2.0):
            (normal,) = bounded(pooled, np.array([float(drawn)]), np.array([tilt]))
            ratio = np.exp(tilt * (high * hits + 0.02 * (drawn - hits)) - normal)
            assert float(ratio @ chances) <= 1 + 1e-6


def ratios(documents: list[tuple[list[float], int]], effect: float) -> list[float]:
    """The ratio of every way to choose the child's among the pooled scores; all equally likely without a difference."""
    splits = [
        [(list(one), drawn) for one in combinations(range(len(scores)), drawn)] for scores, drawn in documents
    ]
    found = []
    for chosen in product(*splits):
        mine = [[scores[n] for n in own] for (scores, _), (own, _) in zip(documents, chosen, strict=True)]
        rest = [
            [y for n, y in enumerate(scores) if n not in own]
            for (scores, _), (own, _) in zip(documents, chosen, strict=True)
        ]
        found.append(exp(log_ratio(Sides(sums(*mine), sums(*rest)), effect)))
    return found


def test_the_ratio_has_mean_one_without_a_difference() -> None:
    """Exactly for scores 0 and 1, over all choices of a fixed design with unequal pass rates and numbers."""
    design = [([0.0, 0.0, 1.0, 1.0], 2), ([0.0, 1.0, 1.0], 1), ([0.0, 0.0, 0.0, 0.0, 1.0], 3)]
    for effect in (0.05, 0.3, 0.9):
        found = ratios(design, effect)
        assert len(found) == comb(4, 2) * comb(3, 1) * comb(5, 3)
        assert np.mean(found) == pytest.approx(1, abs=1e-12)
        assert max(found) > 1.05


def test_the_ratio_of_graded_scores_has_nearly_mean_one() -> None:
    """The bound costs less than a hundredth for a usual effect."""
    found = ratios([([0.1, 0.4, 0.5, 0.9], 2), ([0.0, 0.25, 0.3, 1.0], 2)], 0.1)
    assert 0.99 < np.mean(found) <= 1 + 1e-9


def test_the_better_the_child_the_larger_the_ratio() -> None:
    """Of the same pooled scores, the more of the passes are the child's the more speaks for it; none speaks against."""
    found = [
        log_ratio(Sides(sums([1.0] * n + [0.0] * (4 - n)), sums([1.0] * (4 - n) + [0.0] * n)), 0.2)
        for n in range(5)
    ]
    assert found == sorted(found)
    assert found[0] < 0 < found[4]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
        min_size=2,
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_documents_does_not_matter(counts: list[tuple[int, ...]], rng: object) -> None:
    """The evidence is that of a set of documents."""
    child = sums(*([1.0] * (a + 1) + [0.0] * b for a, b, _, _ in counts))
    parent = sums(*([1.0] * c + [0.0] * (d + 1) for _, _, c, d in counts))
    order = np.arange(len(counts))
    rng.shuffle(order)  # type: ignore[attr-defined]  # random.Random
    found, again = Sides(child, parent), Sides(child[order], parent[order])
    assert log_ratio(found, 0.1) == pytest.approx(log_ratio(again, 0.1))
    assert found.difference == pytest.approx(again.difference)
    assert found.error == pytest.approx(again.error)


def test_documents_count_alike_however_often_they_are_drawn() -> None:
    """All draws of a document weigh as much as all draws of another, one draw 1 on average."""
    found = Sides(sums([1.0], [0.0] * 9), sums([0.0], [0.0]))
    assert found.weights * found.child[:, 0] == pytest.approx([5, 5])
    assert (found.weights * found.child[:, 0]).sum() == pytest.approx(found.child[:, 0].sum())
    assert found.difference == pytest.approx(0.5)


def test_many_draws_of_one_document_do_not_outvote_the_rest() -> None:
    """Twenty draws with a gain of a half, one draw with a loss of one: the child is worse, and so says the ratio."""
    child = sums([1.0] * 15 + [0.0] * 5, [0.0])
    found = Sides(child, sums([1.0] * 5 + [0.0] * 15, [1.0]))
    assert found.difference == pytest.approx(-0.25)
    assert log_ratio(found, 0.1) < 0
    assert log_ratio(Sides(child[:1], found.parent[:1]), 0.1) > 0


def test_only_documents_of_both_sides_are_compared() -> None:
    """A document that one side has no score for says nothing; without any there is nothing to compare."""
    child, parent = sums([1.0], [], [0.0]), sums([0.0], [1.0], [])
    found = sides(child, parent)
    assert found is not None
    assert found.child.tolist() == sums([1.0]).tolist()
    assert sides(child[1:], parent[1:]) is None


def test_spread_is_the_sample_variance() -> None:
    """Of each document; a prior adds scores at both ends, so that what always ended alike keeps some."""
    rows = sums([0.0, 1.0, 1.0], [1.0, 1.0], [0.3, 0.5], [1.0])
    assert spread(rows) == pytest.approx([1 / 3, 0, 0.02, 0])
    assert spread(rows, prior=1.0)[1] == pytest.approx(np.var([0, 1, 1, 1], ddof=1))


def test_the_tilt_is_the_effect_over_the_spread() -> None:
    """Within bounds: documents without any spread do not make it infinite."""
    fair = sums([0.0, 1.0] * 10)
    assert slopes(fair, [0.1, 0.2]) == pytest.approx(np.array([0.1, 0.2]) / spread(fair)[0])
    assert slopes(sums([1.0] * 9), [0.01, 0.9]) == pytest.approx([0.01 / FLATTEST, STEEPEST])


def test_factorials() -> None:
    """From 0! on."""
    assert np.exp(log_factorials(5)) == pytest.approx([1, 1, 2, 6, 24, 120])
