"""The legal domain: a client's question under a rule of law, marked by a rubric whose weights lie in bands.

A judge who sees all attempts decides; see harness/loop_judge.py. docs/domain-legal.md tells the whole.
"""

from typing import Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from harness.domains import COMMON, Domain
from harness.domains.cs import read_as, signed
from harness.gate import Preset
from harness.parsing import Malformed
from harness.phrasing import examines, names_old_year, recaps_case
from harness.trajectory import Allowance, Criterion, Example, Short, Text
from harness.types import Wire

WeightClass = Literal["decisive", "substantial", "supporting", "error"]
BANDS: dict[str, tuple[int, int]] = {
    "decisive": (8, 10),
    "substantial": (5, 7),
    "supporting": (2, 4),
    "error": (-10, -1),
}
PRIMARY, SECONDARY, CRITERIA = (2, 4), (1, 3), (15, 25)
KEYWORDS = (3, 5)
LONGEST_QUESTION = 1_000
TYPE = "client scenario"


class Row(Wire):
    """One criterion as it is submitted."""

    number: StrictInt
    criterion: Short
    category: Literal["positive", "negative"]
    capability: Short
    weight_class: WeightClass
    weight: StrictInt = Field(ge=-10, le=10)


class Capabilities(Wire):
    """What a task is to exercise: mainly, and besides."""

    primary: tuple[Short, ...] = Field(max_length=7)
    secondary: tuple[Short, ...] = Field(max_length=7)


class Submission(Wire):
    """What a scaffold hands in, as its README says."""

    capabilities: Capabilities
    question: Text
    reference_answer: Text
    rubric: tuple[Row, ...] = Field(min_length=1, max_length=40)


class Holding(Wire):
    """A rule that a document lays down or applies, and why."""

    rule: Short
    reasoning: str


class Findings(Wire):
    """What the extractor returns; see prompts/legal/extractor.md. Of an unsuitable document the lists may be empty."""

    suitable: StrictBool
    note: str
    document_type: str
    keywords: tuple[Short, ...]
    issues: tuple[Short, ...]
    facts: tuple[Short, ...]
    holdings: tuple[Holding, ...]

    @model_validator(mode="after")
    def complete(self) -> "Findings":
        """Refuse to call suitable what nothing was found in."""
        fewest, most = KEYWORDS
        if self.suitable and not (fewest <= len(self.keywords) <= most and self.issues and self.holdings):
            raise ValueError(f"a suitable document has {fewest} to {most} keywords, an issue and a holding")
        return self


class LegalChecks(Wire):
    """What the verifier returns; see prompts/legal/verifier.md."""

    leak: bool
    quality: Literal["GOOD", "TOO_EASY", "RECALL"]
    rubric_tests_content: bool
    feedback: str = ""


def read(submission: object) -> Example:
    """A scaffold's submission as an Example: a decoded object, or the raw text of one. The question is all there is.

    Raises:
        Malformed: it is not one, its numbers do not run from 1, or a weight has not the sign of its category.
    """
    found = read_as(Submission, submission)
    numbers = [row.number for row in found.rubric]
    if numbers != list(range(1, len(numbers) + 1)):
        raise Malformed(f"rubric: the numbers run from 1 to {len(numbers)} in order, not {numbers!r}"[:300])
    rubric = tuple(Criterion(**row.model_dump(exclude={"number"})) for row in found.rubric)
    return signed(
        Example(
            question_type=TYPE,
            skills=found.capabilities.primary,
            secondary_skills=found.capabilities.secondary,
            question=found.question,
            reference_answer=found.reference_answer,
            rubric_policy="banded",
            rubric=rubric,
        )
    )


def problems(example: Example) -> tuple[str, ...]:
    """Names of the rules of form that a task breaks; bounds are inclusive."""
    declared = (*example.skills, *example.secondary_skills)
    rubric = example.rubric
    broken = {
        "capabilities_primary_count": not within(len(example.skills), PRIMARY),
        "capabilities_secondary_count": not within(len(example.secondary_skills), SECONDARY),
        "capabilities_repeated": len(set(declared)) < len(declared),
        "rubric_too_short": len(rubric) < CRITERIA[0],
        "rubric_too_long": len(rubric) > CRITERIA[1],
        "rubric_no_negative": all(one.weight > 0 for one in rubric),
        "rubric_weight_outside_band": not all(
            within(one.weight, BANDS.get(one.weight_class, (0, 0))) for one in rubric
        ),
        "rubric_capability_undeclared": any(one.capability not in declared for one in rubric),
    }
    return tuple(name for name, is_broken in broken.items() if is_broken)


def within(value: int, bounds: tuple[int, int]) -> bool:
    """Whether the value lies between the bounds, these included."""
    return bounds[0] <= value <= bounds[1]


def overrides(example: Example) -> tuple[str, ...]:
    """Names of what makes the verdict `improve` whatever a judge says. Of an overlong question the beginning is read."""
    text = example.question[: 2 * LONGEST_QUESTION]
    found = {
        "question_too_long": len(example.question) > LONGEST_QUESTION,
        "case_recap": recaps_case(text),
        "exam_prompt": examines(text),
        "old_year": names_old_year(text),
    }
    return tuple(name for name, is_found in found.items() if is_found)


JUDGE = Preset(weak_mean=1.0, strong_low=0.0, strong_high=None, gap=-1.0, judged=True)
CONFIRMED = Preset(
    weak_mean=1.0,
    strong_low=0.0,
    strong_high=None,
    gap=0.20,
    judged=True,
    confirmed=True,
    checks=("reference", "null_answers", "agreement", "final_verification"),
)
DOMAIN = Domain(
    name="legal",
    version=1,
    about="clients' questions under a rule of law, marked by a banded rubric; a judge who sees all attempts decides",
    read=read,
    problems=problems,
    overrides=overrides,
    presets={
        "judge": JUDGE,
        "judge-gap": Preset(weak_mean=1.0, strong_low=0.0, strong_high=None, gap=0.20, judged=True),
        "gap": Preset(weak_mean=1.0, strong_low=0.0, strong_high=None, gap=0.20),
        "confirmed": CONFIRMED,
    },
    preset="judge",
    prompts=COMMON / "legal",
    attempts=(5, 3),
    allowance=Allowance(submissions=16, asks=40, tokens=600_000),
    checks=LegalChecks,
    extraction=Findings,
)
