"""What is done to population.db, a function a transaction, on a connection that may write; when is history.py's."""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import cast

from sqlite_utils import Database
from sqlite_utils.db import Table

from evolve import memory, rows, seal, seal_log
from evolve.from_rows import evaluations_of, run_of
from evolve.iteration import Candidate, Evaluation, Iteration
from evolve.rows import Row, RunRow
from evolve.seal import Log, Request
from harness.errors import StorageError

FINALS = "SELECT * FROM evaluations WHERE run = ? AND side = 'final' ORDER BY rowid"
ROLLOUTS = """SELECT r.*, d.name FROM rollouts AS r JOIN documents AS d ON (d.run, d.document) = (r.run, r.document)
    WHERE r.run = ? AND r.side = 'final' ORDER BY r.iteration, r.position"""


@contextmanager
def immediate(db: Database) -> Iterator[None]:
    """One write transaction that takes its lock at once, so that it can wait for it; sqlite-utils nests inside."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.commit()
    except BaseException:
        db.rollback()
        raise


def insert(db: Database, entry: Mapping[str, list[Row]], twice: str) -> None:
    """Write the rows of all tables. twice: the message for a primary key that is there.

    Raises:
        StorageError: one is.
    """
    try:
        with immediate(db):
            for table, records in entry.items():
                insert_rows(db, table, records)
    except sqlite3.IntegrityError as error:
        if "UNIQUE" in str(error):
            raise StorageError(f"{twice} ({error})") from error
        raise


def insert_rows(db: Database, table: str, records: Sequence[Row]) -> None:
    """Rows with the same columns. By hand, as sqlite-utils looks at every table and row before it writes one."""
    if records:
        names = list(records[0])
        statement = (
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        )
        db.conn.executemany(statement, records)


def add_documents(db: Database, documents: list[Row]) -> None:
    """Write those that are not there yet."""
    with immediate(db):
        cast(Table, db["documents"]).insert_all(documents, ignore=True)


def find_run(db: Database, run: str) -> RunRow | None:
    """The run as it was started, or None."""
    found = list(db.query("SELECT * FROM runs WHERE run = ?", [run]))
    return run_of(found[0]) if found else None


def delete_run(db: Database, run: str) -> None:
    """Remove every row of a run; a file that is then half empty shrinks."""
    tables = [name for name in db.table_names() if "run" in db[name].columns_dict]
    with immediate(db):
        db.execute("PRAGMA defer_foreign_keys = ON")
        for table in tables:
            db.execute(f"DELETE FROM {table} WHERE run = ?", [run])
    free, pages = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
    if 2 * free > pages:
        with suppress(sqlite3.OperationalError):  # no room for the copy: the next rows fill what is free
            db.execute("VACUUM")


def start_session(db: Database, run: str, size: tuple[int, int]) -> int:
    """Its number; earlier ones left open become `killed`. size: workers and iterations."""
    now = rows.moment(time.time())
    with immediate(db):
        db.execute("UPDATE sessions SET outcome = 'killed' WHERE run = ? AND outcome IS NULL", [run])
        number = next_number(db, "sessions WHERE run = ?", run)
        values = {"run": run, "number": number, "started_at": now, "pid": os.getpid()}
        cast(Table, db["sessions"]).insert({**values, "workers": size[0], "iterations": size[1]})
    return number


def end_session(db: Database, session: tuple[str, int], outcome: str) -> None:
    """Write how it ended. session: run and number."""
    now = rows.moment(time.time())
    with immediate(db):
        statement = "UPDATE sessions SET ended_at = ?, outcome = ? WHERE run = ? AND number = ?"
        db.execute(statement, [now, rows.clean(outcome), *session])


def next_number(db: Database, source: str, run: str) -> int:
    """The number after the highest there, 1 if there is none. source: a table and its condition with one `?`, the run."""
    return int(db.execute(f"SELECT coalesce(max(number), 0) + 1 FROM {source}", [run]).fetchall()[0][0])


def unseal(db: Database, run: str, candidates: Sequence[Candidate], request: Request) -> Log:
    """Write down that the test split is opened for these; the whole log.

    Raises:
        UsageError: a second opening for selection; nothing is written.
    """
    with immediate(db):
        before = seal_log.read(db.conn, run)
        added = seal.additions(before, candidates, request, rows.moment(time.time()))
        seal_log.add(db.conn, added)
    return replace(before, rows=(*before.rows, *added))


def load(db: Database, run: str) -> list[Iteration]:
    """All iterations by number, as a resume needs them."""
    return memory.loaded({name: db.query(query, [run]) for name, query in memory.QUERIES.items()})


def finals(db: Database, run: str) -> list[Evaluation]:
    """Every measurement on the test split."""
    tables = (list(db.query(query, [run])) for query in (FINALS, ROLLOUTS))
    return evaluations_of(*tables)
