"""Best of k: as many one-shot tasks of a document as another arm's spend allows, the best by its measured gap.

The attempts that choose flatter what they choose, so the chosen task is measured again and those scores count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from evolve.comparing.values import Arm, Bill, Row, failure, filled, passes, submissions
from harness.errors import InvalidMeasurement
from harness.gate import Preset
from harness.inspection import inspect
from harness.instrument import Instrument
from harness.place import Place, Subject
from harness.trajectory import Rollout, Step
from harness.types import Document, Draw

MOST = 64
AGAIN = 1000  # ordinal of the chosen task's own measurement; those of a rollout are far below


def screening(instrument: Instrument) -> Instrument:
    """The instrument that only verifies and lets both solvers try: no judge of tasks, no proofs, no confirmation."""
    gate = replace(instrument.gate, judged=False, confirmed=False, checks=())
    presets: dict[str, Preset] = {instrument.preset: gate}
    domain = replace(instrument.domain, presets=MappingProxyType(presets))
    return replace(instrument, domain=domain, checks={}, thorough=True)


def remeasuring(instrument: Instrument) -> Instrument:
    """The whole instrument for a task that the verifier has passed already; both solvers try it."""
    return replace(instrument, domain=replace(instrument.domain, verified=False), thorough=True)


def generations(spend: float, one: float, measuring: float) -> int:
    """How many generations, with one more measurement of the chosen task, come nearest to a spend; 1 at least.

    All three in the same unit: what the other arm spent, what one generation takes, and what measuring the chosen does.
    """
    if one <= 0:
        return 1
    return max(1, min(MOST, round((spend - measuring) / one)))


@dataclass(frozen=True)
class Choice:
    """The best task of a document's generations. trial: which one, from 1; None where no gap was measured at all."""

    trial: int | None
    step: Step | None


def best(rollouts: Sequence[Rollout]) -> Choice:
    """The generation with the largest gap among those that the verifier passed; the earliest of several."""
    found = [
        (step.gap, -trial, step)
        for trial, rollout in enumerate(rollouts, 1)
        for step in submissions(rollout)
        if passes(step) and step.gap is not None
    ]
    if not found:
        return Choice(None, None)
    _, trial, step = max(found, key=lambda one: one[:2])
    return Choice(-trial, step)


async def measured_again(place: Place, document: Document, choice: Choice, draw: Draw) -> Step | None:
    """Fresh attempts at the chosen task, and the gate on them; None where that was not possible.

    Raises:
        ProviderError, BudgetSpent: as the gateway raises them.
    """
    assert choice.trial is not None and choice.step is not None and choice.step.example is not None
    at = replace(draw, document=document.id, trial=choice.trial, ordinal=AGAIN)
    again = replace(place, instrument=remeasuring(place.instrument))
    try:
        return await inspect(again, Subject(document, choice.step.example), at)
    except InvalidMeasurement:
        return None


def row_of(arm: Arm, rollouts: Sequence[Rollout], again: Step | None, bill: Bill) -> Row:
    """What best of k comes to on one document. rollouts: its generations; again: the chosen one, measured afresh."""
    first = rollouts[0]
    base = Row(arm.name, first.document, first.name, "stopped", bill=bill)
    if all(one.outcome == "doc_not_suitable" for one in rollouts):
        return replace(base, outcome="doc_not_suitable", detail=first.detail)
    chosen = best(rollouts).trial is not None
    if all(one.outcome == "missing" for one in rollouts) or (chosen and again is None):
        return replace(
            base, outcome="missing", detail=first.detail or "the chosen task could not be measured again"
        )
    steps = [step for one in rollouts for step in submissions(one)]
    row = filled(base, steps, again, one_shot=True)
    if again is None or again.report is None:
        return row
    accepted = again.report.accepted
    failures: dict[str, int] = {} if accepted else {failure(again.report): 1}
    outcome = "accepted" if accepted else "stopped"
    return replace(row, outcome=outcome, stage=again.report.stage, failures=failures, fresh=True)
