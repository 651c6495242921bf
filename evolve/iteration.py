"""Values of the outer loop: candidates, how they were measured, what one iteration proposed, decided and paid. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import Field

from evolve.contest import NOTHING, Decision, Scores, Sums, Trial
from evolve.intervals import Interval, paired_difference
from evolve.margins import margin
from harness.trajectory import Rollout
from harness.types import Side, Split, Wire

Outcome = Literal[
    "baseline",
    "survived",
    "contender",
    "dropped",
    "not_improved",
    "no_change",
    "out_of_scope",
    "broken",
    "no_proposal",
]
KEPT: tuple[Outcome, ...] = ("survived", "contender")
IN_POPULATION: tuple[Outcome, ...] = ("baseline", *KEPT)
Arm = Literal["evolution", "random", "best_of"]
Operator = Literal["edit", "merge", "agent", "random"]
Claim = Literal["too_easy", "failed_on_strong", "quality", "malformed", "crash", "other"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scaffold: a git commit. `id` is `c` and the iteration it was born in; `c0` is the baseline.

    tree: hash of its files. diff: unified diff against the baseline, as text; "" once it is recorded. arm: those of the
    control arms are measured and kept by the same rules, and are parents of their own arm only.
    """

    id: str
    iteration: int
    parent: str | None
    commit: str
    tree: str
    diff: str = ""
    arm: Arm = "evolution"


@dataclass(frozen=True, slots=True)
class Tally:
    """What a measurement comes to: the sum of its scores, how many there are, and how many are missing.

    A document of which no task can be made counts for neither. sums: by document, of what counts for a candidate.
    """

    total: float
    trials: int
    missing: int
    sums: Scores = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One candidate measured on documents, on each once or several times. A score is 1, 0 or None (missing).

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
        """Document -> mean of its scores, None if it has none.

        Raises:
            ValueError: only the tally is left.
        """
        self._require_rollouts()
        sums = self.sums
        return {
            one.document: sums[one.document].mean if one.document in sums else None for one in self.rollouts
        }

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The draws, in their order.

        Raises:
            ValueError: only the tally is left.
        """
        self._require_rollouts()
        return tuple(
            Trial(one.document, one.trial, one.score, margin(one), one.outcome == "missing")
            for one in self.rollouts
        )

    @property
    def sums(self) -> dict[str, Sums]:
        """Document -> sums of its scores; only of documents that have one."""
        if self.recorded is not None:
            return dict(self.recorded.sums)
        found: dict[str, Sums] = {}
        for one in self.rollouts:
            if one.score is not None:
                found[one.document] = found.get(one.document, NOTHING).plus(one.score)
        return found

    def plus(self, other: "Evaluation") -> "Evaluation":
        """This and a later measurement of the same candidate for the same purpose, as one."""
        return replace(self, rollouts=self.rollouts + other.rollouts)

    def _require_rollouts(self) -> None:
        if self.recorded is not None:
            raise ValueError(f"single scores of iteration {self.iteration}, {self.side}, are in the database")

    @property
    def valid(self) -> list[float]:
        self._require_rollouts()
        return [one.score for one in self.rollouts if one.score is not None]

    @property
    def tally(self) -> Tally:
        if self.recorded is not None:
            return self.recorded
        valid = [rollout.score for rollout in self.rollouts if rollout.score is not None]
        missing = sum(rollout.outcome == "missing" for rollout in self.rollouts)
        return Tally(sum(valid), len(valid), missing, self.sums)

    @property
    def missing(self) -> int:
        return self.tally.missing

    @property
    def mean(self) -> float | None:
        """Mean of the scores that are there; None if none is."""
        tally = self.tally
        return tally.total / tally.trials if tally.trials else None


class Cause(Wire):
    """One systematic failure: what the scaffold does wrong and where it shows, and what removing it would change.

    kind: the stage at which rollouts fail by it. fixes, breaks: numbers of the rollouts of the minibatch, from 1, that
    should come out better with the remedy, and of those that it may spoil. That is the part that can be wrong.
    """

    title: str = Field(min_length=1, max_length=200)
    explanation: str = Field(min_length=1, max_length=4000)
    evidence: tuple[str, ...] = Field(min_length=1, max_length=12)
    remedy: str = Field(min_length=1, max_length=4000)
    kind: Claim = "other"
    fixes: tuple[int, ...] = Field(default=(), max_length=64)
    breaks: tuple[int, ...] = Field(default=(), max_length=64)


class Diagnosis(Wire):
    """The analyzer's reading of a minibatch: root causes, the most damaging first."""

    summary: str = Field(min_length=1, max_length=4000)
    causes: tuple[Cause, ...] = Field(min_length=1, max_length=8)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a cause of a diagnosis said of the minibatch, and what the child did there.

    fixes, breaks: document ids. fixed: how many of `fixes` got better; broken: how many of `breaks` got worse; None where
    nothing could be compared, or the edit did not take the cause on. outcome: `untested`, `confirmed` (more than half
    of the fixes that could be compared got better) or `refuted`. The last one of an iteration has the title "": what no
    tested cause named, which is the base rate.
    """

    kind: Claim
    title: str
    fixes: tuple[str, ...]
    breaks: tuple[str, ...]
    fixed: int | None = None
    broken: int | None = None
    outcome: Literal["untested", "confirmed", "refuted"] = "untested"


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
    edit_hash: str = ""


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
    the diagnosis, and nothing of probabilities, exchanges, spend and diff. See memory.py.
    partner: the second parent of a merge. edit_hash: identity of the change as normalised lines, "" if there was none.
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
    arm: Arm = "evolution"
    operator: Operator = "edit"
    partner: str | None = None
    edit_hash: str = ""
    decision: Decision | None = None
    predictions: tuple[Prediction, ...] = ()

    def side(self, side: Side) -> Evaluation | None:
        """The evaluation of that side, if it was made."""
        for one in self.evaluations:
            if one.side == side:
                return one
        return None


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
