"""Calls per second of a whole run, from the command's start to its end, beside a bare loop of the same client.

python bench/throughput.py --slots 8 --latency 0.2                8 calls in flight, 0.2 s each
python bench/throughput.py --slots 8 --latency 0.2 --slow 0.1     one call in ten takes 2 s
python bench/throughput.py --slots 64 --latency 1 --workers 16    64 calls in flight, 1 s each

Both ask the same server, a process of its own on this machine, which takes its share of the cores. The run is
`evolve run` with 60 iterations of a small configuration: minibatch 4, validation 10, one submission a rollout.
"""

import argparse
import asyncio
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import Figure, script, tell
from serving import Load, bare, busy, served, spans

from evolve.from_rows import seconds
from harness.types import ROLES

RUN = "run-001"


@dataclass(frozen=True)
class Shape:
    """The run: how long and how wide, and how many submissions a rollout may make."""

    iterations: int = 60
    workers: int = 8
    submissions: int = 1


def configure(folder: Path, url: str, load: Load, shape: Shape) -> None:
    """evolve.toml with every role at the server."""
    roles = "".join(f'[models.{role}]\nname = "simulated-{role}"\n' for role in ROLES)
    (folder / "evolve.toml").write_text(
        f"[documents]\nminibatch = 4\nvalidation = 10\n"
        f"[measure.allowance]\nsubmissions = {shape.submissions}\n"
        f'[models.default]\nname = "unset"\nbase_url = "{url}"\nslots = {load.slots}\n{roles}'
    )


def run(folder: Path, shape: Shape) -> tuple[float, float]:
    """Start `evolve run` and wait for it: when it began and ended, in seconds since 1970."""
    command = [
        *script("evolve"),
        "run",
        "--iterations",
        str(shape.iterations),
        "--workers",
        str(shape.workers),
    ]
    with (folder / "output.txt").open("w") as output:
        began = time.time()
        done = subprocess.run(command, cwd=folder, check=False, stdout=output, stderr=output)
        ended = time.time()
    if done.returncode:
        raise SystemExit(
            f"the run ended with {done.returncode}: {(folder / 'output.txt').read_text()[-2000:]}"
        )
    return began, ended


def column(database: Path, query: str) -> list[str]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return [row[0] for row in connection.execute(query)]


def phases(folder: Path, began: float, ended: float) -> dict[str, tuple[float, float]]:
    """The parts of a run by the clock: up to the first measurement, baseline, iterations, then the test and the end."""
    database = folder / "population.db"
    (start,) = column(database, "SELECT started_at FROM iterations WHERE number = 0")
    (measured,) = column(database, "SELECT finished_at FROM iterations WHERE number = 0")
    (searched,) = column(database, "SELECT max(finished_at) FROM iterations")
    moments = [began, seconds(start), seconds(measured), seconds(searched), ended]
    names = ("start-up", "baseline", "iterations", "final test and end")
    return dict(zip(names, pairwise(moments), strict=True))


def measured(folder: Path, load: Load, shape: Shape, rest: float) -> list[Figure]:
    """The bare loop, then the run, against the same server."""
    log = folder / "server.log"
    with served(load, log) as url:
        alone = asyncio.run(bare(url, load, rest))
        asked = len(spans(log))
        configure(folder, url, load, shape)
        began, ended = run(folder, shape)
        seen = spans(log)[asked:]
    (calls,) = column(folder / "runs" / RUN / "calls.db", "SELECT count(*) FROM calls")
    took = ended - began
    used = busy(seen, began, ended) / (load.slots * took)
    ratio = int(calls) / took / alone.calls_per_second
    claim = 0.9 if load.slow or load.slots > 8 else 0.95
    figures = [
        Figure("calls a second, bare loop", alone.calls_per_second, "1/s"),
        Figure("calls a second, whole run", int(calls) / took, "1/s"),
        Figure("run / bare loop", ratio, "", None if load.slow else claim, "more"),
        Figure("slots' time used, whole run", used, "", claim if load.slow else None, "more"),
        Figure("calls", float(calls)),
        Figure("seconds", took, "s"),
    ]
    for name, (start, end) in phases(folder, began, ended).items():
        part = busy(seen, start, end) / (load.slots * (end - start))
        figures.append(Figure(f"slots' time used, {name} ({end - start:.1f} s)", part))
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds of an answer")
    parser.add_argument("--slow", type=float, default=0.0, help="share of the answers that take 2 s")
    parser.add_argument("--iterations", type=int, default=Shape.iterations)
    parser.add_argument("--workers", type=int, default=Shape.workers)
    parser.add_argument("--submissions", type=int, default=Shape.submissions)
    parser.add_argument("--bare", type=float, default=20.0, help="seconds of the bare loop")
    parser.add_argument("--keep", type=Path, help="a new folder for the run; it stays")
    chosen = parser.parse_args()
    load = Load(chosen.slots, chosen.latency, chosen.slow)
    shape = Shape(chosen.iterations, chosen.workers, chosen.submissions)
    with TemporaryDirectory(prefix="evolve-throughput-") as scratch:
        folder = chosen.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        return tell(measured(folder, load, shape, chosen.bare))


if __name__ == "__main__":
    sys.exit(main())
