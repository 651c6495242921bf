"""Many simulated runs of one rule, and what they say: false wins, noise, what can be found, what a decision costs. Pure."""

import os
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import TypeVar

import numpy as np

from evolve.intervals import Interval, proportion
from evolve.null import Held, Match, Scenario, Simulated, contest, once, recorded, rule_of, shifted, simulate
from evolve.pass_rates import Rates

A = TypeVar("A")
B = TypeVar("B")
Told = Callable[[int], None]
GAINS = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
SURE = 0.8
HIGHEST = 0.95
SAMPLES = 2000
MOST_CONTESTS = 100
FEWEST, MOST_RUNS, DECISIONS = 20, 400, 4000
RUN, POWER, NOISE = range(3)


@dataclass(frozen=True)
class Power:
    """How often one child that is better by `gain` survives, and the mean rollouts of deciding that.

    parent: how often it may be a parent at least, as a survivor or a contender.
    """

    gain: float
    chance: Interval
    rollouts: float
    parent: Interval | None = None


@dataclass(frozen=True)
class Noise:
    """Scores of one candidate measured once on every document.

    single, difference: standard deviation of one such score, and of the difference of two. best: mean of the highest of
    `of` such scores minus that of the baseline.
    """

    single: float
    difference: float
    best: float
    of: int


@dataclass(frozen=True)
class Study:
    """What a rule makes of children that equal their parent.

    false_wins: share of the runs in which at least one survives. kept, contenders: mean number of children that survive in a
    run, and of those that become parents without a claim. decision, most,
    looks: rollouts of a decision, mean and 90th percentile, and mean number of looks. run, baseline: mean rollouts on
    validation documents of a whole run, and those of its baseline among them. power: by gain, see `Power`, for the child
    of iteration `number`. detectable: the smallest gain that is kept with a chance of 80 %; None: larger than all tried.
    """

    survival: str
    false_wins: Interval
    kept: float
    decision: float
    most: float
    looks: float
    run: float
    baseline: int
    number: int
    power: tuple[Power, ...]
    detectable: float | None
    contenders: float = 0.0


def study(scenario: Scenario, runs: int, seed: int, processes: int, told: Told = lambda _: None) -> Study:
    """Simulate so many runs, and `contests` of them for every gain. told: hears how many of `jobs` are done.

    Raises:
        UsageError: the rule cannot be used.
    """
    rule_of(scenario.survival)
    gains = gains_of(scenario.rates)
    each = [(RUN, 0, at) for at in range(runs)]
    tries = contests(runs)
    each += [(POWER, place, at) for place in range(len(gains)) for at in range(tries)]
    found = list(spread(partial(job, scenario, gains, seed), each, processes, told))
    simulated = [one for one in found[:runs] if isinstance(one, Simulated)]
    single = [one for one in found[runs:] if not isinstance(one, Simulated)]
    power = tuple(power_of(one, single[at * tries : (at + 1) * tries]) for at, one in enumerate(gains))
    held = [step for one in simulated for step in one.steps]
    decisions = [one.contest for one in held]
    return Study(
        survival=scenario.survival,
        false_wins=proportion(sum(one.kept > 0 for one in simulated), runs),
        kept=float(np.mean([one.kept for one in simulated])),
        decision=float(np.mean(decisions)),
        most=float(np.percentile(decisions, 90)),
        looks=float(np.mean([one.looks for one in held])),
        run=float(np.mean([one.rollouts for one in simulated])),
        baseline=simulated[0].baseline,
        number=middle(scenario),
        power=power,
        detectable=detectable(power),
        contenders=float(np.mean([one.contenders for one in simulated])),
    )


def jobs(scenario: Scenario, runs: int) -> int:
    """How many things `study` simulates."""
    return runs + contests(runs) * len(gains_of(scenario.rates))


def contests(runs: int) -> int:
    """How many contests are simulated for every gain."""
    return min(runs, MOST_CONTESTS)


def usual_runs(iterations: int) -> int:
    """So many runs that about 4,000 decisions are simulated, which takes half a minute with the slowest rule."""
    return max(FEWEST, min(MOST_RUNS, DECISIONS // iterations))


def job(
    scenario: Scenario, gains: Sequence[float], seed: int, place: tuple[int, int, int]
) -> Simulated | Held:
    """One run, or one contest with a better child; its randomness comes from the seed and its place alone."""
    kind, at, _ = place
    if kind == RUN:
        return simulate(scenario, (seed, *place))
    return better(scenario, gains[at], np.random.default_rng((seed, *place)))


def better(scenario: Scenario, gain: float, rng: np.random.Generator) -> Held:
    """What becomes of a child that is better by `gain`, in the middle of a run and against a fresh record."""
    parent = scenario.rates.draw(scenario.documents, rng)
    record, spent = recorded(rule_of(scenario.survival), parent, scenario.terms, rng)
    record = record if spent else once(parent, rng)[0]
    match = Match(middle(scenario), parent, shifted(parent, gain), record)
    return contest(scenario, match, rng)


def middle(scenario: Scenario) -> int:
    """The number of the iteration in the middle of a run: shares of an error budget may fall with the number."""
    return (scenario.iterations + 1) // 2


def gains_of(rates: Rates) -> tuple[float, ...]:
    """The gains to try: those that leave room above."""
    return tuple(one for one in GAINS if rates.mean + one <= HIGHEST) or GAINS[:1]


def power_of(gain: float, contests: Sequence[Held]) -> Power:
    """The shares that survived, and that may be parents."""
    ended = [one.survival.outcome for one in contests]
    kept, parents = (
        proportion(count, len(ended))
        for count in (ended.count("survived"), len(ended) - ended.count("dropped"))
    )
    return Power(gain, kept, float(np.mean([one.rollouts for one in contests])), parents)


def detectable(power: Sequence[Power]) -> float | None:
    """The smallest gain whose chance reaches 80 %, between two tried ones on the straight line; chances may only rise."""
    gains = [0.0, *(one.gain for one in power)]
    chances = np.maximum.accumulate([0.0, *(one.chance.value for one in power)])
    for at in range(1, len(gains)):
        if chances[at] >= SURE:
            part = (SURE - chances[at - 1]) / (chances[at] - chances[at - 1])
            return float(gains[at - 1] + part * (gains[at] - gains[at - 1]))
    return None


def noise(rates: Rates, documents: int, candidates: int, seed: int) -> Noise:
    """How far single scores of equal candidates lie apart."""
    rng = np.random.default_rng((seed, NOISE))
    variance, best = [], []
    for _ in range(SAMPLES):
        passed = rates.draw(documents, rng)
        variance.append(float((passed * (1 - passed)).sum()) / documents**2)
        scores = (rng.random((candidates + 1, documents)) < passed).mean(axis=1)
        best.append(float(scores[1:].max() - scores[0]))
    single = float(np.sqrt(np.mean(variance)))
    return Noise(single, single * 2**0.5, float(np.mean(best)), candidates)


def spread(function: Callable[[A], B], items: Sequence[A], processes: int, told: Told) -> Iterable[B]:
    """The function of each item, in their order, in so many processes; with one, in this one.

    Interrupted, no more are begun, and the processes end with what they are at; killed, they end at once.
    """
    if processes == 1:
        for done, one in enumerate(items, 1):
            yield function(one)
            told(done)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), follow) as pool:
        for done, found in enumerate(pool.map(function, items, chunksize=2), 1):
            yield found
            told(done)


def follow() -> None:
    """In a process of the pool: Ctrl-C is for the one that waits, and the end of that one is ours too."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=end_with, args=(parent_process(),), daemon=True).start()


def end_with(parent: BaseProcess | None) -> None:
    """Wait for the end of the process that started this one, then end at once."""
    if parent is not None:
        parent.join()
        os._exit(1)
