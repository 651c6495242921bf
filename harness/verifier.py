"""The quality verifier: is an example worth measuring? A model checks meaning, code checks counts and decides."""

from typing import Literal

from harness.domains import cs
from harness.gateway import Models
from harness.judge import boundary
from harness.measuring import measure, user
from harness.parsing import parse
from harness.prompting import load, numbered, render
from harness.types import Document, Draw, Example, Request, Verification, Wire


class Checks(Wire):
    """What the verifier model returns; see prompts/verifier.md."""

    leak: bool
    quality: Literal["GOOD", "TOO_EASY", "RECALL"]
    rubric_tests_content: bool
    label_fits: bool
    feedback: str = ""


async def verify(models: Models, document: Document, example: Example, draw: Draw) -> Verification:
    """Check one example against its document. The count rule of the declared policy is applied in code.

    Raises:
        InvalidMeasurement: the verifier gave no usable answer.
    """
    broken = cs.count_problems(example.rubric_policy, example.rubric)
    if broken:
        return conclude(
            example, Checks(leak=False, quality="GOOD", rubric_tests_content=True, label_fits=True), broken
        )
    prompt = render(
        load("harness", "verifier.md"),
        boundary=boundary(example, document.text),
        document=document.text,
        context=example.context,
        question=example.question,
        question_type=example.question_type,
        criteria=numbered(example.rubric),
    )
    request = Request("verifier", user(prompt), draw, schema=Checks)
    checks, reply = await measure(models, request, lambda text: parse(text, Checks))
    return conclude(example, checks, broken, reply.key)


def conclude(example: Example, checks: Checks, broken: tuple[str, ...], *calls: str) -> Verification:
    """The verdict from the model's four checks and the broken count rules; exact counts go into the feedback."""
    found = {
        "leak": checks.leak,
        "too_easy": checks.quality == "TOO_EASY",
        "recall": checks.quality == "RECALL",
        "rubric_style": not checks.rubric_tests_content,
        "label": not checks.label_fits,
    }
    reasons = tuple(name for name, is_found in found.items() if is_found) + broken
    positives = sum(one.weight > 0 for one in example.rubric)
    negatives = len(example.rubric) - positives
    counts = f"The rubric has {positives} positive and {negatives} negative criteria." if broken else ""
    return Verification(
        passed=not reasons,
        leak=checks.leak,
        quality=checks.quality,
        rubric_tests_content=checks.rubric_tests_content,
        label_fits=checks.label_fits,
        positives=positives,
        negatives=negatives,
        reasons=reasons,
        feedback=" ".join(part for part in (checks.feedback.strip(), counts) if part),
        calls=calls,
    )
