"""The quality verifier: is an example worth measuring? A model checks meaning, code checks form and decides."""

from pydantic import BaseModel

from harness.judge import boundary
from harness.measuring import measure, user
from harness.parsing import parse
from harness.place import Place, Subject
from harness.prompting import fitted, numbered
from harness.trajectory import Example, Verification
from harness.types import Draw, Request

FAILS_IF_FALSE = {
    "rubric_tests_content": "rubric_style",
    "label_fits": "label",
    "single_answer": "ambiguous",
    "kind_fits": "kind",
}


async def verify(place: Place, subject: Subject, draw: Draw) -> Verification:
    """Check one example against its document with the verifier's model.

    Raises:
        InvalidMeasurement: the verifier gave no usable answer.
    """
    domain = place.instrument.domain
    prompt = filled(domain.prompt("verifier.md"), subject)
    request = Request("verifier", user(prompt), draw, schema=domain.checks)
    checks, reply = await measure(place.models, request, lambda text: parse(text, domain.checks))
    return conclude(subject.example, checks, reply.key)


def filled(template: str, subject: Subject) -> str:
    """The verifier's prompt; a domain's own has whichever of these places it needs."""
    document, example = subject.document, subject.example
    values = {
        "boundary": boundary(example, document.text),
        "document": document.text,
        "context": example.context,
        "passage": example.passage,
        "question": example.question,
        "question_type": example.question_type,
        "criteria": numbered(example.rubric),
        "reference": example.reference_answer,
        "kind": example.answer_kind or "",
    }
    return fitted(template, **values)


def conclude(example: Example, checks: BaseModel, *calls: str) -> Verification:
    """The verdict that follows from the model's checks."""
    found = checks.model_dump()
    quality = found["quality"]
    reasons = ["leak"] if found["leak"] else []
    reasons += [] if quality == "GOOD" else [quality.lower()]
    reasons += [name for field, name in FAILS_IF_FALSE.items() if found.get(field) is False]
    counts = counted(example)
    return Verification(
        passed=not reasons,
        reasons=tuple(reasons),
        **{key: value for key, value in found.items() if key != "feedback"},
        **counts,
        feedback=found["feedback"].strip(),
        calls=calls,
    )


def malformed(example: Example, broken: tuple[str, ...]) -> Verification:
    """The verdict where code has found rules of form broken: no model is asked. Exact counts go into the feedback."""
    counts = counted(example)
    said = f"The rubric has {counts['positives']} positive and {counts['negatives']} negative criteria."
    return Verification(
        passed=False,
        leak=False,
        quality="GOOD",
        reasons=broken,
        **counts,
        feedback=said if example.rubric else f"Broken rules: {', '.join(broken)}.",
    )


def counted(example: Example) -> dict[str, int]:
    """How many criteria there are of each sign."""
    positives = sum(one.weight > 0 for one in example.rubric)
    return {"positives": positives, "negatives": len(example.rubric) - positives}
