"""What calls.db, the receipt of a run, says at a glance. Reads only; what it holds in full is checked by verify.py."""

import json
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evolve.database import open_readonly
from harness.errors import StorageError

SAMPLE = 2000
NAMES = f"""SELECT DISTINCT role, model FROM (
    SELECT * FROM (SELECT role, model FROM calls ORDER BY rowid LIMIT {SAMPLE})
    UNION ALL SELECT * FROM (SELECT role, model FROM calls ORDER BY rowid DESC LIMIT {SAMPLE}))"""
SUMS = "SELECT count(*), total(prompt_tokens + completion_tokens), total(cost) FROM calls"
THOSE = "WHERE iteration IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True)
class Receipt:
    """What was paid for: calls answered, their tokens, and US dollars."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0


def receipt(place: Path) -> Receipt:
    """All that a journal holds; nothing where there is none or it cannot be read."""
    rows = _read(place, SUMS)
    return Receipt(int(rows[0][0]), int(rows[0][1]), float(rows[0][2])) if rows else Receipt()


def unrecorded(place: Path, recorded: Collection[int], untested: Iterable[int]) -> Receipt:
    """What iterations and final tests have used that have no row yet: under way, or broken off and to be gone on with.

    recorded: numbers of the iterations that have a row. untested: births of candidates with no final test recorded.
    """
    last = _read(place, "SELECT coalesce(max(iteration), -1) FROM calls")
    known = frozenset(recorded)
    open_ones = [number for number in range(int(last[0][0]) + 1) if number not in known] if last else []
    rows = _read(place, f"{SUMS} {THOSE} AND side <> 'final'", json.dumps(open_ones))
    rows += _read(place, f"{SUMS} {THOSE} AND side = 'final'", json.dumps(list(untested)))
    return Receipt(
        sum(int(calls) for calls, _, _ in rows),
        sum(int(tokens) for _, tokens, _ in rows),
        sum(float(cost) for _, _, cost in rows),
    )


def several_names(place: Path) -> dict[str, tuple[str, ...]]:
    """Role -> the model names its endpoint reported, if there were several among the first and the last calls.

    A sample, since a journal may hold a million calls; a name that changed for good shows in it.
    """
    found: dict[str, list[str]] = {}
    for role, model in _read(place, NAMES):
        found.setdefault(str(role), []).append(str(model))
    return {role: tuple(names) for role, names in found.items() if len(names) > 1}


def _read(place: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    try:
        with closing(open_readonly(place)) as connection:
            return connection.execute(query, values).fetchall()
    except (StorageError, sqlite3.Error):
        return []
