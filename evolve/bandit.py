"""Which way of making a child is tried next: what earns most kept children for its cost, and never nothing. Pure.

Thompson sampling for a bandit whose pulls cost something: Xia, Li, Qin, Yu and Liu, "Thompson sampling for budgeted
multi-armed bandits", IJCAI 2015. Reward and cost are drawn from their posteriors, and the largest ratio wins.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from evolve.iteration import KEPT, Arm, Iteration, Operator

FLOOR = 0.1
DRAWS = 4_000
OVERHEAD = 0.5  # of the usual rollouts, for one of the run's iterations and the calls that make the edit


@dataclass(frozen=True)
class Earned:
    """What an operator has brought and cost so far. tries: finished iterations, those without a child included.

    kept: children that survived or became contenders. measured: children that were measured at all. rollouts: all that
    its iterations took. tokens: of all roles together; 0 where they are not known.
    """

    tries: int = 0
    kept: int = 0
    measured: int = 0
    rollouts: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class Prior:
    """What is believed before the first try, as so many tries: one in five survives, at the usual cost."""

    survived: float = 1.0
    failed: float = 4.0
    tries: float = 1.0


def summarise(iterations: Iterable[Iteration], arm: Arm = "evolution") -> dict[Operator, Earned]:
    """What each operator of an arm has brought and cost, in the order of their first tries."""
    found: dict[Operator, Earned] = {}
    for one in iterations:
        if one.outcome == "baseline" or one.arm != arm:
            continue
        before = found.get(one.operator, Earned())
        tallies = [measured.tally for measured in one.evaluations]
        found[one.operator] = replace(
            before,
            tries=before.tries + 1,
            kept=before.kept + (one.outcome in KEPT),
            measured=before.measured + (one.side("child") is not None),
            rollouts=before.rollouts + sum(tally.trials + tally.missing for tally in tallies),
            tokens=before.tokens + sum(spent.prompt_tokens + spent.completion_tokens for spent in one.spend),
        )
    return found


def probabilities(
    earned: Mapping[Operator, Earned],
    possible: Collection[Operator],
    prior: Prior | None = None,
    floor: float = FLOOR,
) -> dict[Operator, float]:
    """With which probability each possible operator is to be tried next; they sum to 1.

    It is the probability that a draw of kept children per rollout from the posteriors is largest, by `DRAWS` draws of a
    fixed generator (standard error at most 0.008), raised to the floor. floor: at least that for each, or equal shares where
    they would not fit. Survival is Bernoulli with a Beta posterior, as in the paper. The paper's costs lie in [0, 1];
    rollouts have no bound, so a cost is exponential here, and its rate has a gamma posterior. The prior cost is the mean
    over all operators. Half of it is added to every try: an iteration without rollouts is cheap, not free.

    Raises:
        ValueError: no operator is possible.
    """
    if not possible:
        raise ValueError("no operator is possible; an edit always is")
    names = sorted(possible)
    wins = np.bincount(np.argmax(_ratios(earned, names, prior or Prior()), axis=0), minlength=len(names))
    least = min(floor, 1 / len(names))
    shares = least + (1 - least * len(names)) * wins / DRAWS
    return {name: float(share) for name, share in zip(names, shares, strict=True)}


def draw(shares: Mapping[Operator, float], rng: np.random.Generator) -> Operator:
    """One operator, drawn with these probabilities; uses exactly one number of the generator."""
    names = list(shares)
    bounds = np.cumsum([shares[name] for name in names])
    at = int(np.searchsorted(bounds, rng.random() * bounds[-1], side="right"))
    return names[min(at, len(names) - 1)]


def _ratios(earned: Mapping[Operator, Earned], names: list[Operator], prior: Prior) -> np.ndarray:
    """Draws of kept children per rollout: a row an operator."""
    rng, usual = np.random.default_rng(0), _usual_cost(earned.values())
    rows = []
    for name in names:
        one = earned.get(name, Earned())
        rate = rng.beta(prior.survived + one.kept, prior.failed + one.tries - one.kept, DRAWS)
        tries = prior.tries + one.tries
        spent = prior.tries * usual + one.rollouts + OVERHEAD * usual * tries
        per_rollout = rng.gamma(tries, 1 / spent, DRAWS)
        rows.append(rate * per_rollout)
    return np.array(rows)


def _usual_cost(earned: Collection[Earned]) -> float:
    """Rollouts of an iteration, the mean over all tries, at least one."""
    tries = sum(one.tries for one in earned)
    return max(1.0, sum(one.rollouts for one in earned) / tries) if tries else 1.0
