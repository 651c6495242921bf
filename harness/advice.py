"""Why the first documents failed, and in one sentence what to change. The mix follows the models, so it shows early."""

from collections import Counter
from dataclasses import dataclass, field

from harness.trajectory import Rollout

FIRST = 20
ENOUGH = 0.5
NAMES = {
    "too_easy": "too easy",
    "failed_on_strong": "failed on strong",
    "quality": "quality check",
    "improve": "judged worth improving",
    "unproven": "unproven",
    "unconfirmed": "unconfirmed",
    "invalid": "invalid",
}
REMEDIES = {
    "too_easy": "Most often tasks are too easy: name a weaker model for weak, or allow more rounds "
    "(measure.allowance.submissions).",
    "strong_low": "Most often the strong solver fails: name a stronger model for strong, or give it more help "
    "([measure.strong]).",
    "strong_high": "Most often the strong solver is nearly perfect: take a preset without an upper bound for it "
    "(prose), or ask for harder tasks.",
    "gap": "Most often weak and strong do about equally well: name models that lie further apart, or give strong more help "
    "([measure.strong]).",
    "quality": "Most often the verifier turns tasks down: read what it says (evolve show 0 --trace) and name a stronger "
    "model for challenger, or take documents that suit the domain better.",
    "improve": "Most often the loop judge wants tasks improved: allow more rounds (measure.allowance.submissions), or name "
    "a stronger model for challenger.",
    "unproven": "Most often tasks fail a check of their own reference or rubric: name a stronger model for challenger.",
    "unconfirmed": "Most often gaps do not hold on fresh attempts: name models for weak and strong that lie further apart.",
    "invalid": "Most often answers cannot be used: name a stronger model for challenger, and give the roles more room "
    "(sampling.max_tokens).",
    "unsuitable": "Most documents are none to make such tasks from: take other documents, or another domain.",
    "none": "No task was submitted for most documents: see what the scaffold does (evolve show 0 --trace).",
}


@dataclass
class Mix:
    """How the first documents went. stages: failed submissions by where they ended; reasons: of failures on strong."""

    documents: int = 0
    accepted: int = 0
    unsuitable: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, rollout: Rollout) -> None:
        """One more rollout; after the first twenty nothing is counted."""
        if self.documents >= FIRST:
            return
        self.documents += 1
        self.accepted += rollout.outcome == "accepted"
        self.unsuitable += rollout.outcome == "doc_not_suitable"
        self.stages["invalid"] += rollout.outcome == "missing"
        for report in (step.report for step in rollout.steps):
            if report is not None and not report.accepted:
                self.stages["invalid" if report.stage == "malformed" else report.stage] += 1
                self.reasons.update(report.reasons if report.stage == "failed_on_strong" else ())


def advice(mix: Mix) -> str:
    """The mix in words and what to change; "" before there are twenty documents."""
    if mix.documents < FIRST:
        return ""
    failed = mix.stages.total()
    shares = [f"{mix.stages[key] / failed:.0%} {name}" for key, name in NAMES.items() if mix.stages[key]]
    told = f"; of {failed} failed rounds {', '.join(shares)}" if failed else ""
    unsuitable = f"; {mix.unsuitable} not suitable" if mix.unsuitable else ""
    return f"after {mix.documents} documents: {mix.accepted} accepted{unsuitable}{told}. {remedy(mix)}"


def remedy(mix: Mix) -> str:
    """What to change, by what goes wrong most often."""
    if mix.unsuitable > ENOUGH * mix.documents:
        return REMEDIES["unsuitable"]
    if mix.accepted >= ENOUGH * (mix.documents - mix.unsuitable):
        return "Enough are accepted: nothing needs to change."
    if not mix.stages.total():
        return REMEDIES["none"]
    most = max(NAMES, key=lambda name: mix.stages[name])
    return REMEDIES[most if most != "failed_on_strong" else why_strong(mix)]


def why_strong(mix: Mix) -> str:
    """What speaks most often against tasks that failed on strong."""
    causes = {
        "strong_low": mix.reasons["strong_mean_low"] + mix.reasons["strong_zero"],
        "strong_high": mix.reasons["strong_mean_high"],
        "gap": mix.reasons["gap_small"],
    }
    return max(causes, key=lambda cause: causes[cause])
