"""Was the test split opened before anything was measured on it, and only so? The log of openings against the journal."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from evolve import seal_log
from evolve.report.store import Store
from evolve.seal import BASELINE, Log

LOGGING = "0005_survival"  # the schema step since which openings are logged
SINCE = "SELECT applied_at FROM _sqlite_migrations WHERE migration_set = 'evolve' AND name = :name"
TEST = "SELECT document FROM documents WHERE run = :run AND split = 'test' AND used = 1"
FINAL = "SELECT iteration, min(at), count(*) FROM calls WHERE side = 'final' AND at >= ? GROUP BY iteration"
STRAY = """SELECT iteration, side, count(*) FROM calls
    WHERE side <> 'final' AND document IN (SELECT value FROM json_each(?)) GROUP BY iteration, side"""
CLOCK = timedelta(milliseconds=1)  # the journal's times are cut to that


def opening_problems(store: Store, journal: sqlite3.Connection) -> tuple[int, tuple[str, ...]]:
    """How many openings and measurements were looked at, and what is wrong with them.

    What was measured before the database had a log needs no row. Raises sqlite3.Error.
    """
    log = seal_log.read(store.connection, store.run.run)
    since = datetime.fromisoformat(store.rows(SINCE, name=LOGGING)[0]["applied_at"]).astimezone(UTC)
    measured = journal.execute(FINAL, (since.isoformat(timespec="milliseconds"),)).fetchall()
    test = json.dumps([row["document"] for row in store.rows(TEST)])
    strays = journal.execute(STRAY, (test,)).fetchall()
    problems = [*row_problems(log, store.run.instrument), *early(log, measured)]
    problems += [
        f"iteration {number} {side}: {calls} calls on test documents" for number, side, calls in strays
    ]
    return len(log.rows) + len(measured), tuple(problems)


def row_problems(log: Log, instrument: str) -> Iterator[str]:
    """Rows of the log that do not follow from those before them."""
    seen = set(log.unlogged)
    for one in log.rows:
        if one.candidate in seen:
            yield f"{one.candidate}: the test split was opened for it twice"
        seen.add(one.candidate)
        if one.instrument != instrument:
            yield f"{one.candidate}: opened with instrument {one.instrument}, the run has {instrument}"
        if one.compared != len(seen - {BASELINE}):
            yield f"{one.candidate}: opened as candidate {one.compared}, it was number {len(seen - {BASELINE})}"


def early(log: Log, measured: list[tuple[int, str, int]]) -> Iterator[str]:
    """Calls on test documents without an opening, or from before it. measured: birth, first call, number of calls."""
    rows = {one.candidate: one for one in log.rows}
    for birth, first, calls in measured:
        row = rows.get(f"c{birth}")
        if row is None:
            yield f"c{birth}: {calls} calls on test documents without an opening"
        elif datetime.fromisoformat(row.opened_at) > datetime.fromisoformat(first) + CLOCK:
            yield f"c{birth}: measured on test documents from {first} on, opened only at {row.opened_at}"
