"""Empirical Bayes: noisy scores drawn towards their mean, each by as much as its noise asks for. Chooses nobody."""

import numpy as np


def shrunken(scores: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Posterior means of the candidates' true scores, shape (n,), for scores with squared standard errors `variances`.

    Normal model s_c ~ N(t_c, v_c), t_c ~ N(m, b): the estimate is m + (s_c - m) b / (b + v_c) (Efron and Morris 1973,
    J. Am. Stat. Assoc. 68:117-130). b, the spread of true scores, comes from the scatter of the scores beyond their
    noise (DerSimonian and Laird 1986, Control. Clin. Trials 7:177-188); without any b is 0 and all are worth the mean.

    Raises:
        ValueError: a variance that is not positive.
    """
    if scores.size and variances.min() <= 0:
        raise ValueError(f"squared standard errors must be positive, the smallest is {variances.min()!r}")
    if scores.size < 2:
        return scores
    weights = 1 / variances
    centre = (weights * scores).sum() / weights.sum()
    scatter = (weights * (scores - centre) ** 2).sum() - (scores.size - 1)
    between = max(0.0, scatter / (weights.sum() - (weights**2).sum() / weights.sum()))
    precision = 1 / (between + variances)
    middle = (precision * scores).sum() / precision.sum()
    return np.asarray(middle + (scores - middle) * between / (between + variances))
