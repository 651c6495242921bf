"""Which schema a population.db has, asked without changing it; the steps themselves are in migrations.py.

Plain sqlite3 on purpose: every command that reads comes by here, and sqlite-utils takes a tenth of a second to import.
"""

import sqlite3
from pathlib import Path

from harness.errors import StorageError

STEPS = ("0001_tables", "0002_views", "0003_indices_of_reports", "0004_comparisons", "0005_survival")
NEEDED = STEPS[:2]  # to be read, the rest being taken in memory
APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'evolve'"


def applied(connection: sqlite3.Connection) -> set[str]:
    """The names of our steps that were taken, none in a new or a foreign file."""
    if "_sqlite_migrations" not in tables(connection):
        return set()
    return {row[0] for row in connection.execute(APPLIED)}


def tables(connection: sqlite3.Connection) -> list[str]:
    return sorted(row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))


def refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database whose steps we do not know, or that has tables but none of our steps.

    Raises:
        StorageError: it names the file and the unknown steps.
    """
    there = applied(connection)
    if unknown := sorted(there - set(STEPS)):
        raise StorageError(
            f"{str(path)!r} was written by a newer version of evolve (it has the schema steps {unknown}). "
            "Install that version or newer, or move the file away to start a new one"
        )
    if not there and (foreign := tables(connection)):
        raise StorageError(
            f"{str(path)!r} is the database of another program (tables {foreign[:5]}). "
            "Name another file, or move this one away"
        )


def outdated(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether an older version wrote it: it has some of our steps, and lacks others.

    Raises:
        StorageError: it was written by a newer version, or is the database of another program.
    """
    refuse_foreign(connection, path)
    return 0 < len(applied(connection)) < len(STEPS)


def unreadable(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether it is so old that it has to be brought up to date before it can be read.

    Raises:
        StorageError: see `outdated`.
    """
    return outdated(connection, path) and not applied(connection).issuperset(NEEDED)


def check_readable(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that this version cannot read as it is; nothing is changed.

    One that only lacks indices can be read, so that whoever looks at it leaves it to the version that wrote it.

    Raises:
        StorageError: it is of a newer version, of an older one that was not migrated yet, or not ours.
    """
    refuse_foreign(connection, path)
    if not applied(connection).issuperset(NEEDED):
        raise StorageError(
            f"{str(path)!r} has an older schema or none; `evolve run` in its folder brings it up to date"
        )
