"""A child against its parent on held-out documents, draw by draw: the values that a survival rule decides from.

Pure values. What to draw next and when to stop is a rule's, see evolve/selection/; drawing is evaluation.py's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple


class Sums(NamedTuple):
    """Scores in [0, 1] of one candidate on one document: how many, their sum and that of their squares.

    All that is needed of them, whatever their number.
    """

    number: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.number

    def plus(self, score: float) -> "Sums":
        """With one score more."""
        return Sums(self.number + 1, self.total + score, self.squares + score**2)

    def joined(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums(self.number + other.number, self.total + other.total, self.squares + other.squares)


NOTHING = Sums(0, 0.0, 0.0)
Scores = Mapping[str, Sums]


@dataclass(frozen=True, slots=True)
class Trial:
    """One document measured once with one candidate.

    number: 0, 1, ... of the draws of that document on that side of the iteration; parent and child share the challenger's
    seed where document and number agree. score: in [0, 1]; None: missing, or no task can be made of the document.
    margin: how near to acceptance it came, in [0, 1], 1 if accepted. It may stop a child; it never makes it survive.
    """

    document: str
    number: int
    score: float | None
    margin: float | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contest is held to; the settings `search.*` of the same names explain each. By itself without contenders."""

    error: float = 0.05
    horizon: int = 50
    effect: float = 0.2
    overlook: float = 0.1
    contend: int | None = 0
    most: int | None = None
    block: int = 10
    missing_bound: int = 1


@dataclass(frozen=True)
class Record:
    """All valid validation scores that count for a candidate, by document, and how many draws are missing.

    What follows from them is calculated once: a run asks for it of every candidate, each time it draws a parent.
    """

    scores: Scores = field(default_factory=dict)
    missing: int = 0

    @cached_property
    def trials(self) -> int:
        return sum(one.number for one in self.scores.values())

    @cached_property
    def mean(self) -> float | None:
        """Mean over documents of their means: a document that was drawn more often counts no more. None: no score."""
        if not self.scores:
            return None
        return sum(one.mean for one in self.scores.values()) / len(self.scores)

    @cached_property
    def variance(self) -> float:
        """Squared standard error of `mean` for these very documents, from the spread within them.

        Agresti and Coull 1998 for each document: two successes and two failures are added to its draws before its
        spread is taken, so that one that always ended alike is not taken for certain.
        """
        if not self.scores:
            return 0.25
        each = ((one.total + 2) / (one.number + 4) for one in self.scores.values())
        counts = (one.number for one in self.scores.values())
        spread = sum(mean * (1 - mean) / count for mean, count in zip(each, counts, strict=True))
        return spread / len(self.scores) ** 2

    def plus(self, scores: Scores, missing: int) -> "Record":
        """With more scores of the same candidate."""
        return Record(merged(self.scores, scores), self.missing + missing)


@dataclass(frozen=True)
class Contest:
    """Everything known when a rule is asked.

    number: of the iteration; its share of the error budget hangs on that alone. documents: the validation documents, in
    an order drawn for this iteration. record: what counts of the parent's draws in earlier iterations.
    parent, child: the draws of this iteration, in the order they were asked for. Where the parent is a contender, `parent`
    and `record` are those of its nearest ancestor that is none, which claims are made against, and `rival` is the
    record of the parent itself.
    """

    number: int
    documents: tuple[str, ...]
    record: Record
    terms: Terms = Terms()
    parent: tuple[Trial, ...] = ()
    child: tuple[Trial, ...] = ()
    rival: Record | None = None

    def drawn(self, parent: Iterable[Trial], child: Iterable[Trial]) -> "Contest":
        """The same, later."""
        return replace(self, parent=(*self.parent, *parent), child=(*self.child, *child))


@dataclass(frozen=True)
class Look:
    """The evidence when a rule looked at it.

    difference: child minus parent, the mean over documents of the difference of their means, with its `low` and `high`.
    evidence: what is compared with the two bounds, in the rule's own units (`sequential`: natural log of a likelihood
    ratio); None where a rule has no such thing. documents: those that both have a valid score for.
    rival, ahead: the same evidence and difference against a parent that is a contender, see `Contest`.
    """

    child_trials: int
    parent_trials: int
    documents: int
    difference: float
    low: float
    high: float
    evidence: float | None = None
    keep_at: float | None = None
    drop_at: float | None = None
    rival: float | None = None
    ahead: float | None = None


@dataclass(frozen=True)
class Measure:
    """Draw each of these documents once more for the parent, for the child: a document may be named several times."""

    parent: tuple[str, ...]
    child: tuple[str, ...]
    look: Look | None = None


@dataclass(frozen=True)
class Survival:
    """What becomes of a child, and the reason in words with the figures it rests on.

    survived: it is claimed to be better. contender: nothing is claimed, but it may be a parent. error: the share of the
    error budget that this decision had.
    """

    survived: bool
    reason: str
    look: Look | None = None
    error: float | None = None
    contender: bool = False

    @property
    def outcome(self) -> Literal["survived", "contender", "dropped"]:
        return "survived" if self.survived else "contender" if self.contender else "dropped"


@dataclass(frozen=True)
class Decision:
    """How a child was decided on, to be shown later: the rule, its share of the error budget, and every look."""

    rule: str
    error: float | None
    looks: tuple[Look, ...] = ()


def valid(trials: Iterable[Trial]) -> dict[str, Sums]:
    """Document -> sums of its valid scores."""
    found: dict[str, Sums] = {}
    for one in trials:
        if one.score is not None:
            found[one.document] = found.get(one.document, NOTHING).plus(one.score)
    return found


def merged(first: Scores, second: Scores) -> dict[str, Sums]:
    """Both as one."""
    both = dict(first)
    for key, sums in second.items():
        both[key] = both[key].joined(sums) if key in both else sums
    return both
