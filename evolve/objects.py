"""What git takes and prints about trees and blobs, as values. Pure; starts nothing and judges no scope."""

import errno
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Literal, cast

from evolve.disk import remedy
from evolve.scope import Entry
from harness.errors import StorageError

TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE, errno.EIO)
DAMAGE = ("object", "corrupt", "not a git repository", "unable to read", "inflate", "missing", "bad revision")


def encoded(files: Mapping[str, str]) -> dict[str, bytes]:
    """The texts as UTF-8.

    Raises:
        ValueError: a lone surrogate.
    """
    try:
        return {name: text.encode("utf-8") for name, text in files.items()}
    except UnicodeEncodeError as error:
        raise ValueError(f"a file cannot be stored as UTF-8: {error}") from error


def refuse_odd_paths(paths: Collection[str]) -> None:
    """Refuse what git would not hold, or a checkout would write elsewhere.

    Raises:
        ValueError: an absolute or climbing path, `.git`, a character that is not printable, a file used as a folder.
    """
    for path in paths:
        parts = path.split("/")
        odd = any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts)
        if odd or not path.isprintable() or any(str(one) in paths for one in PurePosixPath(path).parents):
            raise ValueError(f"git cannot hold a file at {path!r} here; use plain relative paths")


def listing(output: bytes) -> list[Entry]:
    """The entries of `git ls-tree -z --long`.

    Raises:
        StorageError: a blob is missing.
    """
    return [_entry(line) for line in output.split(b"\0") if line]


def _entry(line: bytes) -> Entry:
    facts, _, name = line.partition(b"\t")
    mode, kind, object_id, size = facts.decode().split()
    known = cast(Literal["blob", "tree", "commit"], kind)  # git has no other kinds in a tree
    path = name.decode("utf-8", "surrogateescape")
    if size != "-" and not size.isdecimal():
        raise StorageError(f"{path!r} ({object_id}) is missing from the repository; run `evolve verify`")
    return Entry(mode, path, 0 if size == "-" else int(size), known, object_id)


def regular_files(entries: Sequence[Entry]) -> list[Entry]:
    """The files of a listing.

    Raises:
        StorageError: a link or a submodule is among them.
    """
    files = [entry for entry in entries if entry.kind != "tree"]
    for entry in files:
        if entry.kind != "blob" or not entry.mode.startswith("100"):
            raise StorageError(
                f"{entry.path!r} has mode {entry.mode!r}; a candidate holds regular files only"
            )
    return files


def contents(files: Sequence[Entry], output: bytes) -> dict[str, bytes]:
    """Path -> bytes, from `git cat-file --batch` asked for the files in their order.

    Raises:
        StorageError: a blob is missing or has another size than its entry says.
    """
    found: dict[str, bytes] = {}
    at = 0
    for entry in files:
        header = f"{entry.id} blob {entry.size}\n".encode()
        end = at + len(header) + entry.size
        if output[at : at + len(header)] != header or output[end : end + 1] != b"\n":
            raise StorageError(f"{entry.path!r} ({entry.id}) cannot be read from git; run `evolve verify`")
        found[entry.path] = output[at + len(header) : end]
        at = end + 1
    return found


def advice(complaints: str) -> str:
    """What to do about what git complains of; a sentence without its full stop."""
    found = next((number for number in TROUBLE if os.strerror(number) in complaints), None)
    if found is not None:
        return remedy(OSError(found, ""))
    if any(words in complaints for words in DAMAGE):
        return (
            "Something of it is missing or damaged: `evolve verify` names it; put back a copy of that folder"
        )
    return "See `evolve verify`"
