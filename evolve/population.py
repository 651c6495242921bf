"""Values of the outer loop and the arithmetic on them. No I/O: what is here can be tested with plain numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from pydantic import Field

from evolve.intervals import Interval, paired_difference, proportion
from harness.types import Rollout, Side, Split, Wire

Outcome = Literal["baseline", "survived", "dropped", "no_change", "out_of_scope", "broken", "no_proposal"]


@dataclass(frozen=True)
class Candidate:
    """A scaffold: a git commit. `id` is `c` and the iteration it was born in; `c0` is the baseline.

    tree: hash of its files. diff: unified diff against the baseline, as text.
    """

    id: str
    iteration: int
    parent: str | None
    commit: str
    tree: str
    diff: str = ""


@dataclass(frozen=True)
class Evaluation:
    """One candidate measured once on a list of documents, in their order. A score is 1, 0 or None (missing).

    instrument: hash of everything that measured it. Scores under different instruments are never compared.
    """

    candidate: str
    iteration: int
    side: Side
    split: Split
    instrument: str
    rollouts: tuple[Rollout, ...]

    @property
    def scores(self) -> dict[str, float | None]:
        return {rollout.document: rollout.score for rollout in self.rollouts}

    @property
    def valid(self) -> list[float]:
        return [rollout.score for rollout in self.rollouts if rollout.score is not None]

    @property
    def missing(self) -> int:
        return len(self.rollouts) - len(self.valid)

    @property
    def mean(self) -> float | None:
        """Mean of the scores that are there; None if none is."""
        return sum(self.valid) / len(self.valid) if self.valid else None


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

    summary: the implementer's own sentence on what it changed. tries: how often it was asked, at most four.
    """

    outcome: Literal["proposed", "no_change", "out_of_scope", "broken", "no_proposal"]
    reason: str
    summary: str
    child: Candidate | None
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True)
class Choice:
    """A parent and the probability with which each candidate could have been drawn."""

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


@dataclass(frozen=True)
class Iteration:
    """Everything one iteration decided and measured. `sees`: it saw the results of iterations 0..sees."""

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

    def side(self, side: Side) -> Evaluation | None:
        """The evaluation of that side, if it was made."""
        return next((one for one in self.evaluations if one.side == side), None)


@dataclass(frozen=True)
class Standing:
    """A candidate with every validation score it ever got: its score is the mean of all, never the luckiest."""

    candidate: Candidate
    scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """Mean over all validation trials, in [0, 1].

        Raises:
            ValueError: it was never measured.
        """
        if not self.scores:
            raise ValueError(f"candidate {self.candidate.id!r} has no validation score")
        return sum(self.scores) / len(self.scores)

    @property
    def interval(self) -> Interval:
        return proportion(sum(self.scores), len(self.scores))


class Population:
    """The baseline and every survivor, with all their validation trials, as of a fixed set of iterations."""

    def __init__(self, iterations: Iterable[Iteration]) -> None:
        self.iterations = tuple(sorted(iterations, key=lambda one: one.number))

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Baseline first, then survivors in order of birth."""
        candidates: dict[str, Candidate] = {}
        scores: dict[str, list[float]] = {}
        for iteration in self.iterations:
            if iteration.child is not None and iteration.outcome in ("baseline", "survived"):
                candidates[iteration.child.id] = iteration.child
            for evaluation in iteration.evaluations:
                if evaluation.split == "validation":
                    scores.setdefault(evaluation.candidate, []).extend(evaluation.valid)
        return {key: Standing(one, tuple(scores.get(key, ()))) for key, one in candidates.items()}

    def upto(self, number: int) -> "Population":
        """The population as the results of iterations 0..number leave it."""
        return Population(one for one in self.iterations if one.number <= number)

    @property
    def baseline(self) -> Candidate:
        return next(iter(self.standings.values())).candidate

    @property
    def best(self) -> Standing:
        """The standing with the highest lower end of its 95 % interval: many good trials beat one lucky one."""
        return max(self.standings.values(), key=lambda one: (one.interval.low, -one.candidate.iteration))

    @cached_property
    def trees(self) -> dict[str, str]:
        """Tree hash -> candidate id, for every child ever measured, survivor or not."""
        children = (one.child for one in reversed(self.iterations))
        return {child.tree: child.id for child in children if child is not None}


def difference(child: Evaluation, parent: Evaluation) -> Interval:
    """Mean of child minus parent over the documents that both have a score for, with its 95 % interval.

    Raises:
        ValueError: the two were measured by different instruments, or share no document.
    """
    if child.instrument != parent.instrument:
        raise ValueError(f"instruments differ: {child.instrument!r} and {parent.instrument!r}")
    theirs = parent.scores
    pairs = [(mine, theirs.get(key)) for key, mine in child.scores.items()]
    return paired_difference(
        [(mine, other) for mine, other in pairs if mine is not None and other is not None]
    )
