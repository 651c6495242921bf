"""How often each validation document is passed: what simulated runs begin with. Fitted to recorded draws, or assumed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST, LARGEST = 0.01, 0.95  # of a spread
LEAST_RATE = 1e-6  # of a pass rate, and one minus the largest
ASSUMED_SPREAD = 1 / 3  # of Beta(1, 1), the uniform distribution


@dataclass(frozen=True)
class Rates:
    """Pass rates of documents: Beta with this `mean` and `spread`, and what is known of single documents.

    spread: 1 / (a + b + 1), the share of the variance of a draw that lies between documents, in (0, 1). known: passes and
    draws of each recorded document. source: where this is from, in words.
    """

    mean: float
    spread: float
    known: tuple[tuple[float, int], ...]
    source: str

    @property
    def weights(self) -> tuple[float, float]:
        """a and b of the Beta distribution."""
        size = 1 / self.spread - 1
        return self.mean * size, (1 - self.mean) * size

    def draw(self, documents: int, rng: np.random.Generator) -> np.ndarray:
        """Pass rates of so many documents, shape (documents,), strictly between 0 and 1.

        Those of recorded documents come from what their draws leave possible, so a document with few draws is not taken
        for certain; of more than are recorded the rest comes from the distribution of all.
        """
        passes, draws = np.array(self.known, dtype=float).reshape(-1, 2).T
        chosen = rng.permutation(len(passes))[:documents]
        more = np.zeros(documents - len(chosen))
        passes, draws = np.append(passes[chosen], more), np.append(draws[chosen], more)
        first, second = self.weights
        return np.clip(rng.beta(first + passes, second + draws - passes), LEAST_RATE, 1 - LEAST_RATE)


def assumed(mean: float | None) -> Rates:
    """Nothing is recorded: Beta(1, 1), or the Beta distribution of that mean with the same a + b."""
    if mean is None:
        return Rates(
            0.5, ASSUMED_SPREAD, (), "assumed: every pass rate between 0 and 1 is equally likely, Beta(1, 1)"
        )
    return Rates(
        mean, ASSUMED_SPREAD, (), f"assumed: Beta({2 * mean:.3g}, {2 - 2 * mean:.3g}), mean {mean:.3g}"
    )


def fitted(counts: Sequence[tuple[float, int]], named: str) -> Rates:
    """A beta-binomial distribution fitted to passes and draws of documents by moments, the documents shrunk towards it.

    Kleinman 1973, "Proportions with extraneous variance", J. Am. Stat. Assoc. 68:46-54, with the draws as weights. Where
    no document has two draws, the spread between documents cannot be told from luck: it is assumed. named: whose draws.

    Raises:
        ValueError: no draws.
    """
    draws = np.array([count for _, count in counts], dtype=float)
    passes = np.array([total for total, _ in counts], dtype=float)
    if not draws.sum():
        raise ValueError("pass rates cannot be fitted to no draws")
    mean = float((passes.sum() + 1) / (draws.sum() + 2))
    spread = between(passes, draws)
    told = f"{int(draws.sum()):,} recorded draws of {len(counts)} validation documents of {named}"
    source = f"fitted to {told}, mean {mean:.2f}"
    if spread is None:
        source += "; how far documents differ is assumed, as none was drawn twice"
    known = tuple((float(total), int(count)) for total, count in counts)
    return Rates(mean, ASSUMED_SPREAD if spread is None else spread, known, source)


def between(passes: np.ndarray, draws: np.ndarray) -> float | None:
    """Share of the variance that lies between documents, by moments; None if the draws cannot tell."""
    total, documents = float(draws.sum()), len(draws)
    mean = float((passes.sum() + 1) / (total + 2))
    within = mean * (1 - mean)
    room = total - float((draws**2).sum()) / total - (documents - 1)
    if room <= 0:
        return None
    seen = float((draws * (passes / draws - mean) ** 2).sum())
    return min(LARGEST, max(LEAST, (seen / within - (documents - 1)) / room))
