"""What analyzer and implementer are told about one iteration, as bounded plain text. No I/O, no decision.

Of validation they get means and trial counts; texts come from the training minibatch and the scaffold alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from evolve.contest import Record
from evolve.ideas import Idea, hit_rates, ideas, ideas_text, lessons, rates_text, refuted
from evolve.iteration import KEPT, Candidate, Cause, Diagnosis, Evaluation, Iteration, Tally
from evolve.population import Population
from evolve.quoting import clean, line, quoted
from evolve.transcript import rollout_text
from harness.trajectory import Rollout
from harness.types import Draw

ROLLOUT_CHARACTERS = 40_000
TOTAL_CHARACTERS = 120_000
HISTORY_CHARACTERS = 40_000
DETAILED = 30
RULES = """\
The weak solver's attempts must score low on average and at best, the strong solver's high but not perfect on
average, and the two means must lie clearly apart. The exact bounds show in the named reasons of the reports."""


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

    @cached_property
    def learnt(self) -> tuple[Idea, ...]:
        """What was tried, by idea."""
        return ideas(self.seen.iterations)


def files_text(case: Case) -> str:
    """Every file of the parent, whole."""
    shown = (quoted(case.boundary, f"file {path}", case.files[path]) for path in sorted(case.files))
    return "\n\n".join(shown)


def diagnosis_text(case: Case, diagnosis: Diagnosis) -> str:
    """A diagnosis as text, its causes numbered."""
    rows = [clean(diagnosis.summary)]
    for number, cause in enumerate(diagnosis.causes, 1):
        evidence = "\n".join(f"- evidence: {line(one, 600)}" for one in cause.evidence)
        rows.append(f"### Cause {number}: {line(cause.title, 200)}")
        rows.append(f"{clean(cause.explanation)}\n\n{evidence}")
        rows.append(f"Proposed remedy: {clean(cause.remedy)}\n\nPrediction: {_prediction(cause)}.")
    return quoted(case.boundary, "diagnosis", "\n\n".join(rows))


def history_text(case: Case) -> str:
    """What was tried, newest first, an entry an iteration; older ones shorter, the oldest perhaps left out."""
    return case.tried


def refuted_text(case: Case) -> str:
    """Ideas that were tried and refuted, the latest first."""
    found = refuted(case.learnt)
    return _listed(case, "refuted ideas", found) if found else "None so far."


def lessons_text(case: Case) -> str:
    """Ideas whose prediction came true in a child that was kept, the latest first."""
    found = lessons(case.learnt)
    return _listed(case, "lessons", found) if found else "None so far."


def rates_of_hits(case: Case) -> str:
    """How often what diagnoses predicted came true, beside the rate of what they did not name."""
    return rates_text(hit_rates(case.seen.iterations))


def _listed(case: Case, label: str, found: tuple[Idea, ...]) -> str:
    return quoted(case.boundary, label, ideas_text(found))


def _prediction(cause: Cause) -> str:
    """What a cause claims, in counts: the implementer does not see the rollouts."""
    if not cause.fixes:
        return "none was made"
    spoilt = f"; it may spoil {len(cause.breaks)} that pass" if cause.breaks else ""
    return f"the remedy mends {len(cause.fixes)} of the failed rollouts of the minibatch{spoilt}"


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
        text = rollout_text(case.boundary, rollouts[at], at + 1, share)
        room -= len(text)
        shown.append(text)
    return "\n\n".join(shown)


def _rank(rollout: Rollout) -> int:
    return {0.0: 0, 1.0: 1}.get(-1.0 if rollout.score is None else rollout.score, 2)


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
    rows = [heading, f"  change: {line(one.summary, 300) or 'none was proposed'}"]
    if one.outcome in (*KEPT, "dropped"):
        rows.append(f"  held-out scores: {_scores(one)}")
    if detailed and one.reason:
        rows.append(f"  reason: {line(one.reason, 300)}")
    if detailed and one.causes:
        rows.append(f"  diagnosed causes: {'; '.join(line(title, 120) for title in one.causes)}")
    return "\n".join(rows)


def _result(one: Iteration, inherited: set[str]) -> str:
    if one.outcome in KEPT and one.child is not None:
        where = "is part of the current files" if one.child.id in inherited else "is on another branch"
        verdict = "CONFIRMED" if one.outcome == "survived" else "AHEAD on few runs, not confirmed"
        return f"{verdict}, kept as {one.child.id}, {where}"
    if one.outcome == "dropped":
        return "REFUTED, dropped"
    if one.outcome == "not_improved":
        return "REFUTED, dropped after the minibatch"
    return f"REJECTED before measuring ({one.outcome})"


def _scores(one: Iteration) -> str:
    other = one.side("parent")
    name = "parent" if other is None or other.candidate == one.parent else other.candidate
    sides = ((name, _tally(other)), ("child", _tally(one.side("child"))))
    whole = all(_whole(tally) for _, tally in sides)
    return ", ".join(_measured(who, tally, by_document=whole) for who, tally in sides)


def _tally(one: Evaluation | None) -> Tally:
    return Tally(0.0, 0, 0) if one is None else one.tally


def _whole(tally: Tally) -> bool:
    """Whether it has all its scores by document; memory.py keeps only those of a candidate's record."""
    return sum(one.number for one in tally.sums.values()) == tally.trials


def _measured(name: str, tally: Tally, *, by_document: bool) -> str:
    """The mean over documents of their means, or over trials, so that both sides are told alike."""
    if not tally.trials:
        return f"{name} not measured"
    if not by_document:
        return f"{name} {tally.total / tally.trials:.2f} ({tally.total:g} of {tally.trials} trials)"
    record = Record(tally.sums)
    return f"{name} {record.mean:.2f} over {len(record.scores)} documents, {record.trials} trials"
