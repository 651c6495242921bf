"""Boltzmann selection of parents: good ones often, all of them sometimes, and a lucky one no more than it deserves."""

from collections.abc import Mapping, Sequence

import numpy as np

from evolve.iteration import Choice
from evolve.population import Standing
from evolve.selection import Pressure
from evolve.selection.shrinkage import shrunken


def probabilities(scores: np.ndarray, temperature: float) -> np.ndarray:
    """P(c) = exp(s_c / T) / sum over all, for scores of shape (n,); the largest score is subtracted first.

    Raises:
        ValueError: no scores, or a temperature that is not positive.
    """
    if scores.size == 0 or temperature <= 0:
        raise ValueError(f"{scores.size} scores and temperature {temperature!r}: both must be positive")
    weights = np.exp((scores - scores.max()) / temperature)
    return np.asarray(weights / weights.sum())


def select(
    standings: Sequence[Standing], children: Mapping[str, int], pressure: Pressure, rng: np.random.Generator
) -> Choice:
    """Draw a parent with `probabilities` of what the scores are worth; the whole vector is told with the choice.

    A score is worth what is left of it after shrinking (shrinkage.py), plus the bonus over one plus its children.
    """
    scores = np.array([one.score for one in standings])
    variances = np.array([one.record.variance for one in standings])
    worth = shrunken(scores, variances) if pressure.shrink else scores
    worth = worth + pressure.children_bonus / (
        1 + np.array([children.get(one.candidate.id, 0) for one in standings])
    )
    chances = probabilities(worth, degree(pressure, variances))
    drawn = int(rng.choice(len(standings), p=chances))
    named = {one.candidate.id: float(chance) for one, chance in zip(standings, chances, strict=True)}
    return Choice(standings[drawn].candidate, named)


def degree(pressure: Pressure, variances: np.ndarray) -> float:
    """The temperature in points of the score; in units of the error: times the root mean square standard error."""
    if pressure.temperature_unit == "score":
        return pressure.temperature
    return pressure.temperature * float(np.sqrt(variances.mean()))
