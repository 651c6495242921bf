"""How much likelier the scores are if the child is better: a conditional likelihood ratio, stratified by document.

Not a rule: the arithmetic of `sequential`. Arrays are over documents that both sides have a valid score for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

STEEPEST = 3.0
STEEPEST_GRADED = 2.0  # the bound is loose beyond
FLATTEST = 0.02
MIXED = (1.0, 2.0)
Z = 1.959963984540054
TINY = 1e-9


@dataclass(frozen=True)
class Sides:
    """Sums of scores by document, shape (n, 3) each: count, total, squares."""

    child: np.ndarray
    parent: np.ndarray

    @property
    def pooled(self) -> np.ndarray:
        return np.asarray(self.child + self.parent)

    @property
    def weights(self) -> np.ndarray:
        """What a draw of each document counts, mean 1: every document as much as every other, however often drawn."""
        count = self.child[:, 0]
        return np.asarray(count.sum() / (len(count) * count))

    @property
    def difference(self) -> float:
        """Mean over documents of child's mean minus parent's mean."""
        return float((self.child[:, 1] / self.child[:, 0] - self.parent[:, 1] / self.parent[:, 0]).mean())

    @property
    def error(self) -> float:
        """Standard error of `difference` for these documents, from the spread within them, both sides pooled."""
        each = spread(self.pooled, prior=1.0) * (1 / self.child[:, 0] + 1 / self.parent[:, 0])
        return sqrt(float(each.sum())) / len(each)


def sides(child: np.ndarray, parent: np.ndarray) -> Sides | None:
    """Those documents of two tables, shape (n, 3), that both have a score for; None if there is none."""
    both = (child[:, 0] > 0) & (parent[:, 0] > 0)
    return Sides(child[both], parent[both]) if both.any() else None


def spread(sums: np.ndarray, prior: float = 0.0) -> np.ndarray:
    """Variance of a single score of each document, shape (n,).

    prior: weight of one imagined score at each end, so that documents that always ended alike keep some.
    """
    count, total, squares = sums[:, 0] + 2 * prior, sums[:, 1] + prior, sums[:, 2] + prior
    return np.asarray(np.maximum(squares - total**2 / count, 0) / np.maximum(count - 1, 1))


def slopes(pooled: np.ndarray, effects: Sequence[float]) -> np.ndarray:
    """The tilts under which the mean rises by about each of `effects`: effect over the mean spread within documents.

    A tilt t makes a score y likelier by the factor exp(t y); of scores 0 and 1 it adds t to the logit. It depends on the
    pooled scores alone, hence not on whose they are.
    """
    return np.minimum(STEEPEST, np.array(effects) / max(float(spread(pooled).mean()), FLATTEST))


def log_mixture(found: Sides, effect: float) -> float:
    """Natural log of the mean of the ratios for `MIXED` multiples of the effect: its mean is 1 as theirs is.

    A child that is much better than asked for is known sooner by a steeper tilt; one that is just so much better pays for
    that with a little more evidence (Robbins 1970, Ann. Math. Stat. 41:1397-1409, the method of mixtures).
    """
    logs = log_ratios(found, [times * effect for times in MIXED])
    return float(logs.max() + np.log(np.exp(logs - logs.max()).mean()))


def log_ratios(found: Sides, effects: Sequence[float]) -> np.ndarray:
    """Natural log of P(child's scores | pooled scores, tilt) / P(child's scores | pooled scores, no tilt), one an effect.

    For each document the pooled scores are taken as given and the question is which of them are the child's (Cox 1970,
    "Analysis of Binary Data", section 4.2: the conditional likelihood, without nuisance parameters). With no difference
    all choices are equally likely, so the ratio's mean is 1 at any fixed moment, whatever the pass rates are, and at most 1
    for graded scores (`bounded`). Documents count alike (`Sides.weights`).
    """
    pooled, drawn = found.pooled, found.child[:, 0]
    binary = pooled[:, 1] == pooled[:, 2]  # y and y squared agree on 0 and 1 only
    tilts = slopes(pooled, effects)[:, None] * found.weights
    if binary.all():
        return np.asarray((tilts * found.child[:, 1] - exact(pooled, drawn, tilts)).sum(axis=1))
    graded = ~binary
    tilts[:, graded] = np.minimum(tilts[:, graded], STEEPEST_GRADED)
    ratios = (tilts * found.child[:, 1]).sum(axis=1)
    ratios = ratios - bounded(pooled[graded], drawn[graded], tilts[:, graded]).sum(axis=1)
    if binary.any():
        ratios = ratios - exact(pooled[binary], drawn[binary], tilts[:, binary]).sum(axis=1)
    return np.asarray(ratios)


def exact(pooled: np.ndarray, drawn: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """log E exp(tilt S), S the passes among `drawn` of the pooled scores 0 and 1 without replacement: hypergeometric.

    tilt, result: shape (..., n) for n documents.
    """
    count, passes, taken = pooled[:, 0].astype(int), pooled[:, 1].astype(int), drawn.astype(int)
    logs = log_factorials(1 << int(count.max()).bit_length())
    low, high = np.maximum(0, taken - (count - passes)), np.minimum(taken, passes)
    hits = low[:, None] + np.arange(int((high - low).max()) + 1)
    inside = hits <= high[:, None]
    hits = np.minimum(hits, high[:, None])
    failed, missed = (count - passes)[:, None], taken[:, None] - hits
    ways = -(logs[hits] + logs[passes[:, None] - hits] + logs[missed] + logs[failed - missed])
    ways[~inside] = -np.inf
    weight = tilt[..., None] * hits + ways
    top = weight.max(axis=-1)
    summed = top + np.log(np.exp(weight - top[..., None]).sum(axis=-1))
    whole = logs[count] - logs[taken] - logs[count - taken]
    return np.asarray(summed + logs[passes] + logs[count - passes] - whole)


def bounded(pooled: np.ndarray, drawn: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """The same for any scores in [0, 1], from above, so that the ratio's mean is at most 1, nearly.

    A single draw of variance v that exceeds its mean by b at most has log E exp(tilt x) <= log(q exp(tilt b) + (1 - q)
    exp(-tilt v / b)) with q = v / (v + b b) (Bennett 1962, J. Am. Stat. Assoc. 57:33-45). The sum without replacement
    varies like so many single ones as the finite population correction says (Cochran 1977, "Sampling Techniques", section
    2.6); the smaller of the two samples decides which tail is meant. Where scores lean to the left the normal term is the
    larger one, and is taken. Against enumeration the result is at most 0.01 too small, see test_tilting.py.
    """
    size, drawn = pooled[:, 0], np.asarray(drawn, dtype=float)
    mean, left = pooled[:, 1] / size, size - drawn
    variance = np.maximum(pooled[:, 2] / size - mean**2, 0)
    above = np.maximum(np.where(drawn <= left, 1 - mean, mean), TINY)
    share = variance / (variance + above**2)
    steep = np.logaddexp(
        np.log(np.maximum(share, TINY)) + tilt * above, np.log1p(-share) - tilt * variance / above
    )
    single = np.maximum(tilt**2 * variance / 2, steep)
    return np.asarray(tilt * drawn * mean + drawn * left / np.maximum(size - 1, 1) * single)


@lru_cache(maxsize=32)
def log_factorials(size: int) -> np.ndarray:
    """Natural logs of 0!, 1!, ..., size!."""
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, size + 1)))))
