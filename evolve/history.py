"""population.db: every fact about the runs of a folder, appended once and never changed.

One writing process (under a lock), one thread and one connection in it; an iteration is written whole or not at all.
What a row looks like is in rows.py, the schema in migrations.py. Readers open their own connection and block nobody.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

from sqlite_utils import Database
from sqlite_utils.db import Table

from evolve import memory, rows, seal, seal_log
from evolve.database import BUSY_SECONDS, failure, open_readonly
from evolve.iteration import Candidate, Evaluation, Iteration, Spend
from evolve.lock import RunLock
from evolve.migrations import migrate
from evolve.rows import DocumentRow, Row, RunRow, Trace
from evolve.schema import unreadable
from evolve.seal import Log, Request
from harness.errors import StorageError
from harness.types import Side

FINALS = "SELECT * FROM evaluations WHERE run = ? AND side = 'final' ORDER BY rowid"
ROLLOUTS = """SELECT r.*, d.name FROM rollouts AS r JOIN documents AS d ON (d.run, d.document) = (r.run, r.document)
    WHERE r.run = ? AND r.side = 'final' ORDER BY r.iteration, r.position"""
T = TypeVar("T")


class History:
    """The one writer of a population.db. All methods raise StorageError, with the file's name, when SQLite fails.

    Get it from `open`; `close` it to free the database for another process.
    """

    def __init__(self, path: Path, lock: RunLock) -> None:
        self.path = path
        self._lock = lock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._database: Database | None = None
        self._runs: dict[str, RunRow] = {}
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> "History":
        """Lock, open or make, check and migrate the database at `path`.

        Raises:
            StorageError: another process writes it, it is damaged, of a newer version, or not ours.
        """
        lock = RunLock(lock_of(path))
        lock.acquire()
        history = cls(path, lock)
        try:
            history._database = await history._do(lambda: _open(path))
        except StorageError:
            await history.close()
            raise
        return history

    async def close(self) -> None:
        """Finish what was asked for, close the database, free the lock. Again is fine."""
        if self._closed:
            return
        if self._database is not None:
            await self._do(self._database.close)
        self._closed = True
        self._thread.shutdown()
        self._lock.release()

    async def open_run(self, run: RunRow, documents: Sequence[DocumentRow]) -> None:
        """Record a new run and its corpus.

        Raises:
            StorageError: a run of that name is there.
        """
        entry = {"runs": [rows.run_row(run, time.time())], "documents": _documents(run.run, documents)}
        await self._write(entry, f"run {run.run!r} is recorded already; resume it, or take another name")

    async def add_documents(self, run: str, documents: Sequence[DocumentRow]) -> None:
        """Record the documents that are not recorded yet; those that are stay as they are."""
        await self._do(lambda: _add_documents(self._open, _documents(run, documents)))

    async def find_run(self, run: str) -> RunRow | None:
        """The run as it was started, or None."""
        return await self._do(lambda: _find_run(self._open, run))

    async def delete_run(self, run: str) -> None:
        """Remove every row of a run, in one transaction; its folder is not touched. A file half empty then shrinks."""
        await self._do(lambda: _delete_run(self._open, run))

    async def start_session(self, run: str, workers: int, iterations: int) -> int:
        """Record one start of the program on a run; its number, from 1. Earlier ones left open become `killed`."""
        return await self._do(lambda: _start_session(self._open, run, (workers, iterations)))

    async def end_session(self, run: str, number: int, outcome: str) -> None:
        """Record how that start ended, in a word such as `finished`, `budget`, `stopped` or `failed`."""
        await self._do(lambda: _end_session(self._open, (run, number), outcome))

    async def record(self, run: str, iteration: Iteration, traces: Mapping[Side, Trace]) -> Iteration:
        """Write an iteration and all that belongs to it in one transaction; on disk when this returns.

        Returns it as `load` will give it: go on with that one, and a resumed run goes on from equal values.
        traces: of the sides that were run, `edit` included. The documents measured must be recorded before.

        Raises:
            StorageError: it is recorded already, or names a candidate or document that is not.
            ValueError: a number that is not finite, or sides measured by different instruments.
        """
        entry = rows.iteration_rows(await self._known(run), iteration, traces)
        await self._write(entry, f"iteration {iteration.number} of run {run!r} is recorded already")
        return memory.kept(iteration)

    async def openings(self, run: str) -> Log:
        """For whom the test split of a run was opened."""
        return await self._do(lambda: seal_log.read(self._open.conn, run))

    async def unseal(self, run: str, candidates: Sequence[Candidate], request: Request) -> Log:
        """Write down that the test split is opened for these candidates; on disk when this returns. Returns the whole log.

        Who was opened before keeps its row.

        Raises:
            UsageError: a second opening for selection; nothing is written.
        """
        await self._known(run)
        return await self._do(lambda: _unseal(self._open, run, candidates, request))

    async def record_final(
        self,
        run: str,
        evaluations: Sequence[Evaluation],
        spends: Iterable[Spend],
        traces: Mapping[str, Trace],
    ) -> None:
        """Write measurements of side `final` on the test split, and what they cost, in one transaction.

        traces: candidate id -> trace. The test split is opened once for a candidate; `finals` says for which it was.

        Raises:
            StorageError: one of the candidates was measured on it before, or no opening was written down by `unseal`;
                nothing is written then.
            ValueError: an evaluation that is not of side `final` and split `test`.
        """
        if any((one.side, one.split) != ("final", "test") for one in evaluations):
            raise ValueError("record_final takes evaluations of side 'final' on the split 'test' only")
        known, names = await self._known(run), [one.candidate for one in evaluations]
        opened = (await self.openings(run)).opened
        if lacking := [name for name in names if name not in opened]:
            raise StorageError(
                f"no opening of the test split is recorded for {lacking} in run {run!r}; `unseal` comes before measuring"
            )
        entry = rows.evaluation_rows(known, evaluations)
        key = {"run": run, "side": "final"}
        entry["traces"] = [
            {**key, "iteration": one.iteration, **vars(traces[one.candidate])}
            for one in evaluations
            if one.candidate in traces
        ]
        number = await self._do(lambda: _next(self._open, "spends WHERE part = 'final' AND run = ?", run))
        entry["spends"] = rows.spend_rows(known, ("final", number), spends)
        await self._write(
            entry, f"the test split was opened before for one of {names} in run {run!r}; see `finals`"
        )

    async def record_comparison(self, name: str, entry: Mapping[str, list[Row]]) -> None:
        """Write a finished comparison, see comparing/stored.py, in one transaction.

        Raises:
            StorageError: one of that name is there.
        """
        await self._write(entry, f"comparison {name!r} is recorded already; the same command shows it")

    async def finals(self, run: str) -> list[Evaluation]:
        """Every measurement on the test split, without steps."""
        return await self._do(lambda: _finals(self._open, run))

    async def load(self, run: str) -> list[Iteration]:
        """All recorded iterations by number, as a resume needs them: see memory.py."""
        return await self._do(lambda: _load(self._open, run))

    @property
    def _open(self) -> Database:
        assert self._database is not None, "History comes from History.open"
        return self._database

    async def _known(self, run: str) -> RunRow:
        found = self._runs.get(run) or await self.find_run(run)
        if found is None:
            raise StorageError(f"run {run!r} is not recorded in {str(self.path)!r}; open_run comes first")
        self._runs[run] = found  # a run's row never changes
        return found

    async def _write(self, entry: Mapping[str, list[Row]], twice: str) -> None:
        """Insert the rows of all tables in one transaction; `twice` is the message for a primary key that is there."""
        await self._do(lambda: _insert(self._open, entry, twice))

    async def _do(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise StorageError(f"{str(self.path)!r} is closed; open it again")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise failure(self.path, error) from error


def upgrade(path: Path) -> None:
    """Bring a database too old to be read to the newest schema, under its lock; leave any other as it is.

    Raises:
        StorageError: it cannot be read, is of a newer version or another program, or another process writes it.
    """
    if not path.is_file():
        return
    try:
        with closing(open_readonly(path)) as connection:
            old = unreadable(connection, path)
    except sqlite3.Error as error:
        raise failure(path, error) from error
    if old:
        try:
            with RunLock(lock_of(path)):
                _open(path).close()
        except sqlite3.Error as error:
            raise failure(path, error) from error


def lock_of(path: Path) -> Path:
    """The lock file of a database."""
    return path.with_name(path.name + ".lock")


def _open(path: Path) -> Database:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db = Database(connection, execute_plugins=False)
        _check(db, path)
        for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            db.execute(f"PRAGMA {setting}").fetchall()
        with _immediate(db):
            migrate(db, path)
    except (sqlite3.Error, StorageError):
        connection.close()
        raise
    return db


def _check(db: Database, path: Path) -> None:
    """Read the file once from end to end; a page that went bad is found now, not in the middle of a run."""
    found = [" ".join(str(row[0]).split()) for row in db.execute("PRAGMA quick_check(5)").fetchall()]
    if found != ["ok"]:
        damage = sqlite3.DatabaseError("; ".join(found))
        damage.sqlite_errorname = "SQLITE_CORRUPT"
        raise failure(path, damage)


@contextmanager
def _immediate(db: Database) -> Iterator[None]:
    """One write transaction that takes its lock at once, so that it can wait for it; sqlite-utils nests inside."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.commit()
    except BaseException:
        db.rollback()
        raise


def _insert(db: Database, entry: Mapping[str, list[Row]], twice: str) -> None:
    try:
        with _immediate(db):
            for table, records in entry.items():
                _insert_rows(db, table, records)
    except sqlite3.IntegrityError as error:
        if "UNIQUE" in str(error):
            raise StorageError(f"{twice} ({error})") from error
        raise


def _insert_rows(db: Database, table: str, records: Sequence[Row]) -> None:
    """Rows with the same columns. By hand, as sqlite-utils looks at every table and row before it writes one."""
    if records:
        names = list(records[0])
        statement = (
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        )
        db.conn.executemany(statement, records)


def _documents(run: str, documents: Sequence[DocumentRow]) -> list[Row]:
    return [{"run": run, **rows.clean(vars(one)), "used": int(one.used)} for one in documents]


def _add_documents(db: Database, documents: list[Row]) -> None:
    with _immediate(db):
        cast(Table, db["documents"]).insert_all(documents, ignore=True)


def _find_run(db: Database, run: str) -> RunRow | None:
    found = list(db.query("SELECT * FROM runs WHERE run = ?", [run]))
    return rows.run_of(found[0]) if found else None


def _delete_run(db: Database, run: str) -> None:
    tables = [name for name in db.table_names() if "run" in db[name].columns_dict]
    with _immediate(db):
        db.execute("PRAGMA defer_foreign_keys = ON")
        for table in tables:
            db.execute(f"DELETE FROM {table} WHERE run = ?", [run])
    free, pages = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
    if 2 * free > pages:
        with suppress(sqlite3.OperationalError):  # no room for the copy: the next rows fill what is free
            db.execute("VACUUM")


def _start_session(db: Database, run: str, size: tuple[int, int]) -> int:
    now = rows.moment(time.time())
    with _immediate(db):
        db.execute("UPDATE sessions SET outcome = 'killed' WHERE run = ? AND outcome IS NULL", [run])
        number = _next(db, "sessions WHERE run = ?", run)
        values = {"run": run, "number": number, "started_at": now, "pid": os.getpid()}
        cast(Table, db["sessions"]).insert({**values, "workers": size[0], "iterations": size[1]})
    return number


def _end_session(db: Database, session: tuple[str, int], outcome: str) -> None:
    now = rows.moment(time.time())
    with _immediate(db):
        statement = "UPDATE sessions SET ended_at = ?, outcome = ? WHERE run = ? AND number = ?"
        db.execute(statement, [now, rows.clean(outcome), *session])


def _next(db: Database, source: str, run: str) -> int:
    return int(db.execute(f"SELECT coalesce(max(number), 0) + 1 FROM {source}", [run]).fetchall()[0][0])


def _unseal(db: Database, run: str, candidates: Sequence[Candidate], request: Request) -> Log:
    with _immediate(db):
        before = seal_log.read(db.conn, run)
        added = seal.additions(before, candidates, request, rows.moment(time.time()))
        seal_log.add(db.conn, added)
    return replace(before, rows=(*before.rows, *added))


def _load(db: Database, run: str) -> list[Iteration]:
    return memory.loaded({name: db.query(query, [run]) for name, query in memory.QUERIES.items()})


def _finals(db: Database, run: str) -> list[Evaluation]:
    tables = (list(db.query(query, [run])) for query in (FINALS, ROLLOUTS))
    return rows.evaluations_of(*tables)
