"""The tables of calls.db, and how a journal of an older version becomes one of this. Released columns never change."""

import sqlite3
from pathlib import Path

from harness.errors import StorageError

SCHEMA_VERSION = 2
SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS calls (
        key TEXT PRIMARY KEY, role TEXT NOT NULL,
        iteration INTEGER NOT NULL, side TEXT NOT NULL, document TEXT NOT NULL, trial INTEGER NOT NULL,
        ordinal INTEGER NOT NULL, attempt INTEGER NOT NULL, retry INTEGER NOT NULL,
        model TEXT NOT NULL, finish_reason TEXT NOT NULL,
        prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, estimated INTEGER NOT NULL,
        cost REAL NOT NULL, seconds REAL NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL,
        reasoning_tokens INTEGER NOT NULL DEFAULT 0, form TEXT NOT NULL DEFAULT ''
    ) STRICT
    """,
    """
    CREATE INDEX IF NOT EXISTS calls_by_iteration ON calls (iteration, side, role)
    """,
    """
    CREATE TABLE IF NOT EXISTS failures (
        at TEXT NOT NULL, key TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL, number INTEGER NOT NULL,
        error TEXT NOT NULL
    ) STRICT
    """,
)
# columns of `calls` by the version that brought them
ADDED = {"reasoning_tokens": "INTEGER NOT NULL DEFAULT 0", "form": "TEXT NOT NULL DEFAULT ''"}


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Switch on WAL and full sync; create the tables, or bring those of an older version up to date.

    Raises:
        StorageError: it was written by a newer version.
    """
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise StorageError(
            f"the journal {str(path)!r} has version {version}, this program knows {SCHEMA_VERSION}; upgrade it"
        )
    if version < SCHEMA_VERSION:
        migrate(connection)


def migrate(connection: sqlite3.Connection) -> None:
    """Create what is missing, in one transaction: killed at any moment, the file is of the old version or the new."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in SCHEMA:
            connection.execute(statement)
        there = {row[1] for row in connection.execute("PRAGMA table_info(calls)")}
        for name, kind in ADDED.items():
            if name not in there:
                connection.execute(f"ALTER TABLE calls ADD COLUMN {name} {kind}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.rollback()
        raise
