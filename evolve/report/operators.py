"""What each way of making a child has brought and cost in a run, from rows, and how often the bandit tries it now."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from evolve.intervals import Interval, Z
from evolve.iteration import Operator
from evolve.report.store import Store
from evolve.rows import Row

EARNED = """SELECT i.operator, count(*) AS tries, total(i.outcome IN ('survived', 'contender')) AS kept,
    total(e.raced) AS measured, total(e.rollouts) AS rollouts
    FROM iterations AS i LEFT JOIN (SELECT iteration, sum(trials + missing) AS rollouts, max(side = 'child') AS raced
        FROM evaluations WHERE run = :run AND side <> 'final' GROUP BY iteration) AS e ON e.iteration = i.number
    WHERE i.run = :run AND i.arm = 'evolution' AND i.outcome <> 'baseline' AND i.number >= :since
    GROUP BY i.operator ORDER BY min(i.number)"""
LAST = "SELECT coalesce(max(number), 0) AS n FROM iterations WHERE run = :run"
THOUSAND = 1000
WINDOW = (
    1000  # iterations that the bandit looks back on, as in evolve/assigning.py, which is above this floor
)


@dataclass(frozen=True)
class Line:
    """One operator. tries: finished iterations of evolution. rate: kept children per 1,000 rollouts, `trials` are rollouts.

    share: the probability with which the bandit takes it next where all of these are possible; None if it is not asked.
    """

    operator: Operator
    tries: int
    kept: int
    rollouts: int
    rate: Interval
    share: float | None


@dataclass(frozen=True)
class Operators:
    """All operators that were tried, the first tried first. fixed: the only one that the user allows, or None."""

    lines: tuple[Line, ...]
    fixed: str | None


def operators(store: Store) -> Operators:
    """What each brought and cost."""
    fixed = json.loads(store.run.settings).get("search", {}).get("operator")
    found = store.rows(EARNED, since=0)
    shares = _shares(store, [row["operator"] for row in found]) if len(found) > 1 and not fixed else {}
    return Operators(tuple(_line(row, shares) for row in found), fixed)


def rate(events: int, rollouts: int) -> Interval:
    """Events per 1,000 rollouts with the score interval of a Poisson rate, which needs no event to have an upper end.

    Barker 2002, Am. Stat. 56:85-89, "A comparison of nine confidence intervals for a Poisson parameter". It takes
    them as independent; without rollouts it is 0, and its interval says nothing.
    """
    if not rollouts:
        return Interval(0.0, 0.0, float(THOUSAND), 0)
    scale = THOUSAND / rollouts
    middle, half = events + Z * Z / 2, Z * sqrt(events + Z * Z / 4)
    return Interval(events * scale, max(0.0, middle - half) * scale, (middle + half) * scale, rollouts)


def _line(row: Row, shares: Mapping[Operator, float]) -> Line:
    kept, rollouts = int(row["kept"]), int(row["rollouts"])
    share = shares.get(row["operator"])
    return Line(row["operator"], row["tries"], kept, rollouts, rate(kept, rollouts), share)


def _shares(store: Store, possible: list[Operator]) -> dict[Operator, float]:
    from evolve.bandit import Earned, probabilities  # with it comes numpy, which few runs need here

    recent = store.rows(EARNED, since=store.rows(LAST)[0]["n"] - WINDOW + 1)
    earned = {
        row["operator"]: Earned(row["tries"], int(row["kept"]), int(row["measured"]), int(row["rollouts"]))
        for row in recent
    }
    return probabilities(earned, possible)
