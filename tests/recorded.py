"""Ready-made runs and iterations for tests of what is stored; also run as a program that dies while it records.

python recorded.py moments FOLDER    die at every SQL statement of a record() in turn; one JSON line a death
python recorded.py steady DATABASE   record iterations until killed, printing each number when it is durable
"""

import asyncio
import itertools
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from evolve.history import History
from evolve.iteration import Candidate, Cause, Diagnosis, Evaluation, Iteration, Spend
from evolve.rows import DocumentRow, RunRow, Trace
from harness.trajectory import Report, Rollout, Step, Verdict
from harness.types import ROLES, Side, Split

RUN = RunRow("r", "0.1.0", 7, 8, "i" * 64, "process", ROLES, '{"seed": 7}', "b" * 40, "runs/r")
TRACES: dict[Side, Trace] = {
    side: Trace(f"traces/{side}.jsonl", "0" * 64) for side in ("minibatch", "edit", "parent", "child")
}
SPLITS: dict[Side, Split] = {"minibatch": "training", "final": "test"}
TABLES = {
    "candidates": ("iteration", 1),
    "iterations": ("number", 1),
    "diagnoses": ("iteration", 1),
    "evaluations": ("iteration", 3),
    "rollouts": ("iteration", 24),
    "spends": ("number", 7),
    "traces": ("iteration", 4),
}


def documents(count: int = 60) -> list[DocumentRow]:
    splits: list[Split] = ["training", "validation", "test"]
    return [
        DocumentRow(f"{n:016x}", f"document {n}", splits[n * 3 // count], 100 + n, True) for n in range(count)
    ]


def rollout(document: int, score: float | None) -> Rollout:
    """A rollout with one submission; score None is a missing measurement."""
    outcome = "missing" if score is None else ("accepted" if score else "exhausted")
    reasons = () if score else ("weak_mean_high", "gap_low")
    report = Report(
        accepted=bool(score),
        stage="accepted" if score else "too_easy",
        reasons=reasons,
        feedback="text",
        weak_mean=0.75,
        strong_mean=0.875,
        gap=0.125,
    )
    shadow = {"prose": Verdict(accepted=bool(score), reasons=reasons)}
    step = Step(kind="submit", ordinal=0, report=report, shadow=shadow)
    return Rollout(
        document=f"{document:016x}",
        name=f"document {document}",
        outcome=outcome,
        score=score,
        detail="the last solver failed" if score is None else "",
        steps=() if score is None else (step,),
        submissions=1,
        asks=2,
        tokens=300,
    )


def evaluation(number: int, side: Side, candidate: str, scores: list[float | None]) -> Evaluation:
    split = SPLITS.get(side, "validation")
    first = {"training": 0, "validation": 20, "test": 40}[split]
    rollouts = tuple(rollout(first + place, score) for place, score in enumerate(scores))
    return Evaluation(candidate, number, side, split, RUN.instrument, rollouts)


def baseline() -> Iteration:
    zero = Candidate("c0", 0, None, "a" * 40, RUN.scaffold_tree)
    measured = evaluation(0, "baseline", "c0", [1.0] + [0.0] * 8 + [None])
    spend = (Spend("weak", 10, 1000, 500, 0.25),)
    return Iteration(0, "baseline", "", "", -1, zero, evaluations=(measured,), spend=spend, started=1e9)


def iteration(number: int, parent: str = "c0", survives: bool = True) -> Iteration:
    """An iteration of usual size: 24 rollouts, a diagnosis, a child."""
    child = Candidate(f"c{number}", number, parent, f"{number:040x}", f"{number + 1:040x}", "+line\n" * 50)
    cause = Cause(title="Too easy", explanation="Recall.", evidence=("document 1",), remedy="Ask for more.")
    wins: list[float | None] = [float((place + number) % 3 == 0) for place in range(9)]
    return Iteration(
        number=number,
        outcome="survived" if survives else "dropped",
        reason="3 of 10 better" if survives else "no gain",
        parent=parent,
        sees=max(0, number - 8),
        child=child,
        probabilities={parent: 0.1 + 0.2, "c99": 0.7},
        diagnosis=Diagnosis(summary="Tasks are too easy.", causes=(cause,)),
        summary="Asked for two findings.",
        evaluations=(
            evaluation(number, "minibatch", parent, [0.0, 0.0, 1.0, 0.0]),
            evaluation(number, "parent", parent, [0.0] * 9 + [None]),
            evaluation(number, "child", child.id, [*wins, 1.0]),
        ),
        spend=tuple(Spend(role, 12, 3400, 560, 0.125) for role in ROLES),
        started=1e9 + number,
        finished=1e9 + number + 0.5,
    )


async def begun(path: Path) -> History:
    """An open database with a run, its documents and its baseline."""
    history = await History.open(path)
    await history.open_run(RUN, documents())
    await history.record(RUN.run, baseline(), {})
    return history


def counts(path: Path, number: int) -> dict[str, int]:
    """Table -> rows that belong to iteration `number`."""
    connection = sqlite3.connect(path)
    try:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table} WHERE {key} = ?", [number]).fetchone()[0]
            for table, (key, _) in TABLES.items()
        }
    finally:
        connection.close()


def soundness(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        return [connection.execute("PRAGMA integrity_check").fetchone()[0], *map(str, broken)]
    finally:
        connection.close()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _prepare(path: Path) -> None:
    await (await begun(path)).close()


async def _die_at(path: Path, moment: int) -> None:
    history = await History.open(path)
    statements = itertools.count(1)

    def on_statement(_: str) -> None:
        if next(statements) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    database = history._database
    assert database is not None
    database.conn.set_trace_callback(on_statement)
    await history.record(RUN.run, iteration(1), TRACES)
    database.conn.set_trace_callback(None)
    await history.close()


def moments(folder: Path) -> None:
    original = folder / "original.db"
    asyncio.run(_prepare(original))
    for moment in itertools.count(1):
        path = folder / f"{moment}.db"
        shutil.copyfile(original, path)
        child = os.fork()
        if child == 0:
            asyncio.run(_die_at(path, moment))
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        line = {"status": status, "counts": counts(path, 1), "sound": soundness(path)}
        say(json.dumps(line))
        if status == 0:
            return


async def steady(path: Path) -> None:
    history = await begun(path)
    for number in itertools.count(1):
        await history.record(RUN.run, iteration(number), TRACES)
        say(str(number))


if __name__ == "__main__":
    if sys.argv[1] == "moments":
        moments(Path(sys.argv[2]))
    else:
        asyncio.run(steady(Path(sys.argv[2])))
