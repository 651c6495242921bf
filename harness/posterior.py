"""What attempts say about the true means of the solvers: posteriors in closed form. Arithmetic alone, no decision.

Graded scores: normal around the true mean of their solver, with one unknown variance for both. Binary ones: Bernoulli.
Every result is the same for the scores in any order, to the last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, fsum, sqrt
from statistics import fmean

import numpy as np

from harness import student
from harness.trajectory import Posterior

PRIOR_SD = 0.18
"""Of one attempt, as measured for rubric scores; the prior on the variance is scaled-inverse-chi-squared around it."""
PRIOR_FREEDOM = 4
"""Degrees of freedom of that prior: what five scores of one solver would say."""
SCEPTICISM = 0.2
"""The gap is thought to be 0 beforehand, with an s.d. of PRIOR_SD / sqrt(SCEPTICISM) = 0.40."""
COVERED = 0.95
GRID = 1000


@dataclass(frozen=True)
class Noise:
    """The s.d. of an attempt as far as it is known, with its degrees of freedom."""

    sd: float
    freedom: int


def checked(scores: Sequence[float], binary: bool = False) -> Sequence[float]:
    """The scores, if each is a number in [0, 1], and 0 or 1 where they are binary. None at all is no error.

    Raises:
        ValueError: one is not.
    """
    if not all(0.0 <= one <= 1.0 for one in scores):
        raise ValueError(f"scores lie in [0, 1], not {list(scores)!r}")
    if binary and not all(one in (0, 1) for one in scores):
        raise ValueError(f"binary scores are 0 or 1, not {list(scores)!r}; take the rule for graded ones")
    return scores


def posterior(
    weak: Sequence[float], strong: Sequence[float], required: float, *, binary: bool = False
) -> Posterior:
    """The gap between the true means, from at least one attempt of each solver.

    Its mean lies nearer to 0 than the difference of the sample means: that is the prior's doubt, 12 % off at three
    attempts a side, 4 % at ten.

    Raises:
        ValueError: scores missing, or see `checked`.
    """
    if not (checked(weak, binary) and checked(strong, binary)):
        raise ValueError(f"a gap needs attempts of both solvers, not {len(weak)} and {len(strong)}")
    gap, low, high, above = (trials if binary else graded)(weak, strong, required)
    return Posterior(
        gap=gap,
        low=max(-1.0, low),
        high=min(1.0, high),
        above=above,
        required=required,
        weak=len(weak),
        strong=len(strong),
    )


def graded(
    weak: Sequence[float], strong: Sequence[float], required: float
) -> tuple[float, float, float, float]:
    """Mean, ends of the interval, and probability of at least `required`, of normal scores.

    A linear model with a flat prior on the level and the conjugate normal-inverse-gamma prior on gap and variance, which
    gives a shifted and scaled t (Gelman et al. 2013, Bayesian Data Analysis, 3rd ed., chapters 3 and 14).
    """
    worth = 1 / (1 / len(weak) + 1 / len(strong))
    measured = fmean(strong) - fmean(weak)
    trust = worth / (worth + SCEPTICISM)
    found = noise(weak, strong)
    freedom = found.freedom + 1
    squares = found.freedom * found.sd**2 + trust * SCEPTICISM * measured**2
    scale = sqrt(squares / freedom / (worth + SCEPTICISM))
    gap, half = trust * measured, scale * student.quantile((1 + COVERED) / 2, freedom)
    return gap, gap - half, gap + half, student.below((gap - required) / scale, freedom)


def noise(*sides: Sequence[float]) -> Noise:
    """The pooled s.d. within the sides, together with its prior; every side has at least one score."""
    freedom = PRIOR_FREEDOM + sum(len(scores) - 1 for scores in sides)
    squares = PRIOR_FREEDOM * PRIOR_SD**2 + fsum(scatter(scores) for scores in sides)
    return Noise(sqrt(squares / freedom), freedom)


def scatter(scores: Sequence[float]) -> float:
    """The sum of squared distances from the mean."""
    mean = fmean(scores)
    return fsum((one - mean) ** 2 for one in scores)


def at_most(scores: Sequence[float], bound: float, found: Noise | None) -> float:
    """Probability that the true mean is at most `bound`, from at least one score; found: of graded ones, else binary.

    A flat prior on the mean. A bound that no mean can break, or reach, is certain.
    """
    if not 0 < bound < 1:
        return float(bound >= 1)
    if found is None:
        return beta_below(bound, round(sum(scores)), len(scores))
    return student.below((bound - fmean(scores)) * sqrt(len(scores)) / found.sd, found.freedom)


def beta_below(bound: float, right: int, tries: int) -> float:
    """Probability that a rate with a flat prior lies below `bound`, after so many right tries.

    Beta(right + 1, wrong + 1), as the tail of a binomial (Abramowitz and Stegun 1964, 26.5.24).
    """
    size = tries + 1
    return fsum(
        comb(size, hits) * bound**hits * (1 - bound) ** (size - hits) for hits in range(right + 1, size + 1)
    )


def trials(
    weak: Sequence[float], strong: Sequence[float], required: float
) -> tuple[float, float, float, float]:
    """Mean, ends of the interval, and probability of at least `required`, of binary scores."""
    return rates(round(sum(weak)), len(weak), round(sum(strong)), len(strong), required)


@lru_cache(maxsize=4096)
def rates(
    weak: int, weak_tries: int, strong: int, strong_tries: int, required: float
) -> tuple[float, float, float, float]:
    """The difference of two independent rates with flat priors, by summing their densities over a grid, to 1e-5."""
    middles = (np.arange(GRID) + 0.5) / GRID
    masses = [
        middles**right * (1 - middles) ** (tries - right)
        for right, tries in ((weak, weak_tries), (strong, strong_tries))
    ]
    mass = np.convolve(masses[1] / masses[1].sum(), (masses[0] / masses[0].sum())[::-1])
    gaps = np.arange(1 - GRID, GRID) / GRID
    below = np.cumsum(mass) - mass / 2
    low, high = np.interp([(1 - COVERED) / 2, (1 + COVERED) / 2], below, gaps)
    gap = (strong + 1) / (strong_tries + 2) - (weak + 1) / (weak_tries + 2)
    return gap, float(low), float(high), 1 - float(np.interp(required, gaps, below))
