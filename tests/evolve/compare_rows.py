"""Rollouts, rows and arms for the tests of `evolve compare`."""

from typing import Any

from fakes import example

from evolve.comparing.values import Arm, Bill, Paid, Row
from harness.trajectory import (
    Attempt,
    Confirmation,
    Posterior,
    Report,
    Rollout,
    Stage,
    Step,
    Verdict,
    Verification,
)

COT = Arm("cot", "cot", "one prompt", "t1")
AGENTIC = Arm("agentic", "agentic", "the baseline", "t2")
BILL = Bill(Paid(10, 1000, 1.0), Paid(2, 400, 0.25))


def attempts(*scores: float) -> tuple[Attempt, ...]:
    return tuple(Attempt(solver="weak", number=n, answer="a", score=one) for n, one in enumerate(scores))


def step(stage: Stage, weak: float | None = None, strong: float | None = None, **more: Any) -> Step:
    """A submission that ended there, with one attempt of each solver that has a score."""
    report = Report(accepted=stage == "accepted", stage=stage, reasons=more.pop("reasons", ()), feedback="")
    verification = Verification(
        passed=stage != "quality",
        leak=stage == "quality",
        quality="GOOD",
        positives=1,
        negatives=0,
        reasons=(),
        feedback="",
    )
    values = {
        "kind": "submit",
        "ordinal": 0,
        "example": None if stage == "malformed" else example(),
        "verification": None if stage == "malformed" else verification,
        "weak": () if weak is None else attempts(weak),
        "strong": () if strong is None else attempts(strong),
        "report": report,
    }
    return Step(**(values | more))


def confirmed(weak: float, strong: float) -> Confirmation:
    """Fresh attempts with these scores, which confirm."""
    gap = strong - weak
    posterior = Posterior(gap=gap, low=gap, high=gap, above=1.0, required=0.2, weak=1, strong=1)
    return Confirmation(
        weak=attempts(weak),
        strong=attempts(strong),
        posterior=posterior,
        verdict=Verdict(accepted=True, reasons=()),
    )


def rollout(*steps: Step, outcome: Any = "", document: str = "d0") -> Rollout:
    """A rollout of these submissions; accepted if its last one is."""
    last = steps[-1] if steps else None
    accepted = last is not None and last.report is not None and last.report.accepted
    return Rollout(
        document=document,
        name=document,
        outcome=outcome or ("accepted" if accepted else "exhausted"),
        score=float(accepted),
        example=last.example if last is not None and accepted else None,
        steps=steps,
    )


def row(arm: str = "cot", document: str = "d0", **changes: Any) -> Row:
    """A row of a kept task that the gate does not accept."""
    values: dict[str, Any] = {
        "arm": arm,
        "document": document,
        "name": document,
        "outcome": "exhausted",
        "kept": True,
        "passed": False,
        "rounds": 1,
        "weak": 0.5,
        "strong": 0.75,
        "question_length": 200,
        "rubric_items": 12,
        "items": 1,
        "items_weak": 0.5,
        "items_strong": 0.75,
        "failures": {"too_easy": 1},
        "bill": BILL,
    }
    return Row(**(values | changes))
