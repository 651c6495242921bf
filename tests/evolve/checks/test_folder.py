"""The folder's checks: file systems, room, writing, syncing."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolve.checks import State, folder

MOUNTS = (
    folder.Mount("/dev/sda1", "/", "ext4", ("rw",)),
    folder.Mount("server:/home", "/home", "nfs4", ("rw",)),
    folder.Mount("/dev/sdb1", "/home/local disk", "xfs", ("rw",)),
    folder.Mount("share", "/mnt/share", "vboxsf", ("rw",)),
    folder.Mount("bucket", "/mnt/bucket", "fuse.s3fs", ("rw",)),
    folder.Mount("odd", "/mnt/odd", "fuse.odd", ("rw",)),
    folder.Mount("tmpfs", "/dev/shm", "tmpfs", ("rw",)),
)


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is bad, with the reason, and what needs writing is left out."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(folder.tempfile, "TemporaryDirectory", refuse)
    found = {one.name: one for one in folder.examine(tmp_path, 0)}
    assert found["folder"].state == "bad"
    assert "Read-only file system" in found["folder"].found
    assert "sync" not in found
    assert "disk" in found


@pytest.mark.parametrize(
    ("place", "kind", "state"),
    [
        ("/srv/data", "ext4", "ok"),
        ("/home/me/x", "nfs4", "bad"),
        ("/home/local disk/x", "xfs", "ok"),
        ("/home/local diskette", "nfs4", "bad"),
        ("/mnt/share", "vboxsf", "warn"),
        ("/mnt/bucket/a", "fuse.s3fs", "bad"),
        ("/mnt/odd", "fuse.odd", "warn"),
        ("/dev/shm/x", "tmpfs", "warn"),
    ],
)
def test_file_systems(place: str, kind: str, state: State) -> None:
    """The longest mount above a folder decides; networks are bad, shares and memory a warning."""
    mount = folder.mount_of(Path(place), MOUNTS)
    assert mount is not None
    assert mount.kind == kind
    assert folder.file_system(Path(place), MOUNTS).state == state


def test_unknown_mounts_are_no_trouble(tmp_path: Path) -> None:
    """A system that does not tell its mounts gets no warning."""
    assert folder.file_system(tmp_path, ()).state == "ok"


def test_free_space_against_the_floor(tmp_path: Path) -> None:
    """Below the floor is bad, less than twice of it a warning."""
    free = shutil.disk_usage(tmp_path).free // folder.MEGABYTE
    assert folder.room(tmp_path, 2 * free).state == "bad"
    assert folder.room(tmp_path, int(free / 1.5)).state == "warn"


def test_a_slow_disk_is_a_warning(tmp_path: Path) -> None:
    """The median of the measured syncs decides, so one slow one does not."""

    def ticks(*took: float) -> Iterator[float]:
        for one in took:
            yield 0.0
            yield one

    slow = ticks(0.001, 0.06, 0.07, 0.08, 0.09)
    fast = ticks(0.9, 0.01, 0.01, 0.01, 0.9)
    assert folder.syncing(tmp_path, lambda: next(slow)).state == "warn"
    assert folder.syncing(tmp_path, lambda: next(fast)).state == "ok"
