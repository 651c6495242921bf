"""What many simulated runs say, and that it does not hang on the number of processes."""

from dataclasses import replace

import numpy as np
import pytest

from evolve.contest import Contest, Record, Survival, Terms, Trial
from evolve.intervals import proportion
from evolve.null import Held, Scenario
from evolve.null_study import Power, detectable, gains_of, jobs, noise, power_of, study, usual_runs
from evolve.pass_rates import Rates, assumed

STRICT = Scenario("strict", Terms(), 6, 10, assumed(None))


def power(*chances: tuple[float, int]) -> list[Power]:
    return [Power(gain, proportion(kept, 100), 10.0) for gain, kept in chances]


def test_one_process_and_two_find_the_same() -> None:
    """Every job's randomness comes from the seed and its place alone."""
    assert study(STRICT, 4, 3, 1) == study(STRICT, 4, 3, 2)
    assert study(STRICT, 4, 3, 1) != study(STRICT, 4, 4, 1)


def test_strict_wins_by_luck_and_sequential_does_not() -> None:
    """The share of runs with a false win tells the rules apart, and better children are kept more often."""
    lucky = study(replace(STRICT, iterations=20), 12, 0, 1)
    careful = study(replace(STRICT, survival="sequential", terms=Terms(effect=0.3), iterations=20), 12, 0, 1)
    assert lucky.false_wins.low > 0.6
    assert careful.false_wins.value < 0.4
    assert careful.power[-1].chance.value > careful.power[0].chance.value
    assert careful.decision > 0
    assert lucky.decision == lucky.most == 12


def test_progress_counts_every_job() -> None:
    """What is told ends with the number of jobs."""
    told: list[int] = []
    study(STRICT, 2, 0, 1, told.append)
    assert told == list(range(1, jobs(STRICT, 2) + 1))


def test_detectable_gain_lies_between_two_tried_ones() -> None:
    """The straight line between two gains; a dip by luck does not count; None where no chance is high enough."""
    assert detectable(power((0.1, 60), (0.2, 100))) == pytest.approx(0.15)
    assert detectable(power((0.1, 90), (0.2, 70))) == pytest.approx(0.8 / 0.9 * 0.1)
    assert detectable(power((0.1, 10), (0.2, 79))) is None


def test_noise_is_that_of_coin_flips() -> None:
    """Documents that are passed half of the time: the known standard deviations; the best of many is far up."""
    fair = Rates(0.5, 0.01, tuple((50_000.0, 100_000) for _ in range(25)), "")
    found = noise(fair, 25, 50, 0)
    assert found.single == pytest.approx(0.1, rel=0.01)
    assert found.difference == pytest.approx(0.1 * 2**0.5, rel=0.01)
    assert found.best == pytest.approx(0.1 * 2.25, abs=0.02)  # mean of the largest of 50 normal values


def test_gains_leave_room_above() -> None:
    """Nothing is tried that would need a pass rate above 1; something always is."""
    assert max(gains_of(assumed(0.8))) <= 0.15
    assert gains_of(assumed(0.99)) == (0.025,)


def test_long_runs_are_simulated_less_often() -> None:
    """About as many decisions whatever the length, within bounds."""
    assert [usual_runs(length) for length in (1, 50, 10_000)] == [400, 80, 20]
    assert np.all(np.diff([usual_runs(length) for length in range(1, 300)]) <= 0)


def test_contenders_are_counted_beside_survivors() -> None:
    """A better child is at least as often a parent as a survivor, more often where the gain is small; else both agree."""
    scenario = replace(STRICT, survival="sequential", terms=Terms(effect=0.3, contend=None), iterations=20)
    found = study(scenario, 12, 0, 1)
    assert found.contenders > 0 and found.false_wins.value < 0.4
    chances = [(one.chance.value, one.parent.value) for one in found.power if one.parent]
    assert len(chances) == len(found.power)
    assert all(parent >= chance for chance, parent in chances)
    assert any(parent > chance for chance, parent in chances)
    without = study(replace(scenario, terms=Terms(effect=0.3)), 4, 0, 1)
    assert without.contenders == 0
    assert all(one.parent == one.chance for one in without.power)


def test_power_counts_outcomes() -> None:
    """Survivors for the chance, all but the dropped for the parents, rollouts of all."""
    contest = Contest(1, ("a",), Record(), child=(Trial("a", 0, 1.0),))
    ended = [
        Survival(True, ""),
        Survival(False, "", contender=True),
        Survival(False, ""),
        Survival(False, ""),
    ]
    found = power_of(0.1, [Held(one, contest, 1) for one in ended])
    assert found == Power(0.1, proportion(1, 4), 1.0, proportion(2, 4))
