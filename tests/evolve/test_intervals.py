"""Intervals against published figures, and what must hold for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.intervals import Z, bonferroni, paired_difference, proportion

PAIRS = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=80)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_proportion_has_the_published_wilson_interval(
    successes: int, trials: int, low: float, high: float
) -> None:
    """The four examples of Newcombe 1998, Statistics in Medicine 17:857, method 3, to four digits."""
    found = proportion(successes, trials)
    assert (found.value, found.trials) == (successes / trials, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


def test_no_trial_says_nothing() -> None:
    """Without trials the interval is all of [0, 1] and does not exclude zero."""
    found = proportion(0, 0)
    assert (found.low, found.high, found.trials, found.excludes_zero) == (0.0, 1.0, 0, False)


@given(st.integers(1, 300), st.floats(0, 1))
def test_a_proportion_lies_in_its_interval(trials: int, share: float) -> None:
    """The estimate lies within its interval, the interval within [0, 1], and more trials make it narrower."""
    hits = round(share * trials)
    few, many = proportion(hits, trials), proportion(hits * 10, trials * 10)
    assert 0.0 <= few.low <= few.value + 1e-12
    assert few.value - 1e-12 <= few.high <= 1.0
    assert many.high - many.low < few.high - few.low


def test_a_paired_difference_has_the_published_interval() -> None:
    """Airway data of Fagerland, Lydersen and Laake 2014 (1, 1, 7, 12): -0.286 with -0.508 to -0.013."""
    pairs = [(1.0, 1.0)] * 1 + [(1.0, 0.0)] * 1 + [(0.0, 1.0)] * 7 + [(0.0, 0.0)] * 12
    found = paired_difference(pairs)
    assert found.value == pytest.approx(-6 / 21)
    assert (found.low, found.high) == pytest.approx((-0.508, -0.013), abs=6e-4)
    assert found.excludes_zero


@given(PAIRS)
def test_a_paired_difference_is_antisymmetric_and_holds_its_estimate(
    pairs: list[tuple[float, float]],
) -> None:
    """Swapping the sides flips the interval; the estimate lies in it; it stays within [-1, 1]."""
    found = paired_difference(pairs)
    swapped = paired_difference([(second, first) for first, second in pairs])
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))
    assert -1.0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1.0


def test_equal_pairs_never_look_certain() -> None:
    """Ten pairs without any difference leave room on both sides; zero is never excluded."""
    found = paired_difference([(1.0, 1.0)] * 10)
    assert found.low < -0.1 < 0.1 < found.high
    assert not found.excludes_zero


@given(PAIRS)
def test_means_of_trials_are_never_surer_than_their_trials(pairs: list[tuple[float, float]]) -> None:
    """Halving every difference narrows the interval's claim: what excludes zero then excluded it before."""
    halved = paired_difference([(0.5 + (a - b) / 4, 0.5 - (a - b) / 4) for a, b in pairs])
    assert not halved.excludes_zero or paired_difference(pairs).excludes_zero


def test_no_pairs_are_refused() -> None:
    """A difference of nothing is an error, not zero."""
    with pytest.raises(ValueError, match="at least one pair"):
        paired_difference([])


def test_several_comparisons_have_the_tabulated_quantiles() -> None:
    """Two-sided 95 % over m comparisons (Dunn 1961, table 2, infinite degrees of freedom); one needs no correction."""
    assert bonferroni(0) == bonferroni(1) == Z
    assert [round(bonferroni(number), 2) for number in (2, 5, 10, 50)] == [2.24, 2.58, 2.81, 3.29]


@given(PAIRS, st.integers(2, 40))
def test_a_corrected_difference_contains_the_plain_one(pairs: list[tuple[float, float]], number: int) -> None:
    """The value stays; the interval only grows."""
    plain, wide = paired_difference(pairs), paired_difference(pairs, bonferroni(number))
    assert wide.value == plain.value
    assert wide.low <= plain.low
    assert plain.high <= wide.high
