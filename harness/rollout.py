"""One document, one scaffold -> one Rollout with its trajectory. The one place where a bad rollout becomes data."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from harness import gate, solvers
from harness.domains import cs
from harness.errors import CandidateFault, InvalidMeasurement, Stalled, Unanswerable
from harness.gateway import Models
from harness.instrument import Instrument
from harness.measuring import LARGEST_REPLY, user
from harness.parsing import Malformed
from harness.sandbox import Sandbox
from harness.types import Attempt, Document, Draw, Example, Reply, Report, Request, Rollout, Step, Verdict
from harness.verifier import verify

STALLS = 2
REFUSALS = 5
CUTS = 2

Outcome = Literal[
    "accepted", "exhausted", "stopped", "crashed", "hung", "bad_request", "over_limit", "missing"
]


@dataclass(frozen=True)
class Place:
    """Where rollouts run and what measures them."""

    models: Models
    sandbox: Sandbox
    instrument: Instrument


async def roll_out(place: Place, scaffold: Path, document: Document, draw: Draw) -> Rollout:
    """Run the scaffold in the folder `scaffold` on one document and measure what it submits.

    The score is 1 if a submission was accepted within the allowance, 0 if none was or the scaffold failed, None if
    the instrument failed. A rollout that stalls by the clock is measured again, twice, before it counts as hung.

    Raises:
        OurFault, BudgetSpent: the run cannot go on; nothing is recorded for this rollout.
    """
    for again in range(STALLS + 1):
        session = Session(place, document, draw)
        try:
            await place.sandbox.run(scaffold, session.opening, session.answer)
        except Stalled as stalled:
            if again < STALLS:
                continue
            return session.finish("hung", str(stalled))
        except CandidateFault as fault:
            return session.finish(fault_name(fault), fault.detail)
        except InvalidMeasurement as missing:
            return session.finish("missing", missing.reason)
        return session.finish("exhausted" if session.spent else "stopped")
    raise AssertionError("unreachable")


def fault_name(fault: CandidateFault) -> Outcome:
    """The outcome a candidate's fault is recorded as."""
    match fault.kind:
        case "hung" | "bad_request" | "over_limit" | "exhausted" as kind:
            return kind
        case _:
            return "crashed"


class Session:
    """The host's side of one rollout: answers the scaffold's requests and keeps the trajectory and the allowance."""

    def __init__(self, place: Place, document: Document, draw: Draw) -> None:
        self.place = place
        self.document = document
        self.draw = draw
        self.steps: list[Step] = []
        self.accepted: Example | None = None
        self.spent = ""
        self.refusals = 0
        self.submissions = self.asks = self.tokens = 0

    @property
    def opening(self) -> dict[str, Any]:
        """The first line to the guest. Its seed depends on the document and the trial alone."""
        seed = sha256(f"{self.document.id} {self.draw.trial}".encode()).digest()
        return {
            "document": {"name": self.document.name, "text": self.document.text},
            "seed": int.from_bytes(seed[:4], "big"),
            "submissions": self.place.instrument.allowance.submissions,
        }

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the guest: `{"ask": prompt}` or `{"submit": example}`."""
        if "ask" in request:
            return await self.ask(str(request["ask"]))
        return await self.submit(request["submit"])

    async def ask(self, prompt: str) -> dict[str, Any]:
        """The challenger's text, or which allowance is used up.

        Raises:
            InvalidMeasurement: the endpoint failed at this prompt again and again; no scaffold is charged for that.
        """
        allowance = self.place.instrument.allowance
        if self.asks >= allowance.asks or self.out_of_tokens(prompt):
            return self.refuse("asks" if self.asks >= allowance.asks else "tokens")
        self.asks += 1
        reply, earlier = await self.drawn(prompt)
        step = Step(
            kind="ask",
            ordinal=len(self.steps),
            prompt=prompt,
            reply=reply.text,
            finish_reason=reply.finish_reason,
            call=reply.key,
            earlier=earlier,
        )
        self.steps.append(step)
        if reply.failed:
            raise InvalidMeasurement(
                f"challenger: the endpoint cannot answer this prompt: {reply.finish_reason}"
            )
        return {"text": reply.text}

    async def drawn(self, prompt: str) -> tuple[Reply, tuple[str, ...]]:
        """The challenger's reply, and the keys of other replies to the same prompt, which were cut off or in vain.

        A reply that was cut off is drawn again with twice the room, twice at most and while the tokens last. If the
        larger room is what the endpoint will not give, the cut-off reply is what there is.
        """
        draw = self.draw.at(ordinal=len(self.steps))
        room = self.place.instrument.models["challenger"].sampling.max_tokens
        request = Request("challenger", user(prompt), draw)
        reply = await self.place.models.ask(request)
        self.tokens += reply.tokens
        earlier: tuple[str, ...] = ()
        for retry in range(1, CUTS + 1):
            if reply.finish_reason != "length" or room >= LARGEST_REPLY or self.out_of_tokens(prompt):
                break
            room = min(LARGEST_REPLY, 2 * room)
            again = await self.place.models.ask(replace(request, draw=draw.again(retry), max_tokens=room))
            self.tokens += again.tokens
            if again.refused:
                return reply, (*earlier, again.key)
            reply, earlier = again, (*earlier, reply.key)
        return reply, earlier

    def out_of_tokens(self, prompt: str) -> bool:
        """True if the tokens are used, or this prompt alone would use them."""
        return self.tokens + len(prompt) // 4 >= self.place.instrument.allowance.tokens

    async def submit(self, submission: object) -> dict[str, Any]:
        """Measure one submission and report back, or say that none is left. Nothing is measured after acceptance."""
        if self.submissions >= self.place.instrument.allowance.submissions or self.accepted:
            return self.refuse("submissions")
        ordinal = len(self.steps)
        self.submissions += 1
        left = self.place.instrument.allowance.submissions - self.submissions
        try:
            example = cs.read_example(submission)
        except Malformed as problem:
            report = Report(
                accepted=False,
                stage="malformed",
                reasons=("malformed",),
                feedback=str(problem),
                submissions_left=left,
            )
            step = Step(kind="submit", ordinal=ordinal, malformed=str(submission)[:20_000], report=report)
        else:
            step = await self.inspected(example, self.draw.at(ordinal=ordinal))
            assert step.report is not None
            report = step.report.model_copy(update={"submissions_left": left})
            step = step.model_copy(update={"report": report})
        self.steps.append(step)
        if report.accepted:
            self.accepted = step.example
        if left == 0 and not report.accepted:
            self.spent = "submissions"
        return {"report": report.model_dump(mode="json")}

    async def inspected(self, example: Example, draw: Draw) -> Step:
        """The measured submission. One that an endpoint will not even read (too long, filtered) fails its check."""
        try:
            return await inspect(self.place, self.document, example, draw)
        except Unanswerable as refused:
            report = Report(
                accepted=False, stage="quality", reasons=("unanswerable",), feedback=refused.reason
            )
            return Step(kind="submit", ordinal=draw.ordinal, example=example, report=report)

    def refuse(self, what: str) -> dict[str, Any]:
        """Which allowance is used up.

        Raises:
            CandidateFault: it has been told often enough; a scaffold that goes on asking is ended as exhausted.
        """
        self.spent = what
        self.refusals += 1
        if self.refusals > REFUSALS:
            raise CandidateFault("exhausted", f"asked {self.refusals} times after its {what} were used up")
        return {"spent": what}

    def finish(self, outcome: Outcome, detail: str = "") -> Rollout:
        """The rollout as recorded. An accepted example stands, whatever the scaffold did afterwards."""
        if self.accepted is not None:
            outcome = "accepted"
        scores: dict[Outcome, float | None] = {"accepted": 1.0, "missing": None}
        return Rollout(
            document=self.document.id,
            name=self.document.name,
            outcome=outcome,
            score=scores.get(outcome, 0.0),
            detail=detail,
            example=self.accepted,
            steps=tuple(self.steps),
            submissions=self.submissions,
            asks=self.asks,
            tokens=self.tokens,
        )


async def inspect(place: Place, document: Document, example: Example, draw: Draw) -> Step:
    """Verify, then weak attempts, then, only if weak passes, strong attempts, then the gate.

    Raises:
        InvalidMeasurement: an instrument role gave no usable answer.
    """
    models, preset = place.models, gate.PRESETS[place.instrument.preset]
    step = Step(kind="submit", ordinal=draw.ordinal, example=example)
    checked = await verify(models, document, example, draw)
    if not checked.passed:
        report = Report(accepted=False, stage="quality", reasons=checked.reasons, feedback=checked.feedback)
        return step.model_copy(update={"verification": checked, "report": report})
    numbers = range(cs.WEAK_ATTEMPTS + cs.STRONG_ATTEMPTS)
    draws = tuple(draw.at(attempt=number) for number in numbers)
    weak = await solvers.attempts(models, "weak", example, draws[: cs.WEAK_ATTEMPTS])
    weak_scores = [one.score for one in weak]
    decision = gate.weak_verdict(preset, weak_scores)
    strong: tuple[Attempt, ...] = ()
    if decision.accepted:
        strong = await solvers.attempts(models, "strong", example, draws[cs.WEAK_ATTEMPTS :])
        decision = gate.verdict(preset, weak_scores, [one.score for one in strong])
    return step.model_copy(
        update={
            "verification": checked,
            "weak": weak,
            "strong": strong,
            "shadow": gate.shadows(weak_scores, [one.score for one in strong]),
            "report": gate_report(decision, weak_scores, [one.score for one in strong]),
        }
    )


def gate_report(decision: Verdict, weak: list[float], strong: list[float]) -> Report:
    """What the scaffold is told about a measured submission."""
    weak_mean = sum(weak) / len(weak)
    strong_mean = sum(strong) / len(strong) if strong else None
    stage: Literal["accepted", "failed_on_strong", "too_easy"]
    stage = "accepted" if decision.accepted else "failed_on_strong" if strong else "too_easy"
    return Report(
        accepted=decision.accepted,
        stage=stage,
        reasons=decision.reasons,
        feedback="",
        weak_mean=weak_mean,
        weak_best=max(weak),
        strong_mean=strong_mean,
        gap=None if strong_mean is None else strong_mean - weak_mean,
    )
