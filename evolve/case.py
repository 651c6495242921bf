"""What analyzer and implementer are told about one iteration, as bounded plain text. No I/O, no decision.

Of validation they get means and trial counts; texts come from the training minibatch and the scaffold alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256

from evolve.population import Candidate, Diagnosis, Evaluation, Iteration, Population
from evolve.scope import UNSEEN
from harness.types import Attempt, Draw, Example, Report, Rollout, Step, Verification

ROLLOUT_CHARACTERS = 40_000
TOTAL_CHARACTERS = 120_000
HISTORY_CHARACTERS = 40_000
DETAILED = 30
Shorten = Callable[[str, int], str]
RULES = """\
The weak solver's attempts must score low on average and at best, the strong solver's high but not perfect on
average, and the two means must lie clearly apart. The exact bounds show in the named reasons of the reports."""
SCALES = (1.0, 0.6, 0.35, 0.2, 0.1)


@dataclass(frozen=True)
class Case:
    """One iteration's material: the parent, its files, how it did on the minibatch, what was tried before.

    files: path -> text. seen: the population that this iteration may see. draw: the iteration's; side and retry are
    set when asking. rules: what gate and count rules demand, in words; "" for RULES.
    """

    parent: Candidate
    files: Mapping[str, str]
    minibatch: Evaluation
    seen: Population
    draw: Draw
    rules: str = ""

    @cached_property
    def boundary(self) -> str:
        """Twelve hex digits that no text of the case can contain on purpose: a hash of all of them."""
        texts = [*self.files.values(), *(one.model_dump_json() for one in self.minibatch.rollouts)]
        return sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:12]

    @cached_property
    def tried(self) -> str:
        return _history(self)  # once: analyzer and implementer both quote it


def clean(text: str) -> str:
    """The text without what no reader sees: control characters, zero-width and direction marks, surrogates."""
    plain = text.isascii() and text.isprintable()  # as most are, and the search is slow
    return text if plain else UNSEEN.sub("", text.replace("\r\n", "\n"))


def clip(text: str, limit: int) -> str:
    """About `limit` characters of a longer text: two thirds of them its beginning, the rest its end."""
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    gap = f"[... {len(text) - head - tail} characters left out ...]"
    return f"{text[:head]}\n{gap}\n{text[len(text) - tail :]}"


def quoted(boundary: str, label: str, text: str) -> str:
    """A foreign text between two lines that only we can write."""
    return f"--- {boundary} {label}\n{text}\n--- {boundary} end"


def files_text(case: Case) -> str:
    """Every file of the parent, whole."""
    shown = (quoted(case.boundary, f"file {path}", case.files[path]) for path in sorted(case.files))
    return "\n\n".join(shown)


def diagnosis_text(case: Case, diagnosis: Diagnosis) -> str:
    """A diagnosis as text, its causes numbered."""
    rows = [clean(diagnosis.summary)]
    for number, cause in enumerate(diagnosis.causes, 1):
        evidence = "\n".join(f"- evidence: {_line(one, 600)}" for one in cause.evidence)
        rows.append(f"### Cause {number}: {_line(cause.title, 200)}")
        rows.append(f"{clean(cause.explanation)}\n\n{evidence}")
        rows.append(f"Proposed remedy: {clean(cause.remedy)}")
    return quoted(case.boundary, "diagnosis", "\n\n".join(rows))


def history_text(case: Case) -> str:
    """What was tried, newest first, an entry an iteration; older ones shorter, the oldest perhaps left out."""
    return case.tried


def _history(case: Case) -> str:
    past = [one for one in reversed(case.seen.iterations) if one.outcome != "baseline"]
    if not past:
        return "Nothing has been tried yet."
    inherited = _ancestors(case)
    entries, room = list[str](), HISTORY_CHARACTERS
    for place, one in enumerate(past):
        entry = _tried(one, inherited, detailed=place < DETAILED)
        if len(entry) > room:
            entries.append(f"- {len(past) - place} older iterations are left out here.")
            break
        entries.append(entry)
        room -= len(entry)
    return quoted(case.boundary, "history", "\n".join(entries))


def scores_text(case: Case) -> str:
    """The parent's validation mean so far and its minibatch score, in one line each."""
    total, trials = case.seen.sums.get(case.parent.id, (0.0, 0))
    known = f"{total / trials:.2f} over {trials} trials" if trials else "not measured yet"
    mean, count = case.minibatch.mean, len(case.minibatch.valid)
    shown = "no valid trial" if mean is None else f"{mean:.2f} over {count} documents"
    return f"Held-out score of this scaffold ({case.parent.id}): {known}.\nOn the minibatch: {shown}."


def exchanges_text(case: Case) -> str:
    """The minibatch's rollouts in full as far as they fit: failures first, texts cut evenly if too long."""
    rollouts = case.minibatch.rollouts
    order = sorted(range(len(rollouts)), key=lambda at: (_rank(rollouts[at]), at))
    room = TOTAL_CHARACTERS
    shown = []
    for place, at in enumerate(order):
        share = min(ROLLOUT_CHARACTERS, room // (len(order) - place))
        text = _rollout(case.boundary, rollouts[at], at + 1, share)
        room -= len(text)
        shown.append(text)
    return "\n\n".join(shown)


def _rank(rollout: Rollout) -> int:
    return {0.0: 0, 1.0: 1}.get(-1.0 if rollout.score is None else rollout.score, 2)


def _line(text: str, limit: int) -> str:
    return clip(" ".join(clean(text).split()), limit).replace("\n", " ")


def _ancestors(case: Case) -> set[str]:
    """Ids of the candidates whose changes the parent contains, itself included."""
    born = case.seen.born
    found: set[str] = set()
    at: str | None = case.parent.id
    while at is not None and at not in found:
        found.add(at)
        at = born[at].parent if at in born else None
    return found


def _tried(one: Iteration, inherited: set[str], *, detailed: bool) -> str:
    """One iteration: what was changed, what came of it, and whether the current files contain it."""
    heading = f"- iteration {one.number}, from {one.parent}: {_result(one, inherited)}"
    rows = [heading, f"  change: {_line(one.summary, 300) or 'none was proposed'}"]
    if one.outcome in ("survived", "dropped"):
        rows.append(f"  held-out scores: {_scores(one)}")
    elif detailed and one.reason:
        rows.append(f"  reason: {_line(one.reason, 300)}")
    if detailed and one.causes:
        rows.append(f"  diagnosed causes: {'; '.join(_line(title, 120) for title in one.causes)}")
    return "\n".join(rows)


def _result(one: Iteration, inherited: set[str]) -> str:
    if one.outcome == "survived" and one.child is not None:
        where = "is part of the current files" if one.child.id in inherited else "is on another branch"
        return f"CONFIRMED, kept as {one.child.id}, {where}"
    if one.outcome == "dropped":
        return "REFUTED, dropped"
    return f"REJECTED before measuring ({one.outcome})"


def _scores(one: Iteration) -> str:
    return f"{_measured('parent', one.side('parent'))}, {_measured('child', one.side('child'))}"


def _measured(name: str, one: Evaluation | None) -> str:
    tally = one.tally if one is not None else None
    if tally is None or not tally.trials:
        return f"{name} not measured"
    return f"{name} {tally.total / tally.trials:.2f} ({tally.total:g} of {tally.trials} documents)"


def _rollout(boundary: str, rollout: Rollout, number: int, limit: int) -> str:
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
    rows = [f"## Rollout {number}: document {_line(rollout.name, 120)!r}, {rollout.outcome}, {score}"]
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


def _example(boundary: str, example: Example, step: Step, short: Shorten) -> Iterable[str]:
    yield f"question type {_line(example.question_type, 200)!r}, rubric policy {example.rubric_policy!r}"
    yield quoted(boundary, "context", short(example.context, 4000))
    yield quoted(boundary, "question", short(example.question, 1500))
    yield quoted(boundary, "reference answer", short(example.reference_answer, 2500))
    rows = []
    for at, one in enumerate(example.rubric):
        text = _line(short(one.criterion, 400), 420)
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
    return quoted(boundary, "verifier", short(f"{facts}\n{one.feedback}".strip(), 1500))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _attempt(boundary: str, attempt: Attempt, short: Shorten) -> str:
    met = ", ".join(str(at + 1) for at, hit in enumerate(attempt.hits) if hit) or "none"
    label = f"{attempt.solver} attempt {attempt.number}, score {attempt.score:.2f}, criteria met: {met}"
    return quoted(boundary, label, short(attempt.answer, 2600))
