"""Boltzmann selection: direction, ties, empty input, and the probabilities that are stored."""

import numpy as np
import pytest
from evolve_fakes import baseline, compared
from hypothesis import given
from hypothesis import strategies as st

from evolve.iteration import Choice
from evolve.population import Population
from evolve.selection import Pressure, rule
from evolve.selection.boltzmann import degree, probabilities, select
from harness.errors import UsageError

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=30)
UNSHRUNK = Pressure(shrink=False)
THREE = Population(
    [
        baseline([0.0] * 4),
        compared(1, [0.0] * 4, [1.0, 0.0, 0.0, 0.0]),
        compared(2, [0.0] * 4, [1.0, 1.0, 1.0, 0.0]),
    ]
)


def drawn_from(population: Population, rng: np.random.Generator, pressure: Pressure = UNSHRUNK) -> Choice:
    return select(list(population.standings.values()), population.children, pressure, rng)


@given(SCORES, st.floats(0.01, 10))
def test_probabilities_follow_the_scores(scores: list[float], temperature: float) -> None:
    """They sum to one, a better score never has the smaller one, and equal scores have equal ones."""
    found = probabilities(np.array(scores), temperature)
    assert found.sum() == pytest.approx(1)
    assert (np.diff(found[np.argsort(scores, kind="stable")]) >= 0).all()
    tied = probabilities(np.full(len(scores), scores[0]), temperature)
    assert tied == pytest.approx(np.full(len(scores), 1 / len(scores)))


def test_probabilities_are_those_of_the_formula() -> None:
    """P = exp(s/T) / sum: scores 0.0 and 0.1 at T = 0.1 stand as 1 to e; a tiny temperature does not overflow."""
    low, high = probabilities(np.array([0.0, 0.1]), 0.1)
    assert high / low == pytest.approx(np.e)
    assert probabilities(np.array([0.0, 0.5, 1.0]), 1e-6) == pytest.approx([0, 0, 1])
    assert probabilities(np.array([0.0, 1.0]), 1e6) == pytest.approx([0.5, 0.5], abs=1e-6)


@pytest.mark.parametrize(("scores", "temperature"), [([], 0.1), ([0.5], 0.0), ([0.5], -1.0)])
def test_nothing_to_choose_from_is_refused(scores: list[float], temperature: float) -> None:
    """Empty input and a temperature that is not positive raise."""
    with pytest.raises(ValueError, match="must be positive"):
        probabilities(np.array(scores), temperature)


def test_the_best_is_drawn_most_and_the_worst_sometimes() -> None:
    """Over many draws the shares are the stored probabilities, best first."""
    rng = np.random.default_rng(0)
    choices = [drawn_from(THREE, rng, Pressure(0.5, shrink=False)) for _ in range(4000)]
    stored = choices[0].probabilities
    assert list(stored) == ["c0", "c1", "c2"]
    assert stored["c2"] > stored["c1"] > stored["c0"] > 0.05
    drawn = [choice.parent.id for choice in choices]
    for key, chance in stored.items():
        assert drawn.count(key) / len(drawn) == pytest.approx(chance, abs=0.03)


def test_the_same_generator_draws_the_same_parent() -> None:
    """A draw depends on seed and population alone, and takes a single number from the generator."""
    once, again = np.random.default_rng([3, 7]), np.random.default_rng([3, 7])
    assert [drawn_from(THREE, once) for _ in range(9)] == [drawn_from(THREE, again) for _ in range(9)]
    used, fresh = np.random.default_rng(5), np.random.default_rng(5)
    drawn_from(THREE, used)
    fresh.random()
    assert used.random() == fresh.random()


def test_a_rule_is_found_by_name_or_path() -> None:
    """A bare name is one of ours, a dotted path anybody's; an unknown one says where to look."""
    assert rule("boltzmann").select is select
    assert rule("evolve.selection.boltzmann").select is select
    with pytest.raises(UsageError, match=r"no rule 'greedy'.*evolve/selection/"):
        rule("greedy")


def test_every_probability_is_told() -> None:
    """However many candidates there are, the whole vector comes with the draw, and it sums to one."""
    crowd = Population(
        [baseline([0.0] * 4), *(compared(n, [], [float(n % 4 == 0)] * 4) for n in range(1, 401))]
    )
    choice = drawn_from(crowd, np.random.default_rng(0), Pressure(10.0))
    assert list(choice.probabilities) == list(crowd.standings)
    assert sum(choice.probabilities.values()) == pytest.approx(1)


def test_a_lucky_outlier_does_not_own_the_run() -> None:
    """One candidate with 3 of 3 among many with a hundred trials at 0.4 is drawn rarely once scores are shrunk."""
    steady = [compared(n, [], [1.0] * 40 + [0.0] * 60) for n in range(1, 10)]
    crowd = Population([baseline([1.0] * 40 + [0.0] * 60), *steady, compared(10, [], [1.0] * 3)])
    rng = np.random.default_rng(0)
    raw = drawn_from(crowd, rng, Pressure(shrink=False)).probabilities["c10"]
    shrunk = drawn_from(crowd, rng, Pressure()).probabilities["c10"]
    assert raw > 0.9
    assert shrunk < 0.2


def test_a_candidate_without_children_gets_the_bonus() -> None:
    """Of two equal candidates the one that had no child is drawn more often, and not without the bonus."""
    pair = Population(
        [baseline([0.0, 1.0]), compared(1, [], [0.0, 1.0]), compared(2, [], [0.0, 1.0], "dropped", "c1")]
    )
    assert pair.children == {"c0": 1, "c1": 1}
    rng, family = np.random.default_rng(0), {"c0": 5}
    standings = list(pair.standings.values())
    even = select(standings, family, Pressure(), rng).probabilities
    bonus = select(standings, family, Pressure(children_bonus=0.1), rng).probabilities
    assert even["c0"] == pytest.approx(even["c1"])
    assert bonus["c1"] > bonus["c0"]


def test_a_temperature_in_standard_errors_cools_as_trials_come_in() -> None:
    """With four times the trials of the same scores the temperature halves, and the better one is drawn more."""
    few = np.array(
        [one.record.variance for one in Population([baseline([1.0, 0.0] * 50)]).standings.values()]
    )
    many = np.array(
        [one.record.variance for one in Population([baseline([1.0, 0.0] * 200)]).standings.values()]
    )
    pressure = Pressure(2.0, "error")
    assert degree(pressure, few) == pytest.approx(2 * degree(pressure, many), rel=0.01)
    assert degree(Pressure(0.3), few) == 0.3
