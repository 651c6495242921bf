"""Which run a command means and with which settings: a new one, or a recorded one that goes on as it began."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evolve import settings as settings_files
from evolve.history import connect_readonly
from evolve.layout import Layout
from evolve.settings import Settings
from harness.documents import Collection, split_of
from harness.errors import UsageError
from harness.types import Split

FREE = ("budget", "sandbox", "simulation.latency", "simulation.faults")
FREE_OF_A_MODEL = ("key_variable", "input_price", "output_price", "deadline", "slots")


@dataclass(frozen=True)
class Options:
    """What the user asked for. `overrides`: dotted setting -> value, from flags; they win over evolve.toml."""

    folder: Path
    database: Path
    iterations: int = 50
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
    name = options.run or (names[-1] if resumed else unused(names))
    layout = Layout(options.folder, options.database, checked(name))
    recorded = read_recorded(options.database, name) if resumed else None
    wanted, source = wanted_settings(options, recorded)
    if recorded is not None:
        refuse_differences(name, recorded.settings, wanted)
    return Opening(layout, wanted, recorded, (source,))


def unused(names: Sequence[str]) -> str:
    """A name for a new run: `run-` and the next number that no run has."""
    numbers = range(len(names) + 1, 2 * len(names) + 2)
    return next(name for name in (f"run-{number:03d}" for number in numbers) if name not in names)


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
    """evolve.toml if there is one, else what the run began with, else the defaults; flags win. And the source in a line."""
    path = options.folder / settings_files.FILE
    if path.exists():
        base, source = settings_files.read(path), f"settings: {settings_files.FILE}"
    elif recorded is not None:
        base, source = recorded.settings, "settings: as this run began"
    else:
        base, source = Settings(), f"settings: the defaults (no {settings_files.FILE} here)"
    data = base.model_dump(mode="json")
    for dotted, value in options.overrides.items():
        *path_to, last = dotted.split(".")
        table = data
        for key in path_to:
            table = table[key]
        table[last] = value
    return settings_files.validate(data, "the command line"), source


def refuse_differences(name: str, began: Settings, wanted: Settings) -> None:
    """A run goes on with the settings that its scores depend on, or not at all.

    Raises:
        UsageError: some differ; lists each with both values.
    """
    old, new = dict(fixed(began)), dict(fixed(wanted))
    rows = [
        f"  {key}: began with {old.get(key)!r}, now {new.get(key)!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    if rows:
        raise UsageError(
            f"run {name!r} began with other settings, and its scores would no longer be comparable:\n"
            + "\n".join(rows)
            + "\nUse the old values to go on with it, or --new to start another run."
        )


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
    if not database.exists():
        return []
    with closing(connect_readonly(database)) as connection:
        return [row["run"] for row in query(connection, "SELECT run FROM runs ORDER BY created_at, run")]


def read_recorded(database: Path, run: str) -> Recorded:
    """What is recorded of a run that exists."""
    with closing(connect_readonly(database)) as connection:
        (row,) = query(connection, "SELECT * FROM runs WHERE run = ?", run)
        documents = query(connection, "SELECT document, split, used FROM documents WHERE run = ?", run)
    return Recorded(
        settings=settings_files.validate(json.loads(row["settings"]), f"the settings recorded for {run}"),
        lag=row["lag"],
        instrument=row["instrument"],
        sandbox=row["sandbox"],
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
