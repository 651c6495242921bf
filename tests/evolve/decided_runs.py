"""Finished runs over fakes in a database, with all their decisions, for tests of holding these again."""

import asyncio
import json
import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from evolve_fakes import BASELINE, TRAINING, VALIDATION, Score, World

from evolve.history import History
from evolve.iteration import Iteration
from evolve.loop import Plan, evolve
from evolve.race import Rule, record
from evolve.report.store import opened
from evolve.report.verify_decisions import decision_problems
from evolve.results import Results
from evolve.rows import DocumentRow, RunRow
from evolve.rules import rules_of
from evolve.settings import Settings
from harness.types import ROLES, Side, Split

LAG, NUMBER = 3, 14
Scoring = Callable[[str, int, Side, str], Score]
SEARCH = {"effect": 0.3, "block": 4, "overlook": 0.3, "error": 0.4, "horizon": 20, "control": 0.0}


def chance(candidate: str, iteration: int, side: Side, document: str) -> Score:
    """Children of even numbers pass most of the time, all others seldom; now and then a draw is missing."""
    drawn = random.Random(f"{candidate} {iteration} {side} {document}").random()
    good = int(candidate[1:]) % 2 == 0 and candidate != "c0"
    return None if drawn > 0.97 else float(drawn < (0.85 if good else 0.25))


def settings_of(survival: str, **search: object) -> dict[str, Any]:
    return Settings.model_validate({"search": {"survival": survival, **SEARCH, **search}}).model_dump(
        mode="json"
    )


def run_row(settings: dict[str, Any]) -> RunRow:
    return RunRow("r", "0", 7, LAG, "i", "process", ROLES, json.dumps(settings), "0" * 40, "runs/r")


def document_rows() -> list[DocumentRow]:
    splits: dict[Split, Any] = {"training": TRAINING, "validation": VALIDATION}
    return [DocumentRow(one.id, one.name, split, 4, True) for split in splits for one in splits[split]]


async def held(rule: Rule, scores: Scoring, number: int) -> Sequence[Iteration]:
    """The iterations of a run over fakes, by number."""
    world = World(rule=rule, scores=scores)
    parts = world.parts()
    measured = await record(parts.track, BASELINE, 0, "baseline", range(max(1, rule.record)))
    results = Results([Iteration(0, "baseline", "", "c0", 0, BASELINE, evaluations=(measured,))])
    assert await evolve(Plan(7, LAG, LAG, number), parts, results) is None
    return [results.finished[number] for number in sorted(results.finished)]


async def write(path: Path, settings: dict[str, Any], iterations: Sequence[Iteration]) -> None:
    history = await History.open(path)
    await history.open_run(run_row(settings), document_rows())
    for one in iterations:
        await history.record("r", one, {})
    await history.close()


def made(
    path: Path, survival: str, scores: Scoring = chance, number: int = NUMBER, **search: object
) -> list[Iteration]:
    """A finished run that was decided by that rule."""
    settings = settings_of(survival, **search)
    _, rule = rules_of(Settings.model_validate(settings), len(VALIDATION))
    iterations = asyncio.run(held(rule, scores, number))
    asyncio.run(write(path, settings, iterations))
    return list(iterations)


def problems(path: Path) -> tuple[int, tuple[str, ...]]:
    with opened(path, None) as store:
        return decision_problems(store)


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
        connection.commit()


def one_of(path: Path, query: str) -> int:
    """The first number that a query finds."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(query).fetchone()[0])
