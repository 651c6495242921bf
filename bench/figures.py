"""What all benchmarks share: medians, lines of figures against their bound, and whole processes by the clock."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured value and the bound that the project claims for it; without one it is told for comparison."""

    name: str
    value: float
    unit: str = ""
    bound: float | None = None
    better: Literal["less", "more"] = "less"

    @property
    def kept(self) -> bool:
        if self.bound is None:
            return True
        return self.value <= self.bound if self.better == "less" else self.value >= self.bound

    def __str__(self) -> str:
        sign = "<=" if self.better == "less" else ">="
        claim = "" if self.bound is None else f"{sign} {self.bound:g}"
        verdict = "" if self.bound is None else "ok" if self.kept else "MISSED"
        return f"{self.name:<58} {self.value:>9.3f} {self.unit:<6} {claim:<9} {verdict}".rstrip()


def tell(figures: Sequence[Figure]) -> int:
    """Print the figures, a line each; the exit code is 1 if a claim is missed."""
    load = os.getloadavg()[0]
    sys.stdout.write(f"{os.cpu_count()} cores, load {load:.1f}, Python {sys.version.split()[0]}\n")
    for one in figures:
        sys.stdout.write(f"{one}\n")
    return 0 if all(one.kept for one in figures) else 1


def process(name: str, command: Sequence[str], times: int, bound: float | None = None) -> list[Figure]:
    """A whole process by the clock, the median of so many, and its CPU time; it has to end well, and says nothing."""
    before, walls = getrusage(RUSAGE_CHILDREN), []
    for _ in range(times):
        began = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        walls.append(perf_counter() - began)
    after = getrusage(RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / times
    return [Figure(f"{name}, whole process", median(walls), "s", bound), Figure("  its CPU time", cpu, "s")]


def script(name: str) -> list[str]:
    """The command of this installation, as a user starts it."""
    return [str(Path(sys.executable).with_name(name))]
