"""Small whole runs with simulated models, and all that is recorded of a run that must not depend on how it went."""

import asyncio
import atexit
import shutil
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from evolve.opening import Options
from evolve.session import Run, Summary, start

RUN = "run-001"
Facts = dict[str, list[tuple[object, ...]]]
QUERIES = {
    "iterations": """SELECT number, parent, child, outcome, reason, summary, sees, parent_score, child_score,
        difference, low, high, compared, probabilities FROM iterations ORDER BY number""",
    "candidates": """SELECT candidate, parent, commit_hash, tree_hash, status, diff FROM candidates
        ORDER BY iteration""",
    "rollouts": """SELECT iteration, side, candidate, position, document, outcome, score, submissions, asks, tokens,
        weak_mean, strong_mean, gap, reasons FROM rollouts ORDER BY iteration, side, candidate, position""",
    "diagnoses": "SELECT iteration, summary, causes FROM diagnoses ORDER BY iteration",
    "traces": "SELECT iteration, side, file, sha256 FROM traces ORDER BY iteration, side",
    "spends": """SELECT part, number, role, calls, prompt_tokens, completion_tokens, round(cost, 9) FROM spends
        ORDER BY part, number, role""",
}
SMALL: dict[str, Any] = {
    "documents.path": "documents",
    "documents.minibatch": 2,
    "documents.validation": 3,
    "documents.test": 3,
    "measure.allowance.submissions": 1,
    "search.effect": 0.5,
    "search.block": 3,
    "search.overlook": 0.9,
}
QUICK = {
    "EVOLVE_SEARCH__SURVIVAL": "strict",
    "EVOLVE_DOCUMENTS__VALIDATION": "8",
    "EVOLVE_DOCUMENTS__TEST": "8",
}
MARKERS = ("amaranth", "bergamot", "cardamom", "damask", "euphorbia", "fuchsia", "gentian", "heliotrope")


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """All rows, read without writing."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(sql).fetchall()


def facts(folder: Path) -> Facts:
    """Everything recorded of a run that must not depend on when and how often it was stopped, or on its speed."""
    found = {name: query(folder / "population.db", sql) for name, sql in QUERIES.items()}
    git = ["git", "-C", str(folder / "runs" / RUN / "candidates.git")]
    refs = subprocess.run(
        [*git, "for-each-ref", "--format=%(refname) %(objectname)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {**found, "refs": [(line,) for line in refs.stdout.splitlines()]}


def differences(first: Facts, second: Facts) -> list[str]:
    """Every row that only one of two runs has."""
    rows = []
    for name in first:
        mine, theirs = Counter(first[name]), Counter(second[name])
        rows += [f"{name}, only in the first: {str(row)[:300]}" for row in mine - theirs]
        rows += [f"{name}, only in the second: {str(row)[:300]}" for row in theirs - mine]
    return rows


def journal(folder: Path) -> Path:
    return folder / "runs" / RUN / "calls.db"


def calls(folder: Path) -> int:
    """How many calls were paid and recorded."""
    return int(query(journal(folder), "SELECT count(*) FROM calls")[0][0])


def write_documents(folder: Path, numbers: range = range(40)) -> None:
    """Short documents, each with a word of its own that nothing else contains."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        text = (
            f"The {marker(number)} queue keeps {number + 3} pairs. When it is full the pair unused for longest is "
            f"dropped, because memory is short; under a scan of {number + 4} keys every lookup misses although the "
            f"{marker(number)} queue is in use. A second level halves the misses and doubles the writes.\n\n"
        )
        (folder / f"{marker(number)}.txt").write_text(text * 2)


def marker(number: int) -> str:
    return MARKERS[number % 8] + "qrstuvwxyz"[number // 8 % 10] * 3


def options(folder: Path, iterations: int, workers: int = 3, **overrides: Any) -> Options:
    """A run of the small settings in `folder`; overrides with `__` for the dot."""
    dotted = {name.replace("__", "."): value for name, value in overrides.items()}
    return Options(folder, folder / "population.db", iterations, workers, overrides=SMALL | dotted)


def go(folder: Path, iterations: int, workers: int = 3, **overrides: Any) -> Summary:
    """Start or resume it and wait for its end."""

    async def nobody(_: Run) -> None:
        pass

    return asyncio.run(start(options(folder, iterations, workers, **overrides), nobody))


@cache
def reference() -> Path:
    """A finished, uninterrupted run of five iterations by three workers, made once a process; copy it to change it."""
    folder = Path(mkdtemp(prefix="evolve-reference-"))
    atexit.register(shutil.rmtree, folder, True)
    write_documents(folder / "documents")
    assert go(folder, 5).outcome == "finished"
    return folder


def copied(folder: Path) -> Path:
    """A copy of the reference run."""
    shutil.copytree(reference(), folder, dirs_exist_ok=True)
    return folder
