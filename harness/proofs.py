"""Proving a task before it counts: is it well posed, is the reference right, is the rubric right? Each check has a name.

`PROOFS` lists them. They look at the task itself; how hard it is has been measured when they run. How they measure is in
proving.py, where the bounds come from in docs/proofs.md.
"""

from collections.abc import Awaitable, Callable, Sequence
from types import MappingProxyType

from harness.errors import InvalidMeasurement, SandboxError
from harness.gate import SLACK
from harness.null_answers import null_answers
from harness.number_recall import number_recall
from harness.place import Place, Subject
from harness.proof_bounds import AGAIN, COMPARED, context_bound, in_doubt, null_bound, reference_bound
from harness.proving import FIRST, Case, agreeing, attempted, called, fresh, marked
from harness.together import together
from harness.trajectory import Check, Proof, Step
from harness.types import Draw

IN_CODE: tuple[Check, ...] = ("number_recall",)
ASKING: tuple[Check, ...] = ("reference", "null_answers", "agreement", "closed_book", "context_only")
ALL = IN_CODE + ASKING

REASONS: dict[Check, str] = {
    "number_recall": "number_recall",
    "reference": "reference_low",
    "null_answers": "null_high",
    "agreement": "reference_suspect",
    "closed_book": "closed_book",
    "context_only": "context_leaks",
}


async def prove(
    place: Place, subject: Subject, step: Step, wanted: Sequence[Check], draw: Draw
) -> tuple[Proof, ...]:
    """The wanted checks, all at once, each with its finding; a check that a task gives no occasion for leaves none.

    Raises:
        InvalidMeasurement: a check could not be measured, and none of the others failed. Raised when all have ended, so
            that what is spent does not depend on which of them came first.
    """
    case = Case(place, subject, step, draw)
    results = await together(tried(case, check) for check in ALL if check in wanted)
    found = tuple(one for one in results if isinstance(one, Proof))
    missing = [one for one in results if isinstance(one, InvalidMeasurement)]
    if missing and all(one.passed for one in found):
        raise missing[0]
    return found


async def tried(case: Case, check: Check) -> Proof | InvalidMeasurement | None:
    """A check's finding, or why it is missing. A refusal of a prompt of ours is missing data, whatever is in it."""
    try:
        return await PROOFS[check](case)
    except InvalidMeasurement as missing:
        return InvalidMeasurement(f"{missing.reason} (while proving: {check})", missing.cause)


def proof(
    check: Check, passed: bool, detail: str, score: float | None = None, calls: tuple[str, ...] = ()
) -> Proof:
    """A finding, with its named reason if the check failed."""
    reason = "" if passed else REASONS[check]
    return Proof(check=check, passed=passed, reason=reason, score=score, detail=detail, calls=calls)


async def recall(case: Case) -> Proof:
    """The task must ask for more than a number that stands in the document."""
    found = number_recall(case.subject.document.text, case.example)
    return proof("number_recall", not found, found)


async def reference(case: Case) -> Proof:
    """The reference answer, marked like any other, must score high; where answers are compared it must equal itself."""
    if case.comparable:
        return await itself(case)
    bound = reference_bound(case.preset)
    answer = case.example.reference_answer
    found = await marked(case, FIRST["reference"], answer, lambda score: score >= bound - SLACK)
    detail = (
        f"Under its own rubric the reference answer scores {found.score:.2f}; at least {bound:.2f} is needed."
    )
    return proof("reference", found.fine, detail, found.score, found.calls)


async def itself(case: Case) -> Proof:
    """The reference answer compared with itself.

    Raises:
        InvalidMeasurement: the comparison broke down.
    """
    checker, kind = case.place.checker, case.example.answer_kind
    if checker is None or kind is None:
        raise SandboxError("answers cannot be compared here: no checker was opened for this domain")
    answer = case.example.reference_answer
    found = await checker.compare(answer, answer, kind)
    if found.how in ("crash", "timeout"):
        raise InvalidMeasurement(f"checker: the reference answer beside itself: {found.how}", found.how)
    detail = f"Compared with itself the reference answer is {found.verdict} ({found.how})."
    return proof("reference", found.verdict == "equal", detail, float(found.verdict == "equal"))


async def nulls(case: Case) -> Proof:
    """No answer that says nothing of its own may earn more than a little."""
    texts = null_answers(case.place.instrument.domain, case.example)
    bound, first = null_bound(case.preset), FIRST["null_answers"]
    found = await together(
        marked(case, first + at * (1 + AGAIN), text, lambda score: score <= bound + SLACK)
        for at, text in enumerate(texts.values())
    )
    told = ", ".join(f"{name} {one.score:.2f}" for name, one in zip(texts, found, strict=True))
    high = ", ".join(name for name, one in zip(texts, found, strict=True) if not one.fine)
    detail = f"Answers that say nothing of their own score {told}; at most {bound:.2f} may be."
    detail += f" Too high: {high}." if high else ""
    calls = tuple(key for one in found for key in one.calls)
    return proof("null_answers", not high, detail, max(one.score for one in found), calls)


async def agreement(case: Case) -> Proof | None:
    """Of the strong answers that commit themselves more than half must agree with the reference answer.

    In doubt fresh answers are asked for as well. Where answers are compared the gate itself has seen to all this.
    Answers of which none commits itself prove nothing, and the check fails.
    """
    if case.comparable:
        return None
    first = FIRST["agreement"]
    words, calls = await agreeing(case, case.step.strong[:COMPARED], first)
    if in_doubt(words):
        made = await fresh(case)
        more, keys = await agreeing(case, made, first + len(words))
        words, calls = words + more, (*calls, *called(made), *keys)
    agree, decided = words.count("same"), len(words) - words.count("unsure")
    detail = (
        f"Of {len(words)} answers of the strong solver {decided} commit themselves on what the reference answer says, "
        f"and {agree} agree with it."
    )
    return proof("agreement", 2 * agree > decided, detail, agree / decided if decided else None, calls)


async def closed_book(case: Case) -> Proof | None:
    """Without context and source the strong solver must not do as well as it has to with them."""
    if not (case.example.context.strip() or case.place.instrument.mode("strong").sees != "task"):
        return None
    bound = case.preset.strong_low
    shown = case.example.model_copy(update={"context": case.prompt("closed_book.md")})
    first = FIRST["closed_book"]
    found = await attempted(case, "strong", first, shown, lambda score: score < bound - SLACK)
    detail = (
        f"Without the context the strong solver scores {found.score:.2f}; less than {bound:.2f} is needed."
    )
    return proof("closed_book", found.fine, detail, found.score, found.calls)


async def context_only(case: Case) -> Proof | None:
    """Who is told to draw conclusions from the context, and not what is asked, must not earn half of the points."""
    if case.comparable or not case.example.context.strip():
        return None
    bound = context_bound(case.preset)
    shown = case.example.model_copy(update={"question": case.prompt("context_only.md")})
    found = await attempted(case, "weak", FIRST["context_only"], shown, lambda score: score <= bound + SLACK)
    detail = (
        f"From the context alone, without the question, the weak solver scores {found.score:.2f}; at most "
    )
    detail += f"{bound:.2f} may be."
    return proof("context_only", found.fine, detail, found.score, found.calls)


PROOFS: MappingProxyType[Check, Callable[[Case], Awaitable[Proof | None]]] = MappingProxyType(
    {
        "number_recall": recall,
        "reference": reference,
        "null_answers": nulls,
        "agreement": agreement,
        "closed_book": closed_book,
        "context_only": context_only,
    }
)
