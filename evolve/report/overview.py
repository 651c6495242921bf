"""What is known of a run, as values read from population.db. Draws nothing (views.py), reads no traces (traces.py)."""

import json
from dataclasses import dataclass

from evolve import seal_log
from evolve.descent import Descent
from evolve.from_rows import seconds
from evolve.intervals import Interval, bonferroni, proportion
from evolve.iteration import Arm, Diagnosis, Operator, Spend
from evolve.lock import holder
from evolve.picking import picked
from evolve.report.arms import Arms, arms
from evolve.report.journal import Receipt, unrecorded
from evolve.report.records import best_minus_baseline
from evolve.report.store import COUNTED, Score, Store, best, descent_of, scores
from evolve.rows import Row
from harness.types import Side, Split

LAST_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Entry:
    """One iteration, in a line. `gain`: child minus parent as the rule saw it last, over the documents both had a score for.

    parent_score, child_score: of the draws of this iteration alone, the mean over documents of their means.
    rollouts: valid ones of both behind the gain, the parent's earlier ones included; None if not recorded. against: whom
    the child is compared with in place of its parent, where that is a contender.
    """

    number: int
    parent: str | None
    child: str | None
    outcome: str
    reason: str
    summary: str
    parent_score: Score | None
    child_score: Score | None
    gain: Interval | None
    rollouts: tuple[int, int] | None
    started_at: str
    seconds: float
    arm: Arm
    operator: Operator
    against: str | None = None


@dataclass(frozen=True)
class Node:
    """A candidate in the tree with its score over all its validation trials; summary: what its edit changed."""

    candidate: str
    parent: str | None
    commit: str
    status: str
    score: Score | None
    summary: str


@dataclass(frozen=True)
class Measured:
    """One measurement of one candidate."""

    iteration: int
    side: Side
    candidate: str
    score: Score


@dataclass(frozen=True)
class Session:
    """One start of the program on this run. workers: 0 of an `evolve test`. alive: it is it that holds the run now."""

    number: int
    started_at: str
    ended_at: str | None
    outcome: str | None
    workers: int
    iterations: int
    alive: bool


@dataclass(frozen=True)
class Failure:
    """Where rollouts of a candidate ended, other than accepted; a rollout counts once for each of its reasons."""

    stage: str
    reason: str
    rollouts: int


@dataclass(frozen=True)
class Line:
    """The state of a candidate in the closing table."""

    candidate: str
    validation: Score | None
    test: Score | None
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class Overview:
    """A run as `status` and the end of `run` show it. Differences are of best minus baseline; that on the test split has
    Bonferroni's interval for the `compared` candidates other than the baseline that the split was opened for.

    holder: the process that holds the run now, in words. tested: whom the test split was opened for. picked: it is the
    run that commands mean by default, because somebody said so. unrecorded: what was paid for in iterations and final
    tests that have no row yet; it is not in `spend`. arms: evolution against the control arms; None if these did nothing.
    better_than: where the best is a contender, the candidate that it is not shown to be better than.
    """

    run: str
    folder: str
    created_at: str
    version: str
    seed: int
    lag: int
    domain: str
    instrument: str
    sandbox: str
    simulated_roles: tuple[str, ...]
    sessions: tuple[Session, ...]
    documents: dict[str, int]
    iterations: int
    outcomes: dict[str, int]
    baseline: Line | None
    best: Line | None
    validation_difference: Interval | None
    test_difference: Interval | None
    spend: tuple[Spend, ...]
    holder: str
    tested: tuple[str, ...]
    compared: int
    picked: bool
    unrecorded: Receipt
    arms: Arms | None
    better_than: str | None = None

    @property
    def search(self) -> Session | None:
        """The last session that worked on iterations."""
        return next((one for one in reversed(self.sessions) if one.workers), None)

    @property
    def condition(self) -> str:
        """What the search is doing or how it ended, in a word."""
        if self.holder:
            return "running"
        return "not started" if self.search is None else self.search.outcome or "killed"


# one measurement as `scores` has a candidate: the mean over documents of their means
DRAWN = """SELECT iteration, side, candidate, split, instrument, simulated, missing, avg(mean) AS score,
        sum(drawn) AS trials FROM (
    SELECT e.*, e.rowid AS place, avg(r.score) AS mean, count(r.score) AS drawn
    FROM evaluations AS e LEFT JOIN rollouts AS r
        ON (r.run, r.candidate, r.iteration, r.side) = (e.run, e.candidate, e.iteration, e.side)
    WHERE e.run = :run AND {these} GROUP BY e.iteration, e.side, r.document)
    GROUP BY iteration, side ORDER BY iteration, place"""


def measured(
    store: Store, iteration: int | None = None, candidate: str | None = None
) -> tuple[Measured, ...]:
    """Single measurements of an iteration, or of a candidate, in their order."""
    these = """CASE WHEN :iteration IS NULL THEN e.candidate = :candidate
        ELSE e.iteration = :iteration AND e.side <> 'final' END"""
    rows = store.rows(DRAWN.format(these=these), iteration=iteration, candidate=candidate)
    return tuple(Measured(row["iteration"], row["side"], row["candidate"], _score(row)) for row in rows)


def diagnosis(store: Store, iteration: int) -> Diagnosis | None:
    """What the analyzer found in an iteration."""
    query = "SELECT * FROM diagnoses WHERE run = :run AND iteration = :iteration"
    found = store.rows(query, iteration=iteration)
    return Diagnosis(summary=found[0]["summary"], causes=json.loads(found[0]["causes"])) if found else None


def _score(row: Row) -> Score:
    interval = proportion(round((row["score"] or 0.0) * row["trials"], 6), row["trials"])
    return Score(interval, row["split"], row["missing"], row["instrument"], bool(row["simulated"]))


def log(store: Store, number: int | None = None, last: int | None = None) -> tuple[Entry, ...]:
    """Iterations by number: all, the last so many of them, or a single one."""
    query = """SELECT number, parent, child, outcome, reason, summary, difference, low, high, compared, started_at,
        finished_at, arm, operator, json_extract(looks, '$[#-1].child_trials') AS mine,
        json_extract(looks, '$[#-1].parent_trials') AS theirs
        FROM iterations AS i LEFT JOIN decisions AS d ON (d.run, d.iteration) = (i.run, i.number)
        WHERE i.run = :run AND number >= :low AND number <= :high ORDER BY number DESC LIMIT :last"""
    low, high = (0, LAST_NUMBER) if number is None else (number, number)
    found = store.rows(query, low=low, high=high, last=-1 if last is None else last)[::-1]
    if not found:
        return ()
    sides: dict[tuple[int, Side], Score] = {}
    these = "e.split = 'validation' AND e.iteration >= :low AND e.iteration <= :high"
    for row in store.rows(DRAWN.format(these=these), low=found[0]["number"], high=found[-1]["number"]):
        sides[row["iteration"], row["side"]] = _score(row)
    descent = descent_of(store)
    return tuple(_entry(row, sides, descent) for row in found)


def _entry(row: Row, sides: dict[tuple[int, Side], Score], descent: Descent) -> Entry:
    number, reference = row["number"], descent.reference(row["parent"] or "")
    gain = Interval(row["difference"], row["low"], row["high"], row["compared"]) if row["compared"] else None
    return Entry(
        number=number,
        parent=row["parent"],
        child=row["child"],
        outcome=row["outcome"],
        reason=row["reason"],
        summary=row["summary"],
        parent_score=sides.get((number, "parent")),
        child_score=sides.get((number, "child")) or sides.get((number, "baseline")),
        gain=gain,
        rollouts=(row["mine"], row["theirs"]) if gain and row["mine"] is not None else None,
        started_at=row["started_at"],
        seconds=seconds(row["finished_at"]) - seconds(row["started_at"]),
        arm=row["arm"],
        operator=row["operator"],
        against=reference if reference != (row["parent"] or "") else None,
    )


def lineage(store: Store, candidate: str | None = None) -> tuple[Node, ...]:
    """Every candidate in order of birth, a parent before its children; or one of them, with its score alone."""
    known = scores(store, candidate)
    only = "" if candidate is None else "AND c.candidate = :candidate"
    query = f"""SELECT c.candidate, c.parent, c.commit_hash, c.status, coalesce(i.summary, '') AS summary
        FROM candidates AS c LEFT JOIN iterations AS i ON (i.run, i.number) = (c.run, c.iteration)
        WHERE c.run = :run {only} ORDER BY c.iteration"""
    return tuple(_node(row, known) for row in store.rows(query, candidate=candidate))


def _node(row: Row, known: dict[str, dict[Split, Score]]) -> Node:
    score = known.get(row["candidate"], {}).get("validation")
    return Node(row["candidate"], row["parent"], row["commit_hash"], row["status"], score, row["summary"])


def overview(store: Store) -> Overview:
    """Everything `status` shows; differences only where best is not the baseline and both were measured."""
    known = scores(store, "c0")
    outcomes = store.rows(
        "SELECT outcome, count(*) AS n FROM iterations WHERE run = :run GROUP BY 1 ORDER BY 2 DESC"
    )
    found = "validation" in known.get("c0", {})
    winner = best(store) if found else None
    known |= scores(store, winner) if winner else {}
    holding, sealed = holder(store.folder / "lock"), seal_log.read(store.connection, store.run.run)
    return Overview(
        run=store.run.run,
        folder=str(store.folder),
        created_at=store.created_at,
        version=store.run.version,
        seed=store.run.seed,
        lag=store.run.lag,
        domain=store.run.domain,
        instrument=store.run.instrument,
        sandbox=store.run.sandbox,
        simulated_roles=store.run.simulated,
        sessions=tuple(
            _session(row, holding)
            for row in store.rows("SELECT * FROM sessions WHERE run = :run ORDER BY number")
        ),
        documents={row["split"]: row["n"] for row in store.rows(USED)},
        iterations=sum(row["n"] for row in outcomes if row["outcome"] != "baseline"),
        outcomes={row["outcome"]: row["n"] for row in outcomes},
        baseline=_line(store, "c0", known) if found else None,
        best=_line(store, winner, known) if winner else None,
        validation_difference=best_minus_baseline(store, winner, "validation"),
        test_difference=best_minus_baseline(store, winner, "test", bonferroni(sealed.compared)),
        spend=spend(store),
        holder=holding,
        tested=sealed.opened,
        compared=sealed.compared,
        picked=picked(store.db) == store.run.run,
        unrecorded=_unrecorded(store),
        arms=arms(store) if found else None,
        better_than=unshown(store, winner) if winner else None,
    )


def unshown(store: Store, key: str) -> str | None:
    """The candidate that a contender is not shown to be better than; None of all others."""
    reference = descent_of(store).reference(key)
    return None if reference == key else reference


def _unrecorded(store: Store) -> Receipt:
    """What was paid for in iterations and final tests that have no row yet."""
    numbers = [row["number"] for row in store.rows("SELECT number FROM iterations WHERE run = :run")]
    births = [row["iteration"] for row in store.rows(UNTESTED)]
    return unrecorded(store.folder / "calls.db", numbers, births)


UNTESTED = """SELECT iteration FROM candidates WHERE run = :run AND candidate NOT IN
    (SELECT candidate FROM evaluations WHERE run = :run AND split = 'test')"""
USED = "SELECT split, sum(used) AS n FROM documents WHERE run = :run GROUP BY split ORDER BY split DESC"


def spend(store: Store) -> tuple[Spend, ...]:
    """What each role cost in the whole run, the most tokens first."""
    rows = store.rows("SELECT * FROM spend WHERE run = :run ORDER BY prompt_tokens + completion_tokens DESC")
    return tuple(Spend(*(row[key] for key in Spend.__dataclass_fields__)) for row in rows)


def _session(row: Row, holding: str) -> Session:
    facts = {key: row[key] for key in Session.__dataclass_fields__ if key != "alive"}
    return Session(**facts, alive=row["outcome"] is None and holding.startswith(f"pid {row['pid']} "))


# as the view `failures`, of the rollouts that a candidate's score is made of
FAILURES = f"""SELECT CASE WHEN r.outcome IN ('exhausted', 'stopped') THEN coalesce(r.stage, r.outcome)
        ELSE r.outcome END AS stage, coalesce(why.value, '') AS reason, count(*) AS rollouts
    FROM rollouts AS r JOIN evaluations AS e ON (e.run, e.iteration, e.side) = (r.run, r.iteration, r.side)
    JOIN candidates AS c ON (c.run, c.candidate) = (r.run, r.candidate) LEFT JOIN json_each(r.reasons) AS why
    WHERE r.run = :run AND r.candidate = :candidate AND e.split = 'validation' AND r.outcome <> 'accepted' AND {COUNTED}
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"""


def _line(store: Store, candidate: str, known: dict[str, dict[Split, Score]]) -> Line:
    mix = tuple(
        Failure(row["stage"], row["reason"], row["rollouts"])
        for row in store.rows(FAILURES, candidate=candidate)
    )
    mine = known.get(candidate, {})
    return Line(candidate, mine.get("validation"), mine.get("test"), mix)
