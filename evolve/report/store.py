"""One run in population.db, open for reading: its candidates, their scores, and what a name on the command line means."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from evolve.database import connect_readonly, failure
from evolve.descent import Descent
from evolve.from_rows import candidate_of, run_of
from evolve.intervals import Interval, proportion
from evolve.iteration import IN_POPULATION, Candidate
from evolve.picking import picked
from evolve.report import figures
from evolve.rows import Row, RunRow
from harness.errors import UsageError
from harness.types import Split

SHORTEST_PREFIX = 4
BIRTHS = "SELECT candidate, iteration FROM candidates WHERE run = :run"


@dataclass(frozen=True)
class Store:
    """One run in an open database; every query of one command sees the same moment of it."""

    connection: sqlite3.Connection
    db: Path
    run: RunRow
    created_at: str

    @property
    def folder(self) -> Path:
        """Where its repository, journal and traces are; a relative one is relative to the database."""
        return self.db.parent / self.run.folder

    @property
    def before_margins(self) -> bool:
        """Whether a version began the run that recorded no margins: it knew no error budget either."""
        return "error" not in json.loads(self.run.settings).get("search", {})

    def rows(self, query: str, **values: object) -> list[Row]:
        """All rows of a query; `:run` is the run's name."""
        try:
            found = self.connection.execute(query, {"run": self.run.run, **values}).fetchall()
            return [dict(row) for row in found]
        except sqlite3.Error as error:
            raise failure(self.db, error) from error


@dataclass(frozen=True)
class Score:
    """A mean over trials, with everything that it must be shown with."""

    interval: Interval
    split: Split
    missing: int
    instrument: str
    simulated: bool

    def __str__(self) -> str:
        return figures.score(self.interval, self.simulated)


@contextmanager
def opened(db: Path, run: str | None) -> Iterator[Store]:
    """The named run, else the picked one, else the newest, in a database that is read as of this moment.

    Raises:
        StorageError: there is no such database, or it cannot be read. UsageError: no such run.
    """
    connection = connect_readonly(db)
    try:
        connection.execute("BEGIN")
        found = _find_run(connection, run or _picked(connection, db))
        if found is None:
            names = [row["run"] for row in connection.execute("SELECT run FROM runs ORDER BY created_at")]
            known = f"its runs are {', '.join(names)}" if names else "it has none yet"
            raise UsageError(f"no run {run or ''!r} in {str(db)!r}; {known}. `evolve run` starts one")
        yield Store(connection, db, run_of(found), found["created_at"])
    except sqlite3.Error as error:
        raise failure(db, error) from error
    finally:
        connection.close()


def _picked(connection: sqlite3.Connection, db: Path) -> str | None:
    """The run that was picked, if it is still there."""
    chosen = picked(db)
    query = "SELECT run FROM runs WHERE run = ?"
    return chosen if chosen is not None and connection.execute(query, (chosen,)).fetchall() else None


def _find_run(connection: sqlite3.Connection, run: str | None) -> Row | None:
    latest = "SELECT * FROM runs WHERE run = coalesce(:run, run) ORDER BY created_at DESC, run DESC LIMIT 1"
    rows = connection.execute(latest, {"run": run}).fetchall()
    return dict(rows[0]) if rows else None


DESCENT = """SELECT c.candidate, c.parent, c.status, c.status = 'survived' AND EXISTS (SELECT 1 FROM evaluations AS e
    WHERE (e.run, e.iteration, e.side) = (c.run, c.iteration, 'record')) AS claimed
    FROM candidates AS c WHERE c.run = :run AND c.status IN ('baseline', 'survived', 'contender')"""
COUNTED = """(e.side <> 'child' OR c.status <> 'survived' OR NOT EXISTS (SELECT 1 FROM evaluations AS f
    WHERE (f.run, f.iteration, f.side) = (e.run, e.iteration, 'record')))"""  # as population.counts


def scores(store: Store, candidate: str | None = None, kept: bool = False) -> dict[str, dict[Split, Score]]:
    """Candidate -> split -> its score over the documents there, by the run's instrument; of all, or of one.

    kept: of those alone that may be parents, on validation documents.

    The mean over documents of their means, as `Record.mean`: some documents are drawn more often than others. Scores
    that a survivor won by are not among them, where it was measured afresh.
    """
    only = "" if candidate is None else "AND e.candidate = :candidate"
    only += f" AND e.split = 'validation' AND c.status IN {IN_POPULATION}" if kept else ""
    query = f"""SELECT candidate, split, avg(mean) AS score, sum(trials) AS trials, sum(missing) AS missing,
        max(simulated) AS simulated FROM (
            SELECT e.candidate, e.split, avg(r.score) AS mean, count(r.score) AS trials,
                total(r.outcome = 'missing') AS missing, max(e.simulated) AS simulated
            FROM candidates AS c CROSS JOIN evaluations AS e ON (e.run, e.candidate) = (c.run, c.candidate)
            CROSS JOIN rollouts AS r
                ON (r.run, r.candidate, r.iteration, r.side) = (e.run, e.candidate, e.iteration, e.side)
            WHERE c.run = :run AND e.instrument = :instrument AND {COUNTED} {only}
            GROUP BY e.candidate, e.split, r.document) GROUP BY candidate, split"""
    found: dict[str, dict[Split, Score]] = {}
    for row in store.rows(query, instrument=store.run.instrument, candidate=candidate):
        hits = (row["score"] or 0.0) * row["trials"]
        interval = proportion(round(hits, 6), row["trials"])
        one = Score(interval, row["split"], int(row["missing"]), store.run.instrument, bool(row["simulated"]))
        found.setdefault(row["candidate"], {})[row["split"]] = one
    return found


def candidates(store: Store) -> dict[str, tuple[Candidate, str]]:
    """Candidate id -> candidate and status, in order of birth."""
    query = "SELECT * FROM candidates WHERE run = :run ORDER BY iteration"
    return {row["candidate"]: (candidate_of(row), row["status"]) for row in store.rows(query)}


def best(store: Store) -> str:
    """The id of the best candidate, by the rule of `Population.best`.

    Raises:
        UsageError: nothing was measured yet.
    """
    measured = {key: one["validation"].interval for key, one in scores(store, kept=True).items()}
    known = {key: one for key, one in measured.items() if one.trials}
    beaten = descent_of(store).outdone(known)
    ranked = [
        (known[row["candidate"]].low, -row["iteration"], row["candidate"])
        for row in store.rows(BIRTHS)
        if row["candidate"] in known and row["candidate"] not in beaten
    ]
    if not ranked:
        raise UsageError(
            f"run {store.run.run!r} has no measured candidate yet; wait for its baseline, or go on with `evolve run`"
        )
    return str(max(ranked)[2])


def descent_of(store: Store) -> Descent:
    """Parents and kinds of all candidates that could be parents."""
    rows = store.rows(DESCENT)
    return Descent(
        {row["candidate"]: row["parent"] for row in rows},
        frozenset(row["candidate"] for row in rows if row["status"] == "contender"),
        frozenset(row["candidate"] for row in rows if row["claimed"]),
    )


def resolve(store: Store, name: str) -> Candidate:
    """The candidate that `c12`, `best`, `baseline` or the beginning of a commit hash names.

    Raises:
        UsageError: none or several are meant.
    """
    key = best(store) if name == "best" else "c0" if name == "baseline" else name
    there = store.rows("SELECT * FROM candidates WHERE run = :run AND candidate = :key", key=key)
    if there:
        return candidate_of(there[0])
    query = "SELECT * FROM candidates WHERE run = :run AND substr(commit_hash, 1, :length) = :start ORDER BY iteration"
    long = len(name) >= SHORTEST_PREFIX
    hits = list(map(candidate_of, store.rows(query, start=name.lower(), length=len(name)))) if long else []
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise UsageError(
            f"{name!r} begins the commits of {', '.join(one.id for one in hits)}; give more of it"
        )
    if not store.rows("SELECT 1 FROM candidates WHERE run = :run LIMIT 1"):
        raise UsageError(
            f"run {store.run.run!r} has no candidate yet; wait for its baseline, or go on with `evolve run`"
        )
    without = store.rows(
        "SELECT outcome FROM iterations WHERE run = :run AND 'c' || number = :name", name=name
    )
    if without:
        outcome = without[0]["outcome"]
        raise UsageError(
            f"iteration {name[1:]} ended as {outcome} and left no candidate; see `evolve show {name[1:]}`"
        )
    raise UsageError(
        f"run {store.run.run!r} has no candidate {name!r}; name one as c12, best, baseline or by the first "
        f"{SHORTEST_PREFIX} or more digits of its commit (`evolve lineage` lists them)"
    )


def plain(value: Any) -> Any:
    """Values as `--json` prints them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def as_json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False)
