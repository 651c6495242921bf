"""What a candidate may consist of: a pure check by allow-list. What is not understood is refused.

It judges the listing of a git tree: whatever way an edit took, what would be measured is what is checked.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

FILE_BYTES = 64 * 2**10
TOTAL_BYTES = 256 * 2**10
FILES = 100
LONGEST_PATH = 120
DEEPEST = 4

ENTRY = "agent.py"
FROZEN = "README.md"
SUFFIXES: Mapping[str, tuple[str, ...]] = {"prompts": (".md", ".txt"), "lib": (".py",)}
FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*", re.ASCII)
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*", re.ASCII)
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


@dataclass(frozen=True)
class Entry:
    """One line of a recursive tree listing. mode: octal, as git writes it. path: raw. id: the object's hash.

    size: bytes of a blob, 0 for the rest.
    """

    mode: str
    path: str
    size: int
    kind: Literal["blob", "tree", "commit"]
    id: str = ""


def check(entries: Iterable[Entry], frozen: Mapping[str, str]) -> str | None:
    """The first reason why a tree is out of scope, or None if it is in scope.

    frozen: path -> object hash of the files that must be there unchanged: the baseline's README.md. Without its
    hash here, a README.md is refused.
    """
    listing = list(entries)
    for entry in listing:
        if reason := _entry(entry, frozen):
            return reason
    return _whole(listing, frozen)


def check_files(files: Mapping[str, str], parent: Mapping[str, str]) -> str | None:
    """The same check on texts, before anything is built: also refuses characters that nobody sees.

    parent: the files of the candidate the edit started from; its README.md must be unchanged.
    """
    for path, text in files.items():
        if bad := UNSEEN.search(text):
            line = text.count("\n", 0, bad.start()) + 1
            return f"{path!r} line {line} holds the character {bad[0]!r}, which no reader sees"
    sizes = {path: len(text.encode("utf-8", "surrogatepass")) for path, text in files.items()}
    entries = [Entry("100644", path, sizes[path], "blob", files[path]) for path in files]
    return check(entries, {FROZEN: parent[FROZEN]} if FROZEN in parent else {})


def _entry(entry: Entry, frozen: Mapping[str, str]) -> str | None:
    if entry.kind == "tree" and entry.mode in ("040000", "40000"):
        return None if _folder(entry.path) else f"the folder {entry.path!r} may not be there: {_allowed()}"
    if entry.kind != "blob" or entry.mode not in ("100644", "100755"):
        return f"{entry.path!r} has mode {entry.mode!r} ({entry.kind}); only regular files may be there"
    if entry.size < 0 or entry.size > FILE_BYTES:
        return f"{entry.path!r} has {entry.size} bytes; at most {FILE_BYTES} are allowed"
    if entry.path == FROZEN:
        return None if frozen.get(FROZEN) == entry.id else f"{FROZEN!r} may not be changed"
    if entry.path == ENTRY or _file(entry.path):
        return None
    return f"{entry.path!r} may not be there: {_allowed()}"


def _allowed() -> str:
    return "only agent.py, prompts/*.md, prompts/*.txt and lib/*.py, in plain names of A-Z a-z 0-9 _ - ."


def _file(path: str) -> bool:
    parts = path.split("/")
    if len(path) > LONGEST_PATH or not 2 <= len(parts) <= DEEPEST or parts[0] not in SUFFIXES:
        return False
    folders = all(FOLDER.fullmatch(part) for part in parts[:-1])
    return folders and bool(NAME.fullmatch(parts[-1])) and parts[-1].endswith(SUFFIXES[parts[0]])


def _folder(path: str) -> bool:
    parts = path.split("/")
    plain = all(FOLDER.fullmatch(part) for part in parts)
    return plain and len(path) <= LONGEST_PATH and len(parts) < DEEPEST and parts[0] in SUFFIXES


def _whole(listing: list[Entry], frozen: Mapping[str, str]) -> str | None:
    """What only shows on the tree as a whole."""
    files = [entry for entry in listing if entry.kind == "blob"]
    paths = [entry.path for entry in files]
    for needed in (ENTRY, *frozen):
        if needed not in paths:
            return f"{needed!r} is missing; it may not be deleted or renamed"
    if len(files) > FILES:
        return f"there are {len(files)} files; at most {FILES} are allowed"
    if (total := sum(entry.size for entry in files)) > TOTAL_BYTES:
        return f"the files have {total} bytes together; at most {TOTAL_BYTES} are allowed"
    return _twins(paths)


def _twins(paths: list[str]) -> str | None:
    """Two paths, or the folders they lie in, that a file system without case would take for the same.

    No path can be a file and a folder at once: files need a dot in their name, folders may not have one.
    """
    seen: dict[str, str] = {}
    for path in paths:
        if path.casefold() in seen:
            return f"{path!r} and {seen[path.casefold()]!r} are the same name where case does not count"
        seen[path.casefold()] = path
    folders: dict[str, str] = {}
    for path in paths:
        for parent in map(str, PurePosixPath(path).parents):
            if folders.setdefault(parent.casefold(), parent) != parent:
                return f"the folders {parent!r} and {folders[parent.casefold()]!r} differ only in case"
    return None
