"""The machine's share: Python, SQLite, git and the limit on open files. Whether confinement works is in services.py."""

import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

from evolve.checks import Finding, bad, ok, warn
from evolve.settings import Settings

Version = tuple[int, ...]
OLDEST_PYTHON: Version = (3, 11)
NEWEST_PYTHON: Version = (3, 14)
WAL_RESET_FIXED: Version = (3, 51, 3)
WAL_RESET_BACKPORTS: tuple[tuple[Version, Version], ...] = (((3, 44, 6), (3, 45)), ((3, 50, 7), (3, 51)))
OLDEST_GIT: Version = (2, 7)  # for-each-ref with strip=
SYNCING_GIT: Version = (2, 36)  # core.fsync
GIT_SECONDS = 20.0
DESCRIPTORS_OF_A_ROLLOUT = 8  # two socket pairs, the filter, the process and what starting it needs
DESCRIPTORS_OF_THE_REST = 64


def python(found: Version | None = None) -> Finding:
    """The version of the interpreter, `sys.version_info` unless given."""
    has = found or tuple(sys.version_info[:3])
    text = f"{dotted(has)} at {sys.executable}"
    if has < OLDEST_PYTHON:
        return bad("python", text, f"install evolve with Python {dotted(OLDEST_PYTHON)} or newer")
    if has[:2] > NEWEST_PYTHON:
        newest = dotted(NEWEST_PYTHON)
        return warn("python", f"{text}, newer than evolve was tried with", f"if it fails, use {newest}")
    return ok("python", text)


def sqlite(found: Version | None = None) -> Finding:
    """The SQLite library that this Python is linked with, unless another version is given."""
    has = found or sqlite3.sqlite_version_info
    if found is None and not _reads_json():
        return bad(
            "sqlite", f"{dotted(has)} without JSON functions", "use a Python whose SQLite is 3.38 or newer"
        )
    if has >= WAL_RESET_FIXED or any(first <= has < end for first, end in WAL_RESET_BACKPORTS):
        return ok("sqlite", dotted(has))
    return warn(
        "sqlite",
        f"{dotted(has)} has the WAL-reset race: two connections that write and checkpoint in the same instant can "
        "damage a database. Unlikely here: one process writes, its one connection alone checkpoints",
        f"no hurry; a Python with SQLite {dotted(WAL_RESET_FIXED)} (or 3.50.7, 3.44.6) is free of it. "
        "Until then let no other program write into population.db during a run",
    )


def _reads_json() -> bool:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("SELECT value FROM json_each('[1]')").fetchall()
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


def git() -> Finding:
    """The git that GitPython will start, and its version."""
    wanted = os.environ.get("GIT_PYTHON_GIT_EXECUTABLE") or "git"
    where = shutil.which(wanted)
    if where is None:
        name = "" if wanted == "git" else " (GIT_PYTHON_GIT_EXECUTABLE names it)"
        return bad("git", f"{wanted!r} is not found{name}", "install git, for instance: apt-get install git")
    try:
        library = version("gitpython")
        done = subprocess.run(
            [where, "version"], capture_output=True, text=True, timeout=GIT_SECONDS, check=True
        )
    except PackageNotFoundError:
        return bad("git", "the package GitPython is missing", "pip install gitpython")
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        return bad("git", f"{where} does not run: {error}", "reinstall git")
    return git_version(done.stdout, f"at {where}, GitPython {library}")


def git_version(said: str, where: str) -> Finding:
    """What `git version` printed, against what the code needs of git."""
    numbers = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    if numbers is None:
        return bad("git", f"`git version` says {said.strip()[:80]!r}", "reinstall git")
    has = tuple(int(one or 0) for one in numbers.groups())
    text = f"{dotted(has)} {where}"
    if has < OLDEST_GIT:
        return bad("git", text, f"install git {dotted(OLDEST_GIT)} or newer")
    if has < SYNCING_GIT:
        wanted = dotted(SYNCING_GIT)
        return warn(
            "git", f"{text}; it does not sync what it writes to the disk", f"install git {wanted} or newer"
        )
    return ok("git", text)


def open_files(settings: Settings, limit: int | None = None) -> Finding:
    """The limit on open files (`ulimit -n` unless given) against what all call slots and live rollouts may need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    has = soft if limit is None else limit
    models = settings.models.values()
    slots = {one.account: max(each.slots for each in models if each.account == one.account) for one in models}
    connections, live = sum(slots.values()), 2 * max(slots.values())
    need = DESCRIPTORS_OF_THE_REST + connections + DESCRIPTORS_OF_A_ROLLOUT * live
    if has == resource.RLIM_INFINITY or has >= need:
        return ok(
            "open files",
            f"{'no limit' if has == resource.RLIM_INFINITY else f'{has:,}'}; {need:,} may be needed",
        )
    within = hard == resource.RLIM_INFINITY or hard >= need
    raised = (
        f"`ulimit -n {need}` in this shell" if within else f"raise the hard limit ({hard:,}) in limits.conf"
    )
    text = f"{has:,}, but {live} rollouts at once and {connections} connections may need {need:,}"
    return warn("open files", text, f"{raised}, or fewer `slots` in evolve.toml")


def dotted(numbers: Version) -> str:
    return ".".join(map(str, numbers))
