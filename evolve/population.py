"""Who may be a parent, with all scores that count for each, as a fixed set of iterations leaves it. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from evolve.contest import Record
from evolve.descent import Descent
from evolve.intervals import Interval, proportion
from evolve.iteration import IN_POPULATION, Arm, Candidate, Evaluation, Iteration, Outcome

NEVER = Record()


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate with all validation scores that count for it: every one it ever got since it was kept."""

    candidate: Candidate
    record: Record = NEVER

    @property
    def trials(self) -> int:
        return self.record.trials

    @property
    def score(self) -> float:
        """Mean over the validation documents, in [0, 1].

        Raises:
            ValueError: it was never measured.
        """
        if (mean := self.record.mean) is None:
            raise ValueError(f"candidate {self.candidate.id!r} has no validation score")
        return mean

    @property
    def interval(self) -> Interval:
        mean = self.record.mean or 0.0
        return proportion(mean * self.trials, self.trials)


Records = dict[str, Record]


class Population:
    """The baseline and all that may be parents, with all their validation trials, as of a fixed set of iterations."""

    def __init__(self, iterations: Iterable[Iteration]) -> None:
        self.iterations = tuple(sorted(iterations, key=lambda one: one.number))

    @cached_property
    def born(self) -> dict[str, Candidate]:
        """Baseline first, then survivors and contenders in order of birth."""
        return dict(_born(self.iterations))

    @cached_property
    def descent(self) -> Descent:
        """Who descends from whom, of the baseline and all that may be parents."""
        fresh = (one for one in self.iterations if one.side("record") is not None)
        return Descent(
            {key: one.parent for key, one in self.born.items()},
            _ended(self.iterations, "contender"),
            _ended(fresh, "survived"),
        )

    @cached_property
    def records(self) -> Records:
        """Candidate id -> the validation scores that count for it; of the baseline, survivors and contenders alone."""
        return _recorded({}, self.iterations)

    @property
    def sums(self) -> dict[str, tuple[float, int]]:
        """Candidate id -> its score times its trials, and the trials."""
        return {key: ((one.mean or 0.0) * one.trials, one.trials) for key, one in self.records.items()}

    @cached_property
    def children(self) -> Counter[str]:
        """Candidate id -> in how many iterations it was the parent."""
        return Counter(one.parent for one in self.iterations if one.number)

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Baseline first, then survivors and contenders in order of birth."""
        return {key: self._standing(key) for key in self.born}

    def _standing(self, key: str) -> Standing:
        return Standing(self.born[key], self.records.get(key, NEVER))

    def extended(self, later: Iterable[Iteration]) -> "Population":
        """The population with iterations that follow all of its own. Only those are counted, the rest is copied.

        Raises:
            ValueError: one of them does not follow.
        """
        new = Population(later).iterations
        if new and self.iterations and new[0].number <= self.iterations[-1].number:
            raise ValueError(f"iteration {new[0].number} does not follow {self.iterations[-1].number}")
        grown, fresh = Population(()), dict(_born(new))
        grown.iterations = self.iterations + new
        grown.born = {**self.born, **fresh}
        grown.descent = self.descent.extended(Population(new).descent)
        grown.records = _recorded(self.records, new)
        grown.spent = self.spent + _spent(new)
        grown.children = self.children + Counter(one.parent for one in new if one.number)
        measured = (one.candidate for iteration in new for one in iteration.evaluations)
        changed = (key for key in (*fresh, *measured) if key in grown.born)
        grown.standings = {**self.standings, **{key: grown._standing(key) for key in changed}}
        grown.trees = {**_trees(new), **self.trees}
        if "arms" in self.__dict__:
            grown.arms = {arm: one.extended(_of_arm(new, arm)) for arm, one in self.arms.items()}
        return grown

    @cached_property
    def arms(self) -> "dict[Arm, Population]":
        """What each arm knows: the baseline and its own iterations. No arm learns from another."""
        return {arm: Population(_of_arm(self.iterations, arm)) for arm in get_args(Arm)}

    def upto(self, number: int) -> "Population":
        """The population as the results of iterations 0..number leave it."""
        return Population(one for one in self.iterations if one.number <= number)

    def reference(self, candidate: Candidate) -> Candidate:
        """Whom its children are compared with, see `Descent.reference`."""
        return self.born[self.descent.reference(candidate.id)]

    @property
    def baseline(self) -> Candidate:
        return next(iter(self.standings.values())).candidate

    @cached_property
    def best(self) -> Standing:
        """The standing with the highest lower end of its 95 % interval: many good trials beat one lucky one.

        Not one that was shown to be beaten: a survivor is better than the one it was compared with, however many trials
        that one has.
        """
        return self._best(list(self.standings.values()))

    def best_of(self, arm: Arm) -> Standing:
        """The same of one arm; the baseline where nothing survived in it."""
        return self._best(self.arm(arm))

    def _best(self, standings: Sequence[Standing]) -> Standing:
        beaten = self.descent.outdone({one.candidate.id for one in standings if one.trials})
        return _best([one for one in standings if one.candidate.id not in beaten])

    def arm(self, name: Arm) -> list[Standing]:
        """Who can be a parent in an arm: the baseline, and what was kept there."""
        return [
            one for one in self.standings.values() if one.candidate.id == "c0" or one.candidate.arm == name
        ]

    @cached_property
    def spent(self) -> Counter[Arm]:
        """Arm -> rollouts of all its iterations."""
        return _spent(self.iterations)

    @cached_property
    def trees(self) -> dict[str, str]:
        """Tree hash -> candidate id, for every child ever measured, survivor or not; the oldest owns a shared tree."""
        return _trees(self.iterations)


def _best(standings: Sequence[Standing]) -> Standing:
    best, low = standings[0], -1.0
    for one in standings:
        if one.trials and one.score < low:  # the lower end is never above the score
            continue
        end = one.interval.low
        if (end, -one.candidate.iteration) > (low, -best.candidate.iteration):
            best, low = one, end
    return best


def _of_arm(iterations: Iterable[Iteration], arm: Arm) -> list[Iteration]:
    return [one for one in iterations if one.arm == arm or one.outcome == "baseline"]


def _born(iterations: Iterable[Iteration]) -> Iterator[tuple[str, Candidate]]:
    for one in iterations:
        if one.child is not None and one.outcome in IN_POPULATION:
            yield one.child.id, one.child


def _ended(iterations: Iterable[Iteration], outcome: Outcome) -> frozenset[str]:
    return frozenset(one.child.id for one in iterations if one.child is not None and one.outcome == outcome)


def _recorded(before: Records, iterations: Iterable[Iteration]) -> Records:
    records = dict(before)
    for iteration in iterations:
        for one in iteration.evaluations:
            if counts(iteration, one):
                tally = one.tally
                records[one.candidate] = records.get(one.candidate, NEVER).plus(tally.sums, tally.missing)
    return records


def counts(iteration: Iteration, one: Evaluation) -> bool:
    """Whether an evaluation belongs to its candidate's record.

    The scores by which a child survived were selected for being high: they count only under rules that measure no
    fresh record of a survivor.
    """
    if one.side in ("baseline", "parent", "record"):
        return True
    return one.side == "child" and iteration.outcome in IN_POPULATION and iteration.side("record") is None


def _spent(iterations: Iterable[Iteration]) -> Counter[Arm]:
    found: Counter[Arm] = Counter()
    for iteration in iterations:
        if iteration.outcome != "baseline":
            tallies = (one.tally for one in iteration.evaluations)
            found[iteration.arm] += sum(tally.trials + tally.missing for tally in tallies)
    return found


def _trees(iterations: Sequence[Iteration]) -> dict[str, str]:
    return {one.child.tree: one.child.id for one in reversed(iterations) if one.child is not None}
