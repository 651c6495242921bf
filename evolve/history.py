"""population.db: every fact about the runs of a folder, appended once and never changed.

One writing process (under a lock), one thread and one connection in it; an iteration is written whole or not at all.
What a row looks like is in rows.py, each transaction in transactions.py, the schema in migrations.py. Readers open their
own connection and block nobody.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from evolve import memory, rows, seal_log, transactions
from evolve.database import BUSY_SECONDS, failure, open_readonly
from evolve.iteration import Candidate, Evaluation, Iteration, Spend
from evolve.lock import RunLock
from evolve.migrations import migrate
from evolve.rows import DocumentRow, Row, RunRow, Trace
from evolve.schema import unreadable
from evolve.seal import Log, Request
from harness.errors import StorageError
from harness.types import Side

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
        entry = {
            "runs": [rows.run_row(run, time.time())],
            "documents": rows.document_rows(run.run, documents),
        }
        await self._write(entry, f"run {run.run!r} is recorded already; resume it, or take another name")

    async def add_documents(self, run: str, documents: Sequence[DocumentRow]) -> None:
        """Record the documents that are not recorded yet; those that are stay as they are."""
        await self._do(lambda: transactions.add_documents(self._open, rows.document_rows(run, documents)))

    async def find_run(self, run: str) -> RunRow | None:
        """The run as it was started, or None."""
        return await self._do(lambda: transactions.find_run(self._open, run))

    async def delete_run(self, run: str) -> None:
        """Remove every row of a run, in one transaction; its folder is not touched. A file half empty then shrinks."""
        await self._do(lambda: transactions.delete_run(self._open, run))

    async def start_session(self, run: str, workers: int, iterations: int) -> int:
        """Record one start of the program on a run; its number, from 1. Earlier ones left open become `killed`."""
        return await self._do(lambda: transactions.start_session(self._open, run, (workers, iterations)))

    async def end_session(self, run: str, number: int, outcome: str) -> None:
        """Record how that start ended, in a word such as `finished`, `budget`, `stopped` or `failed`."""
        await self._do(lambda: transactions.end_session(self._open, (run, number), outcome))

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
        return await self._do(lambda: transactions.unseal(self._open, run, candidates, request))

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
        number = await self._do(
            lambda: transactions.next_number(self._open, "spends WHERE part = 'final' AND run = ?", run)
        )
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
        return await self._do(lambda: transactions.finals(self._open, run))

    async def load(self, run: str) -> list[Iteration]:
        """All recorded iterations by number, as a resume needs them: see memory.py."""
        return await self._do(lambda: transactions.load(self._open, run))

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
        await self._do(lambda: transactions.insert(self._open, entry, twice))

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
        with transactions.immediate(db):
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
