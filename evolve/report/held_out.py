"""The test split of a run: who was opened on it and what for, how much better than the baseline, and how it is drawn."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evolve import seal_log
from evolve.database import failure
from evolve.descent import Descent
from evolve.intervals import Interval, Z, bonferroni
from evolve.iteration import IN_POPULATION
from evolve.report import figures
from evolve.report.records import best_minus_baseline
from evolve.report.store import Score, Store, best, descent_of, scores
from evolve.report.views import sign
from evolve.seal import BASELINE, Log, Unsealed, flattery

DOCUMENTS = "SELECT total(used) AS n FROM documents WHERE run = :run AND split = 'test'"
ELSEWHERE = """SELECT o.run, count(*) AS n FROM (SELECT run, candidate FROM openings
    UNION SELECT run, candidate FROM evaluations WHERE side = 'final') AS o
    WHERE o.run <> :run AND o.candidate <> 'c0' AND EXISTS (SELECT 1 FROM documents AS theirs JOIN documents AS mine
    ON (mine.run, mine.document, mine.split, mine.used) = (:run, theirs.document, 'test', 1)
    WHERE theirs.run = o.run AND theirs.split = 'test' AND theirs.used = 1) GROUP BY o.run ORDER BY o.run"""
ARMS = "SELECT candidate, iteration, arm, status FROM candidates WHERE run = :run ORDER BY iteration"
PURPOSES = {"report": "final report", "selection": "selection"}


@dataclass(frozen=True)
class Entrant:
    """A candidate on the test split. gain: minus the baseline, on the documents both have a score for.

    adjusted: the same with Bonferroni's interval for all candidates that were opened, if there are several.
    """

    candidate: str
    arm: str
    status: str
    score: Score
    gain: Interval | None
    adjusted: Interval | None


@dataclass(frozen=True)
class HeldOut:
    """The test split of a run.

    log: every opening, with its purpose. opened: everybody for whom it was opened; unfinished: those of them that are not
    measured; unlogged: those measured by a version without a log. comparisons: how many were opened other than the
    baseline. luck: how much better the best of so many looks on average if all are equally good; elsewhere: other runs of
    this database that were tested on some of these documents, and for how many candidates.
    """

    run: str
    documents: int
    instrument: str
    log: tuple[Unsealed, ...]
    opened: tuple[str, ...]
    unfinished: tuple[str, ...]
    unlogged: tuple[str, ...]
    comparisons: int
    luck: float
    elsewhere: dict[str, int]
    entrants: tuple[Entrant, ...]


def openings(store: Store) -> Log:
    """For whom the test split was opened."""
    try:
        return seal_log.read(store.connection, store.run.run)
    except sqlite3.Error as problem:
        raise failure(store.db, problem) from problem


def opened(store: Store) -> tuple[str, ...]:
    """The candidates that were measured on the test split, the oldest measurement first."""
    return openings(store).measured


def reported(store: Store) -> tuple[str, ...]:
    """Whom the final report is of: the baseline, the best candidate, and the best of each arm in which one was kept."""
    known, descent, arms = scores(store), descent_of(store), dict[str, list[tuple[float, int, str]]]()
    for row in store.rows(ARMS):
        one = known.get(row["candidate"], {}).get("validation")
        if one and one.interval.trials and row["candidate"] != BASELINE and row["status"] in IN_POPULATION:
            arms.setdefault(row["arm"], []).append((one.interval.low, -row["iteration"], row["candidate"]))
    found = (_best(ranks, descent) for ranks in arms.values())
    return tuple(dict.fromkeys((BASELINE, best(store), *found)))


def _best(ranks: Sequence[tuple[float, int, str]], descent: Descent) -> str:
    """The best of an arm, as `Population.best_of`."""
    beaten = descent.outdone({key for _, _, key in ranks})
    return max(one for one in ranks if one[2] not in beaten)[2]


def held_out(store: Store, wanted: Sequence[str]) -> HeldOut:
    """What the test split says of those candidates; of those among them that were measured on it."""
    log, known = openings(store), scores(store)
    z = bonferroni(log.compared)
    rows = {row["candidate"]: row for row in store.rows(ARMS)}
    entrants = []
    for one in wanted:
        if one not in log.measured or "test" not in known.get(one, {}):
            continue
        gain = best_minus_baseline(store, one, "test")
        wider = best_minus_baseline(store, one, "test", z) if log.compared > 1 else None
        entrants.append(Entrant(one, rows[one]["arm"], rows[one]["status"], known[one]["test"], gain, wider))
    return HeldOut(
        run=store.run.run,
        documents=int(store.rows(DOCUMENTS)[0]["n"]),
        instrument=store.run.instrument,
        log=log.rows,
        opened=log.opened,
        unfinished=log.unfinished,
        unlogged=log.unlogged,
        comparisons=log.compared,
        luck=flattery(log.compared, error(entrants)),
        elsewhere={row["run"]: row["n"] for row in store.rows(ELSEWHERE)},
        entrants=tuple(entrants),
    )


def error(entrants: Sequence[Entrant]) -> float:
    """The largest standard error of their gains, as half the width of the interval has it."""
    return max(((one.gain.high - one.gain.low) / (2 * Z) for one in entrants if one.gain), default=0.0)


def drawn(found: HeldOut) -> RenderableType:
    """Scores and gains, the log of openings, and what picking among several of them would do."""
    head = Text.assemble(
        (f"Test split of {found.run}", "bold"),
        (f"  {figures.count(found.documents, 'document')}, instrument {found.instrument}", "dim"),
    )
    grid = Table.grid(padding=(0, 2))
    for one in found.entrants:
        kind = one.status if one.arm == "evolution" else f"{one.status}, control arm {one.arm}"
        grid.add_row(Text(one.candidate, "bold"), Text(_score(one.score)), Text(kind, "dim"))
        for name, gain in (("gain", one.gain), ("adjusted", one.adjusted)):
            if gain is not None:
                grid.add_row(Text(name, "dim"), Text(figures.change(gain, one.score.simulated), sign(gain)))
    body: list[RenderableType] = [
        head,
        Padding(grid, (0, 0, 1, 2)),
        Text("Opened so far", "bold"),
        Padding(logged(found), (0, 0, 1, 2)),
    ]
    return Group(*body, Text(warning(found)))


def _score(one: Score) -> str:
    return f"{figures.score(one.interval, one.simulated)}, {one.missing} missing"


def logged(found: HeldOut) -> RenderableType:
    """Every opening: when, for whom, what for, and how many candidates there were by then besides the baseline."""
    if not found.opened:
        return Text("for nobody", "dim")
    grid = Table.grid(padding=(0, 2))
    if found.unlogged:
        grid.add_row(Text("before there was a log", "dim"), Text(", ".join(found.unlogged), "bold"))
    for one in found.log:
        reason = PURPOSES[one.purpose] if one.candidate != BASELINE else "baseline"
        state = "not finished; the same command goes on" if one.candidate in found.unfinished else ""
        count = f"candidate {one.compared}" if one.candidate != BASELINE else ""
        grid.add_row(
            Text(figures.moment(one.opened_at), "dim"),
            Text(one.candidate, "bold"),
            reason,
            count,
            Text(state, "yellow"),
        )
    return grid


def warning(found: HeldOut) -> str:
    """How many were opened, and why the best of several is not as good as it looks."""
    number = figures.count(found.comparisons, "candidate")
    text = f"{number[0].upper()}{number[1:]} besides the baseline. Gains are against the baseline, paired by document."
    if found.comparisons > 1:
        luck = f" by up to about {found.luck:.2f} on average" if found.luck else ""
        text += (
            f" The best of these {found.comparisons}, picked by these scores, looks better than it is{luck} if they are "
            f"equally good, and each plain interval adds up to 2.5 % to the chance that one of them lies above zero by "
            f"luck. `adjusted` is the gain with Bonferroni's interval, which holds for all {found.comparisons} together, "
            "shown here or not: quote that one."
        )
    if found.elsewhere:
        runs = ", ".join(f"{run} ({figures.count(n, 'candidate')})" for run, n in found.elsewhere.items())
        text += (
            f" Some of these documents were opened in other runs too: {runs}. They are not in the correction; whoever "
            "picks the best of several runs by these scores has to count them."
        )
    return text
