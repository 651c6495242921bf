"""Boltzmann selection of parents: good ones often, all of them sometimes."""

import numpy as np

from evolve.population import Choice, Population


def probabilities(scores: np.ndarray, temperature: float) -> np.ndarray:
    """P(c) = exp(s_c / T) / sum over all, for scores of shape (n,); the largest score is subtracted first.

    Raises:
        ValueError: no scores, or a temperature that is not positive.
    """
    if scores.size == 0 or temperature <= 0:
        raise ValueError(f"{scores.size} scores and temperature {temperature!r}: both must be positive")
    weights = np.exp((scores - scores.max()) / temperature)
    return np.asarray(weights / weights.sum())


def select(population: Population, temperature: float, rng: np.random.Generator) -> Choice:
    """Draw a parent with `probabilities` of the mean validation scores."""
    standings = list(population.standings.values())
    chances = probabilities(np.array([one.score for one in standings]), temperature)
    drawn = standings[int(rng.choice(len(standings), p=chances))]
    named = zip(standings, chances, strict=True)
    return Choice(drawn.candidate, {one.candidate.id: float(chance) for one, chance in named})
