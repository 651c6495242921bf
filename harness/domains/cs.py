"""The CS domain: research questions with a weighted rubric. What counts as a submission, and the frozen count rules."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel, Field, StrictInt

from harness.domains import COMMON, Domain
from harness.gate import PRESETS
from harness.parsing import Malformed, parse, validate
from harness.trajectory import Criterion, Example, Short, Text
from harness.types import Wire

LONGEST = 100_000
Policy = Literal["signed", "positive-only"]
T = TypeVar("T", bound=BaseModel)


class Row(Wire):
    """One criterion as it is submitted."""

    criterion: Short
    weight: StrictInt = Field(ge=-10, le=10)
    category: Literal["positive", "negative"]


class Submission(Wire):
    """What a scaffold hands in, as its README says."""

    question_type: Short
    skills: tuple[Short, ...] = Field(min_length=1, max_length=5)
    context: Text
    question: Text
    reference_answer: Text
    rubric_policy: Policy
    rubric: tuple[Row, ...] = Field(min_length=1, max_length=40)


@dataclass(frozen=True)
class CountRule:
    """How many criteria a rubric of one policy must have, and the largest weight. Bounds are inclusive."""

    fewest: int
    most: int
    positives: int
    negatives: int
    heaviest: int
    negatives_allowed: bool


COUNT_RULES: dict[str, CountRule] = {
    "signed": CountRule(fewest=10, most=20, positives=4, negatives=3, heaviest=10, negatives_allowed=True),
    "positive-only": CountRule(
        fewest=10, most=20, positives=10, negatives=0, heaviest=7, negatives_allowed=False
    ),
}


def read(submission: object) -> Example:
    """A scaffold's submission as an Example: a decoded object, or the raw text of one (fences allowed, no repairs).

    Raises:
        Malformed: it is not one; the message says which field and why.
    """
    found = read_as(Submission, submission)
    rubric = tuple(Criterion(**row.model_dump()) for row in found.rubric)
    return signed(Example(**(found.model_dump() | {"rubric": rubric})))


def read_as(form: type[T], submission: object) -> T:
    """A submission in the form a domain wants it.

    Raises:
        Malformed: it does not fit, or is longer than 100,000 characters.
    """
    if isinstance(submission, str):
        return parse(submission, form, repair=False)
    if not isinstance(submission, dict):
        raise Malformed(f"an example is a JSON object, not {type(submission).__name__}")
    found = validate(submission, form)
    if len(json.dumps(submission, ensure_ascii=False)) > LONGEST:
        raise Malformed(f"the example is longer than {LONGEST:,} characters")
    return found


def signed(example: Example) -> Example:
    """The example, if each weight has the sign of its category, none is zero, and some weight is positive.

    Raises:
        Malformed: a criterion contradicts itself.
    """
    for number, one in enumerate(example.rubric, 1):
        if one.weight == 0 or (one.weight > 0) != (one.category == "positive"):
            raise Malformed(f"rubric.{number}: a {one.category} criterion cannot have weight {one.weight}")
    if all(one.weight < 0 for one in example.rubric):
        raise Malformed("rubric: no positive criterion")
    return example


def problems(example: Example) -> tuple[str, ...]:
    """Names of the count rules of the declared policy that the rubric breaks; empty if none."""
    return count_problems(example.rubric_policy, example.rubric)


def count_problems(policy: str, rubric: Sequence[Criterion]) -> tuple[str, ...]:
    """The same from policy and rubric."""
    rule = COUNT_RULES[policy]
    positives = sum(one.weight > 0 for one in rubric)
    negatives = len(rubric) - positives
    broken = {
        "rubric_too_short": len(rubric) < rule.fewest,
        "rubric_too_long": len(rubric) > rule.most,
        "rubric_few_positives": positives < rule.positives,
        "rubric_few_negatives": negatives < rule.negatives,
        "rubric_negatives_not_allowed": negatives > 0 and not rule.negatives_allowed,
        "rubric_weight_too_heavy": any(one.weight > rule.heaviest for one in rubric),
    }
    return tuple(name for name, is_broken in broken.items() if is_broken)


DOMAIN = Domain(
    name="cs",
    version=2,
    about="research questions on technical documents, marked by a weighted rubric",
    read=read,
    problems=problems,
    presets=PRESETS,
    preset="meta",
    prompts=COMMON / "cs",
)
