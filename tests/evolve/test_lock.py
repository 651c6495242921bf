"""The lock between processes: who is refused, what it says, when it is free."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evolve.lock import RunLock
from evolve.lock import holder as who_holds
from harness.errors import StorageError

HOLD = """
import subprocess, sys
from pathlib import Path
from evolve.lock import RunLock
RunLock(Path(sys.argv[1])).acquire()
if sys.argv[2] == "child":
    subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"])
print("held", flush=True)
sys.stdin.read()
"""


def holder(path: Path, more: str = "") -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("more", ["", "child"])
def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path: Path, more: str) -> None:
    """The refusal names the holder; kill -9 frees the lock at once, even while a child of the holder lives on."""
    path = tmp_path / "lock"
    with holder(path, more) as process:
        with pytest.raises(
            StorageError, match=rf"in use by another process \(pid {process.pid} on .*locked at 2"
        ):
            RunLock(path).acquire()
        process.kill()
        process.wait()
        with RunLock(path) as lock:
            assert lock.held


def test_the_same_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    """Two objects exclude each other, one object refuses to nest, and a released lock can be taken again."""
    first, second = RunLock(tmp_path / "deep" / "lock"), RunLock(tmp_path / "deep" / "lock")
    with first:
        with pytest.raises(StorageError, match="in use"):
            second.acquire()
        with pytest.raises(StorageError, match="locked already"):
            first.acquire()
    with second:
        assert not first.held
    second.release()


def test_a_lock_file_that_is_left_behind_means_nothing(tmp_path: Path) -> None:
    """Only the kernel's lock counts; old text in the file is replaced, not appended to."""
    path = tmp_path / "lock"
    path.write_text("pid 1 on elsewhere, locked at 1999\n" * 50)
    with RunLock(path):
        assert "1999" not in path.read_text()


def test_a_lock_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    """A file where the folder should be is reported with its path."""
    (tmp_path / "run").write_text("")
    with pytest.raises(StorageError, match=r"cannot open the lock file .*run/lock"):
        RunLock(tmp_path / "run" / "lock").acquire()


def test_who_only_asks_is_told_and_disturbs_nobody(tmp_path: Path) -> None:
    """The holder is named while there is one; a free or missing lock has none, and can be taken at once."""
    place = tmp_path / "lock"
    assert who_holds(place) == ""
    with RunLock(place):
        assert who_holds(place).startswith(f"pid {os.getpid()} on ")
    assert who_holds(place) == ""
    with RunLock(place):
        pass


def test_somebody_who_asks_at_that_very_moment_is_no_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking takes a shared lock for an instant; who wants the lock then looks a second time."""
    place = tmp_path / "lock"
    place.touch()
    asker = place.open("rb")
    fcntl.flock(asker, fcntl.LOCK_SH | fcntl.LOCK_NB)
    monkeypatch.setattr("evolve.lock.time.sleep", lambda seconds: asker.close())
    with RunLock(place) as lock:
        assert lock.held and asker.closed
