"""Intervals for scores: a proportion, a mean, and a difference of paired proportions. Pure arithmetic, 95 % throughout."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from statistics import NormalDist, fmean, stdev

from harness.student import quantile

Z = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its 95 % interval and the number of trials (or pairs) behind it."""

    value: float
    low: float
    high: float
    trials: int

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def proportion(successes: float, trials: int) -> Interval:
    """Wilson's score interval for `successes` of `trials` (Wilson 1927, JASA 22:209-212). All of [0, 1] without trials."""
    if trials == 0:
        return Interval(0.0, 0.0, 1.0, 0)
    rate = successes / trials
    scale = 1 + Z * Z / trials
    middle = (rate + Z * Z / (2 * trials)) / scale
    half = Z * sqrt(rate * (1 - rate) / trials + Z * Z / (4 * trials * trials)) / scale
    return Interval(rate, max(0.0, middle - half), min(1.0, middle + half), trials)


def bonferroni(comparisons: int) -> float:
    """The `z` with which so many intervals hold together at 95 %: each at 1 - 0.05 / comparisons.

    Dunn 1961, J. Am. Stat. Assoc. 56:52-64. It holds however the comparisons depend on one another, so the widest
    of them may be picked afterwards.
    """
    return Z if comparisons <= 1 else NormalDist().inv_cdf(1 - 0.025 / comparisons)


def paired_difference(pairs: Sequence[tuple[float, float]], z: float = Z) -> Interval:
    """Mean of first minus second over pairs of scores in [0, 1], with the adjusted Wald interval for paired proportions.

    Bonett and Price 2012, J. Educ. Behav. Stat. 37:479-488: one is added to each of the two counts of differing
    pairs, which keeps the interval honest when no pair, or every pair, differs. Made for binary scores; for means
    of several it is too wide rather than too narrow, since the size of a difference is at least its square.
    z: the normal quantile, other than that of 95 % for one of several comparisons (`bonferroni`).

    Raises:
        ValueError: no pairs.
    """
    if not pairs:
        raise ValueError("a paired difference needs at least one pair")
    count = len(pairs)
    better = (sum(max(0.0, first - second) for first, second in pairs) + 1) / (count + 2)
    worse = (sum(max(0.0, second - first) for first, second in pairs) + 1) / (count + 2)
    centre = better - worse
    half = z * sqrt((better + worse - centre * centre) / (count + 2))
    value = sum(first - second for first, second in pairs) / count
    return Interval(value, max(-1.0, centre - half), min(1.0, centre + half), count)


def mean(values: Sequence[float], lowest: float = -inf, highest: float = inf) -> Interval:
    """Mean of independent values with Student's t interval (Student 1908, Biometrika 6:1-25), cut at the bounds.

    One value says nothing of its spread: then the interval is all that the bounds allow. Nor do several that are all
    alike: between two finite bounds Wilson's interval stands in, with the largest spread that a mean between them can have.

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("a mean needs at least one value")
    centre, count = fmean(values), len(values)
    reach = highest - lowest
    if count > 1 and isfinite(reach) and stdev(values) == 0:
        alike = proportion(count * (centre - lowest) / reach, count)
        return Interval(centre, lowest + reach * alike.low, lowest + reach * alike.high, count)
    half = quantile(0.975, count - 1) * stdev(values) / sqrt(count) if count > 1 else inf
    return Interval(centre, max(lowest, centre - half), min(highest, centre + half), count)
