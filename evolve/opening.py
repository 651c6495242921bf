"""Which run a command means and with which settings: a new one, or a recorded one that goes on as it began."""

import json
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from evolve.configuration.binding import differences
from evolve.configuration.credentials import keys_of
from evolve.configuration.sources import Environment, Origin, from_flags, read_environment
from evolve.database import reading
from evolve.history import upgrade
from evolve.layout import Layout
from evolve.picking import default, told
from evolve.settings import FILE, Effective, Settings, effective, gathered, validate
from harness.budget import refuse_unpriced
from harness.documents import Collection, split_of
from harness.errors import StorageError, UsageError
from harness.types import Split

BEFORE_SEQUENTIAL: Mapping[str, Any] = MappingProxyType(
    {
        "survival": "strict",
        "shrink": False,
        "rerun": False,
        "screen": False,
        "control": 0.0,
        "operator": "edit",
    }
    | {"same_edit": "tree"}
)


@dataclass(frozen=True)
class Options:
    """What the user asked for. `overrides`: dotted setting -> value, from flags; they win over everything else.

    iterations: the run's total; None: what the run was last started for, 50 for a new one. caller: who gave the
    overrides, for messages. environment: variables that hold settings and keys; None: those of this process.
    """

    folder: Path
    database: Path
    iterations: int | None = None
    workers: int = 8
    run: str | None = None
    new: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)
    caller: str = "the command line"
    environment: Mapping[str, str] | None = field(default=None, repr=False)


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
    """A run about to start: where, with what, and what was recorded of it before.

    origins: where the value of each setting comes from. keys: variable -> key, for the models that name one.
    """

    layout: Layout
    settings: Settings
    recorded: Recorded | None
    notices: tuple[str, ...]
    origins: Mapping[str, Origin] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)


def resolve(options: Options) -> Opening:
    """The run the options mean. Without a name it is the picked or latest one; with `new`, or where none is, a fresh one.

    Raises:
        UsageError: no such run; settings that cannot be used, or that differ from those the run began with.
        ProviderError: a model names a variable for its key that is not set.
        StorageError: the database cannot be read.
    """
    refuse_emptied(options.database, options.folder / "runs")
    upgrade(options.database)
    names = run_names(options.database)
    if options.run is not None and options.new and options.run in names:
        raise UsageError(
            f"run {options.run!r} exists already; leave out --new to go on with it, or take another name"
        )
    resumed = not options.new and (options.run in names if options.run else bool(names))
    usual = default(options.database, names)
    name = options.run or (usual if resumed and usual else unused(names, options.folder / "runs"))
    layout = Layout(options.folder, options.database, checked(name))
    recorded = read_recorded(options.database, name) if resumed else None
    if recorded is None and holds_calls(layout.home):
        raise UsageError(
            f"{str(layout.home)!r} holds the calls of a run that {str(options.database)!r} knows nothing of; "
            "take another name, another folder, or remove that one"
        )
    environment = read_environment(options.folder, options.environment)
    wanted, source = wanted_settings(options, recorded, environment)
    if recorded is not None and (rows := differences(recorded.settings, wanted)):
        if options.run or holds_calls(layout.home):
            raise UsageError(
                f"run {name!r} began with other settings, and its scores would no longer be comparable:\n"
                + "\n".join(rows)
                + "\nUse the old values to go on with it, or --new to start another run."
            )
        name = unused(names, options.folder / "runs")  # nothing was measured: it binds nobody
        layout, recorded = Layout(options.folder, options.database, name), None
    refuse_unpriced(wanted.settings.budget, wanted.settings.models)
    keys = keys_of(wanted.settings.models, environment)
    forgotten = told(options.database, names) if options.run is None and recorded is not None else ""
    notices = (source, *wanted.notices, *filter(None, (forgotten,)))
    return Opening(layout, wanted.settings, recorded, notices, wanted.origins, keys)


def unused(names: Sequence[str], folder: Path) -> str:
    """A name for a new run: `run-` and the next number that no run has, here or in another database's folder."""
    numbered = (f"run-{number:03d}" for number in count(len(names) + 1))
    return next(name for name in numbered if name not in names and not holds_calls(folder / name))


def refuse_emptied(database: Path, runs: Path) -> None:
    """Refuse a database of no bytes beside runs that were paid for: it lost its contents, and a new run would hide that.

    Raises:
        StorageError: it names the runs.
    """
    if not database.is_file() or database.stat().st_size or not runs.is_dir():
        return
    if paid := sorted(home.name for home in runs.iterdir() if holds_calls(home)):
        raise StorageError(
            f"{str(database)!r} is empty, yet {str(runs)!r} holds the calls of {', '.join(paid[:5])}. Restore a copy "
            "of it; or delete the empty file, and a new run starts beside them"
        )


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


def wanted_settings(
    options: Options, recorded: Recorded | None, environment: Environment | None = None
) -> tuple[Effective, str]:
    """What holds for a start, and its main source in one line.

    The defaults, or what the run began with; over it evolve.toml, .env, the environment and the flags. environment:
    None to read that of the options.

    Raises:
        UsageError: something there cannot be used; names each with its place.
    """
    environment = environment or read_environment(options.folder, options.environment)
    layers = [*gathered(options.folder, environment), from_flags(options.overrides, options.caller, Settings)]
    found = effective(layers, environment, recorded.settings if recorded is not None else None)
    source = "as this run began"
    if (options.folder / FILE).exists():
        source = FILE
    elif recorded is None:
        source = f"the defaults (no {FILE} here)"
    outside = [one for one in found.origins.values() if one.kind in (".env", "environment")]
    variables = dict.fromkeys(one.kind if one.kind == ".env" else one.where for one in outside)
    return found, f"settings: {', '.join([source, *variables])}"


def run_names(database: Path) -> list[str]:
    """The recorded runs, oldest first; none if there is no database.

    Raises:
        StorageError: it cannot be read.
    """
    if not database.exists() or unfilled(database):
        return []
    with reading(database) as connection:
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
    with reading(database) as connection:
        (row,) = query(connection, "SELECT * FROM runs WHERE run = ?", run)
        documents = query(connection, "SELECT document, split, used FROM documents WHERE run = ?", run)
        sessions = query(
            connection, "SELECT iterations FROM sessions WHERE run = ? ORDER BY number DESC", run
        )
    return Recorded(
        settings=validate(as_recorded(row["settings"]), f"the settings recorded for {run}"),
        lag=row["lag"],
        instrument=row["instrument"],
        sandbox=row["sandbox"],
        iterations=sessions[0]["iterations"] if sessions else None,
        documents={one["document"]: (one["split"], bool(one["used"])) for one in documents},
    )


def as_recorded(settings: str) -> dict[str, Any]:
    """The recorded settings; a run of the version before goes on by the method it began with."""
    found: dict[str, Any] = json.loads(settings)
    if "error" not in found.get("search", {}):
        found["search"] = dict(BEFORE_SEQUENTIAL) | found.get("search", {})
    return found


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
        cause = (
            "They are the text of the Python installation, which differs from release to release; this is Python "
            f"{platform.python_version()}. Go on with the release the run began with, "
            if recorded.settings.documents.path is None
            else "Put them back (a text read from PDF or .docx also changes with the library that reads it), "
        )
        raise UsageError(
            f"{len(gone)} documents that this run measures on are gone or changed (the first: {gone[0]}). "
            f"{cause}or start another run with --new."
        )
    kept = tuple(one for one in collection.documents if one.id in recorded.documents)
    fresh = [one for one in collection.documents if one.id not in recorded.documents]
    added = sum(split_of(one.id) == "training" for one in fresh)  # of the other splits not all were taken
    notice = (f"{added} training documents added since the run began are left out of it",) if added else ()
    return replace(collection, documents=kept, notices=collection.notices + notice)
