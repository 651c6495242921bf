"""Evolution against the control arms: what each spent, the best that each found, and whether evolution's is better.

All of it is derived from what is recorded. An arm's spend is every rollout of its iterations, those on the minibatch and
of a survivor's fresh record included; what the baseline's first record took is nobody's. An arm's best is the one
with the highest lower end of the interval of its record, the baseline where nothing was kept, as in `Population.best_of`.

A control arm has a small part of the budget, so evolution's best is compared with its best twice: as it is now, and as it
was at equal spend: the best by the records of then among what evolution had after the last of its iterations, in the
order of their numbers, with which it had spent no more than the control arm has now. Both comparisons are by the records
as they are now, which is all that is known of the candidates.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from evolve import seal_log
from evolve.contest import Record
from evolve.database import failure
from evolve.descent import Descent
from evolve.intervals import Interval, bonferroni
from evolve.iteration import Arm, Candidate, Outcome
from evolve.population import Standing
from evolve.report.records import Gap, best_minus_baseline, gap, records
from evolve.report.store import Score, Store, descent_of, scores
from evolve.rows import Row

Verdict = Literal["beats", "loses", "open", "same"]
BASELINE = "c0"
ITERATIONS = """SELECT i.number, i.arm, coalesce(e.rollouts, 0) AS rollouts, coalesce(e.raced, 0) AS raced,
    i.outcome FROM iterations AS i LEFT JOIN
        (SELECT iteration, sum(trials + missing) AS rollouts, max(side = 'child') AS raced FROM evaluations
        WHERE run = :run AND side <> 'final' GROUP BY iteration) AS e ON e.iteration = i.number
    WHERE i.run = :run AND i.number > 0 ORDER BY i.number"""
BORN = """SELECT candidate, iteration, parent, arm FROM candidates
    WHERE run = :run AND status IN ('baseline', 'survived', 'contender') ORDER BY iteration"""


@dataclass(frozen=True)
class Spent:
    """A finished iteration: its arm, all its rollouts, whether its child was raced, and what became of it."""

    number: int
    arm: Arm
    rollouts: int
    raced: bool
    outcome: Outcome


@dataclass(frozen=True)
class Line:
    """What an arm did and found. raced: children measured on validation documents. test, gain: if the split was opened.

    gain: of the best over the baseline on test documents, its interval corrected for every candidate that was opened.
    """

    arm: Arm
    iterations: int
    rollouts: int
    raced: int
    survivors: int
    contenders: int
    best: str
    validation: Score | None
    test: Score | None
    gain: Interval | None


@dataclass(frozen=True)
class Versus:
    """A candidate of evolution against one of a control arm, by their records. gap: None if both are the same."""

    evolution: str
    control: str
    gap: Gap | None
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """Evolution against one control arm: as both are now, and with what evolution had at the control arm's spend.

    spent: rollouts of the control arm; total: of evolution. iterations, rollouts: of evolution within `spent`. equal: None
    if that is less than its first iteration took: the baseline is nothing that evolution found.
    """

    control: Arm
    now: Versus
    equal: Versus | None
    spent: int
    total: int
    iterations: int
    rollouts: int


@dataclass(frozen=True)
class Arms:
    """All arms that have a finished iteration. opened: candidates other than the baseline that saw the test split.

    comparisons: none where no iteration of evolution is finished.
    """

    lines: tuple[Line, ...]
    comparisons: tuple[Comparison, ...]
    opened: int


@dataclass(frozen=True)
class _Facts:
    """What a comparison is derived from. born: all that may be parents. known: their records as they are now."""

    spent: tuple[Spent, ...]
    born: tuple[Candidate, ...]
    known: Mapping[str, Record]
    descent: Descent

    def of(self, arm: Arm) -> tuple[Spent, ...]:
        return tuple(one for one in self.spent if one.arm == arm)


def arms(store: Store) -> Arms | None:
    """Evolution and the control arms side by side; None where no iteration of a control arm is finished."""
    spent = tuple(map(_spent, store.rows(ITERATIONS)))
    used = [arm for arm in get_args(Arm) if arm == "evolution" or any(one.arm == arm for one in spent)]
    known = records(store) if len(used) > 1 else {}
    if BASELINE not in known:
        return None
    born = tuple(map(_candidate, store.rows(BORN)))
    facts, opened = _Facts(spent, born, known, descent_of(store)), _opened(store)
    bests = {arm: best(standings(known, born, arm), facts.descent).candidate.id for arm in used}
    evolved = bool(facts.of("evolution"))
    shown = used if evolved else used[1:]
    return Arms(
        tuple(_line(store, facts.of(arm), (arm, bests[arm]), opened) for arm in shown),
        tuple(_comparison(store, facts, arm, bests[arm]) for arm in used[1:] if evolved),
        opened,
    )


def standings(known: Mapping[str, Record], born: Iterable[Candidate], arm: Arm) -> list[Standing]:
    """The baseline and those of an arm that may be parents, as far as they have a record."""
    mine = (one for one in born if one.id == BASELINE or one.arm == arm)
    return [Standing(one, known[one.id]) for one in mine if one.id in known]


def best(found: Sequence[Standing], descent: Descent) -> Standing:
    """By the highest lower end of the interval; of equal ones the oldest. None that was shown to be beaten by another."""
    beaten = descent.outdone({one.candidate.id for one in found if one.trials})
    left = (one for one in found if one.candidate.id not in beaten)
    return max(left, key=lambda one: (one.interval.low if one.trials else -1.0, -one.candidate.iteration))


def within(spent: Iterable[Spent], rollouts: int) -> tuple[Spent, ...]:
    """The first iterations that took no more than so many rollouts together."""
    taken, used = list[Spent](), 0
    for one in spent:
        used += one.rollouts
        if used > rollouts:
            break
        taken.append(one)
    return tuple(taken)


def versus(known: Mapping[str, Record], evolution: str, control: str) -> Versus:
    """The difference of their records, and what it says: zero inside its interval says nothing."""
    if evolution == control:
        return Versus(evolution, control, None, "same")
    found = gap(known[evolution], known[control])
    verdict: Verdict = "open"
    if found is not None and found.interval.excludes_zero:
        verdict = "beats" if found.interval.low > 0 else "loses"
    return Versus(evolution, control, found, verdict)


def _candidate(row: Row) -> Candidate:
    return Candidate(row["candidate"], row["iteration"], row["parent"], "", "", arm=row["arm"])


def _spent(row: Row) -> Spent:
    return Spent(row["number"], row["arm"], row["rollouts"], bool(row["raced"]), row["outcome"])


def _comparison(store: Store, facts: _Facts, control: Arm, theirs: str) -> Comparison:
    rollouts = sum(one.rollouts for one in facts.of(control))
    first = within(facts.of("evolution"), rollouts)
    then = records(store, first[-1].number if first else 0)
    now, before = (
        best(standings(one, facts.born, "evolution"), facts.descent).candidate.id
        for one in (facts.known, then)
    )
    return Comparison(
        control,
        versus(facts.known, now, theirs),
        versus(facts.known, before, theirs) if first else None,
        rollouts,
        sum(one.rollouts for one in facts.of("evolution")),
        len(first),
        sum(one.rollouts for one in first),
    )


def _line(store: Store, spent: Sequence[Spent], found: tuple[Arm, str], opened: int) -> Line:
    """found: the arm and its best."""
    arm, key = found
    known = scores(store, key).get(key, {})
    return Line(
        arm,
        len(spent),
        sum(one.rollouts for one in spent),
        sum(one.raced for one in spent),
        sum(one.outcome == "survived" for one in spent),
        sum(one.outcome == "contender" for one in spent),
        key,
        known.get("validation"),
        known.get("test"),
        best_minus_baseline(store, key, "test", bonferroni(opened)),
    )


def _opened(store: Store) -> int:
    try:
        return seal_log.read(store.connection, store.run.run).compared
    except sqlite3.Error as problem:
        raise failure(store.db, problem) from problem
