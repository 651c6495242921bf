"""What the instrument does with one submission, from its form to the last check. Read `STAGES` first.

Each stage looks at the task as far as it has come and either ends it with a report or hands it on.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from harness import gate, loop_judge, proofs, sequential, solvers
from harness.place import Place, Subject, misquoted
from harness.sequential import Move
from harness.together import together
from harness.trajectory import Attempt, Confirmation, Report, Solver, Stage, Step, Verdict
from harness.types import Draw
from harness.verifier import malformed, verify

SELECTING, CONFIRMING, FINALLY = 0, 200, 900
Made = tuple[Attempt, ...]
STRONG = 100  # strong attempts of a sequence are numbered from here on


@dataclass
class Inspection:
    """A submission under inspection. `step` grows from stage to stage; earlier: the submissions before it."""

    place: Place
    subject: Subject
    draw: Draw
    step: Step
    earlier: Sequence[Step] = ()
    rules: sequential.Sequential = field(init=False)

    def __post_init__(self) -> None:
        self.rules = sequential.rule_of(self.preset)

    @property
    def preset(self) -> gate.Preset:
        return self.place.instrument.gate

    @property
    def scores(self) -> tuple[list[float], list[float]]:
        """Weak and strong scores of the selecting attempts."""
        return scores(self.step.weak), scores(self.step.strong)

    def add(self, **fields: object) -> None:
        """Put what was measured into the step."""
        self.step = self.step.model_copy(update=fields)

    def end(self, stage: Stage, reasons: Sequence[str], feedback: str = "") -> None:
        """End the inspection with a report."""
        self.add(report=report(self.step, stage, tuple(reasons), feedback))

    async def attempt(self, solver: Solver, count: int, first: int) -> Made:
        """So many attempts, numbered from `first`."""
        draws = [self.draw.at(attempt=first + number) for number in range(count)]
        found = await solvers.attempts(self.place, self.subject, solver, draws)
        self.add(missing=self.step.missing + found.missing)
        return found.made


async def inspect(place: Place, subject: Subject, draw: Draw, earlier: Sequence[Step] = ()) -> Step:
    """Take a submission through all stages; what stops it is its report.

    Raises:
        InvalidMeasurement: an instrument role gave no usable answer.
    """
    step = Step(kind="submit", ordinal=draw.ordinal, example=subject.example)
    case = Inspection(place, subject, draw, step, earlier)
    for stage in STAGES:
        await stage(case)
        if case.step.report is not None:
            return case.step
    case.end("accepted", ())
    return case.step


async def form(case: Inspection) -> None:
    """The rules of form, and those that forestall the loop judge: both cost nothing."""
    domain, example = case.place.instrument.domain, case.subject.example
    broken, forced = (*misquoted(case.subject), *domain.problems(example)), domain.overrides(example)
    if broken:
        found = malformed(example, (*broken, *forced))
        case.add(verification=found)
        case.end("quality", found.reasons, found.feedback)
    elif forced:
        case.end("improve", forced, loop_judge.forced(example, forced))


async def readable(case: Inspection) -> None:
    """Whether the reference answer can be read as its kind: one that cannot would make every answer wrong."""
    checker, domain, example = case.place.checker, case.place.instrument.domain, case.subject.example
    if not domain.comparable or checker is None or (kind := domain.kind_of(example)) is None:
        return
    if found := await checker.problem(example.reference_answer, kind):
        case.end("quality", ("reference_unreadable",), found)


async def quality(case: Inspection) -> None:
    """The verifier's checks."""
    if not case.place.instrument.domain.verified:
        return
    found = await verify(case.place, case.subject, case.draw)
    case.add(verification=found)
    if not found.passed:
        case.end("quality", found.reasons, found.feedback)


async def cheap_proofs(case: Inspection) -> None:
    """Checks of the task itself that need no model; where both solvers have to try every task, these come after."""
    if not case.place.instrument.thorough:
        await prove(case, proofs.IN_CODE)


async def selection(case: Inspection) -> None:
    """The selecting attempts, and the gate on their scores."""
    if case.preset.confirmed and not (case.preset.judged or case.place.instrument.thorough):
        move = await one_by_one(case)
        decision = move.verdict
        case.add(posterior=move.posterior)
    else:
        decision = await all_at_once(case)
    assert decision is not None
    weak, strong = case.scores
    case.add(shadow=gate.shadows(case.place.instrument.domain.presets, weak, strong))
    if not decision.accepted:
        case.end("failed_on_strong" if strong and not only_weak(decision) else "too_easy", decision.reasons)


def only_weak(decision: Verdict) -> bool:
    """True if nothing but the weak solver's scores spoke against it."""
    return all(reason.startswith("weak") for reason in decision.reasons)


async def all_at_once(case: Inspection) -> Verdict:
    """The domain's number of weak attempts, then of strong ones: only if weak has failed, or if both have to run."""
    instrument = case.place.instrument
    weak, strong = instrument.domain.attempts
    both = instrument.thorough or case.preset.judged
    case.add(weak=await case.attempt("weak", weak, SELECTING))
    decision = gate.weak_verdict(case.preset, case.scores[0])
    if decision.accepted or both:
        case.add(strong=await case.attempt("strong", strong, SELECTING + weak))
        decision = gate.verdict(case.preset, *case.scores)
    return decision


async def one_by_one(case: Inspection) -> Move:
    """Attempts as long as they can change the answer."""
    while (move := sequential.select(case.rules, case.preset, *case.scores)).verdict is None:
        weak, strong = await both(case, move, SELECTING, (case.step.weak, case.step.strong))
        case.add(weak=weak, strong=strong)
    return move


async def both(case: Inspection, move: Move, first: int, made: tuple[Made, Made]) -> tuple[Made, Made]:
    """The attempts that were made, and those that the move wants on top of them, all at once."""
    weak, strong = made
    more_weak, more_strong = await together(
        (
            case.attempt("weak", move.weak, first + len(weak)),
            case.attempt("strong", move.strong, first + STRONG + len(strong)),
        )
    )
    return weak + more_weak, strong + more_strong


def scores(made: Made) -> list[float]:
    """The scores of attempts."""
    return [one.score for one in made]


async def judged(case: Inspection) -> None:
    """The loop judge, who sees all attempts; nobody accepts over its `improve`."""
    if not case.preset.judged:
        return
    opinion = await loop_judge.opinion(case.place, case.subject, case.step, case.earlier, case.draw)
    case.add(opinion=opinion)
    if not opinion.accepted:
        reasons = opinion.overrides or ("judge_improve",)
        case.end("improve", reasons, loop_judge.advice(opinion))


async def model_proofs(case: Inspection) -> None:
    """Checks of the task itself that ask models."""
    await prove(case, proofs.ALL if case.place.instrument.thorough else proofs.ASKING)


async def prove(case: Inspection, checks: Sequence[str]) -> None:
    """Those of the checks that the instrument wants."""
    wanted = tuple(one for one in proofs.ALL if one in checks and case.place.instrument.wants(one))
    found = await proofs.prove(case.place, case.subject, case.step, wanted, case.draw)
    case.add(proofs=case.step.proofs + found)
    failed = [one for one in found if not one.passed]
    if failed:
        case.end("unproven", [one.reason for one in failed], " ".join(one.detail for one in failed))


async def confirmation(case: Inspection) -> None:
    """Fresh attempts, which decide whatever the selecting ones said."""
    if not case.preset.confirmed:
        return
    weak: Made = ()
    strong: Made = ()
    while (move := sequential.confirm(case.rules, case.preset, scores(weak), scores(strong))).verdict is None:
        weak, strong = await both(case, move, CONFIRMING, (weak, strong))
    assert move.posterior is not None
    case.add(
        confirmation=Confirmation(weak=weak, strong=strong, posterior=move.posterior, verdict=move.verdict)
    )
    if not move.verdict.accepted:
        case.end("unconfirmed", move.verdict.reasons)


async def final_verification(case: Inspection) -> None:
    """The verifier once more, on what is about to be accepted."""
    if not case.place.instrument.wants("final_verification"):
        return
    found = await verify(case.place, case.subject, case.draw.at(attempt=FINALLY))
    case.add(final=found)
    if not found.passed:
        case.end("quality", [f"final_{reason}" for reason in found.reasons], found.feedback)


STAGES: tuple[Callable[[Inspection], Awaitable[None]], ...] = (
    form,
    readable,
    quality,
    cheap_proofs,
    selection,
    judged,
    model_proofs,
    confirmation,
    final_verification,
)


def report(step: Step, stage: Stage, reasons: tuple[str, ...], feedback: str) -> Report:
    """What the scaffold is told about a submission."""
    weak, strong = step.reported
    return Report(
        accepted=stage == "accepted",
        stage=stage,
        reasons=reasons,
        feedback=feedback,
        weak_mean=fmean(weak) if weak else None,
        weak_best=max(weak) if weak else None,
        strong_mean=fmean(strong) if strong else None,
        gap=step.gap,
    )
