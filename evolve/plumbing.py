"""One git process from start to end, shut off from the user's configuration and environment; the one importer of GitPython.

Which commands make a candidate of files is in repository.py, what they print is read in objects.py.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from evolve.disk import no_room
from evolve.objects import advice
from harness.errors import StorageError

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
SETTINGS = {
    "gc.auto": "0",
    "gc.autoDetach": "false",
    "maintenance.auto": "false",
    "core.fsync": "loose-object,reference",
    "core.hooksPath": "/dev/null",
    "core.attributesFile": "/dev/null",
    "attr.tree": EMPTY_TREE,
}


def git(path: Path, *command: str, data: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    """What a git command prints. `data` is its standard input, `env` what it finds besides our own environment.

    Raises:
        StorageError: git does not work here, or it failed; with what it said and what to do.
    """
    status, out, complaints = run(path, command, data, env or {})
    if status:
        said = " ".join(complaints.split())
        what = "No space left on device" if no_room(path) else said  # git does not always tell
        raise StorageError(f"git {command[0]} failed in {str(path)!r} with {status}: {said}. {advice(what)}")
    return out


def merge_file(path: Path, texts: tuple[Path, Path, Path], signs: int) -> bytes:
    """Three-way merge of the files (ours, base, theirs); clashes stand in it in diff3 style, markers `signs` long.

    `git merge-file` is older than `git merge-tree --write-tree` and does the same with one file.

    Raises:
        StorageError: git does not work here, or it failed.
    """
    command = ("merge-file", "-p", "-q", "--diff3", f"--marker-size={signs}", *map(str, texts))
    status, out, complaints = run(path, command, b"", {})
    if not 0 <= status <= 127:  # up to there it counts the clashes
        said = " ".join(complaints.split())
        raise StorageError(f"git merge-file failed in {str(path)!r} with {status}: {said}. {advice(said)}")
    return out


def run(path: Path, command: Sequence[str], data: bytes, env: Mapping[str, str]) -> tuple[int, bytes, str]:
    """The same for a command that may fail: exit status, output, complaints.

    Raises:
        StorageError: git does not work here.
    """
    try:
        from git import Git  # importing it starts git, so it is done at the first use
        from git.exc import GitCommandNotFound
    except ImportError as error:
        said = str(error).strip().partition("\n")[0].rstrip(".")
        raise StorageError(f"git does not work here: {said}. Install git and put it on the PATH") from error
    # Two doors are closed twice: a git older than 2.32 knows no GIT_CONFIG_GLOBAL and reads the home folder.
    ours = {
        "GIT_DIR": str(path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_DEFAULT_HASH": "sha1",
        "GIT_DEFAULT_REF_FORMAT": "files",
        "HOME": str(path),
        "XDG_CONFIG_HOME": str(path),
        **env,
    }
    foreign = [("-u", name) for name in os.environ if name.startswith("GIT_") and name not in ours]
    prefix = ["env", *(part for pair in foreign for part in pair)] if foreign else []
    settings = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
    arguments = [*prefix, Git.GIT_PYTHON_GIT_EXECUTABLE or "git", *settings, *command]
    try:
        running = Git(path).execute(
            arguments, istream=subprocess.PIPE, as_process=True, env=ours, start_new_session=True
        )
        out, complaints = running.communicate(data)
    except (GitCommandNotFound, OSError) as error:
        raise StorageError(f"cannot run git in {str(path)!r}: {error}. {advice(str(error))}") from error
    return running.returncode, out, complaints.decode("utf-8", "replace")
