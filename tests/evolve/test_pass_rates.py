"""Pass rates: fitted to draws, or assumed."""

import numpy as np
import pytest

from evolve.pass_rates import ASSUMED_SPREAD, Rates, assumed, fitted


def test_mean_and_spread_are_found_again() -> None:
    """Draws from a known beta distribution lead back to its mean and its spread."""
    rng = np.random.default_rng(0)
    rates = rng.beta(2, 6, 2000)  # mean 0.25, spread 1/9
    counts = [(float(hits), 12) for hits in rng.binomial(12, rates)]
    found = fitted(counts, "c0")
    assert found.mean == pytest.approx(0.25, abs=0.02)
    assert found.spread == pytest.approx(1 / 9, abs=0.02)


def test_equal_documents_have_next_to_no_spread() -> None:
    """Documents that are passed equally often do not seem to differ, however luck scatters their draws."""
    rng = np.random.default_rng(0)
    found = fitted([(float(hits), 40) for hits in rng.binomial(40, 0.5, 200)], "c0")
    assert found.spread < 0.02


def test_one_draw_a_document_tells_no_spread() -> None:
    """With single draws the spread is assumed, and the source says so."""
    found = fitted([(1.0, 1), (0.0, 1), (0.0, 1)], "c0")
    assert found.spread == ASSUMED_SPREAD
    assert "assumed" in found.source
    assert found.mean == pytest.approx(2 / 5)


def test_documents_are_shrunk_by_how_little_is_known_of_them() -> None:
    """A document that always passed forty times keeps near 1; one that passed once is pulled to the mean."""
    rates = Rates(0.3, 0.2, ((40.0, 40), (1.0, 1)), "")
    drawn = np.array([np.sort(rates.draw(2, np.random.default_rng(seed))) for seed in range(500)])
    assert drawn[:, 1].mean() > 0.9
    assert 0.3 < drawn[:, 0].mean() < 0.6


def test_more_documents_than_were_recorded() -> None:
    """The rest comes from the distribution of all, and every rate is strictly between 0 and 1."""
    drawn = Rates(0.3, 0.2, ((40.0, 40),), "").draw(500, np.random.default_rng(0))
    assert drawn.shape == (500,)
    assert drawn.mean() == pytest.approx(0.3, abs=0.05)
    assert 0 < drawn.min() <= drawn.max() < 1


def test_what_is_assumed_is_said() -> None:
    """Without a mean every rate is as likely; with one the distribution has it."""
    assert assumed(None).weights == pytest.approx((1, 1))
    assert "Beta(1, 1)" in assumed(None).source
    assert assumed(0.2).weights == pytest.approx((0.4, 1.6))


def test_no_draws_are_refused() -> None:
    """Nothing can be fitted to nothing."""
    with pytest.raises(ValueError, match="no draws"):
        fitted([], "c0")
