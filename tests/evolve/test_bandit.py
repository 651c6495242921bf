"""Which operator is tried next: it follows what survivors cost, keeps a floor, and repeats."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from cases import evaluation, rollout, tried

from evolve.bandit import FLOOR, Earned, Prior, draw, probabilities, summarise
from evolve.iteration import Spend


def test_better_beats_worse():
    """At equal cost the operator with more survivors is tried more often."""
    found = probabilities(
        {"edit": Earned(40, 10, 30, 800), "merge": Earned(40, 2, 30, 800)}, ("edit", "merge")
    )
    assert found["edit"] > 0.8 and sum(found.values()) == pytest.approx(1)


def test_cheaper_beats_dearer():
    """At equal success the operator that takes fewer rollouts is tried more often."""
    found = probabilities(
        {"edit": Earned(40, 6, 30, 4000), "merge": Earned(40, 6, 30, 800)}, ("edit", "merge")
    )
    assert found["merge"] > 0.8


def test_what_is_free_and_useless_does_not_win():
    """An operator whose iterations cost next to nothing because nothing comes of them is not preferred for it."""
    found = probabilities({"edit": Earned(40, 8, 40, 800), "merge": Earned(40, 0, 0, 0)}, ("edit", "merge"))
    assert found["edit"] > found["merge"]


def test_unknown_ones_are_equal():
    """Before the first try, and on a tie, nobody is preferred."""
    for earned in ({}, {"edit": Earned(9, 3, 9, 90), "merge": Earned(9, 3, 9, 90)}):
        found = probabilities(earned, ("edit", "merge"))
        assert found["edit"] == pytest.approx(0.5, abs=0.03)


def test_an_untried_one_is_tried():
    """After a few failures of one, one that was never tried is likelier than it."""
    found = probabilities({"edit": Earned(12, 0, 12, 240)}, ("edit", "agent"))
    assert found["agent"] > found["edit"]


def test_everybody_keeps_a_floor():
    """The hopeless is still tried, by the floor; more operators than the floor has room for share alike."""
    earned = {"edit": Earned(400, 200, 400, 400), "merge": Earned(400, 0, 400, 40_000)}
    assert probabilities(earned, ("edit", "merge"))["merge"] == pytest.approx(FLOOR)
    assert probabilities(earned, ("edit", "merge"), floor=0.7) == {"edit": 0.5, "merge": 0.5}


def test_only_the_possible_take_part():
    """What cannot be done now has no probability; if nothing can, that is an error."""
    assert probabilities({"merge": Earned(9, 9, 9, 9)}, ("edit",)) == {"edit": 1.0}
    with pytest.raises(ValueError, match="no operator"):
        probabilities({}, ())


def test_the_same_record_gives_the_same_probabilities():
    """Whatever the order in which operators are named."""
    earned = {"edit": Earned(7, 1, 5, 90), "merge": Earned(3, 1, 2, 30)}
    turned = dict(reversed(earned.items()))
    assert probabilities(earned, ("merge", "edit")) == probabilities(turned, ("edit", "merge"))


def test_a_stronger_prior_is_slower():
    """The more is believed beforehand, the less a few tries change."""
    earned = {"edit": Earned(4, 3, 4, 80), "merge": Earned(4, 0, 4, 80)}
    usual, firm = (probabilities(earned, ("edit", "merge"), prior) for prior in (None, Prior(50, 200, 50)))
    assert usual["edit"] > firm["edit"] > 0.5


def test_draws_follow_the_probabilities():
    """In the long run, with one number of the generator a draw."""
    rng = np.random.default_rng(1)
    counts = Counter(draw({"edit": 0.7, "merge": 0.2, "agent": 0.1}, rng) for _ in range(2000))
    assert counts["edit"] == pytest.approx(1400, abs=80) and counts["agent"] == pytest.approx(200, abs=50)
    one, other = np.random.default_rng(2), np.random.default_rng(2)
    draw({"edit": 1.0}, one)
    other.random()
    assert one.random() == other.random()


def test_a_summary_counts_tries_survivors_and_cost():
    """Per operator of one arm: iterations without a child count as tries, the baseline as none."""
    measured = tried(2, "survived")
    merged = replace(tried(3, "no_change"), operator="merge")
    control = replace(tried(4, "dropped"), arm="random", operator="random")
    spent = replace(
        tried(5, "dropped"), spend=(Spend("analyzer", 1, 70, 30, 0.0), Spend("judge", 1, 10, 0, 0.0))
    )
    missing = evaluation("c2", rollout("d", score=None), side="minibatch")
    measured = replace(measured, evaluations=(*measured.evaluations, missing))
    past = [replace(tried(0, "baseline")), measured, merged, control, spent]
    assert summarise(past) == {"edit": Earned(2, 1, 2, 5, 110), "merge": Earned(1)}
    assert summarise(past, "random") == {"random": Earned(1, 0, 1, 2)}


def test_a_contender_is_earned():
    """What may be a parent counts as kept: survivors are too rare for a bandit to learn from them alone."""
    past = [tried(1, "contender"), tried(2, "dropped"), tried(3, "survived")]
    assert summarise(past) == {"edit": Earned(3, 2, 3, 6)}
