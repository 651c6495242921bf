"""The journal: durable before its effect, one transaction for many, and what happens when the disk fails."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from fakes import DRAW, reply

from harness.errors import StorageError
from harness.journal import Entry, Failure, Journal
from harness.journal_schema import SCHEMA_VERSION
from harness.types import Reply


def entry(number: int = 1, text: str = "an answer", **changes: object) -> Entry:
    said = reply(text, key=f"{number:032x}").model_copy(update=changes)
    return Entry("weak", DRAW.at(attempt=number), said)


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    with closing(Journal(path)) as journal:
        yield journal


def session(path: Path, main: Callable[[Journal], Awaitable[None]]) -> None:
    """Run a coroutine function on the journal at `path`, then close it."""

    async def run() -> None:
        with opened(path) as journal:
            await main(journal)

    asyncio.run(run())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


def rows(path: Path, query: str = "SELECT * FROM calls ORDER BY key") -> list[sqlite3.Row]:
    """What another program sees in the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(query).fetchall()


def test_recorded_replies_come_back_whole(path: Path) -> None:
    """A reply is read back exactly, in the same session and in the next; an unknown key gives nothing."""
    changes = {"finish_reason": "length", "reasoning_tokens": 5, "form": "json_object"}
    odd = entry(2, "🐍 \u2028 'quote' \x01", estimated=True, cost=0.125, seconds=1.5, **changes)

    async def write(journal: Journal) -> None:
        assert await journal.get(odd.reply.key) is None
        await journal.record(odd)
        assert await journal.get(odd.reply.key) == odd.reply

    async def read(journal: Journal) -> None:
        assert await journal.get(odd.reply.key) == odd.reply
        assert await journal.get("ff") is None

    session(path, write)
    session(path, read)


def test_row_holds_the_draw(path: Path) -> None:
    """The draw of a call stands in columns of its own, for whoever opens the file."""
    draw = replace(DRAW, trial=1, ordinal=2, attempt=3, retry=4)
    session(path, lambda journal: journal.record(replace(entry(), draw=draw)))
    (row,) = rows(path)
    names = ("role", "iteration", "side", "document", "trial", "ordinal", "attempt", "retry")
    assert tuple(row[name] for name in names) == ("weak", 3, "minibatch", DRAW.document, 1, 2, 3, 4)
    assert row["at"].endswith("+00:00")


def test_on_disk_when_record_returns(path: Path) -> None:
    """Another connection sees the row the moment `record` returns, and the file syncs every commit."""

    async def main(journal: Journal) -> None:
        await journal.record(entry())
        assert [row["key"] for row in rows(path)] == [entry().reply.key]
        assert await journal.do(lambda db: db.execute("PRAGMA synchronous").fetchone()) == (2,)
        assert await journal.do(lambda db: db.execute("PRAGMA journal_mode").fetchone()) == ("wal",)

    session(path, main)


def test_kill_right_after_record(path: Path) -> None:
    """A process that dies by SIGKILL when `record` has returned has lost nothing it was promised."""
    program = Path(fakes.__file__).with_name("journal_kills.py")
    root = Path(fakes.__file__).parent.parent
    died = subprocess.run(
        [sys.executable, str(program), str(path)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert died.stdout in [row["key"] for row in rows(path)]

    async def again(journal: Journal) -> None:
        assert (await journal.get(died.stdout)) == reply("answer 0", key=died.stdout)

    session(path, again)


def test_group_commit(path: Path) -> None:
    """What waits while the thread is busy is committed in one transaction, not one by one."""
    commits: list[str] = []

    async def main(journal: Journal) -> None:
        await journal.do(lambda db: db.set_trace_callback(commits.append))
        gate = asyncio.Event()
        loop = asyncio.get_running_loop()
        busy = asyncio.create_task(
            journal.do(lambda db: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result())
        )
        writes = [asyncio.create_task(journal.record(entry(n))) for n in range(50)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(busy, *writes)

    session(path, main)
    assert len(rows(path)) == 50
    assert 1 <= commits.count("COMMIT") <= 3


def test_duplicate_key_concerns_its_own_job_only(path: Path) -> None:
    """A second row for a key is refused with an error, and the others of its batch are recorded."""

    async def main(journal: Journal) -> None:
        jobs = [journal.record(one) for one in (entry(1), entry(1, "another"), entry(2), entry(3))]
        first, second, *others = await asyncio.gather(*jobs, return_exceptions=True)
        assert first is None and others == [None, None]
        assert isinstance(second, StorageError) and "UNIQUE" in str(second)
        assert await journal.get(entry(1).reply.key) == entry(1).reply

    session(path, main)
    assert len(rows(path)) == 3


@pytest.mark.parametrize("bad", [{"text": "\ud800"}, {"prompt_tokens": 2**63}, {"model": "\udfff"}])
def test_value_that_sqlite_cannot_hold(path: Path, bad: dict[str, object]) -> None:
    """A row that cannot be written is a storage error for its own job; the journal works on."""

    async def main(journal: Journal) -> None:
        jobs = [journal.record(entry(1, **bad)), journal.record(entry(2))]  # type: ignore[arg-type]  # fields of Reply
        broken, fine = await asyncio.wait_for(asyncio.gather(*jobs, return_exceptions=True), 10)
        assert isinstance(broken, StorageError) and fine is None
        assert await journal.get(entry(1).reply.key) is None

    session(path, main)
    assert len(rows(path)) == 1


def test_full_disk(path: Path) -> None:
    """On a full disk `record` raises, nothing half-written is seen, and with space again it goes on."""
    big = "x" * 50_000

    async def main(journal: Journal) -> None:
        await journal.record(entry(0))
        pages = await journal.do(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        await journal.do(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall())
        jobs = [journal.record(entry(n, big)) for n in (1, 2)]
        failed = await asyncio.wait_for(asyncio.gather(*jobs, return_exceptions=True), 10)
        assert all(
            isinstance(one, StorageError) and "full" in str(one) and "Free some" in str(one) for one in failed
        )
        assert await journal.get(entry(1, big).reply.key) is None
        assert await journal.get(entry(0).reply.key) == entry(0).reply
        await journal.do(lambda db: db.execute("PRAGMA max_page_count = 100000").fetchall())
        await journal.record(entry(1, big))

    session(path, main)
    assert [row["key"] for row in rows(path)] == [entry(n).reply.key for n in (0, 1)]


def test_failed_commit_leaves_nothing_behind(path: Path) -> None:
    """If the commit itself fails, all of its batch are told, none of it stands, and the next one goes through."""

    async def main(journal: Journal) -> None:
        journal.connection.execute("PRAGMA foreign_keys = ON")
        child = "CREATE TABLE child (p INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"
        await journal.do(lambda db: db.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        await journal.do(lambda db: db.execute(child))

        def orphan_and_call(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO child VALUES (1)")
            db.execute("INSERT INTO failures VALUES ('', '', '', '', 1, '')")

        with pytest.raises(StorageError, match="FOREIGN KEY"):
            await asyncio.wait_for(journal.do(orphan_and_call), 10)
        await asyncio.wait_for(journal.record(entry()), 10)

    session(path, main)
    assert len(rows(path)) == 1 and rows(path, "SELECT * FROM failures") == []


def test_lost_connection(path: Path) -> None:
    """If the file's connection breaks, every job is told; none waits for ever."""

    async def main(journal: Journal) -> None:
        await journal.record(entry(0))
        journal.connection.close()
        for job in (journal.record(entry(1)), journal.get(entry(0).reply.key), journal.totals()):
            with pytest.raises(StorageError, match="cannot be written"):
                await asyncio.wait_for(job, 10)

    session(path, main)


def test_closed_journal_refuses(path: Path) -> None:
    """After `close` a job is refused at once, and closing twice does nothing."""

    async def main(journal: Journal) -> None:
        journal.close()
        with pytest.raises(StorageError, match="closed"):
            await asyncio.wait_for(journal.record(entry()), 10)

    session(path, main)


def test_close_finishes_what_waits(path: Path) -> None:
    """Jobs that were handed in before `close` are on disk after it."""

    async def main(journal: Journal) -> None:
        writes = [asyncio.create_task(journal.record(entry(n))) for n in range(20)]
        await asyncio.sleep(0)
        journal.close()
        await asyncio.gather(*writes)

    session(path, main)
    assert len(rows(path)) == 20


def test_callers_that_are_gone(path: Path) -> None:
    """Cancelled callers and a closed event loop do not stop the thread; their rows are recorded all the same."""
    with opened(path) as journal:

        async def leave(number: int) -> None:
            task = asyncio.create_task(journal.record(entry(number)))
            await asyncio.sleep(0)
            task.cancel()

        for number in range(5):
            asyncio.run(leave(number))
        asyncio.run(journal.record(entry(9)))
    assert len(rows(path)) == 6


OLDER = """
CREATE TABLE calls (
    key TEXT PRIMARY KEY, role TEXT NOT NULL,
    iteration INTEGER NOT NULL, side TEXT NOT NULL, document TEXT NOT NULL, trial INTEGER NOT NULL,
    ordinal INTEGER NOT NULL, attempt INTEGER NOT NULL, retry INTEGER NOT NULL,
    model TEXT NOT NULL, finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, estimated INTEGER NOT NULL,
    cost REAL NOT NULL, seconds REAL NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE INDEX calls_by_iteration ON calls (iteration, side, role);
CREATE TABLE failures (
    at TEXT NOT NULL, key TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL, number INTEGER NOT NULL,
    error TEXT NOT NULL
) STRICT;
INSERT INTO calls VALUES ('{key}', 'weak', 3, 'minibatch', 'd', 0, 0, 0, 0, 'm', 'stop', 10, 20, 0, 0.5, 1.5, 'then', 'old');
"""


@pytest.mark.parametrize("version", [1, 0])
def test_older_version_is_brought_up_to_date(path: Path, version: int) -> None:
    """A journal of version 1, or one killed before it got its number, is read and goes on in the same file."""
    old = "a" * 32
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{OLDER.format(key=old)} PRAGMA user_version = {version}")
    thought = entry(2, reasoning_tokens=9, form="text")

    async def main(journal: Journal) -> None:
        found = await journal.get(old)
        assert found is not None and (found.text, found.reasoning_tokens, found.form) == ("old", 0, "")
        await journal.record(thought)
        (total,) = await journal.totals()
        assert (total.calls, total.completion_tokens, total.reasoning_tokens) == (2, 40, 9)

    session(path, main)
    made = path.with_name("new.db")
    session(made, lambda journal: journal.record(thought))
    assert rows(path, "PRAGMA user_version")[0][0] == SCHEMA_VERSION
    tables = "SELECT name, cid, type FROM pragma_table_info('calls')"
    assert [tuple(row) for row in rows(path, tables)] == [tuple(row) for row in rows(made, tables)]
    session(path, main_again(thought))


def main_again(known: Entry) -> Callable[[Journal], Awaitable[None]]:
    """Finds what was recorded."""

    async def main(journal: Journal) -> None:
        assert await journal.get(known.reply.key) == known.reply

    return main


def test_migration_is_one_transaction(path: Path) -> None:
    """A migration that fails in the middle leaves the file as it was."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{OLDER.format(key='a' * 32)} PRAGMA user_version = 1")
        connection.executescript(
            "DROP INDEX calls_by_iteration; DROP TABLE failures; CREATE INDEX failures ON calls (role);"
        )
        before = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    with pytest.raises(StorageError, match=r"calls\.db.*already an index named failures"):
        Journal(path)
    assert [tuple(row) for row in rows(path, "SELECT sql FROM sqlite_master ORDER BY name")] == before
    assert rows(path, "PRAGMA user_version")[0][0] == 1


def test_newer_version(path: Path) -> None:
    """A journal of a newer program is refused and left as it is."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StorageError, match=f"version {SCHEMA_VERSION + 1}.*upgrade"):
        Journal(path)
    assert rows(path, "SELECT name FROM sqlite_master") == []


def test_no_database(path: Path, tmp_path: Path) -> None:
    """A file of another kind, a folder, a missing folder and a damaged file are refused by name."""
    path.write_bytes(b"Dear diary, this is no database at all.\n" * 100)
    (tmp_path / "folder").mkdir()
    damaged = tmp_path / "damaged.db"
    session(damaged, lambda journal: journal.record(entry()))
    data = bytearray(damaged.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    damaged.write_bytes(data)
    for bad in (path, tmp_path / "folder", tmp_path / "missing" / "calls.db", damaged):
        with pytest.raises(StorageError, match=f"{bad.name}.*cannot be (read|written)"):
            Journal(bad)


def test_row_that_is_no_reply(path: Path) -> None:
    """A row that somebody has changed by hand to nonsense is an error, and the journal works on."""
    session(path, lambda journal: journal.record(entry()))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE calls SET cost = 9e999")
        connection.commit()

    async def main(journal: Journal) -> None:
        with pytest.raises(StorageError):
            await asyncio.wait_for(journal.get(entry().reply.key), 10)
        await journal.record(entry(2))

    session(path, main)


def test_totals(path: Path) -> None:
    """Sums by role, over everything or over what a condition selects."""
    replies = [("weak", 1, 0), ("weak", 2, 0), ("judge", 3, 5)]

    async def main(journal: Journal) -> None:
        for role, number, iteration in replies:
            said = Reply(**(entry(number).reply.model_dump() | {"cost": 0.5, "seconds": 2.0}))
            await journal.record(Entry(role, replace(DRAW, iteration=iteration), said))  # type: ignore[arg-type]
        judge, weak = await journal.totals()
        assert (weak.role, weak.calls, weak.prompt_tokens, weak.completion_tokens) == ("weak", 2, 20, 40)
        assert (weak.cost, weak.seconds, weak.spent.tokens, weak.spent.calls) == (1.0, 4.0, 60, 2)
        assert judge.calls == 1
        assert [one.role for one in await journal.totals("iteration >= ?", (5,))] == ["judge"]
        assert await journal.totals("iteration = 99") == []

    session(path, main)


def test_failures(path: Path) -> None:
    """A failed attempt is recorded beside the calls, and is none."""

    async def main(journal: Journal) -> None:
        await journal.record_failure(Failure("00", "weak", "m", 2, "HTTP 500"))
        assert await journal.totals() == []

    session(path, main)
    (row,) = rows(path, "SELECT * FROM failures")
    assert tuple(row)[1:] == ("00", "weak", "m", 2, "HTTP 500")
