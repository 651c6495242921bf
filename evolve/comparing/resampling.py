"""The interval of a ratio of two sums over documents: the documents are drawn again, with a fixed seed."""

from collections.abc import Sequence
from math import inf

import numpy as np

from evolve.intervals import Interval

DRAWS = 4000
SEED = 0
ENDS = (0.025, 0.975)


def ratio(pairs: Sequence[tuple[float, float]]) -> Interval | None:
    """Sum of the first over sum of the second of each pair (one pair a document), with a 95 % interval.

    Percentile bootstrap over documents (Efron 1979, Ann. Stat. 7:1-26), always with the same seed. A resample in which
    only the second sum is zero counts as infinite, so that the upper end is infinite where the data do not bound it;
    one in which both are zero says nothing. None if the second sum is zero. trials: documents.
    """
    if not pairs or sum(second for _, second in pairs) <= 0:
        return None
    first, second = np.array(pairs, dtype=float).T
    chosen = np.random.default_rng([SEED, len(pairs)]).integers(0, len(pairs), (DRAWS, len(pairs)))
    above, below = first[chosen].sum(axis=1), second[chosen].sum(axis=1)
    known = (below > 0) | (above > 0)
    found = np.full(DRAWS, inf)
    np.divide(above, below, out=found, where=below > 0)
    low, high = np.quantile(found[known], ENDS, method="nearest")
    return Interval(float(first.sum() / second.sum()), float(low), float(high), len(pairs))
