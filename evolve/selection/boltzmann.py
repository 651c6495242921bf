"""Boltzmann selection of parents: good ones often, all of them sometimes."""

import numpy as np

from evolve.population import Choice, Population

TOLD = 100


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
    """Draw a parent with `probabilities` of the mean validation scores.

    Told with the choice are the `TOLD` likeliest candidates and the drawn one: a list of all with every iteration would
    make a long run grow by its square.
    """
    standings = list(population.standings.values())
    chances = probabilities(np.array([one.score for one in standings]), temperature)
    drawn = int(rng.choice(len(standings), p=chances))
    likeliest = np.argsort(-chances, kind="stable")[:TOLD].tolist()
    named = {standings[at].candidate.id: float(chances[at]) for at in sorted({drawn, *likeliest})}
    return Choice(standings[drawn].candidate, named)
