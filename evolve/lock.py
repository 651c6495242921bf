"""One process at a time on a run or on a database: a lock file that the kernel frees however its holder dies.

Not a lock between threads or tasks, and no lock on network file systems that do not implement flock.
"""

import errno
import fcntl
import os
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from evolve.disk import remedy
from harness.errors import StorageError

LONGEST_HOLDER = 2000
ASKING = 0.02  # seconds; somebody who only asks who holds a lock has long let go of it


class RunLock:
    """An exclusive flock on `path`, held from `acquire` (or `with`) to `release` or to the death of the process.

    The file names its holder for the message that a second process gets; only the kernel's lock decides. It stays
    on disk when released: deleting it would let two processes lock two files of the same name. The descriptor is
    close-on-exec; a child that is forked and never execs would go on holding the lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock or refuse at once; the folder of the lock file is made if it is missing.

        Raises:
            StorageError: somebody else holds it (the message names process, host and start), or the file system
                cannot lock.
        """
        if self.held:
            raise StorageError(f"{str(self.path)!r} is locked already, by this very object")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(
                f"cannot open the lock file {str(self.path)!r}: {error.strerror}. {remedy(error)}"
            ) from error
        try:
            _take(descriptor)
            _write_holder(descriptor)
        except OSError as error:
            holder = _read_holder(descriptor)
            os.close(descriptor)
            raise StorageError(self._refusal(error, holder)) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __enter__(self) -> "RunLock":
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _refusal(self, error: OSError, holder: str) -> str:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return (
                f"{str(self.path.parent)!r} is in use by another process ({holder}). Wait until it is done or stop "
                f"it; the lock {str(self.path)!r} is free as soon as that process is gone, never delete it by hand"
            )
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            return f"cannot write the lock file {str(self.path)!r}: {error.strerror}. {remedy(error)}"
        return (
            f"cannot lock {str(self.path)!r}: {error.strerror}. Use a folder on a local disk; some network file "
            "systems cannot lock"
        )


def holder(path: Path) -> str:
    """Who holds a lock file, in the words of its holder; nothing if it is free or not there.

    Asking takes a shared lock for an instant; `acquire` looks twice because of that.
    """
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read_holder(file.fileno())
    except OSError:
        return ""
    return ""


def _take(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(ASKING)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write_holder(descriptor: int) -> None:
    started = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    command = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    text = f"pid {os.getpid()} on {socket.gethostname()}, {command}, locked at {started}\n"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode("utf-8", "replace"), 0)


def _read_holder(descriptor: int) -> str:
    text = os.pread(descriptor, LONGEST_HOLDER, 0).decode("utf-8", "replace")
    return " ".join(text.split()) or "it has not written its name yet"
