"""What survival rules make of children that equal their parents, and of one that is better, in simulated runs.

python bench/selection.py

Every decision is made by a rule's real `step` and `record` (evolve/selection/); only the scores are drawn from pass rates.
A run is 40 children in a row, 50 documents unless it is said otherwise. Seeds are fixed.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import process_time

import numpy as np

from bench.figures import Figure, tell
from evolve.contest import Contest, Measure, Record, Scores, Survival, Terms, Trial, merged, valid
from evolve.descent import Descent
from evolve.intervals import Interval, proportion
from evolve.iteration import Candidate
from evolve.null import rule_of, shifted
from evolve.null_study import spread
from evolve.pass_rates import LEAST_RATE
from evolve.population import Standing
from evolve.rules import pressure_of
from evolve.selection import boltzmann
from evolve.settings import Settings

CHILDREN, GAIN, KEPT = 40, 0.10, 0.05
SAME = 1e-9
TIMED = 10  # of so many iterations one is timed: reading the clock takes as long as a part of a step


TERMS = Terms(effect=0.1)  # in all of these worlds the gain that is asked for is ten points
PRESSURE = pressure_of(Settings())


@dataclass(frozen=True)
class World:
    """Runs of a kind. weights: of the Beta distribution of pass rates. scores: how single scores scatter around them.

    better: iteration -> gain of its child over its parent, in points of the score; all other children equal the baseline.
    uneven: standard deviation, in logits, of what each child changes at single documents; its mean stays its parent's.
    lag: an iteration sees the results of those so far before it and earlier.
    """

    name: str
    rule: str = "sequential"
    documents: int = 50
    weights: tuple[float, float] = (1.0, 1.0)
    scores: str = "binary"
    better: dict[int, float] = field(default_factory=dict)
    uneven: float = 0.0
    lag: int = 1
    terms: Terms = TERMS


@dataclass(frozen=True)
class Member:
    """A candidate with its true pass rates and, by iteration, the scores that count for it. parent: number, None: baseline.

    contender: a parent of which nothing is claimed.
    """

    rates: np.ndarray
    scores: dict[int, Scores]
    parent: int | None = None
    contender: bool = False

    def record(self, seen: int) -> Record:
        """What an iteration that sees those up to `seen` knows of it."""
        found: Scores = {}
        for at, scores in self.scores.items():
            found = merged(found, scores) if at <= seen else found
        return Record(found)

    def standing(self, number: int, seen: int) -> Standing:
        """The same, for the selection of parents."""
        return Standing(Candidate(str(number), number, None, "", ""), self.record(seen))


@dataclass(frozen=True)
class Run:
    """What came of a run. claims: survivors; false: those no better than whom they were compared with; gain: of the
    incumbent over the baseline, true. steps, seconds: of the rule, CPU."""

    claims: int
    false: int
    gain: float
    scores: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class Row:
    """A world's runs without and with better children."""

    world: World
    null: tuple[Run, ...]
    found: tuple[Run, ...]

    @property
    def claimed(self) -> Interval:
        return proportion(sum(one.claims > 0 for one in self.null), len(self.null))

    @property
    def kept(self) -> Interval:
        return proportion(sum(one.gain > KEPT for one in self.found), len(self.found))

    @property
    def misled(self) -> Interval:
        return proportion(sum(one.false > 0 for one in self.found), len(self.found))


def play(world: World, seed: int) -> Run:
    """One run."""
    rng, rule = np.random.default_rng([seed, world.documents]), rule_of(world.rule)
    rates = np.clip(rng.beta(*world.weights, world.documents), LEAST_RATE, 1 - LEAST_RATE)
    trials = rule.record(world.documents, world.terms)
    born = {0: Member(rates, {0: valid(fresh(world, rates, max(1, trials), rng))})}
    scores, steps, seconds, false = max(1, trials) * world.documents, 0, 0.0, 0
    for number in range(1, CHILDREN + 1):
        seen = max(0, number - world.lag)
        chosen = chosen_parent(born, seen, rng)
        parent, before = born[chosen], int(descent_of(born).reference(str(chosen)))
        child = child_of(world, number, (parent.rates, rates), rng)
        rival = parent.record(seen) if before != chosen else None
        contest, survival, spent, asked = held(world, (number, born[before], seen), rival, child, rng)
        scores += len(contest.parent) + len(contest.child)
        steps, seconds = steps + asked, seconds + spent
        born[before].scores[number] = valid(contest.parent)
        if survival.survived:
            false += bool(child.mean() <= born[before].rates.mean() + SAME)
            drawn = fresh(world, child, trials, rng) if trials else contest.child
            scores += trials * world.documents
            born[number] = Member(child, {number: valid(drawn)}, chosen)
        elif survival.contender:
            born[number] = Member(child, {number: valid(contest.child)}, chosen, contender=True)
    claims = sum(not one.contender for one in born.values()) - 1
    return Run(claims, false, float(incumbent(born).rates.mean() - rates.mean()), scores, steps, seconds)


def chosen_parent(born: dict[int, Member], seen: int, rng: np.random.Generator) -> int:
    """The number of a parent, as a run draws it with the default settings."""
    standings = [one.standing(number, seen) for number, one in born.items() if number <= seen]
    if len(standings) == 1:
        return 0
    return int(boltzmann.select(standings, {}, PRESSURE, rng).parent.id)


def descent_of(born: dict[int, Member]) -> Descent:
    """Who descends from whom, and who is claimed to be better."""
    return Descent(
        {str(number): None if one.parent is None else str(one.parent) for number, one in born.items()},
        frozenset(str(number) for number, one in born.items() if one.contender),
        frozenset(str(number) for number, one in born.items() if number and not one.contender),
    )


def incumbent(born: dict[int, Member]) -> Member:
    """The best of those of whom something is claimed, else the baseline: as `Population.best`, without contenders."""
    beaten = descent_of(born).outdone()
    left = {number: one for number, one in born.items() if not one.contender and str(number) not in beaten}
    return left[max(left, key=lambda at: left[at].standing(at, CHILDREN).interval.low)]


def child_of(
    world: World, number: int, before: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """The pass rates of a child. before: those of its parent and of the baseline."""
    parent, baseline = before
    if world.uneven:
        return level(parent, rng.normal(0, world.uneven, len(parent)))
    if number in world.better:
        return shifted(parent, world.better[number])
    return baseline


def level(rates: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The pass rates with `change` added to their logits, then moved together so that the mean is what it was."""
    moved = np.log(rates / (1 - rates)) + change
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        above = (1 / (1 + np.exp(-moved - middle))).mean() > rates.mean()
        low, high = (low, middle) if above else (middle, high)
    return np.asarray(np.clip(1 / (1 + np.exp(-moved - low)), LEAST_RATE, 1 - LEAST_RATE))


def held(
    world: World,
    place: tuple[int, Member, int],
    rival: Record | None,
    child: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Contest, Survival, float, int]:
    """A contest to its end, CPU seconds and number of the rule's steps. place: iteration, parent, up to where it sees."""
    number, parent, seen = place
    step = rule_of(world.rule).step
    order = tuple(map(str, rng.permutation(world.documents)))
    contest, asked, spent = Contest(number, order, parent.record(seen), world.terms, rival=rival), 0, 0.0
    timed = number % TIMED == 0
    while True:
        began = process_time() if timed else 0.0
        wanted = step(contest)
        spent, asked = (spent + process_time() - began, asked + 1) if timed else (0.0, 0)
        if not isinstance(wanted, Measure):
            return contest, wanted, spent, asked
        contest = contest.drawn(
            drawn(world, wanted.parent, parent.rates, rng), drawn(world, wanted.child, child, rng)
        )


def fresh(world: World, rates: np.ndarray, trials: int, rng: np.random.Generator) -> tuple[Trial, ...]:
    """So many trials of every document."""
    return tuple(drawn(world, tuple(map(str, range(len(rates)))) * trials, rates, rng))


def drawn(world: World, documents: Sequence[str], rates: np.ndarray, rng: np.random.Generator) -> list[Trial]:
    """Each of these documents once: 0 or 1, beta distributed around its rate (s.d. up to 0.22), or that in quarters."""
    means = rates[[int(one) for one in documents]]
    if world.scores == "binary":
        found = (rng.random(len(means)) < means).astype(float)
    else:
        found = rng.beta(4 * means + SAME, 4 * (1 - means) + SAME)
        found = np.round(4 * found) / 4 if world.scores == "quarters" else found
    return [Trial(one, 0, float(score)) for one, score in zip(documents, found, strict=True)]


def worlds() -> list[World]:
    """The rows: first the set-up that the claims are about, then others."""
    one = {10: GAIN}
    usual = World("sequential", better=one)
    return [
        usual,
        replace(usual, name="  with contenders", terms=replace(TERMS, contend=None)),
        replace(usual, name="  every iteration sees those 8 before it", lag=8),
        *(replace(usual, name=f"  {size} documents", documents=size) for size in (10, 25, 150)),
        *(
            replace(usual, name="  pass rates Beta({:g}, {:g})".format(*weights), weights=weights)
            for weights in ((0.2, 0.2), (0.3, 2.0), (2.0, 0.3), (5.0, 5.0))
        ),
        replace(usual, name="  graded scores", scores="graded"),
        replace(usual, name="  graded scores in quarters", scores="quarters"),
        replace(usual, name="  three better ones: 5, 15, 25", better=dict.fromkeys((5, 15, 25), GAIN)),
        replace(usual, name="  gain of 0.20", better={10: 0.20}),
        replace(usual, name="  better here, worse there, s.d. 1 logit", better={}, uneven=1.0),
        replace(usual, name="  better here, worse there, s.d. 3 logits", better={}, uneven=3.0),
        replace(usual, name="paired, 50 x 1", rule="paired"),
        replace(usual, name="strict, 50 x 1", rule="strict"),
    ]


def rows(runs: int, rest: int, processes: int) -> Iterator[Row]:
    """Every world. runs, rest: of each kind in the first row and in all others."""
    for at, world in enumerate(worlds()):
        size = runs if at == 0 else rest
        null = tuple(spread(partial(play, replace(world, better={})), range(size), processes, lambda _: None))
        seeds = range(1_000_000, 1_000_000 + size)
        found = tuple(spread(partial(play, world), seeds, processes, lambda _: None)) if world.better else ()
        yield Row(world, null, found)


HEAD = (
    f"{'':<42} {'all equal the baseline':^32}  {'one is better by 0.10':^48}\n"
    f"{'':<42} {'runs':>6} {'any claim [95 %]':>18} {'scores':>6}  "
    f"{'runs':>6} {'kept [95 %]':>18} {'scores':>6} {'false':>6}"
)


def line(row: Row) -> str:
    """One world as a line of the table."""
    told = f"{row.world.name:<42} {len(row.null):>6} {share(row.claimed):>18} {mean(row.null):>6.0f}"
    if row.found:
        told += (
            f"  {len(row.found):>6} {share(row.kept):>18} {mean(row.found):>6.0f} {row.misled.value:>6.1%}"
        )
    return told


def share(one: Interval) -> str:
    """A share with its interval, in per cent."""
    return f"{100 * one.value:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]"


def mean(runs: Sequence[Run]) -> float:
    """Scores of a run."""
    return float(np.mean([one.scores for one in runs]))


def claims(found: Sequence[Row]) -> list[Figure]:
    """What is promised."""
    usual, late = found[0], found[2]
    steps = [run for row in found if row.world.rule == "sequential" for run in row.null + row.found]
    each = 1000 * sum(one.seconds for one in steps) / sum(one.steps for one in steps)
    figures = [
        Figure("runs that claim a gain where there is none", 100 * usual.claimed.value, "%", 5),
        Figure("  scores of such a run", mean(usual.null)),
        Figure("better child kept, one in 40", 100 * usual.kept.value, "%", 85, "more"),
        Figure("  scores of such a run", mean(usual.found), "", 5500),
        Figure("claims without a gain, lag 8", 100 * late.claimed.value, "%", 5),
        Figure("better child kept, lag 8", 100 * late.kept.value, "%", 80, "more"),
        Figure("  scores of such a run", mean(late.found), "", 7000),
        Figure("one step of the rule, CPU, mean", each, "ms", 1),
    ]
    others = [row for row in (found[1], *found[3:]) if row.world.rule == "sequential"]
    worst = max(others, key=lambda row: row.claimed.value)
    name = worst.world.name.strip()
    return [*figures, Figure(f"worst other: {name}", 100 * worst.claimed.value, "%", 5)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2_000, help="runs of each kind in the first row")
    parser.add_argument("--rest", type=int, default=400, help="runs of each kind in the other rows")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quick", action="store_true", help="20 runs a row: whether it works, no figures")
    chosen = parser.parse_args()
    runs, rest = (20, 20) if chosen.quick else (chosen.runs, chosen.rest)
    found = []
    sys.stdout.write(f"{HEAD}\n")
    for row in rows(runs, rest, chosen.processes):
        found.append(row)
        sys.stdout.write(f"{line(row)}\n")
        sys.stdout.flush()
    sys.stdout.write("\n")
    return tell(claims(found))


if __name__ == "__main__":
    sys.exit(main())
