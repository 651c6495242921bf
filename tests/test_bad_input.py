"""Wrong input, broken files and odd surroundings: each gets an error for people and a code, and nothing is lost."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from bad_endpoints import GOOD, HTML, serving
from places import SETTINGS, SIZES, Done, clicked, command, copied, evolve, prepared, recorded, sound
from run_facts import calls, differences, facts, query
from sqlite_utils import Database

from evolve.migrations import MIGRATIONS

RUN = ("run", "--iterations", "1", "--workers", "2")
HOME = "runs/run-001"
PAGE = 4096


def untouched(folder: Path) -> None:
    """Nothing but what the user put there."""
    assert {one.name for one in folder.iterdir()} <= {"documents", "evolve.toml", "baseline_repo", "other"}


def same(folder: Path) -> None:
    """Every fact of the recorded run is still there, and no call was added."""
    assert differences(facts(recorded()), facts(folder)) == []
    assert calls(folder) == calls(recorded())


# documents


def no_documents(folder: Path) -> tuple[str, ...]:
    shutil.rmtree(folder / "documents")
    (folder / "documents").mkdir()
    return ("no usable document", "documents")


def too_few(folder: Path) -> tuple[str, ...]:
    shutil.rmtree(folder / "documents")
    prepared(folder, documents=3)
    return ("documents", "2")


def binaries(folder: Path) -> tuple[str, ...]:
    shutil.rmtree(folder / "documents")
    (folder / "documents").mkdir()
    for number in range(20):
        (folder / "documents" / f"{number}.txt").write_bytes(bytes(range(256)) * 40)
        (folder / "documents" / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    return ("documents",)


def no_folder(folder: Path) -> tuple[str, ...]:
    shutil.rmtree(folder / "documents")
    return ("documents",)


@pytest.mark.parametrize("spoil", [no_documents, too_few, binaries, no_folder])
def test_documents(tmp_path: Path, spoil: Callable[[Path], tuple[str, ...]]) -> None:
    """Documents that cannot be used are refused with their folder, before anything is made."""
    words = spoil(prepared(tmp_path))
    clicked(tmp_path, *RUN).refused(2, *words)
    assert not list(tmp_path.glob("population.db*"))


# settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SIZES + "[serach]\nseed = 1\n", ("evolve.toml", "serach", "search")),
        (SIZES + "[search]\ntemprature = 1\n", ("evolve.toml", "temprature", "temperature")),
        (SIZES + "[search]\nseed = 'x'\n", ("evolve.toml", "search.seed", "'x'")),
        (SIZES + "[search\n", ("evolve.toml", "line")),
        (
            SETTINGS + "[models.jugde]\nname = 'x'\nbase_url = 'http://127.0.0.1:9/v1'\n",
            ("evolve.toml", "jugde", "judge"),
        ),
    ],
)
def test_settings(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    """A typing mistake is refused with the file, the key or line, and the nearest name; nothing is made."""
    clicked(prepared(tmp_path, text), *RUN).refused(2, *words)
    untouched(tmp_path)


def models(url: str, more: str = "") -> str:
    """Settings with one endpoint for all roles, and little patience."""
    table = f"[models.default]\nname = 'simulated-strong'\nbase_url = '{url}'\n{more}"
    return f"{SETTINGS}{table}[provider]\npatience = 0.5\n"


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    """The variable is named, with the endpoint it is for; the code is that of credentials, and nothing is left behind."""
    prepared(tmp_path, models("http://127.0.0.1:9/v1", "key_variable = 'NOT_SET_ANYWHERE'\n"))
    clicked(tmp_path, *RUN).refused(3, "NOT_SET_ANYWHERE")
    untouched(tmp_path)


# endpoints


def stopped_by_endpoint(folder: Path, url: str, *words: str) -> None:
    prepared(folder, models(url))
    clicked(folder, *RUN, "--sandbox", "external").refused(3, *words)
    assert query(folder / "population.db", "SELECT outcome FROM sessions") == [("failed",)]
    assert query(folder / "population.db", "SELECT * FROM rollouts") == []
    sound(folder)


def test_an_endpoint_that_is_not_there(tmp_path: Path) -> None:
    """Its address is named, no candidate pays for it, and the run can be resumed."""
    stopped_by_endpoint(tmp_path, "http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1", "nothing is lost")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (HTML, ("not a chat completion", "<html>")),
        (b'{"choices": []}', ("not a chat completion",)),
        (GOOD[: len(GOOD) // 2], ("not a chat completion",)),
        (b"", ("not a chat completion",)),
    ],
)
def test_an_endpoint_that_answers_nonsense(tmp_path: Path, body: bytes, words: tuple[str, ...]) -> None:
    """HTML, no choices, cut-off JSON and nothing at all are endpoint trouble, shown with what came."""
    with serving(200, body) as url:
        stopped_by_endpoint(tmp_path, url, url, *words)


def test_a_model_that_the_endpoint_does_not_have(tmp_path: Path) -> None:
    """The model's name and the endpoint's own words are shown, at once."""
    missing = (
        b'{"error": {"message": "The model `simulated-strong` does not exist", "code": "model_not_found"}}'
    )
    with serving(404, missing) as url:
        stopped_by_endpoint(tmp_path, url, url, "simulated-strong", "does not exist", "404")


def test_an_endpoint_without_usage_is_estimated(tmp_path: Path) -> None:
    """Tokens are counted from the text and marked as estimated; the budget is not blind."""
    with serving(200, GOOD.replace(b'"usage"', b'"other"')) as url:
        prepared(tmp_path, models(url, "output_price = 1.0\n"))
        clicked(tmp_path, *RUN, "--sandbox", "external", "--budget-calls", "20")
    journal = tmp_path / HOME / "calls.db"
    assert query(journal, "SELECT DISTINCT estimated FROM calls") == [(1,)]
    assert query(journal, "SELECT min(completion_tokens) > 0, min(cost) > 0 FROM calls") == [(1, 1)]


# scaffolds

CREATE = "def create(document, env):\n    env.ask('x')\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"agent.py": "def create(document, env:\n"}, ("does not start", "SyntaxError")),
        ({"agent.py": "def make(document, env):\n    env.ask('x')\n"}, ("does not start", "create")),
        ({"agent.py": "raise RuntimeError('not today')\n"}, ("does not start", "not today")),
        ({"agent.py": "def create(document, env):\n    pass\n"}, ("does not start", "without asking")),
        ({"README.md": "nothing\n"}, ("agent.py", "create(document, env)")),
        ({"agent.py": CREATE, "lib/data.bin": "\udcff"}, ("lib/data.bin",)),
        pytest.param(
            {"agent.py": "while True: pass\n"}, ("does not start", "CPU time"), marks=pytest.mark.slow
        ),
    ],
)
def test_a_scaffold_that_does_not_start(
    tmp_path: Path, files: dict[str, str], words: tuple[str, ...]
) -> None:
    """It is refused with the folder and its own error, before anything is recorded or paid."""
    prepared(tmp_path)
    for name, text in files.items():
        place = tmp_path / "baseline_repo" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode("utf-8", "surrogateescape"))
    clicked(tmp_path, *RUN).refused(2, "baseline_repo", *words)
    if (tmp_path / "population.db").exists():
        assert query(tmp_path / "population.db", "SELECT run FROM runs") == []


def test_a_scaffold_that_is_a_file(tmp_path: Path) -> None:
    """It is not passed over in favour of the embedded one."""
    (prepared(tmp_path) / "baseline_repo").write_text(CREATE)
    clicked(tmp_path, *RUN).refused(2, "baseline_repo", "no folder", "agent.py")


# population.db


def newer(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('evolve', '9999_future', 'now')"
        )


def truncated(database: Path) -> None:
    os.truncate(database, 10 * PAGE)


def garbage(database: Path) -> None:
    """Noise in the middle, where only a full read meets it: the header and schema are as they were."""
    with database.open("r+b") as file:
        file.seek(3 * PAGE)
        file.write(os.urandom((database.stat().st_size // PAGE - 4) * PAGE))


def noise(database: Path) -> None:
    database.write_bytes(os.urandom(5 * PAGE))


def empty(database: Path) -> None:
    database.write_bytes(b"")


def foreign(database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE notes (text)")


def folder_instead(database: Path) -> None:
    database.unlink()
    database.mkdir()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (newer, ("newer version of evolve", "9999_future", "Install that version")),
        (truncated, ("malformed", "restore a copy")),
        (garbage, ("malformed", "restore a copy")),
        (noise, ("no SQLite database", "restore a copy")),
        (empty, ("is empty", "run-001", "Restore a copy")),
        (foreign, ("database of another program", "notes")),
        (folder_instead, ("is a directory",)),
    ],
)
def test_a_bad_database(tmp_path: Path, spoil: Callable[[Path], None], words: tuple[str, ...]) -> None:
    """`run` and the commands that read refuse it by name and touch neither it nor the run beside it."""
    database = copied(tmp_path) / "population.db"
    spoil(database)
    before = database.read_bytes() if database.is_file() else b""
    calls_before = (tmp_path / HOME / "calls.db").read_bytes()
    code = 2 if spoil is folder_instead else 1
    clicked(tmp_path, "run", "--iterations", "2").refused(code, "population.db", *words)
    for one in ("log", "verify"):
        clicked(tmp_path, one).refused(code, "population.db")
    assert (database.read_bytes() if database.is_file() else b"") == before
    assert (tmp_path / HOME / "calls.db").read_bytes() == calls_before
    assert [one.name for one in (tmp_path / "runs").iterdir()] == ["run-001"]


def older(database: Path, before: str = "0002_views") -> None:
    """The same rows under an older schema, that before one of the steps."""
    kept = database.rename(database.with_name("kept.db"))
    with closing(Database(database)) as db:
        MIGRATIONS.apply(db, stop_before=before)
        db.execute("ATTACH ? AS kept", [str(kept)])
        for table in db.table_names():
            if not table.startswith("_") and not table.startswith("sqlite_"):
                columns = ", ".join(column.name for column in db[table].columns)
                db.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM kept.{table}")
        db.execute(
            "UPDATE runs SET settings = json_remove(settings, '$.search.error')"
        )  # as before step 0005
        db.conn.commit()
    kept.unlink()


def test_a_database_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Reading commands say what to do; `evolve run` does it and loses nothing."""
    database = copied(tmp_path) / "population.db"
    names = query(
        database, "SELECT name FROM _sqlite_migrations WHERE migration_set = 'evolve' ORDER BY name"
    )
    last = names[-1][0]
    older(database)
    clicked(tmp_path, "status").refused(1, "population.db", "older schema", "`evolve run`")
    done = clicked(tmp_path, *RUN)
    assert done.code == 0, done.err
    assert query(database, "SELECT max(name) FROM _sqlite_migrations WHERE migration_set = 'evolve'") == [
        (last,)
    ]
    assert clicked(tmp_path, "status").code == 0
    sound(tmp_path)
    same(tmp_path)


def of_the_first_release(folder: Path) -> Path:
    """The recorded run as the first release left it: its schemas, its instrument."""
    database, journal = copied(folder) / "population.db", folder / "runs/run-001/calls.db"
    older(database, "0003_indices_of_reports")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE runs SET instrument = 'first'")
        connection.execute("UPDATE evaluations SET instrument = 'first'")
    with closing(sqlite3.connect(journal)) as connection:
        for column in ("reasoning_tokens", "form"):
            connection.execute(f"ALTER TABLE calls DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def test_a_run_of_the_first_release_can_be_used_and_is_left_to_it(tmp_path: Path) -> None:
    """Whatever only reads works; what may not go on is refused and changes no schema, so that the old release still can."""
    files = [of_the_first_release(tmp_path) / "population.db", tmp_path / "runs/run-001/calls.db"]
    before = [one.read_bytes() for one in files]
    for reads in (
        "status",
        "log",
        "show c0",
        "show 1 --trace",
        "lineage",
        "best",
        "diff c0",
        "runs",
        "verify",
    ):
        done = clicked(tmp_path, *reads.split())
        assert done.code == 0, done.err
    for pays in (RUN, ("test", "c0", "c1"), ("generate", "c0", "--out", str(tmp_path / "out.jsonl"))):
        clicked(tmp_path, *pays).refused(2, "instrument 'first'", "evolve itself has other prompts")
    assert [one.read_bytes() for one in files] == before
    assert not (tmp_path / "out.jsonl").exists()
    made = clicked(
        tmp_path, "generate", "c0", "-n", "1", "--out", str(tmp_path / "out.jsonl"), "--other-instrument"
    )
    assert "instrument" in made.out, made.err
    assert [one.read_bytes() for one in files] == before
    assert clicked(tmp_path, *RUN, "--new").code == 0
    for run in ("run-001", "run-002"):
        assert clicked(tmp_path, "verify", "--run", run).code == 0
    assert clicked(tmp_path, "runs", "delete", "run-001", "--yes").code == 0
    sound(tmp_path)


# the other files of a run


def test_a_damaged_journal(tmp_path: Path) -> None:
    """It is named as the damaged file, not the database; the remedy says what depends on it."""
    garbage(copied(tmp_path) / HOME / "calls.db")
    clicked(tmp_path, "run", "--iterations", "2").refused(1, "calls.db", "damaged", ".recover")
    done = clicked(tmp_path, "verify")
    assert done.code == 1
    assert "calls.db" in done.out + done.err
    assert "population.db' is damaged" not in done.err
    assert clicked(tmp_path, "log").code == 0


def test_a_missing_trace(tmp_path: Path) -> None:
    """`verify` and `show` name it."""
    (copied(tmp_path) / HOME / "traces" / "000000-baseline.jsonl").unlink()
    done = clicked(tmp_path, "verify")
    assert done.code == 1
    assert "000000-baseline.jsonl" in done.out
    clicked(tmp_path, "show", "0", "--trace").refused(1, "000000-baseline.jsonl", "evolve verify")


def test_missing_git_objects(tmp_path: Path) -> None:
    """`verify` finds them; what needs them says so."""
    for one in (copied(tmp_path) / HOME / "candidates.git" / "objects").glob("[0-9a-f][0-9a-f]/*"):
        one.unlink()
    done = clicked(tmp_path, "verify")
    assert done.code == 1
    assert "BAD candidates.git is sound" in done.out
    for one in (("export", "c0", "--to", str(tmp_path / "to")), ("run", "--iterations", "2")):
        clicked(tmp_path, *one).refused(1, "candidates.git", "put back a copy")


def test_a_missing_repository(tmp_path: Path) -> None:
    """A run without its repository is not begun anew in its place."""
    shutil.rmtree(copied(tmp_path) / HOME / "candidates.git")
    clicked(tmp_path, "run", "--iterations", "2").refused(1, "candidates.git", "is missing", "--new")
    assert calls(tmp_path) == calls(recorded())


def test_a_machine_without_git(tmp_path: Path) -> None:
    """It says that git is missing, in one line."""
    copied(tmp_path)
    done = evolve(tmp_path, "diff", "c0", PATH=str(tmp_path))
    done.refused(1, "git does not work here", "Install git")
    assert len(done.err.splitlines()) == 1


# surroundings


def test_odd_surroundings_change_nothing(tmp_path: Path) -> None:
    """No HOME, no locale, a missing TMPDIR, blanks and letters of all kinds in the path, a strict umask."""
    folder = prepared(tmp_path / "my runs – été 東京 'quoted'")
    bare = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TMPDIR": str(tmp_path / "gone")}
    for name in ("COVERAGE_PROCESS_START", "PYTHONPATH"):
        bare |= {name: os.environ[name]} if name in os.environ else {}
    done = subprocess.run(
        command(*RUN), cwd=folder, env=bare, umask=0o077, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((folder / "population.db").stat().st_mode) == 0o600
    sound(folder)
    assert differences(facts(recorded()), facts(folder)) == []


def test_few_open_files(tmp_path: Path) -> None:
    """With 64 descriptors it either works or names the limit and the remedy; nothing is half done."""
    prepared(tmp_path)
    limited = ["sh", "-c", 'ulimit -n 64 && exec "$@"', "sh", *command("run", "--iterations", "4")]
    done = subprocess.run(limited, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode:
        Done(done.returncode, done.stdout, done.stderr).refused(1, "ulimit -n")
        sound(tmp_path)
    again = evolve(tmp_path, "run", "--iterations", "4")
    assert again.code == 0, again.err
    sound(tmp_path)


def test_a_broken_pipe_is_no_error_to_tell(tmp_path: Path) -> None:
    """`evolve log | head -1` prints one line and no complaint."""
    copied(tmp_path)
    line = f"{sys.executable} -m evolve show c0 --trace | head -1"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 1, "")


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&- <&-"])
def test_closed_streams_hurt_nobody(tmp_path: Path, closed: str) -> None:
    """No file of the run gets the number of a closed stream, and the command ends as always."""
    copied(tmp_path)
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *command(*RUN)]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    sound(tmp_path)
    same(tmp_path)


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    """Standard output on a full disk is an error with its cause, not a traceback."""
    copied(tmp_path)
    shell = ["sh", "-c", 'exec "$@" > /dev/full', "sh", *command("log")]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: No space left on device")


def test_a_run_goes_on_when_nobody_reads_its_progress(tmp_path: Path) -> None:
    """`evolve run --json | head -1` costs the display, not the run."""
    prepared(tmp_path)
    line = f"{sys.executable} -m evolve {' '.join(RUN)} --json | head -1"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert '"event": "progress"' in done.stdout
    assert "Traceback" not in done.stderr
    sound(tmp_path)
    same(tmp_path)
