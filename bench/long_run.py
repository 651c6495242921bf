"""A run of 10,000 candidates and 1,000,000 journalled calls: choosing a parent, the reading commands, memory.

python bench/long_run.py [--folder FOLDER]    a folder of synthetic.py is used again, a new one is written first
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from figures import Figure, process, script, tell
from synthetic import LAG, RUN, Size, write

from evolve.history import History
from evolve.iteration import Iteration
from evolve.results import Results
from evolve.selection import Pressure
from evolve.selection.boltzmann import select
from harness.journal import Journal

DRAWS = 50


async def resumed(folder: Path) -> dict[str, float]:
    """Open a run as a resume does; megabytes of this process then, seconds it took, milliseconds a choice takes."""
    bare, began = megabytes(), perf_counter()
    history = await History.open(folder / "population.db")
    try:
        recorded = await history.load(RUN)
        results = Results(recorded)
        standing = len(results.population.standings)
        journal = Journal(folder / "runs" / RUN / "calls.db")
        took = perf_counter() - began
        journal.close()
    finally:
        await history.close()
    peak = megabytes()
    choices = await choice_seconds(recorded)
    return {
        "bare": bare,
        "megabytes": peak,
        "seconds": took,
        "standings": standing,
        "choice": 1000 * median(choices),
        "slowest": 1000 * max(choices),
    }


async def choice_seconds(recorded: list[Iteration]) -> list[float]:
    """What the loop does before it has a parent: the population as an iteration sees it, and the draw.

    The last iterations are taken away and come in again one by one, as they do in a run.
    """
    results, found = Results(recorded[:-DRAWS]), []
    await results.upto(len(recorded) - DRAWS - LAG)
    for one in recorded[-DRAWS:]:
        results.add(one)
        began = perf_counter()
        seen = await results.upto(one.number + 1 - LAG)
        possible = [each for each in seen.arm("evolution") if each.trials]
        select(possible, seen.children, Pressure(), np.random.default_rng([0, one.number + 1]))
        found.append(perf_counter() - began)
    return found


def megabytes() -> float:
    """The most memory this process has had so far, in 10^6 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measured(folder: Path, times: int) -> list[Figure]:
    child = subprocess.run(
        [sys.executable, __file__, "--resume", str(folder)], check=True, capture_output=True, text=True
    )
    found = json.loads(child.stdout)
    figures = [
        Figure("parent selection, median", found["choice"], "ms", 5),
        Figure("parent selection, slowest of 50", found["slowest"], "ms"),
        Figure("candidates to choose among", found["standings"]),
        Figure("memory with the whole run open", found["megabytes"], "MB", 300),
        Figure("memory of the same process before", found["bare"], "MB"),
        Figure("opening it", found["seconds"], "s"),
        *process("a bare interpreter", [sys.executable, "-c", "pass"], times),
    ]
    for command in ("status", "log", "best"):
        asked = [*script("evolve"), command, "--db", str(folder / "population.db")]
        figures += process(f"evolve {command}", asked, times, 0.5)
    return figures


@contextmanager
def run_folder(given: Path | None, size: Size) -> Iterator[Path]:
    """The folder of a synthetic run, written unless it is there."""
    if given is not None:
        if not given.exists():
            write(given, size)
        yield given
        return
    with TemporaryDirectory(prefix="evolve-long-run-") as scratch:
        write(Path(scratch) / "run", size)
        yield Path(scratch) / "run"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=Path, help="a folder to write, or one that was written")
    parser.add_argument("--times", type=int, default=7, help="how often a command is run")
    parser.add_argument("--candidates", type=int, default=Size.candidates)
    parser.add_argument("--calls", type=int, default=Size.calls)
    parser.add_argument("--survivors", type=float, default=Size.survivors)
    parser.add_argument("--resume", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.resume is not None:
        sys.stdout.write(json.dumps(asyncio.run(resumed(chosen.resume))))
        return 0
    with run_folder(chosen.folder, Size(chosen.candidates, chosen.calls, chosen.survivors)) as folder:
        return tell(measured(folder, chosen.times))


if __name__ == "__main__":
    sys.exit(main())
