"""Boltzmann selection: direction, ties, empty input, and the probabilities that are stored."""

import numpy as np
import pytest
from evolve_fakes import baseline, compared
from hypothesis import given
from hypothesis import strategies as st

from evolve.population import Population
from evolve.selection import rule
from evolve.selection.boltzmann import TOLD, probabilities, select
from harness.errors import UsageError

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=30)
THREE = Population(
    [
        baseline([0.0] * 4),
        compared(1, [0.0] * 4, [1.0, 0.0, 0.0, 0.0]),
        compared(2, [0.0] * 4, [1.0, 1.0, 1.0, 0.0]),
    ]
)


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
    choices = [select(THREE, 0.5, rng) for _ in range(4000)]
    stored = choices[0].probabilities
    assert list(stored) == ["c0", "c1", "c2"]
    assert stored["c2"] > stored["c1"] > stored["c0"] > 0.05
    drawn = [choice.parent.id for choice in choices]
    for key, chance in stored.items():
        assert drawn.count(key) / len(drawn) == pytest.approx(chance, abs=0.03)


def test_the_same_generator_draws_the_same_parent() -> None:
    """A draw depends on seed and population alone, and takes a single number from the generator."""
    once, again = np.random.default_rng([3, 7]), np.random.default_rng([3, 7])
    assert [select(THREE, 0.1, once) for _ in range(9)] == [select(THREE, 0.1, again) for _ in range(9)]
    used, fresh = np.random.default_rng(5), np.random.default_rng(5)
    select(THREE, 0.1, used)
    fresh.random()
    assert used.random() == fresh.random()


def test_a_rule_is_found_by_name_or_path() -> None:
    """A bare name is one of ours, a dotted path anybody's; an unknown one says where to look."""
    assert rule("boltzmann").select is select
    assert rule("evolve.selection.boltzmann").select is select
    with pytest.raises(UsageError, match=r"no rule 'greedy'.*evolve/selection/"):
        rule("greedy")


def test_a_long_list_is_told_by_its_likeliest() -> None:
    """Of more candidates than are told the likeliest are named, and the drawn one always; the draw is among all."""
    crowd = Population(
        [baseline([0.0] * 4), *(compared(n, [], [float(n % 4 == 0)] * 4) for n in range(1, 4 * TOLD + 1))]
    )
    choices = [select(crowd, 10.0, np.random.default_rng(seed)) for seed in range(40)]
    likely = {f"c{n}" for n in range(4, 4 * TOLD + 1, 4)}
    assert all(set(one.probabilities) == likely | {one.parent.id} for one in choices)
    assert any(one.parent.id not in likely for one in choices)
