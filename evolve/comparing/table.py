"""The table of a comparison: one figure after the other, each with its 95 % interval. Pure.

Which interval a figure has follows from what it is:
- a share of documents (kept, accepted): Wilson's;
- a mean over kept tasks, one a document (scores, rounds, lengths): Student's t, cut at the bounds of the figure;
- a ratio of two sums over documents (mean over all tasks, share of failed rounds, calls and money for a task): the
  percentile bootstrap over documents, since the tasks of one document are not independent of each other;
- a difference between arms: over the documents that both have a figure for, paired; of gaps Student's t, of shares
  Bonett and Price's.
Documents that are not suitable are in no figure of any arm; where an arm has no measurement, it is counted and left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from evolve.comparing.resampling import ratio
from evolve.comparing.values import Arm, Row, Unit
from evolve.intervals import Interval, mean, paired_difference, proportion

Form = Literal["score", "share", "number", "count", "money"]
STAGES = {
    "too_easy": "too easy",
    "failed_on_strong": "failed on strong",
    "quality": "quality check",
    "malformed": "unreadable",
    "improve": "judge or rule",
    "unproven": "unproven",
    "unconfirmed": "unconfirmed",
}


@dataclass(frozen=True)
class Line:
    """One line of the table: its heading, its name in a program, its label for people, how its figures are written."""

    section: str
    key: str
    label: str
    form: Form
    figure: Callable[[Sequence[Row]], Interval | None]


@dataclass(frozen=True)
class Counts:
    """What the figures of an arm rest on.

    measured: kept tasks that both solvers tried; fresh: those of them whose scores did not select them. items: all tasks
    that both tried; untried: verified ones that ended before that.
    """

    documents: int
    not_suitable: int
    missing: int
    kept: int
    measured: int
    fresh: int
    passed: int
    items: int
    untried: int


@dataclass(frozen=True)
class Column:
    """One arm of the table; figures in the order of `LINES`."""

    arm: Arm
    counts: Counts
    figures: tuple[Interval | None, ...]


@dataclass(frozen=True)
class Difference:
    """An arm minus the reference on the same documents; None where they share none with a figure."""

    arm: str
    reference: str
    gap: Interval | None
    accepted: Interval | None
    kept: Interval | None


@dataclass(frozen=True)
class Table:
    """columns: the arms in their order; differences: of each but the reference, which is the first one-shot arm."""

    columns: tuple[Column, ...]
    differences: tuple[Difference, ...]


def table(arms: Sequence[Arm], rows: Sequence[Row]) -> Table:
    """The table of these arms from their rows."""
    grouped = [(arm, [row for row in rows if row.arm == arm.name]) for arm in arms]
    columns = tuple(Column(arm, counts(own), figures(own)) for arm, own in grouped)
    reference = next((pair for pair in grouped if pair[0].kind == "cot"), grouped[0])
    others = [pair for pair in grouped if pair is not reference]
    return Table(columns, tuple(difference(*one, *reference) for one in others))


def figures(rows: Sequence[Row]) -> tuple[Interval | None, ...]:
    """Every figure of one arm."""
    scored = [row for row in rows if row.kept is not None]
    return tuple(line.figure(scored) for line in LINES)


def counts(rows: Sequence[Row]) -> Counts:
    """What the figures of one arm rest on."""
    kept = [row for row in rows if row.kept]
    return Counts(
        documents=sum(row.suitable for row in rows),
        not_suitable=sum(not row.suitable for row in rows),
        missing=sum(row.suitable and row.kept is None for row in rows),
        kept=len(kept),
        measured=sum(row.gap is not None for row in kept),
        fresh=sum(row.fresh for row in kept),
        passed=sum(bool(row.passed) for row in rows),
        items=sum(row.items for row in rows),
        untried=sum(row.untried for row in rows),
    )


def of_kept(
    value: Callable[[Row], float | None], low: float = 0.0, high: float = inf
) -> Callable[[Sequence[Row]], Interval | None]:
    """The mean of a value over kept tasks that have it."""

    def figure(rows: Sequence[Row]) -> Interval | None:
        values = [one for one in (value(row) for row in rows if row.kept) if one is not None]
        return mean(values, low, high) if values else None

    return figure


def share(wanted: Callable[[Row], bool | None]) -> Callable[[Sequence[Row]], Interval | None]:
    """Of how many documents it is true."""
    return lambda rows: proportion(sum(bool(wanted(row)) for row in rows), len(rows)) if rows else None


def of_items(value: Callable[[Row], float | None]) -> Callable[[Sequence[Row]], Interval | None]:
    """The mean over all tasks that both solvers tried, of a value that is a mean over those of a document."""
    return lambda rows: ratio([(row.items * (value(row) or 0.0), row.items) for row in rows])


def for_each(
    amount: Callable[[Row], float], kept: Callable[[Row], bool | None]
) -> Callable[[Sequence[Row]], Interval | None]:
    """What a task of that kind costs: all that was spent, by their number."""
    return lambda rows: ratio([(amount(row), float(bool(kept(row)))) for row in rows])


def made(unit: Unit) -> Callable[[Row], float]:
    """What making a task took on a document."""
    return lambda row: row.bill.made.of(unit)


def spent(unit: Unit) -> Callable[[Row], float]:
    """All that was spent on a document."""
    return lambda row: row.bill.all.of(unit)


def kept(row: Row) -> bool:
    """Whether there is a task to show."""
    return bool(row.kept)


def passed(row: Row) -> bool:
    """Whether the gate accepts it."""
    return bool(row.passed)


def always(_: Row) -> bool:
    """Every document."""
    return True


def ended(stage: str) -> Callable[[Sequence[Row]], Interval | None]:
    """The share of failed rounds that ended at a stage."""
    return lambda rows: ratio([(row.failures.get(stage, 0), sum(row.failures.values())) for row in rows])


def items_gap(row: Row) -> float | None:
    """Strong minus weak over all tasks of a document that both solvers tried."""
    if row.items_weak is None or row.items_strong is None:
        return None
    return row.items_strong - row.items_weak


KEPT, ALL, DOCUMENTS, TASKS, COST, FAILED = (
    "Scores of kept tasks",
    "Scores of all tasks that both solvers tried",
    "Documents",
    "Kept tasks",
    "Cost",
    "Failed rounds, by where they ended",
)
LINES: tuple[Line, ...] = (
    Line(KEPT, "weak", "weak", "score", of_kept(lambda row: row.weak, high=1.0)),
    Line(KEPT, "strong", "strong", "score", of_kept(lambda row: row.strong, high=1.0)),
    Line(KEPT, "gap", "gap", "score", of_kept(lambda row: row.gap, -1.0, 1.0)),
    Line(ALL, "items_weak", "weak, all tasks", "score", of_items(lambda row: row.items_weak)),
    Line(ALL, "items_strong", "strong, all tasks", "score", of_items(lambda row: row.items_strong)),
    Line(ALL, "items_gap", "gap, all tasks", "score", of_items(items_gap)),
    Line(DOCUMENTS, "kept", "kept", "share", share(lambda row: row.kept)),
    Line(DOCUMENTS, "accepted", "accepted by the gate", "share", share(lambda row: row.passed)),
    Line(TASKS, "rounds", "rounds", "number", of_kept(lambda row: row.rounds)),
    Line(TASKS, "question_length", "question, characters", "count", of_kept(lambda row: row.question_length)),
    Line(TASKS, "rubric_items", "rubric items", "number", of_kept(lambda row: row.rubric_items)),
    Line(COST, "calls_per_kept", "calls a kept task", "number", for_each(made("calls"), kept)),
    Line(COST, "cost_per_kept", "money a kept task", "money", for_each(made("money"), kept)),
    Line(COST, "calls_per_accepted", "calls an accepted", "number", for_each(spent("calls"), passed)),
    Line(COST, "cost_per_accepted", "money an accepted", "money", for_each(spent("money"), passed)),
    Line(COST, "calls_per_document", "calls a document", "number", for_each(spent("calls"), always)),
    Line(COST, "cost_per_document", "money a document", "money", for_each(spent("money"), always)),
    *(Line(FAILED, f"failed_{key}", label, "share", ended(key)) for key, label in STAGES.items()),
)


def difference(arm: Arm, rows: Sequence[Row], reference: Arm, others: Sequence[Row]) -> Difference:
    """Arm minus reference, document by document."""
    known = {row.document: row for row in others}
    pairs = [(row, known[row.document]) for row in rows if row.document in known]
    gaps = [a.gap - b.gap for a, b in pairs if a.kept and b.kept and a.gap is not None and b.gap is not None]
    scored = [(a, b) for a, b in pairs if a.kept is not None and b.kept is not None]
    return Difference(
        arm.name,
        reference.name,
        mean(gaps, -2.0, 2.0) if gaps else None,
        paired_difference([(float(bool(a.passed)), float(bool(b.passed))) for a, b in scored])
        if scored
        else None,
        paired_difference([(float(bool(a.kept)), float(bool(b.kept))) for a, b in scored])
        if scored
        else None,
    )
