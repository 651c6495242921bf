"""One document, one scaffold -> one Rollout with its trajectory. The one place where a bad rollout becomes data."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.errors import CandidateFault, InvalidMeasurement, Stalled, Unanswerable
from harness.extraction import extract
from harness.inspection import inspect
from harness.measuring import LARGEST_REPLY, user
from harness.parsing import Malformed
from harness.place import Place, Subject
from harness.together import together
from harness.trajectory import Example, Extraction, Outcome, Report, Rollout, Step, score_of
from harness.types import Document, Draw, Reply, Request

__all__ = ["Place", "roll_out"]

STALLS = 2
REFUSALS = 5
CUTS = 2


async def roll_out(place: Place, scaffold: Path, document: Document, draw: Draw) -> Rollout:
    """Run the scaffold in the folder `scaffold` on one document and measure what it submits.

    The score is 1 if a submission was accepted within the allowance, 0 if none was or the scaffold failed, None if
    the instrument failed or its extractor finds that the document is none to make a task from. A rollout that stalls by
    the clock is measured again, twice, before it counts as hung.

    Raises:
        OurFault, BudgetSpent: the run cannot go on; nothing is recorded for this rollout.
    """
    session = Session(place, document, draw)
    try:
        extraction = await extract(place, document, draw)
    except InvalidMeasurement as missing:
        return session.finish("missing", missing.reason)
    if extraction is not None and not extraction.suitable:
        session.extraction = extraction
        return session.finish("doc_not_suitable", extraction.note)
    for again in range(STALLS + 1):
        session = Session(place, document, draw, extraction)
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

    def __init__(
        self, place: Place, document: Document, draw: Draw, extraction: Extraction | None = None
    ) -> None:
        self.place = place
        self.document = document
        self.extraction = extraction
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
            "document": {
                "name": self.document.name,
                "text": self.document.text,
                "notes": self.extraction.facts if self.extraction else {},
            },
            "seed": int.from_bytes(seed[:4], "big"),
            "submissions": self.place.instrument.allowance.submissions,
        }

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the guest: `{"ask": prompt}`, `{"ask": [prompt, ...]}` or `{"submit": example}`."""
        if "submit" in request:
            return await self.submit(request["submit"])
        if isinstance(request["ask"], list):
            return await self.ask(tuple(map(str, request["ask"])))
        found = await self.ask((str(request["ask"]),))
        return {"text": found["texts"][0]} if "texts" in found else found

    async def ask(self, prompts: tuple[str, ...]) -> dict[str, Any]:
        """The challenger's text to each prompt, all asked at once, or which allowance is used up.

        Raises:
            InvalidMeasurement: the endpoint failed at a prompt again and again; no scaffold is charged for that.
        """
        too_many = self.asks + len(prompts) > self.place.instrument.allowance.asks
        if too_many or self.out_of_tokens("".join(prompts)):
            return self.refuse("asks" if too_many else "tokens")
        self.asks += len(prompts)
        first = len(self.steps)
        found = await together(self.asked(prompt, first + at) for at, prompt in enumerate(prompts))
        self.steps += found
        if failed := next((one for one in found if one.finish_reason.startswith("failed")), None):
            raise InvalidMeasurement(
                f"challenger: the endpoint cannot answer this prompt: {failed.finish_reason}", "failed"
            )
        return {"texts": [one.reply for one in found]}

    async def asked(self, prompt: str, ordinal: int) -> Step:
        """One question to the challenger."""
        reply, earlier = await self.drawn(prompt, ordinal)
        return Step(
            kind="ask",
            ordinal=ordinal,
            prompt=prompt,
            reply=reply.text,
            finish_reason=reply.finish_reason,
            call=reply.key,
            earlier=earlier,
        )

    async def drawn(self, prompt: str, ordinal: int) -> tuple[Reply, tuple[str, ...]]:
        """The challenger's reply, and the keys of other replies to the same prompt, which were cut off or in vain.

        A reply that was cut off is drawn again with twice the room, twice at most and while the tokens last. If the
        larger room is what the endpoint will not give, the cut-off reply is what there is.
        """
        draw = self.draw.at(ordinal=ordinal)
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
            example = self.place.instrument.domain.read(submission)
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
            return await inspect(self.place, Subject(self.document, example), draw, self.steps)
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
        return Rollout(
            document=self.document.id,
            name=self.document.name,
            outcome=outcome,
            score=score_of(outcome),
            detail=detail,
            extraction=self.extraction,
            example=self.accepted,
            steps=tuple(self.steps),
            submissions=self.submissions,
            asks=self.asks,
            tokens=self.tokens,
        )
