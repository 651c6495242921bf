"""A rollout as bounded plain text for those who analyse it: every request, and all that was measured of a submission."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from evolve.quoting import clean, clip, line, quoted
from harness.trajectory import (
    Attempt,
    Confirmation,
    Example,
    Opinion,
    Proof,
    Report,
    Rollout,
    Step,
    Verification,
)

Shorten = Callable[[str, int], str]
SCALES = (1.0, 0.6, 0.35, 0.2, 0.1)


def rollout_text(boundary: str, rollout: Rollout, number: int, limit: int) -> str:
    """One rollout in at most `limit` characters: texts are shortened evenly, at last the end is cut off."""
    text = ""
    for scale in SCALES:
        text = _steps(boundary, rollout, number, partial(_short, scale))
        if len(text) <= limit:
            return text
    return text[: max(0, limit - 80)] + f"\n[... cut off ...]\n--- {boundary} end"


def _short(scale: float, text: str, limit: int) -> str:
    return clip(clean(text), int(limit * scale))


def _steps(boundary: str, rollout: Rollout, number: int, short: Shorten) -> str:
    score = "missing, the instrument failed" if rollout.score is None else f"score {rollout.score:g}"
    rows = [f"## Rollout {number}: document {line(rollout.name, 120)!r}, {rollout.outcome}, {score}"]
    if rollout.extraction is not None:
        found = json.dumps(rollout.extraction.facts, ensure_ascii=False)
        rows.append(quoted(boundary, "notes on the document", short(found, 3000)))
    if rollout.detail:
        rows.append(quoted(boundary, "detail", short(rollout.detail, 1500)))
    submitted = [step for step in rollout.steps if step.kind == "submit"]
    for at, step in enumerate(rollout.steps):
        if step.kind == "ask":
            following = rollout.steps[at + 1] if at + 1 < len(rollout.steps) else None
            rows.append(_ask(boundary, step, following, short))
        else:
            rows.append(_submission(boundary, step, submitted.index(step) + 1, short))
    return "\n\n".join(rows)


def _ask(boundary: str, step: Step, following: Step | None, short: Shorten) -> str:
    """A question to the challenger. Its answer is shown at length only where no example shows it anyway."""
    shown_below = following is not None and following.example is not None
    return "\n".join(
        [
            f"### Request {step.ordinal}: the scaffold asks the challenger",
            quoted(boundary, "prompt", short(step.prompt, 6000 if step.ordinal == 0 else 2500)),
            quoted(boundary, "reply", short(step.reply, 1000 if shown_below else 5000)),
        ]
    )


def _submission(boundary: str, step: Step, number: int, short: Shorten) -> str:
    rows = [f"### Request {step.ordinal}: submission {number}{_stage(step.report)}"]
    if step.malformed:
        rows.append(quoted(boundary, "malformed submission", short(step.malformed, 2500)))
    if step.report is not None and step.report.feedback:
        rows.append(quoted(boundary, "feedback", short(step.report.feedback, 1500)))
    if step.example is not None:
        rows.extend(_example(boundary, step.example, step, short))
    if step.verification is not None:
        rows.append(_verification(boundary, step.verification, short))
    for attempt in (*step.weak, *step.strong):
        rows.append(_attempt(boundary, attempt, short))
    if step.opinion is not None:
        rows.append(_opinion(boundary, step.opinion, short))
    rows += [_proof(boundary, proof, short) for proof in step.proofs if not proof.passed]
    if step.confirmation is not None:
        rows.append(_confirmation(step.confirmation))
    if step.final is not None and not step.final.passed:
        rows.append(_verification(boundary, step.final, short))
    return "\n".join(rows)


def _stage(report: Report | None) -> str:
    if report is None:
        return ""
    numbers = {
        "weak mean": report.weak_mean,
        "weak best": report.weak_best,
        "strong mean": report.strong_mean,
        "gap": report.gap,
    }
    shown = ", ".join(f"{name} {value:.2f}" for name, value in numbers.items() if value is not None)
    reasons = ", ".join(report.reasons) or "no reasons"
    return f" -> {report.stage} ({reasons})" + (f"; {shown}" if shown else "")


def _opinion(boundary: str, one: Opinion, short: Shorten) -> str:
    """What the loop judge made of the attempts."""
    text = (
        f"verdict {one.verdict}, suitability {one.suitability}\nweak: {one.weak_pattern}\nstrong: {one.strong_pattern}\n"
        f"gap: {one.gap_interpretation}\nrubric: {one.rubric_concerns}\n{one.reason}\nsuggestion: {one.suggestion}"
    )
    return quoted(boundary, "loop judge", short(text, 4000))


def _proof(boundary: str, one: Proof, short: Shorten) -> str:
    """A check of the task itself that it failed."""
    return quoted(boundary, f"failed check {one.check}: {one.reason}", short(one.detail, 800))


def _confirmation(one: Confirmation) -> str:
    """What fresh attempts showed."""
    weak, strong = ([f"{each.score:.2f}" for each in side] for side in (one.weak, one.strong))
    known = one.posterior
    return (
        f"fresh attempts: weak {', '.join(weak)}; strong {', '.join(strong)}; gap {known.gap:.2f} "
        f"[{known.low:.2f}, {known.high:.2f}], {known.above:.0%} likely to be at least {known.required:.2f}"
    )


def _example(boundary: str, example: Example, step: Step, short: Shorten) -> Iterable[str]:
    policy = f"rubric policy {example.rubric_policy!r}" if example.rubric else f"answer {example.answer_kind}"
    yield f"question type {line(example.question_type, 200)!r}, {policy}"
    if example.context:
        yield quoted(boundary, "context", short(example.context, 4000))
    if example.passage:
        yield quoted(boundary, "passage", short(example.passage, 2000))
    yield quoted(boundary, "question", short(example.question, 1500))
    yield quoted(boundary, "reference answer", short(example.reference_answer, 2500))
    rows = []
    if not example.rubric:
        return
    for at, one in enumerate(example.rubric):
        text = line(short(one.criterion, 400), 420)
        met = f"{_met('weak', step.weak, at)}, {_met('strong', step.strong, at)}"
        rows.append(f"{at + 1}. [{one.category} {one.weight:+d}] {text} | met by {met}")
    yield quoted(boundary, "rubric", "\n".join(rows))


def _met(solver: str, attempts: Sequence[Attempt], at: int) -> str:
    if not attempts:
        return f"{solver} not run"
    return f"{solver} {sum(one.hits[at] for one in attempts if at < len(one.hits))}/{len(attempts)}"


def _verification(boundary: str, one: Verification, short: Shorten) -> str:
    facts = (
        f"passed {_yes(one.passed)}, leak {_yes(one.leak)}, quality {one.quality}, "
        f"rubric tests content {_yes(one.rubric_tests_content)}, label fits {_yes(one.label_fits)}, "
        f"{one.positives} positive and {one.negatives} negative criteria"
    )
    if not one.passed:
        facts += f"; refused for {', '.join(one.reasons)}"
    return quoted(boundary, "verifier", short(f"{facts}\n{one.feedback}".strip(), 1500))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _attempt(boundary: str, attempt: Attempt, short: Shorten) -> str:
    met = ", ".join(str(at + 1) for at, hit in enumerate(attempt.hits) if hit) or "none"
    decided = f"answer {line(attempt.final, 200)!r}, {attempt.how}" if attempt.how else f"criteria met: {met}"
    label = f"{attempt.solver} attempt {attempt.number}, score {attempt.score:.2f}, {decided}"
    return quoted(boundary, label, short(attempt.answer, 2600))
