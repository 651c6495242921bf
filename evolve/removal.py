"""Deleting a run: its rows first, in one transaction, then its folder. A kill in between leaves a folder without rows."""

from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from evolve.database import connect_readonly
from evolve.history import History
from evolve.layout import Layout
from evolve.lock import RunLock
from evolve.opening import run_names
from evolve.picking import picked, unpick
from evolve.report.journal import Receipt, receipt
from harness.errors import EvolveError, StorageError, UsageError

MARKS = ("lock", "calls.db", "candidates.git", "traces")


@dataclass(frozen=True)
class Remains:
    """All that there is of a run, and goes with it. rows: by table; none of a run whose folder was left behind."""

    run: str
    folder: Path
    rows: dict[str, int]
    octets: int
    receipt: Receipt


def remains(database: Path, run: str) -> Remains:
    """What would be deleted.

    Raises:
        UsageError: there is no such run, or it belongs to another database of the folder.
        StorageError: its folder is not where the folders of runs are.
    """
    folder = Layout(database.parent, database, run).home
    rows: dict[str, int] = {}
    recorded = run_names(database)
    if run in recorded:
        rows, folder = recorded_rows(database, run)
    elif run not in left_behind(database):
        known = ", ".join([*recorded, *left_behind(database)]) or "none"
        raise UsageError(
            f"there is no run {run!r} in {str(database)!r} and no folder of one; there are: {known}"
        )
    refuse_odd(folder, database.parent / "runs")
    return Remains(run, folder, rows, size(folder), receipt(folder / "calls.db"))


async def delete(database: Path, found: Remains) -> None:
    """Delete it for good, under its lock and that of the database.

    Raises:
        StorageError: it or the database is in use, or something cannot be removed; again goes on.
    """
    with ExitStack() as stack:
        if found.folder.is_dir():
            stack.enter_context(RunLock(found.folder / "lock"))
        if not found.rows and found.run not in left_behind(database):
            raise StorageError(
                f"{found.run!r} is no longer the folder without rows that was to be deleted: another process was at work "
                "there. Nothing is deleted; look at `evolve runs`"
            )
        if found.rows:
            history = await History.open(database)
            try:
                await history.delete_run(found.run)
            finally:
                await history.close()
        if picked(database) == found.run:
            unpick(database)
        clear(found.folder)


def clear(folder: Path) -> None:
    """Remove a folder, its lock file last: whoever holds that holds it until all else is gone.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                rmtree(path)
            elif path.name != "lock":
                path.unlink()
        (folder / "lock").unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            folder.rmdir()
    except OSError as error:
        raise StorageError(
            f"{error.filename!r} cannot be removed: {error.strerror}. Correct that, then the same command goes on; the "
            "rows of the run are gone already"
        ) from None


def left_behind(database: Path) -> list[str]:
    """Folders of runs that no database of the folder knows: of a start that was killed at once, or of a deletion.

    None if one of those databases cannot be read: it might know them.
    """
    runs = database.parent / "runs"
    try:
        known = {name for one in {database, *database.parent.glob("*.db")} for name in run_names(one)}
        folders = [one for one in sorted(runs.iterdir()) if one.is_dir() and not one.is_symlink()]
    except (EvolveError, OSError):
        return []
    return [
        one.name for one in folders if one.name not in known and any((one / mark).exists() for mark in MARKS)
    ]


def recorded_rows(database: Path, run: str) -> tuple[dict[str, int], Path]:
    """How many rows of each table belong to a run, and its folder."""
    with closing(connect_readonly(database)) as connection:
        (row,) = connection.execute("SELECT folder FROM runs WHERE run = ?", (run,)).fetchall()
        tables = connection.execute("""SELECT t.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
            WHERE t.type = 'table' AND c.name = 'run' ORDER BY t.rowid""").fetchall()
        counts = {
            name: int(connection.execute(f"SELECT count(*) FROM {name} WHERE run = ?", (run,)).fetchone()[0])
            for (name,) in tables
        }
    return {name: number for name, number in counts.items() if number}, database.parent / row["folder"]


def refuse_odd(folder: Path, runs: Path) -> None:
    """Only a real folder right inside runs/ is ever removed.

    Raises:
        StorageError: it is anything else.
    """
    if folder.is_symlink() or folder.resolve().parent != runs.resolve():
        raise StorageError(
            f"{str(folder)!r} is no folder of {str(runs)!r}: nothing is deleted. Remove it yourself if you are sure"
        )


def size(folder: Path) -> int:
    """Bytes on the disk that the files below a folder take."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += 512 * path.lstat().st_blocks
    return total
