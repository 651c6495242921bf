"""An arm, what it cost, and what came of it on one document: a row of the comparison. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

from harness.generate import deciding_step
from harness.trajectory import Report, Rollout, Step

Kind = Literal["cot", "agentic", "candidate", "best_of"]
Unit = Literal["calls", "money", "none"]
WITHOUT_VERDICT = ("missing", "doc_not_suitable")


@dataclass(frozen=True)
class Arm:
    """Who is compared. source: where its scaffold is from, in words; tree: hash of its files.

    generations: tasks it makes of a document before it hears anything. spend_of: of `best_of` the arm whose spend it
    is given.
    """

    name: str
    kind: Kind
    source: str
    tree: str
    generations: int = 1
    spend_of: str = ""

    @property
    def one_shot(self) -> bool:
        """Whether it keeps what the verifier passes and is told nothing, in place of what the gate accepts."""
        return self.kind in ("cot", "best_of")


@dataclass(frozen=True)
class Paid:
    """Calls answered, their tokens, US dollars."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: "Paid") -> "Paid":
        return Paid(self.calls + other.calls, self.tokens + other.tokens, self.cost + other.cost)

    def of(self, unit: Unit) -> float:
        """The amount in that unit."""
        return self.cost if unit == "money" else float(self.calls)


@dataclass(frozen=True)
class Bill:
    """What an arm spent on a document. made: the part that making tasks costs where nobody measures them."""

    all: Paid = Paid()
    made: Paid = Paid()


@dataclass(frozen=True)
class Row:
    """One arm on one document. What is None was not measured, and is never a zero.

    kept: the arm has a task to show, for a one-shot arm one that the verifier passes, for others one that the gate
    accepts. passed: the gate accepts it. rounds: tasks submitted. weak, strong: mean scores of the kept task; fresh: on
    attempts that did not select it. items: all its tasks that both solvers tried, with the means of their first attempts.
    untried: verified ones that ended before both had tried them. failures: stage -> rounds that ended there.
    """

    arm: str
    document: str
    name: str
    outcome: str
    stage: str = ""
    detail: str = ""
    kept: bool | None = None
    passed: bool | None = None
    rounds: int = 0
    weak: float | None = None
    strong: float | None = None
    fresh: bool = False
    question_length: int | None = None
    rubric_items: int | None = None
    items: int = 0
    items_weak: float | None = None
    items_strong: float | None = None
    untried: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    bill: Bill = Bill()

    @property
    def gap(self) -> float | None:
        """Strong minus weak."""
        return None if self.weak is None or self.strong is None else self.strong - self.weak

    @property
    def suitable(self) -> bool:
        return self.outcome != "doc_not_suitable"


def row_of(arm: Arm, rollout: Rollout, bill: Bill) -> Row:
    """What one rollout comes to."""
    base = Row(arm.name, rollout.document, rollout.name, rollout.outcome, detail=rollout.detail, bill=bill)
    if rollout.outcome in WITHOUT_VERDICT:
        return base
    steps = submissions(rollout)
    step = verified(steps) if arm.one_shot else deciding_step(rollout)
    return filled(base, steps, step, arm.one_shot)


def filled(base: Row, steps: Sequence[Step], kept: Step | None, one_shot: bool) -> Row:
    """The row with what its submissions came to. kept: that of the task it has to show.

    Of a one-shot arm the first attempts count, since they selected nothing; if only those that pass the gate were
    reported by fresh ones, the rest would pull the mean their way.
    """
    weak, strong = mean_scores(kept, one_shot)
    tried = [one for one in steps if one.weak and one.strong]
    counts = Counter(failure(one.report) for one in steps if one.report and not one.report.accepted)
    last = steps[-1].report if steps else None
    example = kept.example if kept else None
    return Row(
        **(
            vars(base)
            | {
                "stage": last.stage if last else "",
                "kept": kept is not None,
                "passed": kept is not None and kept.report is not None and kept.report.accepted,
                "rounds": len(steps),
                "weak": weak,
                "strong": strong,
                "fresh": kept is not None and kept.confirmation is not None and not one_shot,
                "question_length": len(example.question) if example else None,
                "rubric_items": len(example.rubric) if example else None,
                "items": len(tried),
                "items_weak": fmean(fmean(a.score for a in one.weak) for one in tried) if tried else None,
                "items_strong": fmean(fmean(a.score for a in one.strong) for one in tried) if tried else None,
                "untried": sum(passes(one) and not (one.weak and one.strong) for one in steps),
                "failures": dict(sorted(counts.items())),
            }
        )
    )


def failure(report: Report) -> str:
    """Where a round failed. What the weak solver does too well on is too easy, though both solvers have tried it: where
    the strong one waits for the weak one, it ends there."""
    gated = report.stage in ("too_easy", "failed_on_strong")
    return "too_easy" if gated and any(one.startswith("weak") for one in report.reasons) else report.stage


def mean_scores(step: Step | None, one_shot: bool) -> tuple[float | None, float | None]:
    """Mean weak and strong score of a kept task; None where a solver has not tried it."""
    if step is None:
        return None, None
    first = [one.score for one in step.weak], [one.score for one in step.strong]
    weak, strong = first if one_shot else step.reported
    return (fmean(weak), fmean(strong)) if weak and strong else (None, None)


def submissions(rollout: Rollout) -> list[Step]:
    """What it handed in, in order."""
    return [one for one in rollout.steps if one.kind == "submit" and one.report is not None]


def verified(steps: Sequence[Step]) -> Step | None:
    """The first submission that is well formed and that the verifier passes, where there is one."""
    return next(filter(passes, steps), None)


def passes(step: Step) -> bool:
    """Whether a submission gets past form and verifier."""
    if step.example is None or step.report is None or step.report.reasons == ("unanswerable",):
        return False
    if step.verification is not None:
        return step.verification.passed
    by_rule = (
        step.report.stage == "improve" and step.opinion is None
    )  # a domain's own, before any model looked
    return not by_rule and step.report.stage not in ("malformed", "quality")
