"""One run in population.db, open for reading: its candidates, their scores, and what a name on the command line means."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from evolve.history import connect_readonly, failure
from evolve.intervals import Interval, proportion
from evolve.population import Candidate
from evolve.rows import Row, RunRow, candidate_of, run_of
from harness.errors import UsageError
from harness.types import Split

SHORTEST_PREFIX = 4
IN_POPULATION = ("baseline", "survived")


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


@contextmanager
def opened(db: Path, run: str | None) -> Iterator[Store]:
    """The named run, or the newest, in a database that is read as of this moment.

    Raises:
        StorageError: there is no such database, or it cannot be read. UsageError: no such run.
    """
    connection = connect_readonly(db)
    try:
        connection.execute("BEGIN")
        found = _find_run(connection, run)
        if found is None:
            names = [row["run"] for row in connection.execute("SELECT run FROM runs ORDER BY created_at")]
            known = f"its runs are {', '.join(names)}" if names else "it has none yet"
            raise UsageError(f"no run {run or ''!r} in {str(db)!r}; {known}. `evolve run` starts one")
        yield Store(connection, db, run_of(found), found["created_at"])
    except sqlite3.Error as error:
        raise failure(db, error) from error
    finally:
        connection.close()


def _find_run(connection: sqlite3.Connection, run: str | None) -> Row | None:
    latest = "SELECT * FROM runs WHERE run = coalesce(:run, run) ORDER BY created_at DESC, run DESC LIMIT 1"
    rows = connection.execute(latest, {"run": run}).fetchall()
    return dict(rows[0]) if rows else None


def scores(store: Store) -> dict[str, dict[Split, Score]]:
    """Candidate -> split -> its score over all trials there, by the run's instrument."""
    found: dict[str, dict[Split, Score]] = {}
    query = """SELECT candidate, split, total(score * trials) AS hits, sum(trials) AS trials,
        sum(missing) AS missing, max(simulated) AS simulated FROM evaluations
        WHERE run = :run AND instrument = :instrument GROUP BY candidate, split"""
    for row in store.rows(query, instrument=store.run.instrument):
        interval = proportion(round(row["hits"], 6), row["trials"])
        one = Score(interval, row["split"], row["missing"], store.run.instrument, bool(row["simulated"]))
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
    measured_now = scores(store)
    ranked = [
        (measured_now[key]["validation"].interval.low, -one.iteration, key)
        for key, (one, status) in candidates(store).items()
        if status in IN_POPULATION and "validation" in measured_now.get(key, {})
    ]
    if not ranked:
        raise UsageError(f"run {store.run.run!r} has no measured candidate yet; wait for its baseline")
    return max(ranked)[2]


def resolve(store: Store, name: str) -> Candidate:
    """The candidate that `c12`, `best`, `baseline` or the beginning of a commit hash names.

    Raises:
        UsageError: none or several are meant.
    """
    known = {key: one for key, (one, _) in candidates(store).items()}
    key = best(store) if name == "best" else "c0" if name == "baseline" else name
    if key in known:
        return known[key]
    hits = [
        one for one in known.values() if len(name) >= SHORTEST_PREFIX and one.commit.startswith(name.lower())
    ]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise UsageError(
            f"{name!r} begins the commits of {', '.join(one.id for one in hits)}; give more of it"
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
        return plain(asdict(value))
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def as_json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False)
