"""Records of candidates read from population.db, and the difference of two of them. Which draws count: see COUNTED."""

from dataclasses import dataclass
from math import sqrt

from evolve.contest import Record, Sums
from evolve.intervals import Interval, Z, paired_difference
from evolve.report import figures
from evolve.report.store import COUNTED, Store
from harness.types import Split

RECORDS = f"""SELECT r.candidate, r.document, count(r.score) AS trials, total(r.score) AS total,
    total(r.score * r.score) AS squares,
    total(r.outcome = 'missing') AS missing
    FROM candidates AS c CROSS JOIN rollouts AS r ON (r.run, r.candidate) = (c.run, c.candidate)
    CROSS JOIN evaluations AS e ON (e.run, e.iteration, e.side) = (r.run, r.iteration, r.side)
    WHERE c.run = :run AND c.status IN ('baseline', 'survived', 'contender')
    AND c.candidate = coalesce(:candidate, c.candidate)
    AND +r.iteration <= :upto AND e.split = 'validation' AND e.instrument = :instrument AND {COUNTED}
    GROUP BY r.candidate, +r.document"""
# CROSS JOIN has SQLite look up the rollouts of one candidate after the other; left to itself it compares all iterations.
# the plus keeps SQLite from reading every rollout of the run in the order of an index on documents
PAIRS = f"""SELECT avg(CASE WHEN r.candidate = :winner THEN r.score END) AS best,
    avg(CASE WHEN r.candidate = 'c0' THEN r.score END) AS baseline
    FROM rollouts AS r JOIN evaluations AS e ON (e.run, e.iteration, e.side) = (r.run, r.iteration, r.side)
    JOIN candidates AS c ON (c.run, c.candidate) = (r.run, r.candidate)
    WHERE r.run = :run AND e.split = :split AND r.candidate IN (:winner, 'c0') AND {COUNTED}
    GROUP BY +r.document HAVING best IS NOT NULL AND baseline IS NOT NULL"""
LAST = 2**63 - 1


@dataclass(frozen=True)
class Gap:
    """A difference over documents that were drawn several times: first minus second, with the valid rollouts of each.

    interval: 95 %, `trials` are documents.
    """

    interval: Interval
    first: int
    second: int


def text(gap: Gap, simulated: bool) -> str:
    """`+0.20 [+0.05, +0.35] n=4 documents, 8+23 rollouts, simulated`."""
    return f"{brief(gap)}{', simulated' if simulated else ''}"


def brief(gap: Gap) -> str:
    """The same where the label stands elsewhere."""
    one = gap.interval
    documents = figures.count(one.trials, "document")
    return (
        f"{one.value:+.2f} [{one.low:+.2f}, {one.high:+.2f}] n={documents}, {gap.first}+{gap.second} rollouts"
    )


def records(store: Store, upto: int = LAST, candidate: str | None = None) -> dict[str, Record]:
    """Candidate -> its record as iterations 0..upto leave it, of all that may be parents, or of one of them."""
    found: dict[str, Record] = {}
    values = {"upto": upto, "candidate": candidate, "instrument": store.run.instrument}
    for row in store.rows(RECORDS, **values):
        sums = Sums(row["trials"], row["total"], row["squares"])
        before = found.get(row["candidate"], Record())
        scores = {row["document"]: sums} if sums.number else {}
        found[row["candidate"]] = before.plus(scores, int(row["missing"]))
    return found


def gap(first: Record, second: Record) -> Gap | None:
    """Mean over the documents that both have a score for of the difference of their means; None if there is none.

    The interval is normal with the squared standard errors of both (`Record.variance`): it is for these very documents,
    however many others there may be, and as narrow as the number of rollouts makes it.
    """
    shared = [key for key in first.scores if key in second.scores]
    if not shared:
        return None
    mine, theirs = (Record({key: one.scores[key] for key in shared}) for one in (first, second))
    value = (mine.mean or 0.0) - (theirs.mean or 0.0)
    half = Z * sqrt(mine.variance + theirs.variance)
    ends = Interval(value, max(-1.0, value - half), min(1.0, value + half), len(shared))
    return Gap(ends, mine.trials, theirs.trials)


def best_minus_baseline(store: Store, winner: str | None, split: Split, z: float = Z) -> Interval | None:
    """Best minus baseline over the documents both were scored on, by the mean of what counts for each document.

    z: of its interval, wider than usual where it holds for several candidates (`bonferroni`).
    """
    if winner in (None, "c0"):
        return None
    pairs = [(row["best"], row["baseline"]) for row in store.rows(PAIRS, winner=winner, split=split)]
    return paired_difference(pairs, z) if pairs else None
