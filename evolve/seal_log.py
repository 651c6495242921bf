"""The log of openings of the test split as it is in population.db: reading it, and adding rows. See seal.py."""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, fields

from evolve.seal import Log, Unsealed

COLUMNS = tuple(one.name for one in fields(Unsealed))
ROWS = f"SELECT {', '.join(COLUMNS)} FROM openings WHERE run = ? ORDER BY number"
MEASURED = "SELECT candidate FROM evaluations WHERE run = ? AND side = 'final' ORDER BY +rowid"
INSERT = f"INSERT INTO openings ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


def read(connection: sqlite3.Connection, run: str) -> Log:
    """What was opened, and what of it was measured. Raises sqlite3.Error."""
    rows = tuple(Unsealed(*row) for row in connection.execute(ROWS, (run,)).fetchall())
    measured = tuple(row[0] for row in connection.execute(MEASURED, (run,)).fetchall())
    return Log(run, rows, measured)


def add(connection: sqlite3.Connection, rows: Sequence[Unsealed]) -> None:
    """Write rows, inside a transaction of the caller. Raises sqlite3.Error."""
    connection.executemany(INSERT, [astuple(one) for one in rows])
