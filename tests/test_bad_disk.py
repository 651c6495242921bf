"""The command on disks that are full, fill up, or cannot be written: it says so, and nothing that was recorded is lost."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import (
    SECONDS,
    SETTINGS,
    Disk,
    Done,
    clicked,
    command,
    copied,
    disk,
    evolve,
    prepared,
    recorded,
    sound,
)
from run_facts import differences, facts, query

MEGABYTE = 1_000_000
PAGE = 4096
RUN = ("run", "--iterations", "1", "--workers", "2")
TABLES = "SELECT 1 FROM sqlite_master WHERE name = 'runs'"
LEAVE_LOG = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("UPDATE sessions SET pid = pid + 1")
connection.commit()
os._exit(0)
"""
NO_FLOOR = f"{SETTINGS}[storage]\nfree_space = 0\n"
READING = ("status", "log", "show c0", "diff c0", "verify")


def fill_again_and_again(tmp_path: Path, step: int) -> list[str]:
    """Run on a disk with ever more room until it is enough; after each failure everything must agree. The messages."""
    told: list[str] = []
    with disk(tmp_path / "disk", 64 * MEGABYTE) as place:
        prepared(place.folder, NO_FLOOR)
        room = 20_000
        while (done := attempt(place, room)).code:
            done.refused(1)
            told.append(done.err.splitlines()[-1])
            check(place.copy(tmp_path / "kept"))
            room = room + step if room > 4 * MEGABYTE else 4 * MEGABYTE + step
            assert room < 16 * MEGABYTE
        place.clear()
        again = place.evolve(*RUN)
        assert again.code == 0, again.err
        kept = place.copy(tmp_path / "kept")
    sound(kept)
    assert differences(facts(recorded()), facts(kept)) == []
    return told


def attempt(place: Disk, room: int) -> Done:
    place.leave_free(room)
    return place.evolve(*RUN)


def check(folder: Path) -> None:
    """What is recorded agrees; and a session that began was ended, in the space of the reserve."""
    if not (folder / "population.db").exists() or not query(folder / "population.db", TABLES):
        return
    if not query(folder / "population.db", "SELECT run FROM runs"):
        return
    sound(folder)
    outcomes = query(folder / "population.db", "SELECT outcome FROM sessions ORDER BY number")
    assert all(one == ("failed",) for one in outcomes), outcomes


def test_a_disk_that_is_full_at_one_place_after_another(tmp_path: Path) -> None:
    """Each failure names the disk and the remedy, everything agrees, and in the end the run is as if it had had room."""
    told = fill_again_and_again(tmp_path, 300_000)
    assert len(told) >= 3, told
    for line in told:
        # where the index of its log cannot grow, SQLite calls a full disk an I/O error
        assert any(
            words in line for words in ("disk is full", "No space left on device", "disk I/O error")
        ), line
        assert "ree some space" in line, line


@pytest.mark.slow
def test_a_disk_that_is_full_at_very_many_places(tmp_path: Path) -> None:
    """The same a page at a time, so that nearly every write is refused at some time."""
    told = " ".join(fill_again_and_again(tmp_path, PAGE))
    for place in ("population.db", "calls.db", "candidates.git"):
        assert place in told


def test_a_disk_that_is_full_for_traces_alone(tmp_path: Path) -> None:
    """The trace is named, nothing is recorded without its trace, and with room the same command goes on."""
    folder = prepared(tmp_path / "here", NO_FLOOR)
    run = command(*RUN, "--db", str(folder / "population.db"))
    (folder / "runs/run-001").mkdir(parents=True)
    with disk(folder / "runs/run-001/traces", MEGABYTE) as place:
        place.leave_free(PAGE)
        done = place.enter(*run)
        Done(done.returncode, done.stdout, done.stderr).refused(
            1, "the trace", "No space left on device", "ree some"
        )
        check(folder)
        assert query(folder / "population.db", "SELECT number FROM iterations") == []
        place.clear()
        done = place.enter(*run)
        assert done.returncode == 0, done.stderr
        shutil.copytree(place.folder, tmp_path / "traces")
    shutil.copytree(tmp_path / "traces", folder / "runs/run-001/traces", dirs_exist_ok=True)
    sound(folder)
    assert differences(facts(recorded()), facts(folder)) == []


def test_too_little_free_space_stops_a_run_before_and_while_it_works(tmp_path: Path) -> None:
    """Where less is free than the settings want, it says how much is, where, and what to do; then it goes on."""
    with disk(tmp_path / "disk", 20 * MEGABYTE) as place:
        prepared(place.folder)
        place.evolve(*RUN).refused(1, "only 19 MB are free", str(place.inside), "200 MB", "free_space")
        assert not (place.folder / "population.db").exists()
        (place.folder / "evolve.toml").write_text(f"{SETTINGS}[storage]\nfree_space = 10\n")
        place.leave_free(10 * MEGABYTE + 100_000)
        place.evolve(*RUN).refused(1, "only 9 MB are free", "run the same command again")
        halfway = place.copy(tmp_path / "halfway")
        place.clear()
        assert place.evolve(*RUN).code == 0
        kept = place.copy(tmp_path / "kept")
    assert query(halfway / "population.db", "SELECT number FROM iterations") == [(0,)]
    assert query(halfway / "population.db", "SELECT outcome FROM sessions") == [("failed",)]
    sound(halfway)
    sound(kept)
    assert differences(facts(recorded()), facts(kept)) == []
    assert not list(kept.rglob("reserve"))


@pytest.mark.parametrize("log", ["no log", "empty log", "log"])
def test_a_read_only_folder_can_be_read(tmp_path: Path, log: str) -> None:
    """Everything that reads works on read-only media; a run is refused by name."""
    with disk(tmp_path / "disk", 20 * MEGABYTE) as place:
        with_log(place, log)
        place.read_only()
        place.evolve("run", "--iterations", "2").refused(
            1, "runs/run-001/lock", "Read-only file system", "folder"
        )
        for one in READING if log == "no log" else ("verify",):
            done = place.evolve(*one.split())
            assert done.code == 0, done.err


def with_log(place: Disk, log: str) -> None:
    """The recorded run on that disk, with what a process may have left beside its database."""
    here = copied(place.folder)
    (here / "evolve.toml").write_text(NO_FLOOR)
    if log == "empty log":
        (here / "population.db-wal").write_bytes(b"")
    if log == "log":
        done = place.enter(sys.executable, "-c", LEAVE_LOG, "population.db")
        assert done.returncode == 0, done.stderr
        assert (here / "population.db-wal").stat().st_size


def test_a_log_without_its_index_cannot_be_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    """It says so and what to do, instead of showing what may be older than what was recorded."""
    with disk(tmp_path / "disk", 20 * MEGABYTE) as place:
        with_log(place, "log")
        (place.folder / "population.db-shm").unlink()
        place.read_only()
        place.evolve("status").refused(1, "population.db-wal", "copy the whole folder")
        kept = place.copy(tmp_path / "kept")
    assert "run-001" in clicked(kept, "status").out


def test_a_run_cannot_start_in_a_read_only_folder(tmp_path: Path) -> None:
    """The folder is named, and the remedy."""
    with disk(tmp_path / "disk", 20 * MEGABYTE) as place:
        prepared(place.folder, NO_FLOOR)
        place.read_only()
        place.evolve(*RUN).refused(1, "runs/run-001", "Read-only file system", "a folder that you can write")


@pytest.mark.slow
@pytest.mark.parametrize("when", ["3", "12+", "40"])
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "fsync"])
def test_a_disk_that_fails(tmp_path: Path, call: str, when: str) -> None:
    """An input/output error of one write or sync, or of all from then on, is named; the same command goes on later."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace to let system calls fail")
    prepared(tmp_path)
    failing = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}"]
    failing += ["-e", f"inject={call}:error=EIO:when={when}", *command(*RUN)]
    done = subprocess.run(failing, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:  # the number may be larger than the number of such calls in any one process
        Done(done.returncode, done.stdout, done.stderr).refused(
            1, "dmesg" if "journal" not in done.stderr else "mend"
        )
    assert evolve(tmp_path, *RUN).code == 0
    sound(tmp_path)
    assert differences(facts(recorded()), facts(tmp_path)) == []
