"""The folder's share: can it be written, what disk is it on, how much is free, do locks, write-ahead logs and syncs work.

What is written to find out goes into one temporary folder inside it, which is gone afterwards.
"""

import errno
import fcntl
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from evolve.checks import Finding, bad, ok, warn
from evolve.report import figures

MEGABYTE = 1_000_000
FEW_INODES = 20_000
SLOW_SYNC = 0.05  # seconds
SYNCS = 5
PREFIX = ".evolve-doctor-"
MOUNTS = Path("/proc/self/mounts")
NETWORK = (
    "nfs nfs4 cifs smb3 smbfs afs ncpfs lustre gpfs beegfs beegfs_nodev panfs ceph glusterfs ocfs2 gfs2 davfs pvfs2 "
    "orangefs wekafs fhgfs acfs fuse.sshfs fuse.glusterfs fuse.s3fs fuse.rclone fuse.gcsfuse fuse.cephfs"
)
SHARED = "9p virtiofs vboxsf prl_fs vmhgfs drvfs fuse.vmhgfs-fuse fuse.grpcfuse fuse.portal fuse.osxfs"
LOCAL_FUSE = "fuse.fuse-overlayfs fuse.mergerfs fuse.gocryptfs fuse.encfs fuse.ntfs-3g"


@dataclass(frozen=True)
class Mount:
    """One line of /proc/mounts. kind: the type of the file system, such as ext4."""

    source: str
    place: str
    kind: str
    options: tuple[str, ...]


def examine(folder: Path, free_space: int) -> list[Finding]:
    """Every check of a folder. free_space: megabytes that have to stay free.

    What needs writing is left out where that is impossible.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        return [
            bad(
                "folder", f"{str(folder)!r} {what}", "make it, or name another with --db FOLDER/population.db"
            )
        ]
    found = [file_system(folder, mounts()), room(folder, free_space)]
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder) as name:
            trials = [trial(Path(name)) for trial in (locking, write_ahead, syncing)]
    except OSError as error:
        why = error.strerror or str(error)
        remedy = (
            "correct the permissions, or work in a folder of yours"
            if error.errno != errno.ENOSPC
            else "free some space"
        )
        return [bad("folder", f"{str(folder)!r} cannot be written: {why}", remedy), *found]
    return [ok("folder", f"{figures.visible(str(folder))} can be written"), *found, *trials]


def mounts() -> tuple[Mount, ...]:
    """Everything that is mounted, as Linux tells; empty elsewhere."""
    try:
        lines = MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ()
    rows = (line.split(" ") for line in lines)
    return tuple(
        Mount(row[0], _plain(row[1]), row[2], tuple(row[3].split(","))) for row in rows if len(row) > 3
    )


def _plain(escaped: str) -> str:
    """A path of /proc/mounts, where blanks and the like are written as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), escaped)


def mount_of(folder: Path, mounted: tuple[Mount, ...]) -> Mount | None:
    """The mount that a folder lies on: the longest path above it, of equals the last one."""
    above = {str(one) for one in (folder.resolve(), *folder.resolve().parents)}
    hits = [one for one in mounted if one.place in above]
    return max(reversed(hits), key=lambda one: len(one.place), default=None)


def file_system(folder: Path, mounted: tuple[Mount, ...]) -> Finding:
    """Whether the folder is on a disk of this machine: a write-ahead log needs shared memory, which networks lack."""
    mount = mount_of(folder, mounted)
    if mount is None:
        return ok("file system", "of unknown type; keep the folder on a local disk")
    text = f"{mount.kind} at {figures.visible(mount.place)}"
    elsewhere = "work in a folder on a local disk, and copy the results"
    if mount.kind in NETWORK.split():
        return bad(
            "file system", f"{text} is a network file system: SQLite's write-ahead log fails there", elsewhere
        )
    fuse = mount.kind.startswith("fuse.") and mount.kind not in LOCAL_FUSE.split()
    if fuse or mount.kind in SHARED.split():
        return warn("file system", f"{text} is not a disk of this machine alone", elsewhere)
    if mount.kind in ("tmpfs", "ramfs"):
        return warn("file system", f"{text} is memory: gone when this machine restarts", elsewhere)
    return ok("file system", f"{text}, local")


def room(folder: Path, floor: int) -> Finding:
    """Free space and free inodes on the folder's disk. floor: megabytes below which a run stops."""
    free = shutil.disk_usage(folder).free
    text = f"{figures.size(free)} free"
    remedy = "free some space, or set `free_space` under [storage] in evolve.toml lower"
    if free < floor * MEGABYTE:
        return bad("disk", f"{text}; a run stops below {floor:,} MB", remedy)
    status = os.statvfs(folder)
    if status.f_files and status.f_favail < FEW_INODES:
        return warn("disk", f"{text}, but room for only {status.f_favail:,} more files", "remove files")
    if free < 2 * floor * MEGABYTE:
        return warn("disk", f"{text}, soon below the {floor:,} MB at which a run stops", remedy)
    return ok("disk", text)


def locking(folder: Path) -> Finding:
    """Whether a lock on a file keeps a second one out, as the lock of a run has to."""
    path = folder / "lock"
    with path.open("w") as first, path.open() as second:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return bad(
                "file locks", f"do not work here: {error.strerror}", "work in a folder on a local disk"
            )
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return ok("file locks", "work")
    return bad("file locks", "are granted twice here", "work in a folder on a local disk")


def write_ahead(folder: Path) -> Finding:
    """Whether SQLite can keep a write-ahead log here and a second connection reads what the first one wrote."""
    path = folder / "trial.db"
    remedy = "work in a folder on a local disk"
    try:
        with closing(sqlite3.connect(path)) as writer:
            (mode,) = writer.execute("PRAGMA journal_mode=WAL").fetchone()
            if mode != "wal":
                return bad("write-ahead log", f"SQLite falls back to {mode!r} here", remedy)
            writer.executescript("CREATE TABLE trial (x); INSERT INTO trial VALUES (1);")
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as reader:
                read = reader.execute("SELECT x FROM trial").fetchall()
    except sqlite3.Error as error:
        return bad("write-ahead log", f"SQLite cannot keep one here: {error}", remedy)
    return ok("write-ahead log", "works") if read == [(1,)] else bad("write-ahead log", "loses rows", remedy)


def syncing(folder: Path, clock: Callable[[], float] = perf_counter) -> Finding:
    """How long it takes until 4 kB are safely on the disk: every recorded answer waits for that."""
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(b"x" * 4096)
            begun = clock()
            os.fsync(file.fileno())
            took.append(clock() - begun)
    middle = median(took)
    text = f"{1000 * middle:.3g} ms until written data is on the disk"
    if middle <= SLOW_SYNC:
        return ok("sync", text)
    return warn("sync", text, "use a faster disk: answers are recorded in groups, each waits so long")
