"""The whole engine in simulated worlds: runs that cannot improve, and ways to search at equal numbers of rollouts.

python bench/engine.py

Every run is `evolve.session.start` with 8 workers: SQLite, git, traces, simulated analyzer and implementer, in a scratch
folder. Only rollouts are drawn without model calls, see null_world.py and engine_world.py. All scores are simulated.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from bench.engine_real import Real, real
from bench.engine_runs import ARMS, OURS, Arm, Ended, Null, null, played
from bench.figures import Figure, tell
from evolve.intervals import Interval, proportion
from evolve.null_study import spread

ITERATIONS, RESAMPLES = 40, 10_000
FIRST = 100  # seed of an arm's first run: those below were looked at while the defaults were chosen


def bootstrapped(values: Sequence[float], statistic: Callable[..., Any]) -> Interval:
    """A statistic of these values with its 95 % percentile bootstrap interval (Efron 1979, Ann. Stat. 7:1-26)."""
    known = np.array(values)
    chosen = np.random.default_rng([0, len(known)]).integers(0, len(known), (RESAMPLES, len(known)))
    low, high = np.quantile(statistic(known[chosen], axis=1), (0.025, 0.975))
    return Interval(float(statistic(known)), float(low), float(high), len(known))


def job(rollouts: int, one: tuple[str, int]) -> Null | Ended:
    """A null run, whose arm has no name, or a run of an arm."""
    name, seed = one
    return played(rollouts, ARM[name], seed) if name else null(ITERATIONS, seed)


ARM: dict[str, Arm] = {arm.name: arm for arm in ARMS}


class Kept:
    """Results that are kept in a file, one a line, so that a stopped benchmark goes on."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        text = path.read_text("utf-8") if path is not None and path.exists() else ""
        self.found = dict(map(read, text.splitlines()))

    def all(self, rollouts: int, jobs: Sequence[tuple[str, int]], processes: int) -> list[Null | Ended]:
        """Those of these jobs, made where they are not there yet."""
        keys = [(*one, rollouts if one[0] else ITERATIONS) for one in jobs]
        missing = [one for one, key in zip(jobs, keys, strict=True) if key not in self.found]
        made = spread(partial(job, rollouts), missing, processes, lambda _: None)
        for one, result in zip(missing, made, strict=True):
            key = (*one, rollouts if one[0] else ITERATIONS)
            self.found[key] = result
            line = json.dumps([key, asdict(result)])
            sys.stderr.write(f"{line}\n")
            if self.path is not None:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")
        return [self.found[key] for key in keys]


def read(line: str) -> tuple[tuple[str, int, int], Null | Ended]:
    """A kept result with its key."""
    key, values = json.loads(line)
    return tuple(key), (Ended if key[0] else Null)(**values)


def table(found: Sequence[Ended]) -> Iterable[str]:
    """A line an arm: the median score of what it ended with, and by how much the default is better, seed by seed."""
    ours = {one.seed: one.best for one in found if one.arm == OURS}
    yield (
        f"{'':<28} {'runs':>4} {'final score, median [95 %]':>27}  {'sequential is better by, mean [95 %]':>36}"
        f"  {'iterations':>10} {'kept':>9} {'rollouts':>8}"
    )
    for arm in ARMS:
        runs = [one for one in found if one.arm == arm.name]
        pairs = [ours[one.seed] - one.best for one in runs if one.seed in ours]
        if not runs:
            continue
        gap = f"{signed(bootstrapped(pairs, np.mean)):>36}" if arm.name != OURS and pairs else f"{'':>36}"
        yield (
            f"{arm.name:<28} {len(runs):>4} {plain(bootstrapped([one.best for one in runs], np.median)):>27}  {gap}  "
            f"{fmean(one.iterations for one in runs):>10.1f} {fmean(one.kept for one in runs):>9.1f} "
            f"{fmean(one.rollouts for one in runs):>8.0f}"
        )
    yield f"baseline, final score {fmean(one.baseline for one in found):.3f}"


def plain(one: Interval) -> str:
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"


def signed(one: Interval) -> str:
    return f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"


def of_null(found: Sequence[Null]) -> list[Figure]:
    """What is promised of runs that cannot improve."""
    share = proportion(sum(one.survived > 0 for one in found), len(found))
    return [
        Figure(f"{len(found)} null runs: share with a survivor", 100 * share.value, "%", 5),
        Figure("  95 % interval, lower end", 100 * share.low, "%"),
        Figure("  95 % interval, upper end", 100 * share.high, "%"),
        Figure("  children that were measured in a run", fmean(one.contests for one in found)),
        Figure("  rollouts of a run", fmean(one.rollouts for one in found)),
    ]


def of_arms(found: Sequence[Ended]) -> list[Figure]:
    """What is promised of the comparison: the default is better than every other way, beyond chance."""
    ours, figures = {one.seed: one.best for one in found if one.arm == OURS}, []
    for arm in ARMS:
        pairs = [ours[one.seed] - one.best for one in found if one.arm == arm.name and one.seed in ours]
        if pairs and not arm.name.startswith("  ") and arm.name != OURS:
            low = bootstrapped(pairs, np.mean).low
            figures.append(Figure(f"sequential better than {arm.name}, at least", low, "", 0, "more"))
    return figures


def of_real(found: Sequence[Real], drawn: Sequence[Ended]) -> list[Figure]:
    """What is promised of the world's draws: candidates score there as they do on the real path."""
    for run, same in zip(found, drawn, strict=True):
        sys.stdout.write(
            f"seed {run.seed}, {same.iterations} iterations, final score on the real path: {run.best:.3f} (baseline "
            f"{run.baseline:.3f}); the run of this seed with drawn rollouts: {same.best:.3f} ({same.baseline:.3f})\n"
        )
        for one in run.twins:
            sys.stdout.write(
                f"  {one.candidate:<5} real {one.real:.3f}, drawn {one.drawn:.3f}, {one.off:+.1f} standard errors\n"
            )
    off = [one.off for run in found for one in run.twins]
    figures = [
        Figure(f"real path and drawn, {len(off)} candidates: mean square error", fmean(x * x for x in off))
    ]
    return [
        *figures,
        Figure("  in standard errors, on average off by", abs(fmean(off)) * len(off) ** 0.5, "", 3),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--null", type=int, default=200, help="runs in which all candidates are equal")
    parser.add_argument("--seeds", type=int, default=30, help="runs of every arm")
    parser.add_argument("--rollouts", type=int, default=1_500, help="of a run of an arm")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="file of results; those that are in it are not made again")
    parser.add_argument(
        "--arms", nargs="*", choices=[one.name.strip() for one in ARMS], help="these and no others"
    )
    parser.add_argument(
        "--real", type=int, default=0, help="so many runs of the default again on the real path; slow"
    )
    chosen = parser.parse_args()
    kept, figures = Kept(chosen.keep), list[Figure]()
    if chosen.null:
        jobs = [("", seed) for seed in range(chosen.null)]
        figures += of_null([one for one in kept.all(0, jobs, chosen.processes) if isinstance(one, Null)])
    wanted = chosen.arms or [one.name for one in ARMS if not one.name.startswith(" ")]
    arms = [one.name for one in ARMS if one.name.strip() in wanted]
    if chosen.seeds and arms:
        jobs = [(name, seed) for seed in range(FIRST, FIRST + chosen.seeds) for name in arms]
        found = [one for one in kept.all(chosen.rollouts, jobs, chosen.processes) if isinstance(one, Ended)]
        sys.stdout.write("\n".join(table(found)) + "\n\n")
        figures += of_arms(found)
        ours = [one for one in found if one.arm == OURS][: chosen.real]
        figures += of_real([real(ARM[OURS], one.seed, one.iterations) for one in ours], ours) if ours else []
    return tell(figures)


if __name__ == "__main__":
    sys.exit(main())
