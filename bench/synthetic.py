"""A long run that never happened: population.db and calls.db of any size, written in minutes through the real schema.

python bench/synthetic.py FOLDER --candidates 10000 --calls 1000000

The rows of an iteration are those that `evolve.rows` makes of an Iteration, the rows of a call those that the journal
makes of a Reply; only their number is invented. There is no repository and there are no traces behind them.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from evolve import rows
from evolve.history import History
from evolve.iteration import Candidate, Cause, Diagnosis, Evaluation, Iteration, Outcome, Spend
from evolve.rows import DocumentRow, Row, RunRow
from evolve.settings import Settings
from harness.journal import INSERT, Entry, Journal, entry_row
from harness.trajectory import Report, Rollout, Step, Verdict
from harness.types import ROLES, Draw, Reply, Side, Split

RUN = "run-001"
INSTRUMENT = sha256(b"synthetic").hexdigest()
LAG = 8
STORED = 100
REASONS = ("weak_mean_high", "weak_best_high", "strong_mean_low", "gap_small", "leak")
LINE = "+Ask for the interplay of at least three factors, none of which decides alone, and check every sentence.\n"


@dataclass(frozen=True)
class Size:
    """candidates: the baseline included; a call belongs to one of their iterations. text: characters of a reply."""

    candidates: int = 10_000
    calls: int = 1_000_000
    survivors: float = 0.25
    text: int = 600


def documents(validation: int = 10) -> list[DocumentRow]:
    sizes: dict[Split, int] = {"training": 81, "validation": validation, "test": 40}
    splits = [split for split, number in sizes.items() for _ in range(number)]
    return [DocumentRow(f"{n:016x}", f"module_{n}", split, 6000, True) for n, split in enumerate(splits)]


def run_row() -> RunRow:
    settings = Settings().model_dump_json(indent=2)
    return RunRow(
        RUN, "0.1.0", 0, LAG, INSTRUMENT, "namespaces-only", ROLES, settings, "0" * 40, f"runs/{RUN}"
    )


def steps() -> list[tuple[Step, ...]]:
    """Trajectories to draw from: what the last submission of a rollout came to; the accepted one first."""
    accepted = Report(
        accepted=True, stage="accepted", reasons=(), feedback="", weak_mean=0.4, strong_mean=0.8, gap=0.4
    )
    refused = [
        accepted.model_copy(update={"accepted": False, "stage": "too_easy", "reasons": (one, "gap_small")})
        for one in REASONS
    ]
    shadow = {name: Verdict(accepted=False, reasons=("weak_mean_high",)) for name in ("prose", "table")}
    return [(Step(kind="submit", ordinal=1, report=one, shadow=shadow),) for one in (accepted, *refused)]


def rollout(document: int, told: tuple[Step, ...], lost: bool = False, trial: int = 0) -> Rollout:
    """One that ended with that trajectory of STEPS. lost: it has no score."""
    lucky = told is STEPS[0]
    return Rollout(
        document=f"{document:016x}",
        name=f"module_{document}",
        outcome="missing" if lost else "accepted" if lucky else "exhausted",
        score=None if lost else float(lucky),
        steps=told,
        submissions=3,
        asks=4,
        tokens=14_000,
        trial=trial,
    )


def evaluation(rng: random.Random, candidate: str, place: tuple[int, Side], chance: float) -> Evaluation:
    """One rollout a document, accepted with that chance; one in fifty has no score."""
    number, side = place
    split: Split = "training" if side == "minibatch" else "validation"
    measured = rng.sample(range(81), 4) if split == "training" else range(81, 91)
    rollouts = []
    for document in measured:
        lucky, lost = rng.random() < chance, rng.random() < 0.02
        told = STEPS[0] if lucky else rng.choice(STEPS[1:])
        rollouts.append(rollout(document, told, lost))
    return Evaluation(candidate, number, side, split, INSTRUMENT, tuple(rollouts))


def iterations(size: Size, rng: random.Random) -> Iterator[Iteration]:
    """The baseline, then one child an iteration; parents are drawn among the latest survivors that could be seen."""
    spend = tuple(Spend(role, 15, 30_000, 9_000, 0.02) for role in ROLES)
    zero = Candidate("c0", 0, None, "0" * 40, "0" * 40)
    first = evaluation(rng, "c0", (0, "baseline"), 0.2)
    yield Iteration(0, "baseline", "", "c0", 0, zero, evaluations=(first,), spend=spend, started=1e9)
    alive = ["c0"]
    for number in range(1, size.candidates):
        parent = rng.choice(alive[-STORED:-LAG] or alive[:1])
        child = Candidate(
            f"c{number}", number, parent, digest("commit", number), digest("tree", number), LINE * 20
        )
        outcome: Outcome = "survived" if rng.random() < size.survivors else "dropped"
        yield Iteration(
            number=number,
            outcome=outcome,
            reason="difference +0.200 on 10 documents",
            parent=parent,
            sees=max(0, number - LAG),
            child=child,
            probabilities=dict.fromkeys(alive[-STORED:], 1 / min(len(alive), STORED)),
            diagnosis=DIAGNOSIS,
            summary="Asked for premises in the context and for a conclusion that none of them states by itself.",
            evaluations=(
                evaluation(rng, parent, (number, "minibatch"), 0.3),
                evaluation(rng, parent, (number, "parent"), 0.3),
                evaluation(rng, child.id, (number, "child"), 0.5 if outcome == "survived" else 0.2),
            ),
            spend=spend,
            started=1e9 + 60 * number,
            finished=1e9 + 60 * number + 55,
        )
        if outcome == "survived":
            alive.append(child.id)


def digest(what: str, number: int) -> str:
    return sha256(f"{what} {number}".encode()).hexdigest()[:40]


STEPS = steps()
CAUSE = Cause(
    title="The context states the conclusion that the question asks for",
    explanation="Solvers copy it out. " * 25,
    evidence=("module_3: all weak attempts quote the context",) * 3,
    remedy="Keep the premises in the context and the verdict out of it. " * 8,
)
DIAGNOSIS = Diagnosis(summary="Tasks are too easy because they can be read off.", causes=(CAUSE,) * 3)


async def write_population(folder: Path, size: Size) -> None:
    """population.db with one run; the schema is made by the program itself."""
    history = await History.open(folder / "population.db")
    await history.open_run(run_row(), documents())
    await history.start_session(RUN, LAG, size.candidates)
    await history.end_session(RUN, 1, "finished")
    await history.close()
    connection = sqlite3.connect(folder / "population.db")
    with connection:
        connection.execute("PRAGMA synchronous = OFF")
        for one in iterations(size, random.Random(size.candidates)):
            for table, records in rows.iteration_rows(run_row(), one, {}).items():
                insert(connection, table, records)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def insert(connection: sqlite3.Connection, table: str, records: list[Row]) -> None:
    if records:
        columns = ", ".join(records[0])
        marks = ", ".join(f":{name}" for name in records[0])
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", records)


def write_journal(folder: Path, size: Size) -> None:
    """calls.db: the calls spread evenly over the iterations."""
    place = folder / "runs" / RUN / "calls.db"
    Journal(place).close()
    connection = sqlite3.connect(place)
    with connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany(INSERT, map(entry_row, calls(size)))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def calls(size: Size) -> Iterator[Entry]:
    text = (LINE * (1 + size.text // len(LINE)))[: size.text]
    reply = Reply(
        key="",
        text=text,
        finish_reason="stop",
        model="simulated",
        prompt_tokens=900,
        completion_tokens=300,
        cost=1e-4,
    )
    sides: tuple[Side, ...] = ("minibatch", "parent", "child")
    for number in range(size.calls):
        iteration = number * size.candidates // size.calls
        key = sha256(str(number).encode()).hexdigest()[:32]
        draw = Draw(
            iteration, sides[number % 3], f"{number % 91:016x}", ordinal=number % 9, attempt=number % 6
        )
        yield Entry(ROLES[number % 5], replace(draw), reply.model_copy(update={"key": key}))


def write(folder: Path, size: Size) -> None:
    """A folder as a long run leaves it, without repository and traces."""
    (folder / "runs" / RUN).mkdir(parents=True)
    asyncio.run(write_population(folder, size))
    write_journal(folder, size)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("--candidates", type=int, default=Size.candidates)
    parser.add_argument("--calls", type=int, default=Size.calls)
    parser.add_argument(
        "--survivors", type=float, default=Size.survivors, help="share of children that survive"
    )
    parser.add_argument("--text", type=int, default=Size.text, help="characters of a reply")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = vars(arguments())
    where, began = chosen.pop("folder"), perf_counter()
    write(where, Size(**chosen))
    sizes = {path.name: path.stat().st_size for path in where.rglob("*.db")}
    sys.stdout.write(json.dumps({"seconds": round(perf_counter() - began, 1), "bytes": sizes}) + "\n")
