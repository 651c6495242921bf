"""What a display is told: what was used, and how long the rest will take."""

from types import SimpleNamespace
from typing import Any

import pytest
from evolve_fakes import baseline, compared

from evolve.report.progress import Phase, Snapshot
from evolve.results import Results
from evolve.settings import Settings
from evolve.showing import snapshot
from harness.advice import Mix

SPENT = SimpleNamespace(calls=40, tokens=900, cost=0.5)


def looked(phase: Phase, before: int) -> Snapshot:
    """Four of ten iterations are done, `before` of them by earlier starts, after twenty seconds."""
    gateway = SimpleNamespace(spent={"weak": SPENT, "judge": SPENT}, replayed=5, notice="down", warnings=())
    tools: Any = SimpleNamespace(gateway=gateway, settings=Settings(), mix=Mix())
    results = Results([baseline(), *(compared(n, [0.0], [1.0]) for n in range(1, 5))])
    return snapshot(tools, results, (before, 10), ("run-001", phase, 20.0))


@pytest.mark.parametrize(
    ("phase", "before", "left"), [("iterations", 2, 60.0), ("iterations", 4, None), ("final test", 2, None)]
)
def test_the_time_left_follows_from_this_start_alone(phase: Phase, before: int, left: float | None) -> None:
    """What an earlier start did took none of these seconds; outside of the iterations nothing is foretold."""
    assert looked(phase, before).seconds_left == left


def test_what_was_used_is_summed_over_the_roles() -> None:
    """Replayed calls are calls, but cost no tokens and count for no rate."""
    seen = looked("iterations", 0)
    assert (seen.calls, seen.replayed, seen.tokens, seen.cost) == (85, 5, 1800, 1.0)
    assert (seen.calls_per_second, seen.notice, seen.simulated) == (4.0, "down", True)
