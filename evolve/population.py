"""Values of the outer loop and the arithmetic on them. No I/O: what is here can be tested with plain numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from pydantic import Field

from evolve.intervals import Interval, paired_difference, proportion
from harness.trajectory import Rollout
from harness.types import Side, Split, Wire

Outcome = Literal["baseline", "survived", "dropped", "no_change", "out_of_scope", "broken", "no_proposal"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scaffold: a git commit. `id` is `c` and the iteration it was born in; `c0` is the baseline.

    tree: hash of its files. diff: unified diff against the baseline, as text; "" once it is recorded.
    """

    id: str
    iteration: int
    parent: str | None
    commit: str
    tree: str
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a measurement comes to: the sum of its scores, how many there are, and how many are missing.

    A document of which no task can be made counts for neither.
    """

    total: float
    trials: int
    missing: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One candidate measured once on a list of documents, in their order. A score is 1, 0 or None (missing).

    instrument: hash of everything that measured it. Scores under different instruments are never compared.
    recorded: in place of the rollouts once these are on disk; of what is long past the loop needs no more.
    """

    candidate: str
    iteration: int
    side: Side
    split: Split
    instrument: str
    rollouts: tuple[Rollout, ...] = ()
    recorded: Tally | None = None

    @property
    def scores(self) -> dict[str, float | None]:
        """Document -> score.

        Raises:
            ValueError: only the tally is left.
        """
        if self.recorded is not None:
            raise ValueError(f"single scores of iteration {self.iteration}, {self.side}, are in the database")
        return {rollout.document: rollout.score for rollout in self.rollouts}

    @property
    def valid(self) -> list[float]:
        return [score for score in self.scores.values() if score is not None]

    @property
    def tally(self) -> Tally:
        if self.recorded is not None:
            return self.recorded
        valid = [rollout.score for rollout in self.rollouts if rollout.score is not None]
        missing = sum(rollout.outcome == "missing" for rollout in self.rollouts)
        return Tally(sum(valid), len(valid), missing)

    @property
    def missing(self) -> int:
        return self.tally.missing

    @property
    def mean(self) -> float | None:
        """Mean of the scores that are there; None if none is."""
        tally = self.tally
        return tally.total / tally.trials if tally.trials else None


class Cause(Wire):
    """One systematic failure: what the scaffold does wrong and where it shows. `documents` are names of training ones."""

    title: str = Field(min_length=1, max_length=200)
    explanation: str = Field(min_length=1, max_length=4000)
    evidence: tuple[str, ...] = Field(min_length=1, max_length=12)
    remedy: str = Field(min_length=1, max_length=4000)


class Diagnosis(Wire):
    """The analyzer's reading of a minibatch: root causes, the most damaging first."""

    summary: str = Field(min_length=1, max_length=4000)
    causes: tuple[Cause, ...] = Field(min_length=1, max_length=8)


@dataclass(frozen=True)
class Exchange:
    """One call of analyzer or implementer as it happened: the trace of an edit."""

    role: Literal["analyzer", "implementer"]
    call: str
    prompt: str
    reply: str
    problem: str = ""


@dataclass(frozen=True)
class Proposal:
    """What came of asking for an edit. `child` is set unless the edit was rejected; `outcome` then says why.

    summary: the implementer's own sentence on what it changed.
    """

    outcome: Literal["proposed", "no_change", "out_of_scope", "broken", "no_proposal"]
    reason: str
    summary: str
    child: Candidate | None
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True)
class Choice:
    """A parent, and the probability with which each of the likeliest candidates, itself included, could be drawn."""

    parent: Candidate
    probabilities: Mapping[str, float]


@dataclass(frozen=True)
class Spend:
    """What one role cost in one iteration. cost in US dollars."""

    role: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


@dataclass(frozen=True, slots=True)
class Iteration:
    """Everything one iteration decided and measured. `sees`: it saw the results of iterations 0..sees.

    Once it is recorded the loop goes on with less: tallies in place of rollouts, `causes` (their titles) in place of
    the diagnosis, and nothing of probabilities, exchanges, spend and diff. See `rows.as_loaded`.
    """

    number: int
    outcome: Outcome
    reason: str
    parent: str
    sees: int
    child: Candidate | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    diagnosis: Diagnosis | None = None
    summary: str = ""
    exchanges: tuple[Exchange, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    spend: tuple[Spend, ...] = ()
    started: float = 0.0
    finished: float = 0.0
    causes: tuple[str, ...] = ()

    def side(self, side: Side) -> Evaluation | None:
        """The evaluation of that side, if it was made."""
        for one in self.evaluations:
            if one.side == side:
                return one
        return None


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate with the sum and the number of its validation scores: all it ever got, never the luckiest."""

    candidate: Candidate
    total: float
    trials: int

    @property
    def score(self) -> float:
        """Mean over all validation trials, in [0, 1].

        Raises:
            ValueError: it was never measured.
        """
        if not self.trials:
            raise ValueError(f"candidate {self.candidate.id!r} has no validation score")
        return self.total / self.trials

    @property
    def interval(self) -> Interval:
        return proportion(self.total, self.trials)


Sums = dict[str, tuple[float, int]]


class Population:
    """The baseline and every survivor, with all their validation trials, as of a fixed set of iterations."""

    def __init__(self, iterations: Iterable[Iteration]) -> None:
        self.iterations = tuple(sorted(iterations, key=lambda one: one.number))

    @cached_property
    def born(self) -> dict[str, Candidate]:
        """Baseline first, then survivors in order of birth."""
        return dict(_born(self.iterations))

    @cached_property
    def sums(self) -> Sums:
        """Candidate id -> sum and number of its validation scores, of dropped ones as well."""
        return _summed({}, self.iterations)

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Baseline first, then survivors in order of birth."""
        return {key: self._standing(key) for key in self.born}

    def _standing(self, key: str) -> Standing:
        return Standing(self.born[key], *self.sums.get(key, (0.0, 0)))

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
        grown.sums = _summed(self.sums, new)
        measured = (one.candidate for iteration in new for one in iteration.evaluations)
        changed = (key for key in (*fresh, *measured) if key in grown.born)
        grown.standings = {**self.standings, **{key: grown._standing(key) for key in changed}}
        grown.trees = {**_trees(new), **self.trees}
        return grown

    def upto(self, number: int) -> "Population":
        """The population as the results of iterations 0..number leave it."""
        return Population(one for one in self.iterations if one.number <= number)

    @property
    def baseline(self) -> Candidate:
        return next(iter(self.standings.values())).candidate

    @cached_property
    def best(self) -> Standing:
        """The standing with the highest lower end of its 95 % interval: many good trials beat one lucky one."""
        best, low = next(iter(self.standings.values())), -1.0
        for one in self.standings.values():
            if one.trials and one.total / one.trials < low:  # the lower end is never above the score
                continue
            end = one.interval.low
            if (end, -one.candidate.iteration) > (low, -best.candidate.iteration):
                best, low = one, end
        return best

    @cached_property
    def trees(self) -> dict[str, str]:
        """Tree hash -> candidate id, for every child ever measured, survivor or not; the oldest owns a shared tree."""
        return _trees(self.iterations)


def _born(iterations: Iterable[Iteration]) -> Iterator[tuple[str, Candidate]]:
    for one in iterations:
        if one.child is not None and one.outcome in ("baseline", "survived"):
            yield one.child.id, one.child


def _summed(before: Sums, iterations: Iterable[Iteration]) -> Sums:
    sums = dict(before)
    for iteration in iterations:
        for one in iteration.evaluations:
            if one.split == "validation":
                (total, trials), more = sums.get(one.candidate, (0.0, 0)), one.tally
                sums[one.candidate] = (total + more.total, trials + more.trials)
    return sums


def _trees(iterations: Sequence[Iteration]) -> dict[str, str]:
    return {one.child.tree: one.child.id for one in reversed(iterations) if one.child is not None}


def pairs(child: Evaluation, parent: Evaluation) -> list[tuple[float, float]]:
    """The scores of child and parent on the documents that both have one for."""
    theirs = parent.scores
    both = ((mine, theirs.get(key)) for key, mine in child.scores.items())
    return [(mine, other) for mine, other in both if mine is not None and other is not None]


def difference(child: Evaluation, parent: Evaluation) -> Interval:
    """Mean of child minus parent over the documents that both have a score for, with its 95 % interval.

    Raises:
        ValueError: the two were measured by different instruments, or share no document.
    """
    if child.instrument != parent.instrument:
        raise ValueError(f"instruments differ: {child.instrument!r} and {parent.instrument!r}")
    return paired_difference(pairs(child, parent))
