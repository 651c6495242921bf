"""Signals to a running command: once it ends in order, twice at once, and either way the same command goes on."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from places import SECONDS, SETTINGS, clicked, command, evolve, prepared, recorded, sound
from processes import children
from run_facts import calls, differences, facts, query

from evolve.stopping import REPEATED

RUN = ("run", "--iterations", "1", "--workers", "2")
SLOW, QUICK = (f"{SETTINGS}[simulation]\nlatency = {seconds}\n" for seconds in (60.0, 0.0))
PROMPT = 3.0  # seconds that "at once" may take on a busy machine


@contextmanager
def running(folder: Path, settings: str) -> Iterator["subprocess.Popen[str]"]:
    """The run as a process of its own group, killed in the end if it is still there."""
    (folder / "evolve.toml").write_text(settings)
    process = subprocess.Popen(
        command(*RUN),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def paid(folder: Path) -> int:
    try:
        return calls(folder)
    except sqlite3.Error:  # not there yet
        return 0


def wait_until(process: "subprocess.Popen[str]", line: str) -> str:
    """What it said up to the line that holds these words."""
    assert process.stderr is not None
    told = ""
    while line not in told:
        said = process.stderr.readline()
        assert said, f"it ended before it said {line!r}: {told}"
        told += said
    return told


def wait_for_sandboxes(folder: Path, wanted: bool) -> bool:
    """Whether sandboxes below the folder are (or are no longer) there, within some seconds."""
    ends = time.monotonic() + PROMPT
    while time.monotonic() < ends:
        if any(sandboxes(folder)) == wanted:
            return True
        time.sleep(0.01)
    return False


def sandboxes(folder: Path) -> Iterator[int]:
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if str(folder / "runs").encode() in line:
            yield int(place.parent.name)


def goes_on(folder: Path) -> None:
    """The same command ends the run as if nothing had happened."""
    (folder / "evolve.toml").write_text(QUICK)
    done = evolve(folder, *RUN)
    assert done.code == 0, done.err
    sound(folder)
    assert differences(facts(recorded()), facts(folder)) == []


def test_once_awaits_what_is_in_flight_and_twice_ends_at_once(tmp_path: Path) -> None:
    """The first says what it waits for and how to do without; the second leaves a run that goes on; nothing stays behind."""
    with running(prepared(tmp_path), SLOW) as process:
        wait_until(process, "evolve: baseline")
        assert wait_for_sandboxes(tmp_path, True)
        time.sleep(0.5)  # until its calls are in flight; nothing tells that from outside
        second = clicked(tmp_path, *RUN)
        second.refused(1, "runs/run-001' is in use by another process", f"pid {process.pid}")
        process.send_signal(signal.SIGINT)
        told = wait_until(process, "Ctrl-C again stops now")
        assert "in flight and paid for; waiting for" in told
        assert process.poll() is None
        time.sleep(2 * REPEATED)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=SECONDS)
        assert time.monotonic() - began < PROMPT
    assert process.returncode == 130
    assert "the same command goes on" in rest
    assert "Traceback" not in told + rest
    assert wait_for_sandboxes(tmp_path, False)
    sound(tmp_path)
    goes_on(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """What is in flight is recorded, the session is closed, the command that goes on is named."""
    slowish = SLOW.replace("60.0", "0.4")
    with running(prepared(tmp_path), slowish) as process:
        wait_until(process, "evolve: baseline")
        while paid(tmp_path) < 3:
            time.sleep(0.02)
        process.send_signal(number)
        before = paid(tmp_path)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (130, "")
    assert "`evolve run` goes on" in err
    assert "Traceback" not in err
    if "in flight" in err:
        assert paid(tmp_path) > before
    assert query(tmp_path / "population.db", "SELECT outcome FROM sessions") == [("stopped",)]
    sound(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_killed_run_goes_on(tmp_path: Path, share: float) -> None:
    """SIGKILL at several moments: everything agrees, and the same command ends the run as if nothing had happened."""
    with running(prepared(tmp_path), QUICK) as process:
        while process.poll() is None and paid(tmp_path) < share * calls(recorded()):
            time.sleep(0.005)
        process.kill()
    if query_runs(tmp_path):
        sound(tmp_path)
    goes_on(tmp_path)


def test_ctrl_c_while_the_command_is_imported_says_nothing(tmp_path: Path) -> None:
    """No traceback of the import that was interrupted."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
    done = evolve(tmp_path, "status")  # with -m, what lies here is found first
    assert (done.code, done.out, done.err) == (130, "", "")


def query_runs(folder: Path) -> bool:
    try:
        return bool(query(folder / "population.db", "SELECT run FROM runs"))
    except sqlite3.Error:
        return False


def test_a_hangup_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As under `nohup`: the terminal goes, the run goes on."""
    prepared(tmp_path)
    code = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.executable, sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", code, *command(*RUN)], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(process, "evolve: baseline")
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 0


def test_a_terminal_that_is_gone_ends_a_run_in_order(tmp_path: Path) -> None:
    """The hangup of a terminal nobody can write to any more leaves a closed session."""
    prepared(tmp_path, SLOW.replace("60.0", "0.4"))
    leader, follower = os.openpty()
    with subprocess.Popen(
        command(*RUN), cwd=tmp_path, stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    ) as process:
        os.close(follower)
        while paid(tmp_path) < 3:
            os.read(leader, 65536)
        os.close(leader)
        process.send_signal(signal.SIGHUP)
        process.wait(SECONDS)
    assert process.returncode == 130
    assert query(tmp_path / "population.db", "SELECT outcome FROM sessions") == [("stopped",)]
    sound(tmp_path)


def test_simulations_end_with_the_command_that_started_them(tmp_path: Path) -> None:
    """A killed `evolve null` leaves no process of its pool behind, where they would wait for ever."""
    words = command("null", "--runs", "100000", "--processes", "2")
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        assert happens(lambda: len(children(process.pid)) == 3)  # with the pool's resource tracker
        time.sleep(0.5)  # until they are at work; nothing tells that from outside
        left = children(process.pid)
        process.kill()
    assert happens(lambda: not any(Path(f"/proc/{one}").exists() for one in left))


def happens(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true before long."""
    ends = time.monotonic() + SECONDS
    while not (true := condition()) and time.monotonic() < ends:
        time.sleep(0.01)
    return true
