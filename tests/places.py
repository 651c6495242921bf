"""Folders in which the command is run as its users run it, on good disks and bad ones; and what must hold afterwards."""

import atexit
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from click.testing import CliRunner
from run_facts import write_documents

from evolve.cli import cli

SECONDS = 120
OURS = re.compile(
    r'^Traceback|File "[^"]*/(evolve|harness)/(?!guest)', re.MULTILINE
)  # a scaffold's own may be quoted
SIZES = "[documents]\npath = 'documents'\nminibatch = 1\nvalidation = 2\ntest = 2\n"
QUICK = "[search]\nsurvival = 'strict'\n"  # decisions that cost few rollouts
SETTINGS = f"{SIZES}{QUICK}[measure.allowance]\nsubmissions = 1\n"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def refused(self, code: int, *words: str) -> None:
        """It ended with this code and an error that holds these words, without a traceback of ours."""
        told = self.out + self.err
        assert not OURS.search(told), told
        assert self.code == code, told
        assert "error: " in self.err.lower(), told
        missing = [word for word in words if word not in self.err]
        assert not missing, f"{missing} not in {self.err!r}"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "evolve", *arguments]


def evolve(folder: Path, *arguments: str, **environment: str) -> Done:
    """Run the command in a folder as a shell would, and wait for it."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def clicked(folder: Path, *arguments: str) -> Done:
    """Run the command in this process, for what does not depend on one; anything it raises comes through."""
    name, *rest = arguments
    options = [name, "--db", str(folder / "population.db"), *rest]
    result = CliRunner().invoke(cli, options, catch_exceptions=False)
    return Done(result.exit_code, result.stdout, result.stderr)


def prepared(folder: Path, settings: str = SETTINGS, documents: int = 40) -> Path:
    """A folder with documents and small settings, in which nothing was run."""
    folder.mkdir(parents=True, exist_ok=True)
    write_documents(folder / "documents", range(documents))
    (folder / "evolve.toml").write_text(settings)
    return folder


@cache
def recorded() -> Path:
    """A finished run of one iteration, made once a process; copy it to change it."""
    folder = prepared(Path(mkdtemp(prefix="evolve-recorded-")))
    atexit.register(shutil.rmtree, folder, True)
    done = clicked(folder, "run", "--iterations", "1", "--workers", "2")
    assert done.code == 0, done.err
    return folder


def copied(folder: Path) -> Path:
    """A copy of the recorded run, with its log emptied into the database: one file to damage."""
    shutil.copytree(recorded(), folder, dirs_exist_ok=True)
    for name in ("population.db-wal", "population.db-shm"):
        (folder / name).unlink(missing_ok=True)
    return folder


def sound(folder: Path) -> None:
    """Everything that is recorded agrees."""
    done = clicked(folder, "verify")
    assert done.code == 0, done.out + done.err


@dataclass(frozen=True)
class Disk:
    """A disk of its own that only commands run by `evolve` see at `inside`; from outside it is seen at `folder`."""

    holder: int
    inside: Path

    @property
    def folder(self) -> Path:
        return Path(f"/proc/{self.holder}/root{self.inside}")

    def enter(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        there = [
            "sh",
            "-c",
            'cd "$0" && exec "$@"',
            str(self.inside),
        ]  # only now does that folder mean the disk
        return subprocess.run(
            ["nsenter", f"--target={self.holder}", "--mount", *user, *there, *arguments],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def evolve(self, *arguments: str) -> Done:
        done = self.enter(*command(*arguments))
        return Done(done.returncode, done.stdout, done.stderr)

    def copy(self, to: Path) -> Path:
        """What is on the disk, without the filler, where anything can open it (SQLite follows no link of /proc)."""
        shutil.rmtree(to, ignore_errors=True)
        return Path(shutil.copytree(self.folder, to, ignore=shutil.ignore_patterns("filler")))

    def read_only(self) -> None:
        done = self.enter("mount", "-o", "remount,bind,ro", str(self.inside))
        assert done.returncode == 0, done.stderr

    def leave_free(self, size: int) -> None:
        """Fill the disk with a file until `size` bytes are free."""
        self.clear()
        free = shutil.disk_usage(self.folder).free
        with (self.folder / "filler").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, free - size))

    def clear(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)


@contextmanager
def disk(inside: Path, size: int) -> Iterator[Disk]:
    """A disk of `size` bytes in memory, mounted where only we see it. Skips the test where that is not allowed."""
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    script = f"mount -t tmpfs -o size={size},mode=0755 disk {inside} && echo ready && exec cat"
    held = ["unshare", *user, "--mount", "sh", "-c", script]
    inside.mkdir(exist_ok=True)
    try:
        holder = subprocess.Popen(
            held, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    except FileNotFoundError:
        pytest.skip("needs `unshare` to mount a disk of its own")
    with holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != "ready\n":
            pytest.skip(f"no disk of our own can be mounted here: {holder.stderr.read().strip()}")
        yield Disk(holder.pid, inside)
