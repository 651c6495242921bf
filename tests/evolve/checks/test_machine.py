"""The machine's checks against versions and limits of every kind."""

from pathlib import Path

import pytest

from evolve.checks import State, machine
from evolve.settings import Settings


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ((3, 40, 1), "warn"),
        ((3, 44, 5), "warn"),
        ((3, 44, 6), "ok"),
        ((3, 45, 0), "warn"),
        ((3, 50, 6), "warn"),
        ((3, 50, 7), "ok"),
        ((3, 51, 2), "warn"),
        ((3, 51, 3), "ok"),
        ((4, 0, 0), "ok"),
    ],
)
def test_sqlite_versions_with_the_wal_reset_race(version: tuple[int, ...], state: State) -> None:
    """Only the fixed versions and the back-ports are free of it."""
    assert machine.sqlite(version).state == state


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("git version 2.39.5", "ok"),
        ("git version 2.36.0.windows.1", "ok"),
        ("git version 2.35.9 (Apple Git-137)", "warn"),
        ("git version 1.8.3.1", "bad"),
        ("no version", "bad"),
    ],
)
def test_git_versions(said: str, state: State) -> None:
    """Too old is bad, one that does not sync its objects a warning."""
    assert machine.git_version(said, "at git").state == state


def test_git_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git on the path it is bad, with what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("GIT_PYTHON_GIT_EXECUTABLE", raising=False)
    found = machine.git()
    assert found.state == "bad"
    assert "install git" in found.remedy


def test_open_files_against_the_slots() -> None:
    """The limit that is needed grows with the slots of every account, counted once."""
    assert machine.open_files(Settings(), 10_000).state == "ok"
    few = machine.open_files(Settings(), 200)
    assert few.state == "warn"
    assert "336" in few.found  # 64, 16 connections and twice 16 rollouts of 8


def test_python_versions() -> None:
    """Older than supported is bad, newer than tried a warning."""
    states = [machine.python(one).state for one in ((3, 10, 9), (3, 11, 0), (3, 14, 1), (3, 15, 0))]
    assert states == ["bad", "ok", "ok", "warn"]
