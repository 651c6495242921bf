"""The pilot of a plan: rollouts that were paid for already, from a run of the same instrument or an earlier pilot."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np

from evolve.database import failure, open_readonly, reading
from evolve.opening import query, unfilled
from evolve.planning.values import PLACE, Pilot
from harness.types import ROLES, Role

FOLDER = "plans"
CALLS = "calls.db"
DONE = "rollouts.json"
ROLLOUTS = """SELECT iteration, side, document, trial, role, count(*), total(prompt_tokens), total(completion_tokens),
    total(seconds), min(julianday(at) - seconds / 86400.0), max(julianday(at)) FROM calls
    WHERE side <> 'edit' AND document <> '' GROUP BY 1, 2, 3, 4, 5"""
EDITS = """SELECT iteration, role, count(*), total(prompt_tokens), total(completion_tokens), total(seconds) FROM calls
    WHERE side = 'edit' AND iteration IN (SELECT value FROM json_each(?)) GROUP BY 1, 2"""
RUNS = "SELECT run, folder, simulated_roles FROM runs WHERE instrument = ? ORDER BY run = ? DESC, created_at DESC, run DESC"
ITERATIONS = "SELECT number, outcome FROM iterations WHERE run = ? AND number > 0"
FRUITLESS = ("no_change", "out_of_scope", "broken", "no_proposal")
DAY = 86400.0
Row = tuple[object, ...]


def recorded(database: Path, instrument: str, named: str | None) -> Pilot | None:
    """The rollouts of a run with that instrument: the named one, else the newest that has some; None if there is none.

    Raises:
        StorageError: database or journal cannot be read.
    """
    if not database.exists() or unfilled(database):
        return None
    with reading(database) as connection:
        for run, folder, roles in query(connection, RUNS, instrument, named or ""):
            outcomes = {row[0]: row[1] for row in query(connection, ITERATIONS, run)}
            calls = database.parent / folder / CALLS
            if calls.exists() and (found := of_run(calls, run, outcomes, json.loads(roles))) is not None:
                return found
    return None


def of_run(calls: Path, run: str, outcomes: Mapping[int, str], simulated: Iterable[Role]) -> Pilot | None:
    """What the journal of a run holds. outcomes: of its recorded iterations; None if there is no rollout."""
    rollouts = rows(calls, ROLLOUTS)
    if not rollouts:
        return None
    edits = by_iteration(rows(calls, EDITS, json.dumps(sorted(outcomes))), sorted(outcomes))
    fruitless = sum(one in FRUITLESS for one in outcomes.values()) / len(outcomes) if outcomes else 0.0
    return pilot_of(rollouts, f"the recorded run {run}", tuple(simulated), edits, fruitless)


def measured(home: Path, simulated: tuple[Role, ...]) -> Pilot | None:
    """The finished rollouts of a pilot in its folder; None if there is none.

    Raises:
        StorageError: the journal cannot be read.
    """
    done = finished(home)
    if not done or not (home / CALLS).exists():
        return None
    rollouts = [row for row in rows(home / CALLS, ROLLOUTS) if row[2] in done]
    source = f"the pilot in {FOLDER}/{home.name}"
    found = pilot_of(rollouts, source, simulated, np.zeros((0, len(ROLES), 4)))
    outcomes = tuple(Counter(done.values()).most_common())
    return None if found is None else Pilot(**{**vars(found), "outcomes": outcomes})


def finished(home: Path) -> dict[str, str]:
    """Document -> outcome of the rollouts of a pilot that came to their end."""
    try:
        return {str(key): str(one) for key, one in json.loads((home / DONE).read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError):
        return {}  # none yet, or cut off while it was written: the journal pays for doing it again


def rows(calls: Path, sql: str, *values: str) -> list[Row]:
    """All rows of a journal."""
    try:
        with closing(open_readonly(calls)) as connection:
            return [tuple(row) for row in connection.execute(sql, values).fetchall()]
    except sqlite3.Error as error:
        raise failure(calls, error) from error


def pilot_of(
    found: Iterable[Row], source: str, simulated: tuple[Role, ...], edits: np.ndarray, fruitless: float = 0.0
) -> Pilot | None:
    """Rows of `ROLLOUTS`, a rollout and a role each, as arrays."""
    keys, use, begun, ended = dict[Row, int](), list[np.ndarray](), list[float](), list[float]()
    for *key, role, calls, prompt, completion, seconds, first, last in found:
        at = keys.setdefault(tuple(key), len(keys))
        if at == len(use):
            use.append(np.zeros((len(ROLES), 4)))
            begun.append(float(first))  # type: ignore[arg-type]  # a REAL of SQLite
            ended.append(float(last))  # type: ignore[arg-type]  # the same
        use[at][PLACE[role]] = calls, prompt, completion, seconds  # type: ignore[index]  # a role by its column
        begun[at], ended[at] = min(begun[at], float(first)), max(ended[at], float(last))  # type: ignore[arg-type]  # REAL
    if not use:
        return None
    documents = np.unique([str(key[2]) for key in keys], return_inverse=True)[1]
    elapsed = (np.array(ended) - np.array(begun)) * DAY
    return Pilot(source, simulated, np.array(use), documents, elapsed, edits, fruitless)


def by_iteration(found: Iterable[Row], numbers: list[int]) -> np.ndarray:
    """Rows of `EDITS` as an array over those iterations."""
    place = {number: at for at, number in enumerate(numbers)}
    made = np.zeros((len(numbers), len(ROLES), 4))
    for number, role, *figures in found:
        made[place[number]][PLACE[role]] = figures  # type: ignore[index]  # by their columns
    return made
