"""Which run commands mean that name none: the newest, unless one was picked. The pick is a small file in runs/."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness.errors import StorageError

LONGEST = 1000


def place(database: Path) -> Path:
    """Where the pick of a database is kept; several databases of a folder share its runs/."""
    return database.parent / "runs" / f"{database.stem}.pick"


def picked(database: Path) -> str | None:
    """The name that was picked, whether there is such a run or not; None if there is no pick."""
    try:
        with place(database).open(encoding="utf-8") as file:
            return file.read(LONGEST).strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def pick(database: Path, run: str) -> None:
    """Make a run the one that is meant by default, from now on and for every command.

    Raises:
        StorageError: it cannot be written down.
    """
    path = place(database)
    scratch = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(run + "\n", "utf-8")
        scratch.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write {str(path)!r}: {error.strerror}; correct that and pick again"
        ) from None


def unpick(database: Path) -> None:
    """The newest run is meant again; nothing happens if none was picked."""
    with suppress(OSError):
        place(database).unlink()


def default(database: Path, names: Sequence[str]) -> str | None:
    """The run that is meant where none is named: the picked one if it is there, else the newest, None of none.

    names: all runs of the database, oldest first.
    """
    chosen = picked(database)
    if chosen in names:
        return chosen
    return names[-1] if names else None


def stale(database: Path, names: Sequence[str]) -> str:
    """What to tell about a pick of a run that is gone; nothing if all is well."""
    chosen = picked(database)
    if chosen is None or chosen in names:
        return ""
    return f"the picked run {chosen!r} is gone, the newest is meant; `evolve runs pick --newest` forgets it"


def told(database: Path, names: Sequence[str]) -> str:
    """What somebody should hear who names no run: that a pick is stale, or that it is not the newest run."""
    chosen = default(database, names)
    if picked(database) == chosen and chosen is not None and chosen != names[-1]:
        return f"run {chosen} is picked, {names[-1]} is newer; `evolve runs pick --newest` undoes the pick"
    return stale(database, names)
