"""Every call on disk before its effect: log and replay in one SQLite file. Standard sqlite3, one thread, group commit."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from harness.budget import Spent
from harness.errors import StorageError
from harness.fingerprints import LENGTH, Fingerprints
from harness.journal_schema import prepare
from harness.types import Draw, Reply, Role

T = TypeVar("T")
INSERT = f"INSERT INTO calls VALUES ({', '.join('?' * 20)})"
KEYS = f"SELECT group_concat(substr(key || '{'0' * LENGTH}', 1, {LENGTH}), '') FROM calls"
COLUMNS = tuple(Reply.model_fields)
MEND = "Free some space or mend the disk, then run the same command again: nothing that was recorded is lost."
REPAIR = (
    "It is damaged: restore a copy, or rescue what is left with `sqlite3 FILE .recover`. The run cannot go on without "
    "it, since it holds what was paid for; `evolve run --new` starts another."
)
# the last two: a value that SQLite cannot hold, a row that is no reply
JOB_ERRORS = (sqlite3.Error, ValueError, OverflowError)
SUMS = "COUNT(*), TOTAL(prompt_tokens), TOTAL(completion_tokens), TOTAL(cost), TOTAL(seconds), TOTAL(reasoning_tokens)"


@dataclass(frozen=True)
class Entry:
    """A call as it is recorded: who asked, which draw it is, and the reply."""

    role: Role
    draw: Draw
    reply: Reply


@dataclass(frozen=True)
class Failure:
    """One attempt at a call that brought no reply; `number` counts the attempts of that call from 1."""

    key: str
    role: Role
    model: str
    number: int
    error: str


@dataclass(frozen=True)
class RoleSum:
    """What one role used, over some of the calls. cost in US dollars, seconds of call time.

    reasoning_tokens: those of the completion tokens that were thought and not said.
    """

    role: Role
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    seconds: float
    reasoning_tokens: int = 0

    @property
    def spent(self) -> Spent:
        return Spent(self.calls, self.prompt_tokens + self.completion_tokens, self.cost, self.seconds)


class Journal:
    """calls.db. All SQLite work happens in one thread of its own; what waits there is committed together."""

    def __init__(self, path: Path) -> None:
        """Open or create the journal.

        Raises:
            StorageError: the file cannot be opened, is no journal, or is of a newer version.
        """
        self.path = path
        self.jobs: SimpleQueue[tuple[Callable[[sqlite3.Connection], object], asyncio.Future[object]] | None]
        self.jobs = SimpleQueue()
        self.closed = False
        self.connection, self.known = connect(path)
        self.thread = threading.Thread(target=self.work, name="journal", daemon=True)
        self.thread.start()

    async def get(self, key: str) -> Reply | None:
        """The recorded reply of that call, if there is one."""
        if key not in self.known:
            return None
        return await self.do(lambda connection: read_reply(connection, key))

    async def record(self, entry: Entry) -> None:
        """Write one call; returns when it is on disk.

        Raises:
            StorageError: it could not be written; the reply must not be used.
        """
        row = entry_row(entry)
        await self.do(lambda connection: connection.execute(INSERT, row))
        self.known.add(entry.reply.key)

    async def record_failure(self, failure: Failure) -> None:
        """Write down that an attempt at a call failed."""
        row = (now(), *astuple(failure))
        await self.do(
            lambda connection: connection.execute("INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?)", row)
        )

    async def reported(self, role: Role) -> str:
        """The name that the endpoint of a role gave its model in the first call with an answer; empty if there is none."""
        query = "SELECT model FROM calls WHERE role = ? AND text != '' ORDER BY rowid LIMIT 1"
        row = await self.do(lambda connection: connection.execute(query, (role,)).fetchone())
        return str(row[0]) if row else ""

    async def totals(self, where: str = "1", values: tuple[object, ...] = ()) -> list[RoleSum]:
        """Sums by role over the calls that satisfy a condition on the columns of `calls`."""
        query = f"SELECT role, {SUMS} FROM calls WHERE {where} GROUP BY role ORDER BY role"
        rows = await self.do(lambda connection: connection.execute(query, values).fetchall())
        return [
            RoleSum(role, calls, int(asked), int(said), cost, seconds, int(thought))
            for role, calls, asked, said, cost, seconds, thought in rows
        ]

    async def do(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run one job in the journal's thread, inside the transaction that is being gathered there.

        Raises:
            StorageError: the job failed, its transaction was not committed, or the journal is closed.
        """
        if self.closed:
            raise StorageError(f"the journal {str(self.path)!r} is closed; run the same command again.")
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.jobs.put((job, future))
        try:
            return await future  # type: ignore[return-value]  # the future carries what this very job returns
        except JOB_ERRORS as error:
            raise unusable(self.path, error) from None

    def work(self) -> None:
        """The thread: take every job that waits, run them in one transaction, then tell all who asked."""
        running = True
        while running:
            batch = [self.jobs.get()]
            while not self.jobs.empty():
                batch.append(self.jobs.get())
            running = None not in batch
            self.commit([item for item in batch if item is not None])
        self.connection.close()

    def commit(
        self, batch: list[tuple[Callable[[sqlite3.Connection], object], asyncio.Future[object]]]
    ) -> None:
        """One transaction for the batch. If it fails as a whole, every job in it is told so."""
        results: list[tuple[asyncio.Future[object], object, Exception | None]] = []
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            for job, future in batch:
                results.append((future, *attempt(job, self.connection)))
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):  # if the rollback fails too, the next transaction says so
                self.connection.rollback()
            results = [(future, None, error) for _, future in batch]
        for loop in {future.get_loop() for future, _, _ in results}:
            mine = [result for result in results if result[0].get_loop() is loop]
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(deliver, mine)

    def close(self) -> None:
        """Finish what waits and close the file."""
        self.closed = True
        self.jobs.put(None)
        self.thread.join()


def attempt(
    job: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection
) -> tuple[T | None, Exception | None]:
    """The result of a job, or its own error (a duplicate key, say), which does not concern the rest of its batch.

    Raises:
        sqlite3.Error: the error ended the transaction, so nothing of the batch stands.
    """
    try:
        return job(connection), None
    except JOB_ERRORS as error:
        if not connection.in_transaction:
            raise
        return None, error


def deliver(results: list[tuple[asyncio.Future[object], object, Exception | None]]) -> None:
    """Set the results of a batch on their futures, in the loop that waits for them."""
    for future, value, error in results:
        if future.done():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)


def connect(path: Path) -> tuple[sqlite3.Connection, Fingerprints]:
    """Open calls.db; the connection, and the fingerprints of all recorded calls.

    Raises:
        StorageError: see `Journal`.
    """
    try:
        connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            prepare(connection, path)
            known = Fingerprints(connection.execute(KEYS).fetchone()[0] or "")
        except (sqlite3.Error, ValueError, StorageError):
            connection.close()
            raise
    except (sqlite3.Error, ValueError) as error:
        raise unusable(path, error) from None
    return connection, known


def unusable(path: Path, error: Exception) -> StorageError:
    """What is wrong with a journal in words, and what to do about it."""
    damaged = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
    remedy = REPAIR if damaged else MEND
    return StorageError(
        f"the journal {str(path)!r} cannot be {'read' if damaged else 'written'}: {error}. {remedy}"
    )


def entry_row(entry: Entry) -> tuple[object, ...]:
    """The columns of one call, in the order of the schema."""
    draw, reply = entry.draw, entry.reply
    place = (draw.iteration, draw.side, draw.document, draw.trial, draw.ordinal, draw.attempt, draw.retry)
    usage = (reply.prompt_tokens, reply.completion_tokens, int(reply.estimated), reply.cost, reply.seconds)
    return (
        reply.key,
        entry.role,
        *place,
        reply.model,
        reply.finish_reason,
        *usage,
        now(),
        reply.text,
        reply.reasoning_tokens,
        reply.form,
    )


def read_reply(connection: sqlite3.Connection, key: str) -> Reply | None:
    """The reply of a recorded call."""
    row = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM calls WHERE key = ?", (key,)).fetchone()
    return None if row is None else Reply(**dict(zip(COLUMNS, row, strict=True)))


def now() -> str:
    """The time as ISO 8601 UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
