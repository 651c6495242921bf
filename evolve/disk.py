"""The disk as a run needs it: room, a reserve for the last words, scratch folders; and what to do about its errors."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from harness.errors import StorageError

MEGABYTE = 1_000_000
RESERVE = "reserve"
RESERVED = 4 * MEGABYTE
SAFE = "then run the same command again: nothing that was recorded is lost"
REMEDIES = {
    (errno.ENOSPC, errno.EDQUOT): f"Free some space, {SAFE}",
    (
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
    ): f"Correct the permissions or take a folder that you can write, {SAFE}",
    (errno.EMFILE, errno.ENFILE): f"Raise the limit on open files (`ulimit -n 4096`), {SAFE}",
    (errno.EIO,): f"The disk failed; look at `dmesg`, mend it, {SAFE}",
    (errno.ENOENT,): f"It is not there: look at the path, {SAFE}",
    (errno.EEXIST, errno.ENOTDIR, errno.EISDIR): f"Something else is in its place: move that away, {SAFE}",
}


def remedy(error: OSError) -> str:
    """What to do about an error of the disk or of the system, by its number; a sentence without its full stop."""
    return next((text for numbers, text in REMEDIES.items() if error.errno in numbers), f"Mend that, {SAFE}")


def refuse_full(folder: Path, least: int) -> None:
    """Stop where less than `least` megabytes are free on the disk of `folder`, before something is cut off by it.

    folder: it or the nearest folder above it that exists. least: 0 switches this off.

    Raises:
        StorageError: it says how much is free, where, and how much is needed.
    """
    if not least:
        return
    place = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free = (shutil.disk_usage(place).free + held(folder)) // MEGABYTE
    if free < least:
        raise StorageError(
            f"only {free:,} MB are free on the disk of {str(place)!r}, and {least:,} MB are to stay free "
            "(`free_space` under [storage] in evolve.toml; 0 switches this off). Free some space, then run the same "
            "command again: it goes on, nothing that was recorded is lost"
        )


def no_room(folder: Path) -> bool:
    """Whether less than a megabyte is free on the disk of a folder; no if it is not there."""
    try:
        return shutil.disk_usage(folder).free < MEGABYTE
    except OSError:
        return False


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Keep some megabytes in `folder` for as long as the block lasts; `release` gives them up before.

    When the disk is full, the answers that are still on their way, all of them paid for, and how the run ended can be
    recorded in that space. A reserve that a killed process left is taken over.

    Raises:
        StorageError: there is not even that much room, or the folder cannot be written.
    """
    try:
        (folder / RESERVE).write_bytes(bytes(RESERVED))
    except OSError as error:
        release(folder)
        raise StorageError(
            f"cannot reserve {RESERVED // MEGABYTE} MB in {str(folder)!r}: {error.strerror}. {remedy(error)}"
        ) from None
    try:
        yield
    finally:
        release(folder)


def held(folder: Path) -> int:
    """Bytes that the reserve in a folder takes: they are free for what it is kept for."""
    try:
        return (folder / RESERVE).stat().st_size
    except OSError:
        return 0


def release(folder: Path) -> None:
    """Give the reserve up; again is fine."""
    with suppress(OSError):  # a disk that refuses even this has said so elsewhere
        (folder / RESERVE).unlink()


@contextmanager
def scratch(folder: Path, prefix: str) -> Iterator[Path]:
    """An empty folder inside `folder`, gone after the block; what cannot be removed is left for the next start.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        made = Path(mkdtemp(prefix=prefix, dir=folder))
    except OSError as error:
        raise StorageError(
            f"cannot make a folder in {str(folder)!r}: {error.strerror}. {remedy(error)}"
        ) from None
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
