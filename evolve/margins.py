"""How near to acceptance a rollout came: richer than 1 or 0, used to stop losers and to look for change, never to keep.

No probability and no part of any score: a monotone scale on which further means further along the inspection.
"""

from types import MappingProxyType

from harness.trajectory import Report, Rollout, Stage

FLOORS: dict[Stage, float] = {
    "malformed": 0.0,
    "quality": 0.1,
    "too_easy": 0.3,
    "failed_on_strong": 0.5,
    "improve": 0.7,
    "unproven": 0.8,
    "unconfirmed": 0.8,
    "accepted": 1.0,
}
BEGINS = MappingProxyType(FLOORS)
WIDTH = 0.2


def margin(rollout: Rollout) -> float | None:
    """The best of its submissions, in [0, 1]; 1 if accepted, 0 if nothing was submitted, None where there is no score."""
    if rollout.score is None:
        return None
    if rollout.outcome == "accepted":
        return 1.0
    reports = (step.report for step in rollout.steps if step.report is not None)
    return max(map(nearness, reports), default=0.0)


def nearness(report: Report) -> float:
    """Where the submission ended, and within a stage that has a measured mean, how close that was to passing."""
    floor = BEGINS[report.stage]
    if report.stage == "too_easy" and report.weak_mean is not None:
        return floor + WIDTH * (1 - report.weak_mean)
    if report.stage == "failed_on_strong" and report.gap is not None:
        return floor + WIDTH * min(1.0, max(0.0, report.gap))
    return floor
