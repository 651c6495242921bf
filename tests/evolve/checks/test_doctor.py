"""`evolve doctor`: what it finds wrong, what it says to do, and that it leaves everything as it was."""

import json
import os
import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from plain_server import answering

from evolve.checks import records
from evolve.cli import cli
from evolve.lock import RunLock


def doctor(place: Path, *more: str, **environment: str) -> Result:
    arguments = ["doctor", "--db", str(place / "population.db"), *more]
    return CliRunner().invoke(cli, arguments, env={"NO_COLOR": "1", **environment})


def checks(place: Path, **environment: str) -> dict[str, dict[str, Any]]:
    result = doctor(place, "--json", **environment)
    found = json.loads(result.stdout)
    bad = any(one["state"] == "bad" for one in found["checks"])
    assert (result.exit_code, found["healthy"]) == (int(bad), not bad)
    return {one["name"]: one for one in found["checks"]}


def listing(place: Path) -> dict[str, tuple[int, int]]:
    """Every path below a folder with its size and the time of its last change."""
    return {
        str(one.relative_to(place)): (one.stat().st_size, one.stat().st_mtime_ns)
        for one in place.rglob("*")
        if not one.is_dir()
    }


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A finished run to spoil."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_an_empty_folder_is_fine_and_stays_empty(tmp_path: Path) -> None:
    """Where nothing is yet nothing is bad, every check but the known ones is ok, and nothing is left behind."""
    found = checks(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert {one["state"] for one in found.values()} <= {"ok", "warn"}
    assert found["database"]["state"] == found["runs"]["state"] == found["settings"]["state"] == "ok"
    assert all(bool(one["remedy"]) == (one["state"] != "ok") for one in found.values())


def test_a_finished_run_is_left_as_it_was(copy: Path) -> None:
    """Database, locks and runs are found sound without a byte being written, made or removed."""
    before = listing(copy)
    found = checks(copy)
    assert listing(copy) == before
    assert found["database"]["state"] == "ok"
    assert "1 run," in found["database"]["found"]
    assert "run-001" in found["runs"]["found"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is bad, is not made, and the rest is checked all the same."""
    found = checks(tmp_path / "nowhere")
    assert found["folder"]["state"] == "bad"
    assert "settings" in found
    assert not (tmp_path / "nowhere").exists()


def spoil(path: Path, how: str) -> None:
    data = path.read_bytes()
    changed = {
        "a page": data[:8192] + b"\xff" * 4096 + data[12288:],
        "the end": data[:9000],
        "the head": b"hello, this is a text file and no database" * 30,
    }
    for one in path.parent.glob("population.db-*"):
        one.unlink()
    path.write_bytes(changed[how])


@pytest.mark.parametrize("how", ["a page", "the end", "the head"])
def test_a_damaged_database_is_bad(copy: Path, how: str) -> None:
    """However the file is spoilt, it is named with a remedy and not touched, and all other checks are made."""
    spoil(copy / "population.db", how)
    before = listing(copy)
    found = checks(copy)
    assert listing(copy) == before
    assert found["database"]["state"] == "bad"
    assert found["database"]["remedy"]
    assert found["endpoints"]["state"] == "ok"


def test_a_database_of_a_newer_version_is_bad(copy: Path) -> None:
    """The unknown step is named, and that another version is needed."""
    with sqlite3.connect(copy / "population.db") as connection:
        connection.execute("UPDATE _sqlite_migrations SET name = '9999_future' WHERE name LIKE '0002%'")
    connection.close()
    found = checks(copy)["database"]
    assert found["state"] == "bad"
    assert "9999_future" in found["found"]
    assert "newer" in found["remedy"]


def test_an_empty_database_file_is_filled_by_the_next_run(tmp_path: Path) -> None:
    """A file without a table is no damage."""
    (tmp_path / "population.db").touch()
    assert checks(tmp_path)["database"]["state"] == "warn"


def test_runs_and_folders_that_do_not_belong_together(copy: Path) -> None:
    """A folder of no run is a warning, a run without its folder is bad."""
    shutil.copytree(copy / "runs/run-001", copy / "runs/left-over")
    found = checks(copy)["runs"]
    assert found["state"] == "warn"
    assert "'left-over'" in found["found"]
    shutil.rmtree(copy / "runs/run-001")
    found = checks(copy)["runs"]
    assert found["state"] == "bad"
    assert "'run-001'" in found["found"]


def test_the_holder_of_a_lock_is_named(copy: Path) -> None:
    """Who holds the run and the database is said while they do, and that is nothing bad."""
    with RunLock(copy / "population.db.lock"), RunLock(copy / "runs/run-001/lock"):
        found = checks(copy)["locks"]
        assert found["state"] == "ok"
        assert found["found"].count(f"pid {os.getpid()} ") == 2
    assert "nothing" in checks(copy)["locks"]["found"]


@pytest.mark.parametrize("text", ["[model", "sreach = 1\n", "[documents]\nvalidation = 1\n"])
def test_a_wrong_evolve_toml_is_bad(tmp_path: Path, text: str) -> None:
    """What is wrong with it stands in one line, and the rest is held against the defaults."""
    (tmp_path / "evolve.toml").write_text(text)
    found = checks(tmp_path)
    assert found["settings"]["state"] == "bad"
    assert "\n" not in found["settings"]["found"]
    assert found["sandbox"]["state"] in ("ok", "warn")


@pytest.mark.parametrize(
    ("says", "remedy"),
    [
        ("bwrap: No permissions to create new namespace", "seccomp=unconfined"),
        ("bwrap: setting up uid map: Permission denied", "apparmor"),
    ],
)
def test_a_sandbox_that_does_not_work(tmp_path: Path, says: str, remedy: str) -> None:
    """The cause and the command against it are named; it is bad only where a real model writes the code."""
    program = tmp_path / "bin" / "bwrap"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "{says}" >&2\nexit 1\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = f"{program.parent}:{os.environ['PATH']}"
    found = checks(tmp_path, PATH=path)["sandbox"]
    assert found["state"] == "warn"
    assert says in found["found"]
    assert remedy in found["remedy"]
    (tmp_path / "evolve.toml").write_text('sandbox = "bubblewrap"\n')
    assert checks(tmp_path, PATH=path)["sandbox"]["state"] == "bad"
    (tmp_path / "evolve.toml").write_text('sandbox = "external"\n')
    assert "disposable" in checks(tmp_path, PATH=path)["sandbox"]["remedy"]


def test_keys_are_named_and_never_shown(tmp_path: Path) -> None:
    """A variable is set or not, in the environment or in .env; its value appears nowhere."""
    with answering({"GET /v1/models": (200, {"data": [{"id": "tiny"}]})}) as server:
        text = f'[models.default]\nname = "tiny"\nbase_url = "{server.url}"\nkey_variable = "TINY_KEY"\n'
        (tmp_path / "evolve.toml").write_text(text)
        missing = checks(tmp_path)
        assert missing["key"]["state"] == "bad"
        assert "TINY_KEY" in missing["key"]["found"]
        present = doctor(tmp_path, "--json", TINY_KEY="secret-of-mine")
        (tmp_path / ".env").write_text("TINY_KEY=secret-of-mine\n")
        filed = doctor(tmp_path, "--json")
    for result in (present, filed):
        found = {one["name"]: one for one in json.loads(result.stdout)["checks"]}
        assert (found["key"]["state"], found["endpoint"]["state"]) == ("ok", "ok")
        assert "secret-of-mine" not in result.output
    asked = [header for path, header, _ in server.requests]
    assert asked == ["", "Bearer secret-of-mine", "Bearer secret-of-mine"]
    assert {path for path, _, _ in server.requests} == {"/v1/models"}


def test_every_line_is_for_people(copy: Path) -> None:
    """One line a check with its state, and a summary; damage and warnings carry an arrow with the remedy."""
    spoil(copy / "population.db", "the head")
    result = doctor(copy)
    assert result.exit_code == 1
    assert "bad  database" in result.stdout
    assert "→ It is no SQLite database" in result.stdout
    assert "1 bad" in result.stdout.splitlines()[-1]
    assert "\x1b" not in result.stdout


def test_reading_a_sound_database(copy: Path) -> None:
    """It gives every run with its folder."""
    found = records.read(copy / "population.db")
    assert found.runs == {"run-001": "runs/run-001"}
