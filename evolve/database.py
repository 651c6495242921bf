"""A SQLite file as its readers meet it: opened so that nothing can be written, and what is wrong with it in words."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from evolve.schema import check_readable, outdated
from harness.errors import StorageError

BUSY_SECONDS = 30.0
REMEDIES = {
    "SQLITE_NOTADB": "It is no SQLite database; restore a copy, move it away to start anew, or name another file",
    "SQLITE_CORRUPT": "It is damaged; restore a copy, or rescue what is left with `sqlite3 FILE .recover`",
    "SQLITE_FULL": "The disk is full; free some space and run again, everything recorded so far stands",
    "SQLITE_BUSY": "Another program keeps it locked for writing; close that one and run again",
    "SQLITE_READONLY": "It or its folder cannot be written; correct the permissions",
    "SQLITE_CANTOPEN": "It is missing or cannot be opened; look at the path, the permissions and `ulimit -n`",
    "SQLITE_IOERR": "The disk failed; look at `dmesg`, mend it and run again, everything recorded so far stands",
}
UNWRITABLE = ("SQLITE_CANTOPEN", "SQLITE_READONLY")


def failure(path: Path, error: sqlite3.Error) -> StorageError:
    """What went wrong with a database file, and what to do, by SQLite's own name of the error."""
    name = getattr(error, "sqlite_errorname", "")
    remedy = next((text for key, text in REMEDIES.items() if name.startswith(key)), "Run `evolve verify`")
    return StorageError(f"database {str(path)!r}: {error}. {remedy}")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection as `connect_readonly` gives it, closed afterwards; what SQLite says meanwhile is a StorageError too."""
    try:
        with closing(connect_readonly(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise failure(path, error) from error


def connect_readonly(path: Path) -> sqlite3.Connection:
    """A connection to a population.db that can only read, with named columns; it never blocks the writer.

    Read every SELECT to its end and close soon: an open read makes the write-ahead log grow.

    Raises:
        StorageError: no such file, no database, damaged, of another program or another version.
    """
    connection = open_readonly(path)
    try:
        check_readable(connection, path)
        return brought_up(connection, path) if outdated(connection, path) else connection
    except sqlite3.Error as error:
        connection.close()
        raise failure(path, error) from error
    except StorageError:
        connection.close()
        raise


def brought_up(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """What an older version wrote, as this one reads it: a copy in memory, so that the file stays as it was."""
    from evolve.migrations import migrated_copy  # a tenth of a second, and seldom needed

    with closing(connection):
        return migrated_copy(connection, path)


def open_readonly(path: Path) -> sqlite3.Connection:
    """A connection to any SQLite file that can only read and never checkpoints.

    On read-only media, where there is no room for the index of a write-ahead log, a file without such a log is
    complete as it is.

    Raises:
        StorageError: no such file, no database; or its log holds rows that cannot be read where nothing can be written.
    """
    if path.is_dir():
        raise StorageError(f"{str(path)!r} is a folder, not a database; name another file, or move it away")
    if not path.is_file():
        raise StorageError(f"there is no database {str(path)!r}; `evolve run` makes one")
    try:
        return _connection(path, "mode=ro")
    except sqlite3.Error as error:
        if not getattr(error, "sqlite_errorname", "").startswith(UNWRITABLE):
            raise failure(path, error) from error
        refuse_logged(path, error)
    try:
        return _connection(path, "mode=ro&immutable=1")
    except sqlite3.Error as error:
        raise failure(path, error) from error


def refuse_logged(path: Path, error: sqlite3.Error) -> None:
    """Refuse a file with rows in its log: without the log it may be older than what is recorded, or torn."""
    log = path.with_name(path.name + "-wal")
    if not log.exists() or not log.stat().st_size:
        return
    if os.access(path, os.R_OK) and not os.access(path.parent, os.W_OK):
        raise StorageError(
            f"the last rows of {str(path)!r} are in its log {log.name!r}, which cannot be read where nothing can be "
            "written; copy the whole folder to a place that you can write, and read it there"
        ) from error
    raise failure(path, error) from error


def _connection(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?{mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # only now is it really opened
    except sqlite3.Error:
        connection.close()
        raise
    return connection
