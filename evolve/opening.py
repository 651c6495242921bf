"""Which run a command means and with which settings: a new one, or a recorded one that goes on as it began."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from evolve import settings as settings_files
from evolve.history import connect_readonly
from evolve.layout import Layout
from evolve.settings import Settings
from harness.documents import Collection, split_of
from harness.errors import UsageError
from harness.types import Split

FREE = ("budget", "sandbox", "simulation.latency", "simulation.faults")
FREE_OF_A_MODEL = ("base_url", "key_variable", "input_price", "output_price", "deadline", "slots")


@dataclass(frozen=True)
class Options:
    """What the user asked for. `overrides`: dotted setting -> value, from flags; they win over evolve.toml.

    iterations: the run's total; None: what the run was last started for, 50 for a new one.
    """

    folder: Path
    database: Path
    iterations: int | None = None
    workers: int = 8
    run: str | None = None
    new: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorded:
    """What population.db says of a run that exists: settings, lag, instrument, sandbox, documents with their use."""

    settings: Settings
    lag: int
    instrument: str
    sandbox: str
    documents: Mapping[str, tuple[Split, bool]]
    iterations: int | None


@dataclass(frozen=True)
class Opening:
    """A run about to start: where, with what, and what was recorded of it before."""

    layout: Layout
    settings: Settings
    recorded: Recorded | None
    notices: tuple[str, ...]


def resolve(options: Options) -> Opening:
    """The run the options mean. Without a name it is the latest one; with `new`, or where none is, a fresh one.

    Raises:
        UsageError: no such run; settings that cannot be used, or that differ from those the run began with.
        StorageError: the database cannot be read.
    """
    names = run_names(options.database)
    if options.run is not None and options.new and options.run in names:
        raise UsageError(
            f"run {options.run!r} exists already; leave out --new to go on with it, or take another name"
        )
    resumed = not options.new and (options.run in names if options.run else bool(names))
    name = options.run or (names[-1] if resumed else unused(names, options.folder / "runs"))
    layout = Layout(options.folder, options.database, checked(name))
    recorded = read_recorded(options.database, name) if resumed else None
    if recorded is None and holds_calls(layout.home):
        raise UsageError(
            f"{str(layout.home)!r} holds the calls of a run that {str(options.database)!r} knows nothing of; "
            "take another name, another folder, or remove that one"
        )
    wanted, source = wanted_settings(options, recorded)
    if recorded is not None and (rows := differences(recorded.settings, wanted)):
        if options.run or holds_calls(layout.home):
            raise UsageError(
                f"run {name!r} began with other settings, and its scores would no longer be comparable:\n"
                + "\n".join(rows)
                + "\nUse the old values to go on with it, or --new to start another run."
            )
        name = unused(names, options.folder / "runs")  # nothing was measured: it binds nobody
        return Opening(Layout(options.folder, options.database, name), wanted, None, (source,))
    return Opening(layout, wanted, recorded, (source,))


def unused(names: Sequence[str], folder: Path) -> str:
    """A name for a new run: `run-` and the next number that no run has, here or in another database's folder."""
    numbered = (f"run-{number:03d}" for number in count(len(names) + 1))
    return next(name for name in numbered if name not in names and not holds_calls(folder / name))


def holds_calls(home: Path) -> bool:
    """Whether something was paid for in that folder of a run."""
    journal = home / "calls.db"
    if not journal.exists():
        return False
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(journal.absolute()))}?mode=ro", uri=True)
        ) as connection:
            return bool(query(connection, "SELECT 1 FROM calls LIMIT 1"))
    except sqlite3.Error:
        return True  # whatever it is, it is not ours to write into


def checked(name: str) -> str:
    """A run's name, which is also its folder's.

    Raises:
        UsageError: it is no plain name.
    """
    if not (
        name.replace("-", "").replace("_", "").replace(".", "").isalnum()
        and name[0].isalnum()
        and len(name) <= 60
    ):
        raise UsageError(f"{name!r} is no name for a run: use letters, digits, '-', '_' and '.', at most 60")
    return name


def wanted_settings(options: Options, recorded: Recorded | None) -> tuple[Settings, str]:
    """What the run began with, or the defaults; evolve.toml over it; flags over that. And the source in one line."""
    path = options.folder / settings_files.FILE
    began = recorded.settings if recorded is not None else Settings()
    data = began.model_dump(mode="json")
    if path.exists():
        source = f"settings: {settings_files.FILE}"
        overlay(data, settings_files.read(path).model_dump(mode="json", exclude_unset=True))
    elif recorded is not None:
        source = "settings: as this run began"
    else:
        source = f"settings: the defaults (no {settings_files.FILE} here)"
    for dotted, value in options.overrides.items():
        *path_to, last = dotted.split(".")
        table = data
        for key in path_to:
            table = table[key]
        table[last] = value
    return settings_files.validate(data, "the command line"), source


def overlay(table: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Put what was given over a table, level by level; a model is taken as a whole."""
    for key, value in given.items():
        if isinstance(value, Mapping) and isinstance(table.get(key), dict) and "base_url" not in value:
            overlay(table[key], value)
        else:
            table[key] = value


def differences(began: Settings, wanted: Settings) -> list[str]:
    """The settings that scores depend on and that are not as the run began with, each with both values."""
    old, new = dict(fixed(began)), dict(fixed(wanted))
    return [
        f"  {key}: began with {old.get(key)!r}, now {new.get(key)!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def fixed(settings: Settings) -> Iterator[tuple[str, object]]:
    """The settings that may not change during a run, by dotted name. `search.lag` is stored apart."""
    for key, value in flat(settings.model_dump(mode="json")):
        parts = key.split(".")
        free = any(key == one or key.startswith(f"{one}.") for one in FREE)
        free_of_model = parts[0] == "models" and parts[-1] in FREE_OF_A_MODEL
        if not (free or free_of_model or key == "search.lag"):
            yield key, value


def flat(table: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, object]]:
    """Nested tables as dotted keys."""
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{start}{key}.")
        else:
            yield f"{start}{key}", value


def run_names(database: Path) -> list[str]:
    """The recorded runs, oldest first; none if there is no database.

    Raises:
        StorageError: it cannot be read.
    """
    if not database.exists() or unfilled(database):
        return []
    with closing(connect_readonly(database)) as connection:
        return [row["run"] for row in query(connection, "SELECT run FROM runs ORDER BY created_at, run")]


def unfilled(database: Path) -> bool:
    """Whether the file was made, but killed before its first table was: the next start fills it."""
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(database.absolute()))}?mode=ro", uri=True)
        ) as connection:
            return not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone()
    except sqlite3.Error:
        return False  # whatever is wrong with it, whoever opens it says so


def read_recorded(database: Path, run: str) -> Recorded:
    """What is recorded of a run that exists."""
    with closing(connect_readonly(database)) as connection:
        (row,) = query(connection, "SELECT * FROM runs WHERE run = ?", run)
        documents = query(connection, "SELECT document, split, used FROM documents WHERE run = ?", run)
        sessions = query(
            connection, "SELECT iterations FROM sessions WHERE run = ? ORDER BY number DESC", run
        )
    return Recorded(
        settings=settings_files.validate(json.loads(row["settings"]), f"the settings recorded for {run}"),
        lag=row["lag"],
        instrument=row["instrument"],
        sandbox=row["sandbox"],
        iterations=sessions[0]["iterations"] if sessions else None,
        documents={one["document"]: (one["split"], bool(one["used"])) for one in documents},
    )


def query(connection: sqlite3.Connection, sql: str, *values: object) -> list[sqlite3.Row]:
    """All rows of a query; an empty list where the database has no such table yet."""
    try:
        return connection.execute(sql, values).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise


def known_documents(collection: Collection, recorded: Recorded) -> Collection:
    """The documents a run began with, whatever has been added since.

    Raises:
        UsageError: one that the run uses is gone or changed.
    """
    there = {one.id for one in collection.documents}
    gone = [key for key, (_, used) in recorded.documents.items() if used and key not in there]
    if gone:
        raise UsageError(
            f"{len(gone)} documents that this run measures on are gone or changed (the first: {gone[0]}). "
            "Put them back, or start another run with --new."
        )
    kept = tuple(one for one in collection.documents if one.id in recorded.documents)
    fresh = [one for one in collection.documents if one.id not in recorded.documents]
    added = sum(split_of(one.id) == "training" for one in fresh)  # of the other splits not all were taken
    notice = (f"{added} training documents added since the run began are left out of it",) if added else ()
    return replace(collection, documents=kept, notices=collection.notices + notice)
