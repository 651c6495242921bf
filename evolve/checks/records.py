"""What runs have left: database, locks and run folders. Only looked at: nothing is locked, repaired or removed."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from evolve.checks import Finding, bad, ok, warn
from evolve.database import failure
from evolve.lock import holder
from evolve.report import figures
from evolve.schema import check_readable, outdated
from harness.errors import StorageError

BUSY_SECONDS = 5.0
MOST_NAMED = 3


@dataclass(frozen=True)
class Contents:
    """What population.db holds. schema: its newest step. runs: name -> folder, relative to the database.

    old: an older version wrote it.
    """

    schema: str
    runs: dict[str, str]
    old: bool = False


def examine(database: Path) -> list[Finding]:
    """Every check of a database file and of the runs beside it."""
    return [*population(database), *locks(database)]


def population(database: Path) -> list[Finding]:
    """The database, whole or not, and its runs against their folders."""
    folders = _folders(database.parent / "runs")
    if not database.is_file():
        found = ok("database", f"no {database.name} yet; `evolve run` makes it")
        return [found, runs(Contents("", {}), folders, database.parent)]
    shown = figures.visible(str(database))
    try:
        contents = read(database)
    except StorageError as error:
        what, between, remedy = str(error).rpartition(". " if ". " in str(error) else "; ")
        found = bad(
            "database",
            what.removeprefix("database ") if between else remedy,
            remedy if between else "move it away",
        )
        return [found, *([] if not folders else [ok("runs", _sizes(folders))])]
    size = figures.size(sum(_size(one) for one in database.parent.glob(f"{database.name}*") if one.is_file()))
    what = f"{shown}, {size}, {figures.count(len(contents.runs), 'run')}, schema {contents.schema}, no damage found"
    found = ok("database", what)
    if contents.old:
        text = "`evolve run` brings it up to date; until then other commands do not read it"
        found = warn("database", f"{what}, of an older version", text)
    return [found, runs(contents, folders, database.parent)]


def read(database: Path) -> Contents:
    """What a database holds, after it was read once from end to end.

    Raises:
        StorageError: it is damaged, of another version or another program.
    """
    with _untouched(database) as connection:
        try:
            damage = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)").fetchall()]
            if damage != ["ok"]:
                raise StorageError(
                    f"database {str(database)!r} is damaged: {' '.join('; '.join(damage).split())}. "
                    "Restore a copy, or rescue what is left with `sqlite3 FILE .recover`"
                )
            if not connection.execute("SELECT count(*) AS n FROM sqlite_master").fetchone()["n"]:
                return Contents("none yet", {}, old=True)
            old = outdated(connection, database)
            if not old:
                check_readable(connection, database)
            rows = connection.execute("SELECT run, folder FROM runs ORDER BY created_at, run").fetchall()
            steps = connection.execute("SELECT max(name) AS name FROM _sqlite_migrations").fetchall()
        except sqlite3.Error as error:
            raise failure(database, error) from error
    return Contents(str(steps[0]["name"]), {row["run"]: row["folder"] for row in rows}, old)


@contextmanager
def _untouched(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection that leaves no file behind: without a log the database is complete, and read as it lies there."""
    logged = bool(_size(database.with_name(database.name + "-wal")))
    uri = f"file:{quote(str(database.absolute()))}?mode=ro{'' if logged else '&immutable=1'}"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise failure(database, error) from error
    with closing(connection):
        connection.row_factory = sqlite3.Row
        yield connection


def runs(contents: Contents, folders: dict[str, int], place: Path) -> Finding:
    """The runs' folders with their sizes; runs without one, and folders of no run in this database.

    folders: name -> bytes, of everything below runs/.
    """
    gone = [run for run, folder in contents.runs.items() if not (place / folder).is_dir()]
    if gone:
        text = f"the folder of {_named(gone)} is missing; without it a run cannot go on and shows no diffs"
        return bad("runs", text, "put it back from a copy, or go on with another run")
    orphans = [name for name in folders if name not in contents.runs]
    if orphans:
        text = f"{_sizes(folders)}; {_named(orphans)} in runs/ belongs to no run of this database"
        return warn("runs", text, "name its own database with --db, or remove it: `evolve runs delete NAME`")
    return ok("runs", _sizes(folders) if folders else "none yet")


def _sizes(folders: dict[str, int]) -> str:
    largest = sorted(folders, key=lambda name: -folders[name])
    named = ", ".join(f"{name} {figures.size(folders[name])}" for name in largest[:MOST_NAMED])
    more = f", {len(largest) - MOST_NAMED} more" if len(largest) > MOST_NAMED else ""
    return f"{named}{more}" + (f"; {figures.size(sum(folders.values()))} in all" if len(largest) > 1 else "")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(repr(name) for name in names[:MOST_NAMED]) + more


def _folders(home: Path) -> dict[str, int]:
    """Name -> bytes of every folder in runs/."""
    if not home.is_dir():
        return {}
    return {one.name: _weight(one) for one in sorted(home.iterdir()) if one.is_dir()}


def _weight(folder: Path) -> int:
    """What a folder takes on the disk; what vanishes meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            total += _size(Path(place, name))
    return total


def _size(path: Path) -> int:
    try:
        return 512 * path.lstat().st_blocks
    except OSError:
        return 0


def locks(database: Path) -> list[Finding]:
    """Who holds the database and which runs are going on, by the kernel's locks."""
    found = [in_use(database.with_name(f"{database.name}.lock"), "the database")]
    found += [
        in_use(one, f"run {one.parent.name}") for one in sorted((database.parent / "runs").glob("*/lock"))
    ]
    held = [text for text in found if text]
    return [ok("locks", "; ".join(held) if held else "nothing is in use by another process")]


def in_use(place: Path, what: str) -> str:
    """Who holds a lock file, in words; "" if nobody does."""
    who = holder(place)
    return f"{what} is in use by {figures.visible(who)}" if who else ""
