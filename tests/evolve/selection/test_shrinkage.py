"""Shrinkage: towards the mean, the noisier the more, and to the mean itself where all scatter is noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.selection.shrinkage import shrunken

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 0.25)), min_size=2, max_size=20)


@given(PAIRS)
def test_nobody_leaves_the_range_of_the_scores(pairs: list[tuple[float, float]]) -> None:
    """Every estimate lies between the lowest and the highest score."""
    scores, variances = np.array(pairs).T
    found = shrunken(scores, variances)
    assert found.min() >= scores.min() - 1e-9
    assert found.max() <= scores.max() + 1e-9


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0.0001, 0.25))
def test_equal_noise_keeps_order_and_mean(scores: list[float], variance: float) -> None:
    """The best stays the best, ties stay ties, and the mean stays where it was."""
    given_ = np.array(scores)
    found = shrunken(given_, np.full(len(scores), variance))
    assert (np.diff(found[np.argsort(given_, kind="stable")]) >= -1e-9).all()
    assert found.mean() == pytest.approx(given_.mean())


def test_the_noisier_score_moves_further() -> None:
    """Two scores as far from the mean as each other, one with a hundredth of the trials."""
    found = shrunken(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.001, 0.001, 0.001, 0.1]))
    assert 0.9 - found[3] > 5 * (found[0] - 0.1) > 0


def test_scatter_that_noise_explains_is_no_difference() -> None:
    """Scores closer together than their standard errors are all worth their weighted mean."""
    found = shrunken(np.array([0.4, 0.5, 0.6]), np.array([0.04, 0.02, 0.04]))
    assert found == pytest.approx([0.5] * 3)


def test_the_figures_of_the_formula() -> None:
    """By hand: of scores 0 and 1 with variance 1/8 the spread between is 1/2 - 1/8, three quarters are kept."""
    between = 0.5 - 0.125
    keep = between / (between + 0.125)
    found = shrunken(np.array([0.0, 1.0]), np.array([0.125, 0.125]))
    assert found == pytest.approx([0.5 - 0.5 * keep, 0.5 + 0.5 * keep])


def test_one_or_no_score_stays_as_it_is() -> None:
    """There is nothing to shrink towards."""
    assert shrunken(np.array([0.7]), np.array([0.1])).tolist() == [0.7]
    assert shrunken(np.array([]), np.array([])).tolist() == []


def test_a_score_without_noise_is_refused() -> None:
    """A variance of zero is an error of the caller, not infinite trust."""
    with pytest.raises(ValueError, match=r"must be positive, the smallest is .*0\.0"):
        shrunken(np.array([0.1, 0.2]), np.array([0.1, 0.0]))
