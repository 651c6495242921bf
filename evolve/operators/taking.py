"""What an external command left in a folder, read as texts. Links, other odd files and too much are named, not followed."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from evolve.asking import Unusable
from evolve.layout import skipped
from evolve.scope import FILE_BYTES, FILES, TOTAL_BYTES

MOST_ENTRIES = 20 * FILES


def taken(folder: Path) -> dict[str, str]:
    """Path -> text of every file; hidden ones and caches are left out, as they are of a baseline.

    Nothing may be writing there any more. Whatever a repository in the folder says is of no interest.

    Raises:
        Unusable: something cannot be part of a scaffold, and what.
        OSError: the disk fails.
    """
    files: dict[str, str] = {}
    total = 0
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        data = _content(path, name)
        total += len(data)
        if total > TOTAL_BYTES:
            raise _refused(f"the files have more than {TOTAL_BYTES} bytes together")
        try:
            files[name] = data.decode("utf-8")
        except UnicodeDecodeError:
            raise _refused(f"{name!r} is no UTF-8 text") from None
    return files


def _files(folder: Path) -> Iterator[Path]:
    """The regular files below a folder, in order of their names."""
    waiting, seen = [folder], 0
    while waiting:
        for entry in sorted(os.scandir(waiting.pop()), key=lambda one: one.name):
            seen += 1
            if seen > MOST_ENTRIES:
                raise _refused(f"there are more than {MOST_ENTRIES} files and folders")
            if skipped(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
            else:
                name = Path(entry.path).relative_to(folder).as_posix()
                raise _refused(f"{name!r} is a link or no regular file; only regular files may be there")


def _content(path: Path, name: str) -> bytes:
    """At most what a file of a scaffold may hold."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _refused(f"{name!r} is no regular file; only regular files may be there")
        data = file.read(FILE_BYTES + 1)
    if len(data) > FILE_BYTES:
        raise _refused(f"{name!r} has more than {FILE_BYTES} bytes")
    return data


def _refused(reason: str) -> Unusable:
    return Unusable(f"out of scope: {reason}", "out_of_scope")
