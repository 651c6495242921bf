"""Pictures of what a task was put through besides its attempts: loop judge, checks of the task, fresh attempts."""

from rich.console import RenderableType

from evolve.report.views import said
from harness.trajectory import Confirmation, Opinion, Posterior, Proof, Step


def scrutiny(step: Step) -> list[RenderableType]:
    """Everything of the kind, in the order in which it happened."""
    place = f"step {step.ordinal}"
    parts: list[RenderableType] = []
    if step.missing:
        parts += said(f"{place}: attempts that were made again", ", ".join(step.missing))
    if step.posterior is not None:
        parts += said(f"{place}: the gap after these attempts", gap(step.posterior))
    if step.opinion is not None:
        parts += said(f"{place}: loop judge: {verdict(step.opinion)}", opinion(step.opinion))
    for proof in step.proofs:
        parts += said(f"{place}: check {check(proof)}", proof.detail)
    if step.confirmation is not None:
        parts += said(f"{place}: fresh attempts", confirmation(step.confirmation))
    if step.final is not None:
        told = "passed" if step.final.passed else f"refused: {', '.join(step.final.reasons)}"
        parts += said(f"{place}: verifier once more, {told}", step.final.feedback)
    return parts


def gap(one: Posterior) -> str:
    """What is known of the true gap."""
    return (
        f"{one.gap:.2f} [{one.low:.2f}, {one.high:.2f}] from {one.weak} weak and {one.strong} strong attempts; "
        f"{one.above:.0%} likely to be at least {one.required:.2f}"
    )


def verdict(one: Opinion) -> str:
    """What the loop judge decided, and what overruled it."""
    return f"{one.verdict}, overruled by {', '.join(one.overrides)}" if one.overrides else one.verdict


def opinion(one: Opinion) -> str:
    """The loop judge's reading of the attempts."""
    rows = {
        "weak": one.weak_pattern,
        "strong": one.strong_pattern,
        "gap": one.gap_interpretation,
        "rubric": one.rubric_concerns,
        "suitability": one.suitability,
        "reason": one.reason,
        "suggestion": one.suggestion,
        "cites": ", ".join(one.cited),
    }
    return "\n".join(f"{name}: {text}" for name, text in rows.items() if text)


def check(one: Proof) -> str:
    """A check of the task and how it went."""
    scored = "" if one.score is None else f", score {one.score:.2f}"
    return f"{one.check.replace('_', ' ')}: {'passed' if one.passed else one.reason}{scored}"


def confirmation(one: Confirmation) -> str:
    """The scores of fresh attempts and what follows from them."""
    weak, strong = ([f"{each.score:.2f}" for each in side] for side in (one.weak, one.strong))
    reasons = "" if one.verdict.accepted else f"; refused: {', '.join(one.verdict.reasons)}"
    return f"weak {', '.join(weak)}; strong {', '.join(strong)}\ngap {gap(one.posterior)}{reasons}"
