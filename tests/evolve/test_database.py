"""Opening SQLite files for reading: what is refused, in which words, and that nothing is ever written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evolve.database import connect_readonly, failure, open_readonly, reading
from evolve.history import upgrade
from harness.errors import StorageError


def plain(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE notes (text)")
    return path


def test_nothing_can_be_written(tmp_path: Path) -> None:
    """Rows come with their names; a write is refused by SQLite itself."""
    with closing(open_readonly(plain(tmp_path / "x.db"))) as connection:
        assert connection.execute("SELECT 1 AS one").fetchone()["one"] == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("INSERT INTO notes VALUES ('x')")


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    """A missing file, a folder, bytes of another kind."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"x" * 5000)
    for name, words in (
        ("missing", "`evolve run` makes one"),
        ("folder", "is a folder"),
        ("bytes", "restore a copy"),
    ):
        with pytest.raises(StorageError, match=f"{name}.*{words}"):
            open_readonly(tmp_path / name)


def test_errors_while_reading_are_ours_too(tmp_path: Path) -> None:
    """And the database of another program is refused before."""
    with pytest.raises(StorageError, match="another program"), reading(plain(tmp_path / "x.db")):
        pass
    with pytest.raises(StorageError, match="another program"):
        connect_readonly(tmp_path / "x.db")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SQLITE_FULL", "free some space"),
        ("SQLITE_IOERR_WRITE", "dmesg"),
        ("SQLITE_READONLY_DBMOVED", "permissions"),
        ("SQLITE_CORRUPT_INDEX", "recover"),
        ("SQLITE_MISUSE", "evolve verify"),
    ],
)
def test_each_error_has_its_remedy(name: str, words: str) -> None:
    """By SQLite's own name of it, extended names included."""
    error = sqlite3.OperationalError("x")
    error.sqlite_errorname = name
    assert words in str(failure(Path("population.db"), error))


def test_only_our_own_older_databases_are_upgraded(tmp_path: Path) -> None:
    """A missing one is left missing, another program's is refused and stays as it is."""
    upgrade(tmp_path / "missing.db")
    assert list(tmp_path.iterdir()) == []
    path = plain(tmp_path / "x.db")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        upgrade(path)
    assert path.read_bytes() == before
