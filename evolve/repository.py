"""Candidates as commits of a bare repository.

Git plumbing, one short process a step (plumbing.py), nothing kept open: no worktree, no index, no hooks, no attributes,
and nothing of the user's identity. What it is not: the judge of what a candidate may hold (scope.py), or the record of
what happened to it (history.py).
"""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from evolve.disk import remedy
from evolve.iteration import Candidate
from evolve.objects import contents, encoded, listing, refuse_odd_paths, regular_files
from evolve.plumbing import SETTINGS, git, merge_file, run
from evolve.scope import Entry
from harness.errors import StorageError

BASELINE = "c0"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
NAME, EMAIL = "evolve", "evolve@localhost"
HASH = re.compile(r"[0-9a-f]{40}")
ID = re.compile(r"c(0|[1-9][0-9]{0,8})")
NOTHING = "0" * 40
SCRATCH = "evolve-"
DIFF = ("-r", "-p", "--no-ext-diff", "--no-textconv", "--no-renames", "--text", "--full-index")
FSCK = ("fsck", "--full", "--strict", "--no-dangling", "--no-progress")
T = TypeVar("T")


def create(path: Path) -> None:
    """Make the bare repository at `path` unless it is there; made elsewhere and moved, so it is whole or absent.

    Raises:
        StorageError: something else is there, or git or the disk fails.
    """
    if (path / "HEAD").is_file():
        return
    if path.exists():
        raise StorageError(f"{str(path)!r} is there and is no git repository; move it away, then start again")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{path.name}-", dir=path.parent) as scratch:
            fresh = Path(scratch) / path.name
            fresh.mkdir()
            git(fresh, "init", "--bare", "--quiet", "--template=")
            git(fresh, "symbolic-ref", "HEAD", f"refs/heads/{BASELINE}")
            for key, value in SETTINGS.items():
                git(fresh, "config", key, value)
            fresh.rename(path)
    except OSError as error:
        raise StorageError(f"cannot make the repository {str(path)!r}: {error}. {remedy(error)}") from error


class Repository:
    """The candidates of one run. Every method runs in the one thread of this object, in the order of the calls.

    All hashes are full SHA-1 names. All methods raise StorageError when git or the disk fails or a hash names nothing.
    """

    def __init__(self, path: Path) -> None:
        """path: of a repository that `create` made; nothing is opened or started here."""
        self.path = path.absolute()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="git")

    def close(self) -> None:
        """Wait for what was asked for, then end the thread."""
        self._thread.shutdown()

    async def plant(self, files: Mapping[str, bytes]) -> Candidate:
        """Commit and publish the baseline, `c0`, byte for byte; the same files give the same commit again.

        Raises:
            StorageError: another baseline is there.
            ValueError: a path that git cannot hold, or a file that is no UTF-8 text.
        """
        return await self._do(lambda: _plant(self.path, files))

    async def files(self, commit: str) -> dict[str, str]:
        """Path -> text of a commit or tree, exactly as stored: line ends and missing last newlines are kept."""
        return await self._do(lambda: _texts(self.path, commit))

    async def entries(self, tree: str) -> list[Entry]:
        """The recursive listing of a tree (or commit) with its folders, for `scope.check`. Paths are raw."""
        return await self._do(lambda: _entries(self.path, tree))

    async def write_tree(self, files: Mapping[str, str]) -> str:
        """Store the files and give the hash of their tree. No commit, no ref.

        Raises:
            ValueError: a path that git cannot hold, or a text with a lone surrogate; scope.py refuses both before.
        """
        return await self._do(lambda: _write_tree(self.path, encoded(files)))

    async def commit(self, tree: str, parent: Candidate, iteration: int, message: str) -> Candidate:
        """The candidate `c<iteration>`: `tree` on top of `parent`, with its diff against the baseline. Not published.

        Author and date follow from the iteration alone, so the same arguments give the same hash on every machine.
        """
        return await self._do(lambda: _child(self.path, (tree, parent, iteration), message))

    async def publish(self, candidate: Candidate) -> None:
        """Point `refs/heads/<id>` to the commit. Again is fine; another commit under that name is refused."""
        await self._do(lambda: _publish(self.path, candidate.id, candidate.commit))

    async def checkout(self, commit: str, folder: Path) -> None:
        """Write the files of a commit into `folder`, which must not exist: the stored bytes, no filters, mode 0644."""
        await self._do(lambda: _checkout(self.path, commit, folder))

    async def diff(self, a: str, b: str, colour: bool = False) -> str:
        """Unified diff from commit (or tree) `a` to `b`; renames show as a deletion and an addition."""
        return await self._do(lambda: _diff(self.path, _hash(a), _hash(b), colour))

    async def merge(self, texts: tuple[str, str, str], signs: int) -> str:
        """Git's merge of (ours, base, theirs); clashes are shown in diff3 style between markers of `signs` signs."""
        return await self._do(lambda: _merge(self.path, texts, signs))

    async def refs(self) -> dict[str, str]:
        """Candidate id -> commit, of all that is published."""
        return await self._do(lambda: _refs(self.path))

    async def fsck(self) -> list[str]:
        """What `git fsck` finds wrong, one line each; empty if the repository is sound."""
        return await self._do(lambda: _fsck(self.path))

    async def tidy(self, keep: Collection[str]) -> list[str]:
        """Remove what a killed process left: lock files, scratch files, and refs of ids that are not in `keep`.

        Only for the holder of the run lock: a live git process would lose its locks. Returns what was removed.
        """
        return await self._do(lambda: _tidy(self.path, frozenset(keep)))

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _plant(path: Path, files: Mapping[str, bytes]) -> Candidate:
    for name, data in files.items():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{name!r} of the baseline is no UTF-8 text ({error}); convert it") from error
    tree = _write_tree(path, files)
    commit = _commit(path, tree, None, (0, "The baseline"))
    _publish(path, BASELINE, commit)
    return Candidate(BASELINE, 0, None, commit, tree)


def _child(path: Path, place: tuple[str, Candidate, int], message: str) -> Candidate:
    tree, parent, iteration = place
    if iteration < 1:
        raise ValueError(f"a child is born in iteration 1 or later, not {iteration!r}")
    commit = _commit(path, tree, parent.commit, (iteration, message))
    diff = _diff(path, f"refs/heads/{BASELINE}", commit, colour=False)
    return Candidate(f"c{iteration}", iteration, parent.id, commit, tree, diff)


def _commit(path: Path, tree: str, parent: str | None, what: tuple[int, str]) -> str:
    iteration, message = what
    date = (EPOCH + timedelta(minutes=iteration)).strftime("%Y-%m-%dT%H:%M:%S+0000")
    identity = {
        f"GIT_{who}_{key}": value
        for who in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", NAME), ("EMAIL", EMAIL), ("DATE", date))
    }
    parents = ("-p", _hash(parent)) if parent is not None else ()
    subject = message.replace("\0", "\ufffd").strip() or f"Candidate c{iteration}"
    data = (subject + "\n").encode("utf-8", "replace")
    return git(path, "commit-tree", _hash(tree), *parents, data=data, env=identity).decode().strip()


def _publish(path: Path, name: str, commit: str) -> None:
    if not ID.fullmatch(name):
        raise ValueError(f"{name!r} is no candidate id; ids are c0, c1, ...")
    try:
        git(path, "update-ref", f"refs/heads/{name}", _hash(commit), NOTHING)
    except StorageError as error:
        there = _refs(path).get(name)
        if there is None:
            raise
        if there != commit:
            raise StorageError(f"{name!r} is published already as {there}, not as {commit}") from error


def _write_tree(path: Path, files: Mapping[str, bytes]) -> str:
    refuse_odd_paths(files)
    try:
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=path) as folder:
            blobs = _hash_objects(path, Path(folder), list(files.values()))
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            lines = (f"100644 {blob}\t{name}\0" for name, blob in zip(files, blobs, strict=True))
            git(path, "update-index", "-z", "--index-info", data="".join(lines).encode("utf-8"), env=index)
            return git(path, "write-tree", env=index).decode().strip()
    except OSError as error:
        raise StorageError(
            f"cannot write into the repository {str(path)!r}: {error}. {remedy(error)}"
        ) from error


def _hash_objects(path: Path, folder: Path, texts: list[bytes]) -> list[str]:
    """Store blobs. The bytes go through numbered files, so no path that a model wrote touches the disk here."""
    for number, data in enumerate(texts):
        (folder / str(number)).write_bytes(data)
    lines = "".join(f"{folder.name}/{number}\n" for number in range(len(texts)))
    return (
        git(path, "hash-object", "-w", "--no-filters", "--stdin-paths", data=lines.encode()).decode().split()
    )


def _entries(path: Path, tree: str) -> list[Entry]:
    lines = git(path, "ls-tree", "-r", "-t", "-z", "--long", "--full-tree", _hash(tree))
    return listing(lines)


def _blobs(path: Path, commit: str) -> dict[str, bytes]:
    entries = regular_files(_entries(path, commit))
    asked = "".join(f"{entry.id}\n" for entry in entries).encode()
    return contents(entries, git(path, "cat-file", "--batch", data=asked))


def _texts(path: Path, commit: str) -> dict[str, str]:
    try:
        return {name: data.decode("utf-8") for name, data in _blobs(path, commit).items()}
    except UnicodeDecodeError as error:
        raise StorageError(f"a file of {commit} is no UTF-8 text: {error}") from error


def _checkout(path: Path, commit: str, folder: Path) -> None:
    blobs = _blobs(path, commit)
    refuse_odd_paths(blobs)
    try:
        folder.mkdir(parents=True)
        for name, data in blobs.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as file:
                file.write(data)
    except OSError as error:
        raise StorageError(f"cannot write {commit} to {str(folder)!r}: {error}. {remedy(error)}") from error


def _diff(path: Path, a: str, b: str, colour: bool) -> str:
    shade = "--color=always" if colour else "--no-color"
    return git(path, "diff-tree", *DIFF, shade, a, b).decode("utf-8", "replace")


def _merge(path: Path, texts: tuple[str, str, str], signs: int) -> str:
    try:
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=path) as folder:
            ours, base, theirs = (Path(folder) / name for name in ("ours", "base", "theirs"))
            for place, text in zip((ours, base, theirs), texts, strict=True):
                place.write_bytes(text.encode("utf-8"))
            return merge_file(path, (ours, base, theirs), signs).decode("utf-8")
    except OSError as error:
        raise StorageError(f"cannot merge in {str(path)!r}: {error}. {remedy(error)}") from error


def _refs(path: Path) -> dict[str, str]:
    lines = git(path, "for-each-ref", "--format=%(refname:strip=2) %(objectname)", "refs/heads").decode()
    pairs = [line.split(" ") for line in lines.splitlines()]
    return dict(sorted(pairs, key=lambda one: (len(one[0]), one[0])))


def _fsck(path: Path) -> list[str]:
    status, out, complaints = run(path, FSCK, b"", {})
    found = (out.decode("utf-8", "replace") + complaints).splitlines()
    return found or [f"git fsck ended with {status}"] if status else []


def _tidy(path: Path, keep: frozenset[str]) -> list[str]:
    removed: list[str] = []
    try:
        left = [*path.rglob("*.lock"), *path.glob(f"{SCRATCH}*"), *path.glob("objects/**/tmp_*")]
        for one in left:
            if one.is_dir():
                shutil.rmtree(one)
            else:
                one.unlink(missing_ok=True)
            removed.append(str(one.relative_to(path)))
    except OSError as error:
        raise StorageError(f"cannot remove what a killed process left in {str(path)!r}: {error}") from error
    for name, commit in _refs(path).items():
        if name not in keep:
            git(path, "update-ref", "-d", f"refs/heads/{name}", commit)
            removed.append(f"refs/heads/{name}")
    return removed


def _hash(text: str) -> str:
    """The text if it is a full object name; so nothing that begins with a dash ever reaches git."""
    if not HASH.fullmatch(text):
        raise ValueError(f"{text!r} is no full git hash")
    return text
