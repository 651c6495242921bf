"""Posteriors: against brute-force integration, in any order of the scores, and never a number that is none."""

from math import isfinite
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import posterior as subject
from harness.posterior import at_most, beta_below, noise, posterior

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=10)
HITS = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("weak", "strong"),
    [([0.5], [0.8]), ([0.4, 0.6, 0.5], [0.8, 0.9, 0.7]), ([0.2, 0.7], [0.3, 0.9, 0.95, 1.0, 0.4])],
)
def test_graded_posterior_is_the_integral(weak: list[float], strong: list[float]) -> None:
    """Mean and probability are what prior times likelihood gives on a grid over level, gap and s.d."""
    gaps = np.linspace(-1.5, 1.5, 301)[:, None, None]
    levels = np.linspace(-0.6, 1.6, 111)[None, :, None]
    sds = np.exp(np.linspace(np.log(0.03), np.log(1.5), 81))[None, None, :]
    freedom, prior = subject.PRIOR_FREEDOM, subject.PRIOR_SD
    size = len(weak) + len(strong)
    squares = sum((one - levels) ** 2 for one in weak) + sum((one - levels - gaps) ** 2 for one in strong)
    squares = squares + freedom * prior**2 + subject.SCEPTICISM * gaps**2
    log = -(size + freedom + 1) * np.log(sds) - squares / (2 * sds**2)
    mass = np.exp(log - log.max()).sum(axis=(1, 2))
    mass /= mass.sum()
    found = posterior(weak, strong, 0.2)
    line = gaps.ravel()
    step = float(line[1] - line[0])
    assert found.gap == pytest.approx(float((mass * line).sum()), abs=1e-3)
    for required in (0.0, 0.2, 0.4):
        above = float(
            mass[line > required + step / 2].sum() + mass[np.abs(line - required) < step / 2].sum() / 2
        )
        assert posterior(weak, strong, required).above == pytest.approx(above, abs=6e-3)
    for end, below in ((found.low, 0.025), (found.high, 0.975)):
        if abs(end) < 1:
            assert float(mass[line < end].sum()) == pytest.approx(below, abs=6e-3)


@pytest.mark.parametrize("rights", [(0, 4, 4, 4), (1, 4, 3, 4), (3, 12, 9, 10), (0, 1, 1, 1)])
@pytest.mark.parametrize("required", [-0.2, 0.0, 0.2, 0.5])
def test_binary_posterior_is_the_integral(rights: tuple[int, int, int, int], required: float) -> None:
    """The probability is the integral of weak's density times the chance that strong lies so much higher."""
    weak, weak_tries, strong, strong_tries = rights
    grid = np.linspace(0, 1, 20_001)
    density = grid**weak * (1 - grid) ** (weak_tries - weak)
    higher = [
        1 - beta_below(min(1.0, max(0.0, float(one))), strong, strong_tries) for one in grid[::20] + required
    ]
    above = np.trapezoid(density[::20] * higher, grid[::20]) / np.trapezoid(density, grid)
    scores = [[1.0] * right + [0.0] * (tries - right) for right, tries in (rights[:2], rights[2:])]
    found = posterior(*scores, required, binary=True)
    assert found.above == pytest.approx(float(above), abs=1e-4)
    assert found.gap == pytest.approx((strong + 1) / (strong_tries + 2) - (weak + 1) / (weak_tries + 2))


@pytest.mark.parametrize(("right", "tries"), [(0, 1), (1, 4), (4, 4), (7, 12)])
@pytest.mark.parametrize("bound", [0.1, 0.25, 0.75])
def test_beta_is_the_integral_of_its_density(bound: float, right: int, tries: int) -> None:
    """The binomial tail is the integral of the density of a rate with a flat prior."""
    whole, part = np.linspace(0, 1, 40_001), np.linspace(0, bound, 40_001)
    shares = [np.trapezoid(one**right * (1 - one) ** (tries - right), one) for one in (part, whole)]
    assert beta_below(bound, right, tries) == pytest.approx(shares[0] / shares[1], abs=1e-8)


@given(SCORES, SCORES, st.floats(-1, 1), st.randoms(use_true_random=False))
def test_order_of_scores_is_irrelevant(
    weak: list[float], strong: list[float], required: float, rng: Random
) -> None:
    """Shuffled scores give the same posterior to the last bit."""
    shuffled = rng.sample(weak, len(weak)), rng.sample(strong, len(strong))
    assert posterior(*shuffled, required) == posterior(weak, strong, required)


@given(SCORES, SCORES, st.floats(-1, 1))
def test_posterior_is_a_distribution(weak: list[float], strong: list[float], required: float) -> None:
    """Probabilities lie in [0, 1], the mean within the interval, a wider gap is never likelier, nothing is NaN."""
    found = posterior(weak, strong, required)
    assert all(isfinite(one) for one in (found.gap, found.low, found.high, found.above))
    assert -1 <= found.low < found.gap < found.high <= 1 or found.gap in (found.low, found.high)
    assert 0 <= posterior(weak, strong, required + 0.1).above <= found.above <= 1
    assert (found.weak, found.strong, found.required) == (len(weak), len(strong), required)


@given(HITS, HITS)
def test_binary_posterior_is_antisymmetric(weak: list[float], strong: list[float]) -> None:
    """Solvers exchanged, the gap has the other sign, and so have the ends of its interval."""
    found, other = posterior(weak, strong, 0, binary=True), posterior(strong, weak, 0, binary=True)
    assert found.gap == pytest.approx(-other.gap)
    assert (found.low, found.high) == pytest.approx((-other.high, -other.low), abs=2e-3)
    assert found.above == pytest.approx(1 - other.above, abs=2e-3)


def test_prior_doubts_and_gives_way() -> None:
    """The mean lies nearer to 0 than the measured gap, and comes closer to it with every attempt."""
    gaps = [posterior([0.4] * size, [0.8] * size, 0.2).gap for size in (1, 3, 10, 100)]
    assert gaps == sorted(gaps)
    assert gaps[0] < 0.3
    assert gaps[-1] == pytest.approx(0.4, abs=2e-3)


def test_bounds_that_nothing_can_break_are_certain() -> None:
    """A mean is at most 1 for certain, and not below 0; half of it lies on either side of what was measured."""
    scores = [0.9, 1.0]
    found = noise(scores)
    assert at_most(scores, 1.0, found) == 1
    assert at_most(scores, 0.0, found) == 0
    assert at_most(scores, 0.95, found) == pytest.approx(0.5)
    assert at_most([1, 0], 1.0, None) == 1


@pytest.mark.parametrize("bad", [[float("nan")], [1.1], [-0.1], [float("inf")], []])
def test_what_is_no_score_raises(bad: list[float]) -> None:
    """Missing scores and numbers that are none raise, on either side."""
    for weak, strong in ((bad, [0.5]), ([0.5], bad)):
        with pytest.raises(ValueError, match=r"scores|attempts"):
            posterior(weak, strong, 0.2)


def test_graded_scores_are_not_binary() -> None:
    """Half a point is no answer that is right or wrong."""
    with pytest.raises(ValueError, match="0 or 1"):
        posterior([0.5], [1.0], 0.2, binary=True)
